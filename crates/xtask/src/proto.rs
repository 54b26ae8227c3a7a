//! The gRPC code of crates/artifact, from proto/.

use anyhow::Context;
use prost::Message;

use crate::generated::{Files, workspace};

const DIRECTORY: &str = "crates/artifact/src/generated";
const PROTOS: &[&str] = &["towline/artifact/v1/artifact.proto"];

/// The files of the generated directory: the code, and the descriptors behind server reflection.
pub(crate) fn files() -> anyhow::Result<Files> {
    let descriptors = protox::compile(PROTOS, [workspace().join("proto")]).context("compile proto/")?;
    let output = tempfile::tempdir()?;
    let mut files = Files { owned_directories: vec![DIRECTORY.to_owned()], ..Files::default() };
    // Reflection needs no comments; the code keeps them as documentation.
    let mut bare = descriptors.clone();
    for file in &mut bare.file {
        file.source_code_info = None;
    }
    files.add(format!("{DIRECTORY}/descriptors.bin"), bare.encode_to_vec());
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .bytes(".")
        .out_dir(output.path())
        .compile_fds(descriptors)
        .context("generate code")?;
    for entry in fs_err::read_dir(output.path())? {
        let entry = entry?;
        let name = entry.file_name();
        files.add(format!("{DIRECTORY}/{}", name.to_string_lossy()), fs_err::read(entry.path())?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn checked_in_grpc_code_is_that_of_the_proto() {
        let drift = crate::generated::drift(&super::files().unwrap()).unwrap();
        assert!(drift.is_empty(), "{}\nrun `cargo xtask proto`", drift.join("\n"));
    }
}
