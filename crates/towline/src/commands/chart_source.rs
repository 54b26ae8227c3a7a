//! The chart that a reference means: a path, or else whatever Helm would find for it. Proven first where that is wanted.

use std::path::{Path, PathBuf};

use fs_err as fs;
use helm::chart::{Chart, load_archive};
use provenance::Keyring;

use super::chart::load;
use super::dependency_update;
use crate::error::{Error, Result};
use crate::fetch::{CacheArguments, ChartAccess, Charts, default_keyring};

/// Where charts come from, and who must have signed them.
#[derive(Debug, clap::Args)]
pub(crate) struct ChartSource {
    #[command(flatten)]
    access: ChartAccess,
    /// Check the chart's provenance file before it is rendered.
    #[arg(long)]
    verify: bool,
    /// Public keys that may have signed the chart [default: pubring.gpg in $GNUPGHOME, then in ~/.gnupg].
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArguments,
}

impl ChartSource {
    /// Fetches the dependencies that the chart lacks into its directory, and loads it again.
    pub(crate) fn update_dependencies(&self, reference: &str, chart: Chart) -> Result<Chart> {
        if chart.missing_dependencies().is_empty() {
            return Ok(chart);
        }
        let charts = Charts::open(&self.cache, self.access.clone(), false);
        dependency_update::update(Path::new(reference), &chart, &charts)?;
        load(Path::new(reference))
    }

    /// Loads the chart.
    pub(crate) fn load(&self, reference: &str) -> Result<Chart> {
        let path = Path::new(reference);
        if path.exists() || path.is_absolute() || reference.starts_with('.') {
            return if self.verify { self.load_proven(path) } else { load(path) };
        }
        let charts = Charts::open(&self.cache, self.access.clone(), self.verify);
        let packed = charts.find(reference).map_err(Error::Chart)?;
        if self.verify {
            let missing = || Error::Chart(format!("{} has no provenance file", packed.file));
            self.prove(&packed.archive, &packed.file, packed.provenance.as_deref().ok_or_else(missing)?)?;
        }
        load_archive(&packed.archive).map_err(|error| Error::Chart(format!("{}: {error}", packed.file)))
    }

    /// A packed chart with its provenance file beside it; both are read once.
    fn load_proven(&self, path: &Path) -> Result<Chart> {
        if path.is_dir() {
            return Err(Error::Chart("unpacked charts cannot be verified".to_owned()));
        }
        let archive = fs::read(path).map_err(Error::File)?;
        let beside = format!("{}.prov", path.display());
        let provenance = fs::read(&beside)
            .map_err(|error| Error::Chart(format!("could not load provenance file {beside}: {error}")))?;
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.prove(&archive, &file, &provenance)?;
        load_archive(&archive).map_err(|error| Error::Chart(error.to_string()))
    }

    fn prove(&self, archive: &[u8], file: &str, provenance: &[u8]) -> Result<()> {
        let path = self.keyring.clone().or_else(default_keyring).unwrap_or_default();
        let failed = |reason: String| Error::Chart(format!("failed to load keyring: {reason}"));
        let keys = fs::read(path).map_err(|error| failed(error.to_string()))?;
        let keyring = Keyring::read(&keys).map_err(|error| failed(error.to_string()))?;
        let now = u64::try_from(super::now().as_second()).unwrap_or_default();
        provenance::verify(archive, file, provenance, &keyring, now)
            .map(drop)
            .map_err(|error| Error::Chart(error.to_string()))
    }
}
