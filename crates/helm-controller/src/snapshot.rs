//! Snapshots of stored releases, as they stand in a HelmRelease's history.

use common::{
    Time,
    helm::v2::{Snapshot, TestHookStatus},
};
use helm::{
    manifest::HookEvent,
    release::{Release, Snapshot as Digested},
    value::Map,
    values::config_digest,
};
use jiff::Timestamp;

use crate::{
    action::machine::{TestFilter, test_selected},
    plan::state::SNAPSHOT_API_VERSION,
};

/// What a snapshot of a release says.
pub fn observe(release: &Release, oci_digest: &str) -> Snapshot {
    let info = &release.info;
    let at =
        |time: Option<helm::release::Time>| Time(time.map_or(Timestamp::UNIX_EPOCH, helm::release::Time::timestamp));
    let metadata = &release.chart.metadata;
    Snapshot {
        action: None,
        api_version: Some(SNAPSHOT_API_VERSION.to_owned()),
        app_version: Some(metadata.app_version.clone()).filter(|version| !version.is_empty()),
        chart_name: metadata.name.clone(),
        chart_version: metadata.version.clone(),
        config_digest: config_digest(release.config.as_ref().unwrap_or(&Map::new())),
        deleted: info.deleted.map(|time| Time(time.timestamp())),
        digest: Digested { release, oci_digest }.digest(),
        first_deployed: at(info.first_deployed),
        last_deployed: at(info.last_deployed),
        name: release.name.clone(),
        namespace: release.namespace.clone(),
        oci_digest: Some(oci_digest.to_owned()).filter(|digest| !digest.is_empty()),
        status: info.status.clone(),
        test_hooks: None,
        version: release.version,
    }
}

/// The results of a release's tests.
pub fn test_hooks(release: &Release, filters: &[TestFilter]) -> std::collections::BTreeMap<String, TestHookStatus> {
    release
        .hooks
        .iter()
        .filter(|hook| hook.runs_at(HookEvent::Test) && test_selected(filters, &hook.name))
        .map(|hook| {
            let run = &hook.last_run;
            let time = |time: Option<helm::release::Time>| time.map(|time| Time(time.timestamp()));
            let phase = Some(run.phase.clone()).filter(|phase| !phase.is_empty());
            let status =
                TestHookStatus { last_completed: time(run.completed_at), last_started: time(run.started_at), phase };
            (hook.name.clone(), status)
        })
        .collect()
}
