//! Code generation, CRDs, RBAC, tidy, demo, images, benchmarks.

fn main() {}
