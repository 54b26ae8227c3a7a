//! Post-rendering: rendered files pass through something that changes them before they are sorted.
//!
//! As in Helm 4 all files go through at once as one stream of YAML documents, hooks included. An annotation names the file
//! a document came from; it is taken off again behind, and a document without one belongs to a file of its own. Helm starts
//! a program for this; here it is a trait, and nothing is started.

use crate::go_text::{base_name, trim_space};
use crate::manifest::split_manifests;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use yaml::v3::{self, EncodeOptions, Kind, Node, Style};

/// The annotation that names the file of a document on its way through a post-renderer.
pub const FILENAME_ANNOTATION: &str = "postrenderer.helm.sh/postrender-filename";

/// Changes rendered manifests.
pub trait PostRenderer: Send + Sync {
    /// Takes a stream of YAML documents, each with [`FILENAME_ANNOTATION`], and gives the stream to use instead.
    ///
    /// # Errors
    /// When it cannot; the text says why.
    fn post_render(&self, manifests: &str) -> Result<String, String>;
}

/// Post-rendering failed; the wording is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostRenderError {
    /// A rendered file is no YAML that a post-renderer could take.
    #[error("error merging manifests: parsing {file}: {message}")]
    Merge {
        /// The rendered file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The post-renderer itself failed.
    #[error("error while running post render on files: {0}")]
    Renderer(String),
    /// What the post-renderer gave is not YAML.
    #[error("error while parsing post rendered output: error parsing YAML: {0}")]
    Output(String),
    /// A document cannot be written out.
    #[error("error writing post rendered output: {0}")]
    Encode(String),
}

/// Sends rendered files through a post-renderer.
///
/// # Errors
/// When a file is not YAML, the renderer fails, or what it gives is not YAML.
pub fn post_render(
    files: &BTreeMap<Arc<str>, String>,
    renderer: &dyn PostRenderer,
) -> Result<BTreeMap<Arc<str>, String>, PostRenderError> {
    let output = renderer.post_render(&merge(files)?).map_err(PostRenderError::Renderer)?;
    split(&output)
}

/// All documents of rendered files as one stream, each annotated with its file.
///
/// # Errors
/// When a file is not YAML or a document is not a map.
pub fn merge(files: &BTreeMap<Arc<str>, String>) -> Result<String, PostRenderError> {
    let mut documents = Vec::new();
    for (file, content) in files {
        if base_name(file).starts_with('_') || trim_space(content).is_empty() {
            continue;
        }
        for text in split_manifests(content) {
            let wrong = |message: String| PostRenderError::Merge { file: file.to_string(), message };
            for mut document in parse(text).map_err(wrong)? {
                let root = document.content.first_mut().ok_or_else(|| wrong("the document is empty".into()))?;
                if root.kind != Kind::Mapping {
                    return Err(wrong(wrong_kind(root)));
                }
                annotate(root, file).map_err(wrong)?;
                documents.push(document);
            }
        }
    }
    v3::encode_all(&documents, EncodeOptions::KYAML).map_err(|error| PostRenderError::Encode(error.to_string()))
}

/// A stream of documents as files, by the annotation that [`merge`] made; without it a document is a file of its own.
///
/// # Errors
/// When the stream is not YAML.
pub fn split(stream: &str) -> Result<BTreeMap<Arc<str>, String>, PostRenderError> {
    let mut files: BTreeMap<Arc<str>, String> = BTreeMap::new();
    for (number, mut document) in parse(stream).map_err(PostRenderError::Output)?.into_iter().enumerate() {
        let root = document.content.first_mut();
        let file = root.and_then(take_annotation).unwrap_or_else(|| format!("generated-by-postrender-{number}.yaml"));
        let text =
            v3::encode(&document, EncodeOptions::KYAML).map_err(|error| PostRenderError::Encode(error.to_string()))?;
        let content = files.entry(file.into()).or_default();
        if !content.is_empty() {
            content.push_str("---\n");
        }
        let _ = write!(content, "{text}");
    }
    Ok(files)
}

/// The documents with something in them; the items of a `List` are documents of their own.
fn parse(text: &str) -> Result<Vec<Node>, String> {
    let text = text.replace("\r\n", "\n");
    let read = v3::parse_all(text.as_bytes()).map_err(|error| format!("MalformedYAMLError: {error}"))?;
    let mut documents = Vec::with_capacity(read.len());
    for document in read {
        match document.content.first() {
            None => {}
            Some(root) if root.kind == Kind::Scalar && root.short_tag() == "!!null" => {}
            Some(root) => match list_items(root) {
                Some(items) => documents.extend(items.iter().cloned().map(|item| Node {
                    kind: Kind::Document,
                    content: vec![item],
                    ..Node::default()
                })),
                None => documents.push(document),
            },
        }
    }
    Ok(documents)
}

fn list_items(root: &Node) -> Option<&[Node]> {
    let is_list = root.get("kind").is_some_and(|kind| matches!(kind.value.as_str(), "List" | "ResourceList"));
    let items = root.get("items").filter(|items| is_list && items.kind == Kind::Sequence)?;
    Some(&items.content)
}

fn wrong_kind(node: &Node) -> String {
    let found = match node.kind {
        Kind::Sequence => "SequenceNode",
        Kind::Alias => "AliasNode",
        Kind::Scalar | Kind::Mapping | Kind::Document => "ScalarNode",
    };
    let contents = v3::encode(node, EncodeOptions::KYAML).unwrap_or_default();
    format!("wrong node kind: expected MappingNode but got {found}: node contents:\n{contents}")
}

/// Sets the annotation, in the style the document is written in.
fn annotate(root: &mut Node, file: &str) -> Result<(), String> {
    let metadata = table(root, "metadata")?;
    if let Some(annotations) = metadata.get_mut("annotations").filter(|annotations| annotations.kind == Kind::Scalar) {
        *annotations = Node::mapping();
    }
    let annotations = table(metadata, "annotations")?;
    if let Some(existing) = annotations.get_mut(FILENAME_ANNOTATION) {
        file.clone_into(&mut existing.value);
        return Ok(());
    }
    let value = Node { style: Style::SINGLE_QUOTED, ..Node::string(file) };
    annotations.content.extend([Node::string(FILENAME_ANNOTATION), value]);
    Ok(())
}

/// The map under a key, made when there is none or nothing in it.
fn table<'a>(parent: &'a mut Node, key: &str) -> Result<&'a mut Node, String> {
    if parent.get(key).is_none() {
        parent.content.extend([Node::string(key), Node::mapping()]);
    }
    let child = parent.get_mut(key).ok_or_else(|| format!("{key} is not in a map"))?;
    if child.kind != Kind::Mapping {
        if child.short_tag() != "!!null" && !(child.kind == Kind::Sequence && child.content.is_empty()) {
            return Err(wrong_kind(child));
        }
        *child = Node { comments: child.comments.take(), ..Node::mapping() };
    }
    Ok(child)
}

/// Removes the annotation, and the maps around it that it leaves empty.
fn take_annotation(root: &mut Node) -> Option<String> {
    let metadata = root.get_mut("metadata")?;
    let annotations = metadata.get_mut("annotations")?;
    let file = remove(annotations, FILENAME_ANNOTATION)?.value;
    if annotations.content.is_empty() {
        remove(metadata, "annotations");
    }
    if metadata.content.is_empty() {
        remove(root, "metadata");
    }
    Some(file)
}

fn remove(map: &mut Node, key: &str) -> Option<Node> {
    if map.kind != Kind::Mapping {
        return None;
    }
    let pair = map.content.chunks_exact(2).position(|pair| pair.first().is_some_and(|found| found.value == key))?;
    map.content.drain(pair * 2..pair * 2 + 2).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> BTreeMap<Arc<str>, String> {
        entries.iter().map(|(name, text)| (Arc::from(*name), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_merged_can_be_split_again() {
        let given = files(&[
            ("a/templates/_x.tpl", "not: this\n"),
            ("a/templates/list.yaml", "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n"),
            ("a/templates/one.yaml", "kind: C\nmetadata: {name: x}\n---\n# nothing\n---\nkind: D\n"),
        ]);
        let merged = merge(&given).unwrap();
        assert_eq!(merged.matches(FILENAME_ANNOTATION).count(), 4);
        let expected = files(&[
            ("a/templates/list.yaml", "kind: A\n---\nkind: B\n"),
            ("a/templates/one.yaml", "kind: C\nmetadata: {name: x}\n---\nkind: D\n"),
        ]);
        assert_eq!(split(&merged).unwrap(), expected);
        let added = split(&format!("{merged}---\nkind: E\n")).unwrap();
        assert_eq!(added.get("generated-by-postrender-4.yaml").map(String::as_str), Some("kind: E\n"));
    }
}
