//! Where everything listens, and a call for each service that can be copied.

use std::path::Path;

use super::Memory;
use crate::client;
use crate::error::NodeError;
use crate::fleet::{Coalition, Node};

struct Example {
    service: &'static str,
    about: &'static str,
    method: &'static str,
    node: &'static str,
    request: String,
}

pub(super) fn directions(coalition: &Coalition, memory: &Memory, program: &Path) -> Result<String, NodeError> {
    let mut lines = vec!["Nodes (gRPC, gRPC-web, health, reflection and /metrics on one port):".to_owned()];
    for node in &coalition.nodes {
        lines.push(format!("  {:9} {:16} {}", node.sketch.name, address(node)?, node.sketch.title));
    }
    let (program, buf) = (program.display(), buf());
    let backbone = coalition.backbone()?;
    lines.push(format!("\nHow a node stands:\n  {program} status --config {}", backbone.file().display()));
    for example in examples(memory) {
        let node = coalition.node(example.node)?;
        let (address, file) = (address(node)?, node.file().display());
        let Example { service, about, method, request, .. } = example;
        lines.push(format!("\n{service}: {about}, as {} has it", example.node));
        lines.push(format!("  TOKEN=$({program} token --operator --config {file})"));
        lines.push(format!(
            "  {buf} curl --protocol grpc --http2-prior-knowledge -H \"authorization: Bearer $TOKEN\" \\\n    -d '{request}' \
             http://{address}/{method}"
        ));
        lines.push(format!(
            "  grpcurl -plaintext -H \"authorization: Bearer $TOKEN\" \\\n    -d '{request}' {address} {method}"
        ));
    }
    Ok(lines.join("\n"))
}

fn examples(memory: &Memory) -> [Example; 3] {
    let Memory { initiative, graduation, .. } = memory;
    [
        Example {
            service: "membership",
            about: "who takes part",
            method: "commonweal.membership.v1.MembershipService/ListMembers",
            node: "backbone",
            request: format!("{{\"initiative\": \"{initiative}\", \"pageSize\": 5}}"),
        },
        Example {
            service: "measurement",
            about: "graduation by race in 2010-11, added up from districts",
            method: "commonweal.measurement.v1.MeasurementService/GetRollup",
            node: "beta",
            request: format!(
                "{{\"measure\": \"{graduation}\", \"basis\": \"BASIS_COMPONENT\", \"periods\": \
                 [\"2010-07-01/2011-06-30\"], \"by\": [\"race\"]}}"
            ),
        },
        Example {
            service: "federation",
            about: "what was refused at the border",
            method: "commonweal.federation.v1.FederationService/ListQuarantine",
            node: "backbone",
            request: "{}".to_owned(),
        },
    ]
}

fn address(node: &Node) -> Result<String, NodeError> {
    let listens = client::announced(&node.config().node.data_dir);
    let silent = || NodeError::Usage(format!("the node {} does not run", node.sketch.name));
    listens.map(|address| address.to_string()).ok_or_else(silent)
}

/// The `buf` that was fetched for this project, if that is where the demo runs.
fn buf() -> String {
    let tools = std::env::var_os("COMMONWEAL_TOOLS").map(|tools| Path::new(&tools).join("bin/buf"));
    tools.filter(|buf| buf.is_file()).map_or_else(|| "buf".to_owned(), |buf| buf.display().to_string())
}
