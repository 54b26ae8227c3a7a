//! The resources in files.

use crate::{build::Session, error::Error, node::Node};

/// The resources in a file's text, lists taken apart.
pub(crate) fn resources_from(session: &Session, bytes: &[u8], path: &str) -> Result<Vec<Node>, Error> {
    let documents = session.documents(bytes, path)?;
    let mut out = Vec::with_capacity(documents.len());
    let mut queue: std::collections::VecDeque<Node> = documents.into();
    while let Some(mut node) = queue.pop_front() {
        let is_list = node.text_at(&["kind"]).ends_with("List");
        if is_list && let Some(items) = node.as_map_mut().and_then(|map| map.get_mut("items")) {
            match std::mem::replace(items, Node::null()) {
                Node::Seq(items) => {
                    queue.extend(items);
                    continue;
                }
                other if other.is_null() => continue,
                other => {
                    return Err(Error::NotAResource {
                        path: path.to_owned(),
                        message: format!(
                            "expected a list in {}/items, but found {}",
                            node.text_at(&["kind"]),
                            other.kind()
                        ),
                    });
                }
            }
        }
        check_resource(&node, path)?;
        out.push(node);
    }
    Ok(out)
}

/// Refuses what is no Kubernetes object.
pub(crate) fn check_resource(node: &Node, path: &str) -> Result<(), Error> {
    let wrong = |message: String| Error::NotAResource { path: path.to_owned(), message };
    if node.as_map().is_none() {
        return Err(wrong(format!("not a Kubernetes object: expected a mapping, found {}", node.kind())));
    }
    let kind = node.text_at(&["kind"]);
    if kind.is_empty() {
        return Err(wrong(format!("missing kind in object {}", described(node))));
    }
    if node.text_at(&["metadata", "name"]).is_empty() && !kind.ends_with("List") {
        return Err(wrong(format!("missing metadata.name in object {}", described(node))));
    }
    Ok(())
}

fn described(node: &Node) -> String {
    let part = |key: &str| node.text_at(&[key]).to_owned();
    format!("{{{{{} {}}} {{{{ }} map[] map[]}}}}", part("apiVersion"), part("kind"))
}
