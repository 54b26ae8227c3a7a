//! The towline command line.

fn main() {}
