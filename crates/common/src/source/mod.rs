//! Group `source.toolkit.fluxcd.io`: where desired state is pulled from.

pub mod v1;
