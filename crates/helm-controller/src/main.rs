//! Installs, upgrades, tests and heals Helm releases declared as HelmRelease objects.

fn main() {}
