//! Fetches Git repositories, Helm repositories and charts, and serves them as artifacts.

fn main() {}
