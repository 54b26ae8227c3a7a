//! Integration tests of `artifact`: the client against the server, over loopback, plaintext and TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod fixture;
mod grpc;
mod http;
