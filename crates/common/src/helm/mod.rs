//! Group `helm.toolkit.fluxcd.io`: Helm releases.

pub mod v2;
