//! `commonweal token`: tokens of the node's own issuer.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::names::Reference;
use clap::Args;
use serde::Serialize;

use super::print;
use crate::client;
use crate::error::NodeError;

const EXAMPLES: &str = "\
Examples:
  commonweal token --operator
  commonweal token --subject ana --organization 4bq...x7/0197b3c2-...";

/// Print a token for a person or a program, signed by this node.
///
/// It is good for 30 minutes. Whoever can run this can read the node's keys anyway.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Token {
    /// Whose token: a name, for this node's own eyes.
    #[arg(long, default_value = "operator")]
    subject: String,
    /// Reference of an organisation that the bearer speaks for; can be given several times.
    #[arg(long, value_name = "REFERENCE")]
    organization: Vec<Reference>,
    /// The bearer operates this node.
    #[arg(long)]
    operator: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Made {
    token: String,
}

impl Token {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let token = client::own_token(config, &self.subject, &self.organization, self.operator)?;
        print(self.json, &Made { token }, |made| made.token.clone())
    }
}
