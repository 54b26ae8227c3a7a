//! Reading and writing YAML beside a library of serde_yaml's family, over what charts consist of.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use helm::chart::{load_archive, read_archive};
use helm::manifest::split_manifests;
use helm::template::{TemplateOptions, template};
use yaml::v2::{Numbers, Options};

use super::Bench;
use super::child::cpu_time;
use super::report::{Bar, Report, mebibytes};

/// Files below this size say more about starting than about reading.
const SMALLEST: usize = 4 << 10;

/// Documents of one kind.
#[derive(Default)]
struct Texts {
    texts: Vec<String>,
    bytes: u64,
    /// Documents that the other library does not read.
    refused: usize,
}

impl Texts {
    /// Takes a document that both libraries read.
    fn add(&mut self, text: &str) {
        if ours(text).is_err() {
            return;
        }
        if serde_norway::from_str::<serde_norway::Value>(text).is_err() {
            self.refused += 1;
            return;
        }
        self.bytes += text.len() as u64;
        self.texts.push(text.to_owned());
    }
}

fn ours(text: &str) -> Result<yaml::Value, yaml::Error> {
    yaml::v2::parse(text.as_bytes(), Options { numbers: Numbers::Yaml, ..Options::default() })
}

/// Measures over the charts of the corpus.
pub(super) fn run(bench: &Bench, report: &mut Report, corpus: Option<&Path>) -> Result<()> {
    report.section("yaml beside serde_norway: processor time, values of the library's own");
    let Some(corpus) = corpus else {
        report.skip("yaml", "the shared corpus is not there");
        return Ok(());
    };
    let [values, crds, manifests] = collect(corpus)?;
    for (label, texts) in [("values.yaml", values), ("CRDs", crds), ("rendered manifests", manifests)] {
        compare(bench, report, label, &texts)?;
    }
    Ok(())
}

/// Values files, CRDs and the documents of rendered manifests, of every chart.
fn collect(corpus: &Path) -> Result<[Texts; 3]> {
    let [mut values, mut crds, mut manifests] = <[Texts; 3]>::default();
    let mut paths: Vec<_> = std::fs::read_dir(corpus)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    paths.sort();
    for path in paths {
        let archive = fs_err::read(&path)?;
        for file in read_archive(&archive)?.iter().filter(|file| file.data.len() >= SMALLEST) {
            let text = String::from_utf8_lossy(&file.data);
            if file.name.ends_with("values.yaml") {
                values.add(&text);
            } else if file.name.contains("crds/") && file.name.ends_with(".yaml") && !file.name.contains("templates/") {
                crds.add(&text);
            }
        }
        let options = TemplateOptions {
            release_name: "bench".to_owned(),
            namespace: "default".to_owned(),
            ..TemplateOptions::default()
        };
        // Charts that need values to render are left out.
        if let Ok(rendered) = template(&load_archive(&archive)?, &options) {
            split_manifests(&rendered.text).into_iter().for_each(|document| manifests.add(document));
        }
    }
    Ok([values, crds, manifests])
}

/// Keeps the optimiser from seeing that nobody wants the result.
fn consume<T>(result: T) -> Result<()> {
    drop(std::hint::black_box(result));
    Ok(())
}

fn compare(bench: &Bench, report: &mut Report, label: &str, texts: &Texts) -> Result<()> {
    let rounds = bench.repeat(20);
    let size = mebibytes(texts.bytes);
    let count = texts.texts.len();
    let refused = if texts.refused == 0 { String::new() } else { format!(", {} refused there", texts.refused) };
    report.value(label, &format!("{count} documents, {size:.1} MiB{refused}"));

    let read = measure(rounds, || texts.texts.iter().try_for_each(|text| consume(ours(text)?)))?;
    let read_there = measure(rounds, || {
        texts.texts.iter().try_for_each(|text| consume(serde_norway::from_str::<serde_norway::Value>(text)?))
    })?;
    let here: Vec<yaml::Value> = texts.texts.iter().map(|text| ours(text)).collect::<Result<_, _>>()?;
    let write = measure(rounds, || here.iter().try_for_each(|value| consume(yaml::v2::to_string(value)?)))?;
    drop(here);
    let there: Vec<serde_norway::Value> =
        texts.texts.iter().map(|text| serde_norway::from_str(text)).collect::<Result<_, _>>()?;
    let write_there = measure(rounds, || there.iter().try_for_each(|value| consume(serde_norway::to_string(value)?)))?;
    for (what, ours, theirs) in [("read", read, read_there), ("written", write, write_there)] {
        let speed = |time: Duration| size * f64::from(u32::try_from(rounds).unwrap_or(1)) / time.as_secs_f64();
        let speeds = format!("{:.0} MiB/s, serde_norway {:.0} MiB/s", speed(ours), speed(theirs));
        report.value(&format!("{label} {what}"), &speeds);
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        report.bar(&format!("{label} {what}: times faster"), ratio, "x", Bar::AtLeast(1.0));
    }
    Ok(())
}

fn measure(rounds: usize, mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    work()?;
    let before = cpu_time("self")?;
    for _ in 0..rounds {
        work()?;
    }
    let spent = cpu_time("self")?.checked_sub(before);
    spent.filter(|spent| !spent.is_zero()).ok_or_else(|| anyhow!("too short to measure"))
}
