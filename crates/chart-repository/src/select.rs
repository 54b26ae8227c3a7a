//! Choosing a version of a chart, by Helm's rules. Pure.

use serde::{Deserialize, Deserializer};
use version::{Constraints, Version};

/// One version in the index, as far as choosing and downloading need it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChartVersion {
    /// The chart's name.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// The version.
    #[serde(deserialize_with = "text")]
    pub version: String,
    /// Where the archive is, perhaps relative to the repository.
    #[serde(default, deserialize_with = "or_default")]
    pub urls: Vec<String>,
    /// SHA-256 of the archive, in hexadecimal.
    #[serde(default, deserialize_with = "or_default")]
    pub digest: String,
    /// When it was made.
    #[serde(default, deserialize_with = "or_default")]
    pub created: String,
}

/// YAML reads an unquoted `1.0` as a number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!("{other} is not a text"))),
    }
}

/// What is of the wrong type is as good as missing: only the chosen version must be right.
fn or_default<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).unwrap_or_default())
}

/// Why no version was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The chart has no versions.
    #[error("no chart version found")]
    NoVersions,
    /// Not a range.
    #[error("{0}")]
    Range(String),
    /// No version is in the range.
    #[error("no '{name}' chart with version matching '{wanted}' found")]
    NoMatch {
        /// The chart.
        name: String,
        /// The range.
        wanted: String,
    },
}

/// The version that is wanted: an exact one first, else the highest in the range, the newest of equals.
pub fn select<'a>(versions: &'a [ChartVersion], name: &str, wanted: &str) -> Result<&'a ChartVersion, SelectError> {
    if versions.is_empty() {
        return Err(SelectError::NoVersions);
    }
    if let Some(exact) = versions.iter().find(|version| !wanted.is_empty() && version.version == wanted) {
        return Ok(exact);
    }
    let range = if wanted.is_empty() { "*" } else { wanted };
    let constraint = Constraints::parse(range).map_err(|error| SelectError::Range(error.to_string()))?;
    let mut best: Option<(Version, &ChartVersion)> = None;
    for candidate in versions {
        let Some(version) = Version::parse_prefixed(&candidate.version).filter(|version| constraint.check(version))
        else {
            continue;
        };
        let is_better = best.as_ref().is_none_or(|(highest, chosen)| match version.cmp(highest) {
            std::cmp::Ordering::Equal => created(candidate) > created(chosen),
            order => order.is_gt(),
        });
        if is_better {
            best = Some((version, candidate));
        }
    }
    best.map(|(_, chosen)| chosen)
        .ok_or_else(|| SelectError::NoMatch { name: name.to_owned(), wanted: wanted.to_owned() })
}

fn created(version: &ChartVersion) -> Option<jiff::Timestamp> {
    version.created.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(list: &[(&str, &str)]) -> Vec<ChartVersion> {
        let version = |(version, created): &(&str, &str)| ChartVersion {
            name: "web".to_owned(),
            version: (*version).to_owned(),
            urls: vec![format!("web-{version}.tgz")],
            digest: String::new(),
            created: (*created).to_owned(),
        };
        list.iter().map(version).collect()
    }

    #[test]
    fn versions_are_chosen_as_helm_does() {
        let list = versions(&[
            ("1.0.0", ""),
            ("2.0.0-rc.1", ""),
            ("1.10.0", ""),
            ("1.2.0+old", "2020-01-01T00:00:00Z"),
            ("1.2.0+new", "2021-01-01T00:00:00.5Z"),
            ("v0.9.0", ""),
            ("1.3", ""),
        ]);
        let chosen = |wanted: &str| select(&list, "web", wanted).map(|version| version.version.clone());
        for (wanted, expected) in [
            ("", "1.10.0"),
            ("*", "1.10.0"),
            (">0.0.0-0", "2.0.0-rc.1"),
            ("1.2.x", "1.2.0+new"),
            ("1.2.0+old", "1.2.0+old"),
            ("0.9.0", "v0.9.0"),
            ("<1", "v0.9.0"),
            ("1.3", "1.3"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
        ] {
            assert_eq!(chosen(wanted).as_deref(), Ok(expected), "{wanted}");
        }
        assert_eq!(chosen("9.x").unwrap_err().to_string(), "no 'web' chart with version matching '9.x' found");
        assert!(matches!(chosen("not a range"), Err(SelectError::Range(_))));
        assert_eq!(select(&[], "web", ""), Err(SelectError::NoVersions));
    }

    #[test]
    fn entries_with_odd_types_are_read() {
        let json = r#"{"name":"web","version":1.5,"urls":null,"digest":7,"created":"x","extra":[1]}"#;
        let version: ChartVersion = serde_json::from_str(json).unwrap();
        assert_eq!((version.version.as_str(), version.urls.len(), version.digest.as_str()), ("1.5", 0, ""));
    }
}
