//! Charts in OCI registries.

use std::path::PathBuf;
use std::time::Duration;

use ::helm::chart::load_archive;
use common::secret::Secret;
use fs_err as fs;
use oci::{Credentials, Descriptor, DockerConfig, Manifest, Reference, Registry, RegistryError, helm};
use version::{Constraints, Version};

use super::charts::{Packed, Source};
use super::environment;
use super::repositories::helm_directory;
use crate::output::{chain, note};

/// Time for one request with what follows it.
const TIME: Duration = Duration::from_secs(120);

/// Pulls a chart: by its digest, its tag, or the newest version in a range.
pub(super) async fn pull(
    source: &Source,
    reference: &str,
    version: &str,
    limit: u64,
    with_provenance: bool,
) -> Result<Packed, String> {
    let reference = Reference::parse(reference).map_err(|error| error.to_string())?;
    let client = source.http.client(&source.access.tls()?, None).map_err(|error| chain(&error))?;
    let credentials = credentials(source, &reference.registry)?;
    let registry = Registry::new(client, &reference.registry, source.access.plain_http, credentials, TIME)
        .map_err(|error| chain(&error))?;
    let reference = match choose(&reference, version)? {
        Choice::Given(reference) => reference,
        Choice::Range(range) => {
            let tags = registry.tags(&reference.repository).await.map_err(|error| chain(&error))?;
            let tag = newest(&tags, &range)
                .ok_or_else(|| format!("could not locate a version matching provided version string {range}"))?;
            reference.with_tag(tag)
        }
    };
    let manifest = registry.manifest(&reference).await.map_err(|error| match error {
        RegistryError::Status { status, .. } if status.as_u16() == 404 => format!("oci://{reference}: not found"),
        error => chain(&error),
    })?;
    let chart = layer(&manifest, &[helm::CHART, helm::LEGACY_CHART]).ok_or_else(|| {
        format!("manifest of oci://{reference} does not contain a layer with mediatype {}", helm::CHART)
    })?;
    let get = async |blob: &Descriptor| {
        registry
            .blob(&reference.repository, blob, limit)
            .await
            .map(|bytes| bytes.to_vec())
            .map_err(|error| chain(&error))
    };
    let archive = get(chart).await?;
    let provenance = match layer(&manifest, &[helm::PROVENANCE]).filter(|_| with_provenance) {
        Some(provenance) => Some(get(provenance).await?),
        None => None,
    };
    let name = reference.repository.rsplit('/').next().unwrap_or_default();
    let version = match &reference.tag {
        Some(tag) => helm::version(tag),
        None => load_archive(&archive).map(|chart| chart.metadata.version).unwrap_or_default(),
    };
    let file = format!("{name}-{version}.tgz");
    Ok(Packed { archive, file, provenance })
}

fn layer<'a>(manifest: &'a Manifest, kinds: &[&str]) -> Option<&'a Descriptor> {
    manifest.layers.iter().find(|layer| kinds.contains(&layer.media_type.as_str()))
}

/// Which manifest to ask for.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// This one.
    Given(Reference),
    /// The tag with the highest version in this range.
    Range(String),
}

fn choose(reference: &Reference, version: &str) -> Result<Choice, String> {
    if reference.digest.is_some() {
        return Ok(Choice::Given(reference.clone()));
    }
    if let Some(tag) = &reference.tag {
        let named = helm::version(tag);
        if !version.is_empty() && version != named {
            return Err(format!("chart reference and version mismatch: {version} is not {named}"));
        }
        return Ok(Choice::Given(reference.clone()));
    }
    if Version::parse_strict(version).is_ok() {
        return Ok(Choice::Given(reference.with_tag(&helm::tag(version))));
    }
    Ok(Choice::Range(version.to_owned()))
}

/// The tag with the highest version in the range; an empty range is any release.
fn newest<'a>(tags: &'a [String], range: &str) -> Option<&'a str> {
    let exact = tags.iter().find(|tag| !range.is_empty() && helm::version(tag) == range);
    if let Some(exact) = exact {
        return Some(exact);
    }
    let range = Constraints::parse(if range.is_empty() { "*" } else { range }).ok()?;
    tags.iter()
        .filter_map(|tag| Some((Version::parse_strict(&helm::version(tag)).ok()?, tag)))
        .filter(|(version, _)| range.check(version))
        .max_by(|(one, _), (other, _)| one.cmp(other))
        .map(|(_, tag)| tag.as_str())
}

/// Given ones, else those of Helm's registry configuration, else those of Docker's.
fn credentials(source: &Source, registry: &str) -> Result<Credentials, String> {
    let access = &source.access;
    if let Some(username) = &access.username {
        let password = access.password.clone().unwrap_or_else(|| Secret::new(String::new()));
        return Ok(Credentials::Basic { username: username.clone(), password });
    }
    let of_helm = access.registry_config.clone().or_else(|| {
        Some(helm_directory("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config")?.join("registry/config.json"))
    });
    let of_docker = environment::directory("DOCKER_CONFIG", ".docker").map(|directory| directory.join("config.json"));
    for path in [of_helm, of_docker].into_iter().flatten() {
        if let Some(found) = read(&path, registry)? {
            return Ok(found);
        }
    }
    Ok(Credentials::Anonymous)
}

fn read(path: &PathBuf, registry: &str) -> Result<Option<Credentials>, String> {
    let Ok(text) = fs::read(path) else { return Ok(None) };
    let config = DockerConfig::parse(&text).map_err(|error| format!("{}: {}", path.display(), chain(&error)))?;
    let found = config.credentials(registry);
    if found.is_none()
        && let Some(helper) = config.helper(registry)
    {
        note(&format!(
            "warning: {} keeps the credentials of {registry} in the program docker-credential-{helper}, which is not started: give --username and --password if they are needed",
            path.display()
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_chosen_as_helm_does() {
        let tags = ["1.0.0", "1.1.0", "2.0.0-rc.1", "latest", "v3.0.0", "1.1.0_build.7", "0.9"].map(str::to_owned);
        for (range, expected) in [
            ("", Some("1.1.0_build.7")),
            ("^1.0.0", Some("1.1.0_build.7")),
            (">0.0.0-0", Some("2.0.0-rc.1")),
            ("~1.0", Some("1.0.0")),
            ("latest", Some("latest")),
            ("9.x", None),
            ("not a range", None),
        ] {
            let found = newest(&tags, range);
            // Versions that differ only in their build are equal; any of them will do.
            assert_eq!(found.map(|tag| tag.split('_').next()), expected.map(|tag| tag.split('_').next()), "{range}");
        }
    }

    #[test]
    fn tags_and_versions_must_agree() {
        let of = |text: &str, version: &str| choose(&Reference::parse(text).unwrap(), version);
        let given = |text: &str| Ok(Choice::Given(Reference::parse(text).unwrap()));
        assert_eq!(of("h/x:1.0.0", ""), given("h/x:1.0.0"));
        assert_eq!(of("h/x:1.0.0_b", "1.0.0+b"), given("h/x:1.0.0_b"));
        assert_eq!(of("h/x", "1.0.0+b"), given("h/x:1.0.0_b"));
        assert_eq!(of("h/x", "1.x"), Ok(Choice::Range("1.x".to_owned())));
        assert_eq!(of("h/x:1.0.0", "1.0.1").unwrap_err(), "chart reference and version mismatch: 1.0.1 is not 1.0.0");
    }
}
