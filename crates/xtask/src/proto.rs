//! Generates the checked-in gRPC code and descriptor set of `proto/`, without any program outside Cargo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The protocol files, relative to `proto/`.
const FILES: &[&str] = &["towline/artifact/v1/artifact.proto"];

/// Where the generated files lie, relative to the workspace.
const TARGET: &str = "crates/artifact/src/generated";

/// Every generated file with its content: what is to be written, and what a drift test compares with.
pub fn generate(workspace: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let include = workspace.join("proto");
    let mut compiler = protox::Compiler::new([&include])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(FILES).context("cannot compile the files of proto/")?;
    let descriptors = compiler.file_descriptor_set();

    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_server(true)
        .build_client(true)
        .build_transport(false)
        .bytes(".towline.artifact.v1.FetchArtifactResponse.chunk")
        .out_dir(out.path())
        .compile_fds(descriptors)
        .context("cannot generate Rust code from proto/")?;

    // Reflection shows people the types; the comments stay in the .proto file.
    let mut bare = protox::Compiler::new([&include])?;
    bare.include_imports(true).open_files(FILES)?;

    let target = workspace.join(TARGET);
    let mut files = vec![(target.join("descriptors.bin"), bare.encode_file_descriptor_set())];
    for entry in fs_err::read_dir(out.path())? {
        let path = entry?.path();
        let name = path.file_name().context("a generated file has no name")?.to_owned();
        if name != "google.protobuf.rs" {
            files.push((target.join(name), fs_err::read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
