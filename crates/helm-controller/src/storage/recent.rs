//! The newest deployed record of each release, kept packed: an upgrade, a drift check or a rollback need not read it again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use helm::chart::Chart;
use parking_lot::Mutex;

use super::{Record, pack};

/// Bytes kept in all. A record without its chart packs to 1 to 4 KiB, and releases of one chart share its packed form.
const BUDGET: usize = 4 << 20;

/// Namespace and name of a release.
type Key = (Box<str>, Box<str>);

/// The records kept. What is kept is only a copy: the version of the Secret it was written to or read from tells whether
/// it still is what is stored.
#[derive(Default)]
pub(super) struct Recent {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: HashMap<Key, Kept>,
    /// How many records share a packed chart, by its address.
    charts: HashMap<usize, usize>,
    bytes: usize,
    clock: u64,
}

#[derive(Clone)]
struct Kept {
    version: i64,
    resource_version: u64,
    used: u64,
    /// The record without its chart.
    rest: Arc<[u8]>,
    /// The Secret's own labels, which are not in the record.
    labels: BTreeMap<String, String>,
    chart: Arc<Chart>,
    packed: pack::Packed,
}

impl Recent {
    /// Keeps a record as it was written or read; an older one of the release goes.
    pub(super) fn keep(&self, namespace: &str, record: &Record, resource_version: u64) {
        let kept = Kept {
            version: record.release.version,
            resource_version,
            used: 0,
            rest: pack::without_chart(&record.release).into(),
            labels: record.release.labels.clone(),
            chart: Arc::clone(&record.release.chart),
            packed: record.packed.clone(),
        };
        let key: Key = (namespace.into(), record.release.name.as_str().into());
        let mut state = self.state.lock();
        state.remove(&key);
        state.add(key, kept);
        while state.bytes > BUDGET && !state.records.is_empty() {
            let oldest = state.records.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            oldest.iter().for_each(|key| state.remove(key));
        }
    }

    /// A record, if it is kept in the version that is stored.
    pub(super) fn get(&self, namespace: &str, release: &str, version: i64, resource_version: u64) -> Option<Record> {
        let key: Key = (namespace.into(), release.into());
        let kept = {
            let mut state = self.state.lock();
            state.clock += 1;
            let now = state.clock;
            let kept = state.records.get_mut(&key)?;
            if kept.version != version || kept.resource_version != resource_version {
                return None;
            }
            kept.used = now;
            kept.clone()
        };
        let mut release = helm::release::decode_release(STANDARD.encode(&kept.rest).as_bytes()).ok()?;
        release.chart = kept.chart;
        release.labels = kept.labels;
        Some(Record { release, packed: kept.packed })
    }

    /// Forgets a release.
    pub(super) fn forget(&self, namespace: &str, release: &str) {
        self.state.lock().remove(&(namespace.into(), release.into()));
    }
}

impl State {
    fn add(&mut self, key: Key, mut kept: Kept) {
        self.clock += 1;
        kept.used = self.clock;
        self.bytes += kept.rest.len();
        let sharing = self.charts.entry(kept.packed.address()).or_default();
        if *sharing == 0 {
            self.bytes += kept.packed.len();
        }
        *sharing += 1;
        self.records.insert(key, kept);
    }

    fn remove(&mut self, key: &Key) {
        let Some(kept) = self.records.remove(key) else { return };
        self.bytes = self.bytes.saturating_sub(kept.rest.len());
        let address = kept.packed.address();
        let sharing = self.charts.entry(address).or_default();
        *sharing = sharing.saturating_sub(1);
        if *sharing == 0 {
            self.charts.remove(&address);
            self.bytes = self.bytes.saturating_sub(kept.packed.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use helm::{chart::File, release::Release};

    use super::*;
    use crate::storage::Packer;

    fn record(packer: &Packer, name: &str, version: i64, bulk: usize) -> Record {
        let mut chart = Chart::default();
        chart.metadata.name = "web".into();
        // Not to be packed by much.
        let mut seed = 1_u64;
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        });
        chart.templates = vec![File::new("templates/a.yaml", noise.take(bulk).collect::<Vec<_>>())];
        let chart = Arc::new(chart);
        let packed = packer.pack(&chart);
        let release = Release {
            name: name.to_owned(),
            namespace: "apps".to_owned(),
            version,
            manifest: "a: 1\n".to_owned(),
            labels: [("team".to_owned(), "web".to_owned())].into(),
            chart: Arc::new(pack::slim(&chart)),
            ..Release::default()
        };
        Record { release, packed }
    }

    #[test]
    fn a_record_is_given_back_only_as_it_is_stored() {
        let (recent, packer) = (Recent::default(), Packer::default());
        let record = record(&packer, "a", 2, 10);
        recent.keep("apps", &record, 7);
        let found = recent.get("apps", "a", 2, 7).unwrap();
        assert_eq!(found.packed.encode(&found.release), record.packed.encode(&record.release));
        assert_eq!(found.release.chart.metadata.name, "web");
        assert_eq!(found.release.labels, record.release.labels, "they are carried over by a rollback");
        for (namespace, name, version, resource_version) in
            [("apps", "a", 2, 8), ("apps", "a", 1, 7), ("apps", "b", 2, 7), ("other", "a", 2, 7)]
        {
            assert!(recent.get(namespace, name, version, resource_version).is_none(), "{namespace}/{name}");
        }
        recent.forget("apps", "a");
        assert!(recent.get("apps", "a", 2, 7).is_none());
        assert_eq!(recent.state.lock().bytes, 0);
    }

    #[test]
    fn what_is_kept_is_bounded_and_charts_count_once() {
        let (recent, packer) = (Recent::default(), Packer::default());
        for number in 0..50 {
            recent.keep("apps", &record(&packer, &format!("same{number}"), 1, 1 << 20), 1);
        }
        assert_eq!(recent.state.lock().records.len(), 50, "one chart, shared by all");
        for number in 1..12 {
            recent.keep("apps", &record(&packer, &format!("own{number}"), 1, (1 << 20) + number), 1);
        }
        assert!(recent.state.lock().bytes <= BUDGET);
        assert!(recent.get("apps", "own11", 1, 1).is_some(), "the latest is kept");
        assert!(recent.get("apps", "same0", 1, 1).is_none(), "the oldest is not");
    }
}
