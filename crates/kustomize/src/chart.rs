//! `helmCharts`: charts rendered in process and taken in as resources.

use crate::{
    accumulate::{Accumulator, Target},
    error::Error,
};

/// Renders the charts of a kustomization.
pub(crate) fn generate(target: &Target<'_>, _: &mut Accumulator) -> Result<(), Error> {
    if target.kustomization.helm_charts.is_empty() {
        return Ok(());
    }
    if !target.session.options().enable_helm {
        return Err(Error::Refused(
            "trouble configuring builtin HelmChartInflationGenerator with config: must specify --enable-helm".into(),
        ));
    }
    Err(Error::Refused(
        "helmCharts cannot be rendered yet: use a HelmRelease, or render the chart with `towline template`".into(),
    ))
}
