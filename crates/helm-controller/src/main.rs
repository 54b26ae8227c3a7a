//! The helm-controller binary.

fn main() {}
