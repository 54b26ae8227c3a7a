//! Group `helm.fluxcd.io`: the Helm operator's releases.

pub mod v1;
