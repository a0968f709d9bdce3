//! Compiles the contract, and refuses a method or an event that stands in it without a rule.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, Kind};

const ACCESS: &str = "commonweal.common.v1.access";
const TELLING: &str = "commonweal.common.v1.telling";

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    for root in ["commonweal", "io"] {
        println!("cargo:rerun-if-changed={root}");
        collect(Path::new(root), &mut files)?;
    }
    files.sort();

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    let pool = compiler.descriptor_pool();
    every_method_has_a_rule(&pool)?;
    every_event_has_a_rule(&pool)?;

    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("contract.binpb"), compiler.encode_file_descriptor_set())?;

    let mut config = prost_build::Config::new();
    config.enable_type_names();
    // Sorted maps: the same value always has the same bytes.
    config.btree_map(["."]);
    // A CloudEvent body is handed around without copying.
    config.bytes([".commonweal.federation.v1", ".commonweal.common.v1.Delivery"]);
    tonic_prost_build::configure()
        .include_file("contract.rs")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

fn every_method_has_a_rule(pool: &DescriptorPool) -> Result<(), Box<dyn Error>> {
    let access = pool.get_extension_by_name(ACCESS).ok_or("the access option is missing")?;
    for service in pool.services() {
        for method in service.methods() {
            if !method.options().has_extension(&access) {
                return Err(format!("{} has no ({ACCESS}) option: say who may call it", method.full_name()).into());
            }
        }
    }
    Ok(())
}

/// In an `events.proto` every top-level message that names a past fact must say who may tell it. Messages that only
/// serve as fields of others live elsewhere.
fn every_event_has_a_rule(pool: &DescriptorPool) -> Result<(), Box<dyn Error>> {
    let telling = pool.get_extension_by_name(TELLING).ok_or("the telling option is missing")?;
    debug_assert!(matches!(telling.kind(), Kind::Message(_)));
    for file in pool.files().filter(|file| file.name().ends_with("/events.proto")) {
        for message in file.messages() {
            if !message.options().has_extension(&telling) {
                return Err(format!("{} has no ({TELLING}) option: say who may tell it", message.full_name()).into());
            }
        }
    }
    Ok(())
}
