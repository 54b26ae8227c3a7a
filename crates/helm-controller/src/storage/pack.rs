//! Packing of release records: gzip in three members, so that the chart, by far the largest part, is packed once.
//!
//! A gzip stream may consist of several members, which every reader (Helm's included) reads as one. Here the first holds
//! name and info, the second the chart, the third the rest: a change of status packs a few hundred bytes again and leaves
//! the others as they are, and releases of one chart share its packed form.

use std::{
    collections::HashMap,
    io::{Read, Write},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use helm::{chart::Chart, release::Release};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// The field that separates the members.
const CHART: &str = "\"chart\":";
/// More than any record unpacks to.
const LARGEST: u64 = 256 << 20;

/// The packed chart of a record.
#[derive(Clone)]
pub struct Packed {
    chart: Arc<[u8]>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} bytes)", self.chart.len())
    }
}

/// Packs charts, remembering the last few.
#[derive(Default)]
pub struct Packer {
    recent: Mutex<HashMap<[u8; 32], Arc<[u8]>>>,
}

/// Charts remembered that no record uses any more.
const REMEMBERED: usize = 16;
/// Charts remembered in all.
const MOST: usize = 256;

impl Packer {
    /// Packs a chart.
    pub fn pack(&self, chart: &Arc<Chart>) -> Packed {
        let json = chart_json(chart);
        let digest: [u8; 32] = Sha256::digest(json.as_bytes()).into();
        if let Some(packed) = self.recent.lock().get(&digest) {
            return Packed { chart: Arc::clone(packed) };
        }
        let packed: Arc<[u8]> = deflate(json.as_bytes(), Compression::best()).into();
        let mut recent = self.recent.lock();
        if recent.len() >= REMEMBERED {
            recent.retain(|_, packed| Arc::strong_count(packed) > 1);
        }
        if recent.len() >= MOST {
            recent.clear();
        }
        recent.insert(digest, Arc::clone(&packed));
        Packed { chart: packed }
    }

    /// Forgets what no record uses.
    pub fn clear(&self) {
        let mut recent = self.recent.lock();
        recent.retain(|_, packed| Arc::strong_count(packed) > 1);
        recent.shrink_to_fit();
    }
}

impl Packed {
    /// Tells packed charts apart; those of one address are the same.
    pub(super) fn address(&self) -> usize {
        self.chart.as_ptr() as usize
    }

    /// Its size.
    pub(super) fn len(&self) -> usize {
        self.chart.len()
    }

    /// The payload of a release with this chart.
    pub fn encode(&self, release: &Release) -> String {
        let (head, tail) = head_and_tail(release);
        let mut bytes = deflate(head.as_bytes(), Compression::default());
        bytes.extend_from_slice(&self.chart);
        bytes.extend(deflate(tail.as_bytes(), Compression::default()));
        STANDARD.encode(bytes)
    }
}

fn deflate(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The record's JSON, with `chart` in place of its own.
fn record_json(release: &Release, chart: Arc<Chart>) -> String {
    let mut json = String::new();
    Release { chart, ..release.clone() }.write_json(&mut json);
    json
}

/// `"chart":{…}` as it stands in a record.
fn chart_json(chart: &Arc<Chart>) -> String {
    let json = record_json(&Release::default(), Arc::clone(chart));
    let start = json.find(CHART).unwrap_or(json.len());
    json.get(start..json.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// What stands before and after the chart in a record.
///
/// In JSON text a quote inside a string is escaped, so the first unescaped `"chart":` is the field: before it come only
/// the name and the info, which have no such field.
fn head_and_tail(release: &Release) -> (String, String) {
    let empty = Arc::new(Chart::default());
    let placeholder = chart_json(&empty);
    let json = record_json(release, empty);
    match json.find(&format!(",{CHART}")) {
        Some(at) => {
            let head = json.get(..=at).unwrap_or_default().to_owned();
            let tail = json.get(at + 1 + placeholder.len()..).unwrap_or_default().to_owned();
            (head, tail)
        }
        None => (json, String::new()),
    }
}

/// A record packed without its chart.
pub(super) fn without_chart(release: &Release) -> Vec<u8> {
    deflate(record_json(release, Arc::new(Chart::default())).as_bytes(), Compression::default())
}

/// Reads a payload. The release's chart has metadata only; the rest of it stays packed.
pub fn unpack(payload: &[u8]) -> Result<(Release, Packed), String> {
    let bytes = STANDARD.decode(payload.trim_ascii()).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    let mut chart: Option<Arc<[u8]>> = None;
    if bytes.starts_with(&MAGIC) {
        let mut rest = bytes.as_slice();
        while rest.starts_with(&MAGIC) {
            let start = json.len();
            let mut decoder = GzDecoder::new(rest);
            decoder
                .by_ref()
                .take((LARGEST + 1).saturating_sub(start as u64))
                .read_to_end(&mut json)
                .map_err(|error| error.to_string())?;
            if json.len() as u64 > LARGEST {
                return Err(format!("it unpacks to more than {LARGEST} bytes"));
            }
            let after = decoder.into_inner();
            let is_chart = json.get(start..).is_some_and(|member| member.starts_with(CHART.as_bytes()));
            if is_chart && let Some(member) = rest.get(..rest.len().saturating_sub(after.len())) {
                chart = Some(member.into());
            }
            rest = after;
        }
    } else {
        json = bytes;
    }
    let mut release =
        helm::release::decode_release(STANDARD.encode(&json).as_bytes()).map_err(|error| error.to_string())?;
    let chart = chart.unwrap_or_else(|| deflate(chart_json(&release.chart).as_bytes(), Compression::default()).into());
    release.chart = Arc::new(slim(&release.chart));
    Ok((release, Packed { chart }))
}

/// A chart of which only the metadata is kept.
pub fn slim(chart: &Chart) -> Chart {
    let mut slim = Chart::default();
    slim.metadata = chart.metadata.clone();
    slim
}

/// How gzip data begins.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

#[cfg(test)]
mod tests {
    use flate2::bufread::MultiGzDecoder;
    use helm::chart::{File, Metadata};

    use super::*;

    fn release() -> Release {
        let metadata =
            Metadata { name: "web".into(), version: "1.0.0".into(), api_version: "v2".into(), ..Metadata::default() };
        let mut chart = Chart::default();
        chart.metadata = metadata;
        chart.templates = vec![File::new("templates/a.yaml", b"a: {{ .Values.a }}".to_vec())];
        let mut release = Release {
            name: "web".into(),
            namespace: "apps".into(),
            version: 3,
            chart: Arc::new(chart),
            manifest: "---\n# Source: x\na: \"chart\":\n".into(),
            ..Release::default()
        };
        release.info.description = "a \",\"chart\":{} trap".into();
        release
    }

    #[test]
    fn the_payload_is_one_stream_of_the_same_json() {
        let release = release();
        let payload = Packer::default().pack(&release.chart).encode(&release);
        let bytes = STANDARD.decode(payload).unwrap();
        let mut json = String::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut json).unwrap();
        assert_eq!(json, record_json(&release, release.chart.clone()));
    }

    #[test]
    fn a_record_read_and_changed_keeps_its_chart() {
        let original = release();
        let payload = Packer::default().pack(&original.chart).encode(&original);
        let (mut read, packed) = unpack(payload.as_bytes()).unwrap();
        assert!(read.chart.templates.is_empty(), "the chart stays packed");
        assert!(payload.len() > 100);
        assert_eq!(read.chart.metadata.version, "1.0.0");
        read.info.status = "superseded".into();
        let (again, _) = unpack(packed.encode(&read).as_bytes()).unwrap();
        assert_eq!(again.info.status, "superseded");
        let whole = helm::release::decode_release(helm_form(&packed.encode(&read)).as_bytes()).unwrap();
        assert_eq!(whole.chart.templates, original.chart.templates);
    }

    /// Unpacked JSON in the form Helm's reader takes when it is not packed at all.
    fn helm_form(payload: &str) -> String {
        let mut json = Vec::new();
        MultiGzDecoder::new(STANDARD.decode(payload).unwrap().as_slice()).read_to_end(&mut json).unwrap();
        STANDARD.encode(json)
    }

    #[test]
    fn damaged_payloads_are_errors() {
        for payload in ["", "!!", "H4sIAAAA", "bm90IGpzb24="] {
            assert!(unpack(payload.as_bytes()).is_err(), "{payload:?}");
        }
    }

    #[test]
    fn charts_are_packed_once() {
        let packer = Packer::default();
        let release = release();
        assert!(Arc::ptr_eq(&packer.pack(&release.chart).chart, &packer.pack(&release.chart).chart));
    }
}
