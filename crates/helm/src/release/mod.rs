//! Release records: what Helm keeps about each revision, and how it is stored in a Secret.

mod decode;
mod encode;
mod snapshot;
mod storage;
pub mod time;

pub use snapshot::Snapshot;
pub use storage::{
    DecodeError, SECRET_TYPE, SYSTEM_LABELS, decode_release, encode_release, secret_labels, secret_name, user_labels,
};
pub use time::Time;

use crate::chart::Chart;
use crate::manifest::Hook;
use crate::value::Map;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

crate::manifest::words! {
    /// Where a release stands.
    Status {
        /// Not known.
        Unknown = "unknown",
        /// In place.
        Deployed = "deployed",
        /// Gone, its record kept.
        Uninstalled = "uninstalled",
        /// Replaced by a later revision.
        Superseded = "superseded",
        /// The action failed.
        Failed = "failed",
        /// Being removed.
        Uninstalling = "uninstalling",
        /// Being installed.
        PendingInstall = "pending-install",
        /// Being upgraded.
        PendingUpgrade = "pending-upgrade",
        /// Being rolled back.
        PendingRollback = "pending-rollback",
    }
}

impl Status {
    /// Whether an action is (or was, when its process died) under way.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

/// How a release's objects are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ApplyMethod {
    /// Not recorded; means client-side.
    #[default]
    Unset,
    /// Client-side.
    ClientSide,
    /// Server-side.
    ServerSide,
}

impl ApplyMethod {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::ClientSide => "csa",
            Self::ServerSide => "ssa",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "csa" => Self::ClientSide,
            "ssa" => Self::ServerSide,
            _ => Self::Unset,
        }
    }
}

/// What happened to a release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// When its first revision was deployed.
    pub first_deployed: Option<Time>,
    /// When this revision was deployed.
    pub last_deployed: Option<Time>,
    /// When it was uninstalled.
    pub deleted: Option<Time>,
    /// One line for people.
    pub description: String,
    /// Where it stands, as written: see [`Info::status`].
    pub status: String,
    /// The rendered NOTES.txt.
    pub notes: String,
}

impl Info {
    /// Where the release stands.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::parse(&self.status).unwrap_or(Status::Unknown)
    }

    /// Sets where the release stands and why.
    pub fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.status = status.as_str().to_owned();
        self.description = description.into();
    }
}

/// One revision of a release.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// The release's name.
    pub name: String,
    /// What happened to it.
    pub info: Info,
    /// The chart, without its subcharts when read from a record.
    pub chart: Arc<Chart>,
    /// The user's values; `None` when there are none at all.
    pub config: Option<Map>,
    /// The rendered objects but hooks.
    pub manifest: String,
    /// The hooks.
    pub hooks: Vec<Hook>,
    /// The revision.
    pub version: i64,
    /// The namespace it is in.
    pub namespace: String,
    /// How its objects are applied.
    pub apply_method: ApplyMethod,
    /// The user's labels on the record, not part of it.
    pub labels: BTreeMap<String, String>,
}

/// Reads null as the default, as Go does for anything that is not a pointer.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
