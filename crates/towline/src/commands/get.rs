//! `towline get`: objects and how they are.

use clap::ValueEnum;
use serde_json::json;

use crate::cli::ClusterArguments;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::kinds::{Family, KINDS, Kind, called};
use crate::object::{Health, Object};
use crate::output;

/// Arguments of `towline get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// `sources`, `releases`, `all`, or a kind.
    #[arg(default_value = "all")]
    what: String,
    /// Only the object of this name.
    name: Option<String>,
    /// In all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// How to print.
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One row per object.
    Table,
    /// The objects as a List in JSON.
    Json,
    /// The objects as a List in YAML.
    Yaml,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let kinds = kinds(&arguments.what)?;
    let cluster = Cluster::connect(cluster).await?;
    let namespace = (!arguments.all_namespaces).then_some(cluster.namespace.as_str());
    let mut objects = cluster.list(&kinds, namespace).await?;
    if let Some(name) = &arguments.name {
        objects.retain(|object| object.data.metadata.name.as_ref() == Some(name));
        if objects.is_empty() {
            let what = format!("{}/{name}", arguments.what);
            return Err(Error::NotFound { what, namespace: cluster.namespace.clone() });
        }
    }
    output::print(&print(&objects, arguments.output, arguments.all_namespaces, super::now())?)
}

fn kinds(what: &str) -> Result<Vec<&'static Kind>> {
    let family = match what {
        "all" => return Ok(KINDS.iter().collect()),
        "source" | "sources" => Family::Source,
        "release" | "releases" => Family::Release,
        kind => return called(kind),
    };
    Ok(KINDS.iter().filter(|kind| kind.family == family).collect())
}

fn print(objects: &[Object], format: Format, namespaces: bool, now: jiff::Timestamp) -> Result<String> {
    match format {
        Format::Table if objects.is_empty() => Ok("no objects found\n".to_owned()),
        Format::Table => Ok(table(objects, namespaces, now)),
        Format::Json | Format::Yaml => {
            let mut items = Vec::new();
            for object in objects {
                items.push(serde_json::to_value(&object.data).map_err(|error| Error::Encode(error.to_string()))?);
            }
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
            if format == Format::Yaml {
                return output::yaml(&list);
            }
            serde_json::to_string_pretty(&list)
                .map(|text| format!("{text}\n"))
                .map_err(|error| Error::Encode(error.to_string()))
        }
    }
}

fn table(objects: &[Object], namespaces: bool, now: jiff::Timestamp) -> String {
    let mut headers = vec!["KIND", "NAME", "READY", "REVISION", "AGE", "MESSAGE"];
    if namespaces {
        headers.insert(0, "NAMESPACE");
    }
    let rows: Vec<Vec<String>> = objects
        .iter()
        .map(|object| {
            let metadata = &object.data.metadata;
            let age = metadata
                .creation_timestamp
                .as_ref()
                .map_or_else(|| "-".to_owned(), |created| output::age(now.as_second() - created.0.as_second()));
            let mut row = vec![
                object.kind.title(),
                metadata.name.clone().unwrap_or_default(),
                ready(object).to_owned(),
                match object.revision() {
                    "" => "-".to_owned(),
                    revision => shortened(revision),
                },
                age,
                object.message(),
            ];
            if namespaces {
                row.insert(0, metadata.namespace.clone().unwrap_or_default());
            }
            row
        })
        .collect();
    output::table(&headers, &rows)
}

fn ready(object: &Object) -> &'static str {
    match object.health() {
        Health::Ready => "True",
        Health::Progressing => "Unknown",
        Health::Failed => "False",
        Health::Suspended => "Suspended",
    }
}

/// A revision with its digest cut to the length people read.
fn shortened(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((before, digest)) if digest.len() > 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{before}:{}", digest.get(..8).unwrap_or(digest))
        }
        _ => revision.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::object;

    #[test]
    fn words_select_kinds() {
        let count = |what: &str| kinds(what).map(|kinds| kinds.len());
        assert_eq!(count("all").unwrap(), KINDS.len());
        assert_eq!(count("sources").unwrap(), 6);
        assert_eq!(count("releases").unwrap(), 2);
        assert_eq!(count("git").unwrap(), 1);
        assert_eq!(count("pods").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn rows_and_documents_show_the_objects() {
        let status = json!({
            "observedGeneration": 2,
            "artifact": { "revision": "main@sha1:0123456789abcdef0123456789abcdef01234567" },
            "conditions": [{ "type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored\nartifact" }],
        });
        let mut repository = object("git", "apps", "web", json!({ "url": "https://example.org" }), status);
        let now: jiff::Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        repository.data.metadata.creation_timestamp = Some(common::Time("2026-01-01T00:00:00Z".parse().unwrap()));
        let objects = [repository];
        insta::assert_snapshot!(print(&objects, Format::Table, true, now).unwrap(), @r"
        NAMESPACE   KIND            NAME   READY   REVISION             AGE   MESSAGE
        apps        GitRepository   web    True    main@sha1:01234567   60s   stored artifact
        ");
        let parsed: serde_json::Value =
            serde_json::from_str(&print(&objects, Format::Json, false, now).unwrap()).unwrap();
        assert_eq!(parsed["items"][0]["kind"], "GitRepository");
        let yaml = print(&objects, Format::Yaml, false, now).unwrap();
        assert!(yaml.starts_with("apiVersion: v1\nitems:\n- apiVersion: source.toolkit.fluxcd.io/v1\n"), "{yaml}");
        assert_eq!(print(&[], Format::Table, false, now).unwrap(), "no objects found\n");
    }
}
