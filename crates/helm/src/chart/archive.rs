//! Chart archives: gzipped tar files with everything below one directory.

use super::{Chart, ChartError, File, load};
use crate::release::Time;
use archive::{EntryKind, Policy, ReadError, VisitError};
use jiff::Timestamp;
use std::io;
use std::sync::Arc;

/// How much all archives of one chart, nested ones included, may still unpack to.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        // A chart with packed subcharts holds them twice: packed inside the parent and unpacked.
        Self { bytes: 2 * super::LARGEST_CHART }
    }
}

/// Reads a packed chart.
///
/// # Errors
/// When the archive is hostile, damaged or too large, or the chart in it is not valid.
pub fn load_archive(bytes: &[u8]) -> Result<Chart, ChartError> {
    load_nested(bytes, &mut Budget::new(), 0)
}

/// The files of a packed chart, by their path below the chart's directory.
///
/// # Errors
/// When the archive is hostile, damaged or too large.
pub fn read_archive(bytes: &[u8]) -> Result<Vec<File>, ChartError> {
    read_with(bytes, &mut Budget::new())
}

pub(super) fn load_nested(bytes: &[u8], budget: &mut Budget, depth: usize) -> Result<Chart, ChartError> {
    let files = read_with(bytes, budget)?;
    load::load_with(files, budget, depth)
}

fn read_with(bytes: &[u8], budget: &mut Budget) -> Result<Vec<File>, ChartError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(ChartError::Archive("file does not appear to be a gzipped archive".into()));
    }
    let mut policy = Policy::chart();
    policy.limits.total_bytes = policy.limits.total_bytes.min(budget.bytes);
    let entries = read_entries(bytes, &policy).map_err(|error| match error {
        ReadError::TooLarge { .. } => {
            ChartError::Archive(format!("decompressed chart is larger than the maximum size {}", super::LARGEST_CHART))
        }
        ReadError::FileTooLarge { name, limit } => ChartError::Archive(format!(
            "decompressed chart file {} is larger than the maximum file size {limit}",
            crate::go_text::quote(&name)
        )),
        other => ChartError::Archive(other.to_string()),
    })?;
    let mut files = Vec::with_capacity(entries.len());
    for entry in entries {
        budget.bytes = budget.bytes.saturating_sub(entry.size);
        let Some((_, name)) = entry.path.split_once('/') else {
            return Err(ChartError::Archive(if entry.path == "Chart.yaml" {
                "chart yaml not in base directory".into()
            } else {
                format!(
                    "chart illegally contains content outside the base directory: {}",
                    crate::go_text::quote(&entry.path)
                )
            }));
        };
        let drive = name.as_bytes();
        if drive.first().is_some_and(u8::is_ascii_alphabetic) && drive.get(1..3) == Some(b":/") {
            return Err(ChartError::Archive("chart contains illegally named files".into()));
        }
        // A time that no calendar has is none.
        let modified = i64::try_from(entry.modified).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let file = File::new(name, entry.data);
        files.push(File { modified: modified.map(Time::from), ..file });
    }
    if files.is_empty() {
        return Err(ChartError::Archive("no files in chart archive".into()));
    }
    Ok(files)
}

/// One regular file of an archive.
struct Entry {
    path: String,
    /// Of the content as packed, a byte order mark included.
    size: u64,
    modified: u64,
    data: Arc<[u8]>,
}

/// Every regular file. All of them go through one buffer, so that no content is held twice.
fn read_entries(bytes: &[u8], policy: &Policy) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    let mut buffer = Vec::new();
    let outcome = archive::visit_tar_gz(bytes, policy, |info, content| {
        if info.kind == EntryKind::Directory {
            return Ok(());
        }
        // The policy bounds the size that the header declares, and the content is never longer.
        let size = usize::try_from(info.size).unwrap_or(usize::MAX);
        if buffer.len() < size {
            buffer.resize(size, 0);
        }
        let data = buffer.get_mut(..size).unwrap_or_default();
        content.read_exact(data)?;
        entries.push(Entry {
            path: info.path.clone(),
            size: info.size,
            modified: info.modified,
            data: Arc::from(load::without_mark(data)),
        });
        Ok::<(), io::Error>(())
    });
    match outcome {
        Ok(()) => Ok(entries),
        Err(VisitError::Archive(error)) => Err(error),
        Err(VisitError::Visitor(error)) => Err(ReadError::Format(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = archive::Writer::new(Vec::new()).unwrap();
        for (path, data) in entries {
            builder.file(path, false, data).unwrap();
        }
        builder.finish().unwrap()
    }

    #[test]
    fn archives_that_are_no_charts_are_refused() {
        assert!(load_archive(b"apiVersion: v2").unwrap_err().to_string().contains("gzipped archive"));
        assert!(load_archive(&pack(&[])).unwrap_err().to_string().contains("no files in chart archive"));
        let flat = pack(&[("Chart.yaml", b"name: a\nversion: 1\n")]);
        assert!(load_archive(&flat).unwrap_err().to_string().contains("not in base directory"));
        let other = pack(&[("a", b"x")]);
        assert!(load_archive(&other).unwrap_err().to_string().contains("outside the base directory"));
        let drive = pack(&[("a/c:/x", b"x")]);
        assert!(load_archive(&drive).unwrap_err().to_string().contains("illegally named"));
        let large = pack(&[("a/x", &vec![0; super::super::LARGEST_FILE + 1])]);
        assert!(load_archive(&large).is_err());
        let missing = pack(&[("a/values.yaml", b"")]);
        assert!(matches!(load_archive(&missing), Err(ChartError::NoMetadata)));
    }

    #[test]
    fn nested_archives_are_bounded() {
        let mut chart = pack(&[("a/Chart.yaml", b"apiVersion: v2\nname: a\nversion: 1.0.0\n")]);
        for _ in 0..30 {
            chart = pack(&[("a/Chart.yaml", b"apiVersion: v2\nname: a\nversion: 1.0.0\n"), ("a/charts/a.tgz", &chart)]);
        }
        assert!(load_archive(&chart).unwrap_err().to_string().contains("nested deeper"));
    }
}
