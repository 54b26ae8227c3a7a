//! The generated code of `proto/towline/artifact/v1/artifact.proto`; `cargo xtask` writes it.

/// Version 1 of the protocol.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::use_self,
    clippy::semicolon_if_nothing_returned,
    clippy::map_unwrap_or,
    reason = "generated"
)]
pub mod v1 {
    include!("generated/towline.artifact.v1.rs");
}

/// The descriptor set behind server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
