//! ValueAddTransformer: puts a value into fields of selected resources, whole or as a segment of a path.

use crate::{error::Error, node::Node, res_map::ResMap, selector::CompiledSelector};

/// Where and how a value is added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Which resources.
    pub selector: crate::kustomization::Selector,
    /// The field, with `/` between keys.
    pub field_path: String,
    /// The segment of a file path that becomes the value; 0 replaces the whole field.
    pub file_path_position: i64,
}

/// Adds `value` to every target.
pub(crate) fn apply(resources: &mut ResMap, value: &str, targets: &[Target]) -> Result<(), Error> {
    for target in targets {
        let selector = CompiledSelector::new(&target.selector)?;
        let spec = crate::field_spec::FieldSpec::new("", "", "", &target.field_path, true);
        for resource in resources.iter_mut().filter(|resource| selector.selects(resource)) {
            let gvk = resource.id().gvk.clone();
            spec.apply(&gvk, resource.node_mut(), crate::field_spec::Create::Scalar, &mut |node| {
                let kind = node.kind();
                let Node::Scalar(scalar) = node else {
                    return Err(Error::WrongNode { expected: "ScalarNode", found: kind, path: String::new() });
                };
                let text = if target.file_path_position < 1 {
                    value.to_owned()
                } else {
                    in_path(&scalar.text, value, target.file_path_position)
                };
                if !text.is_empty() {
                    scalar.set_untyped(text);
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Puts `value` before the segment at `position` (from 1) of a file path, or behind them all.
fn in_path(path: &str, value: &str, position: i64) -> String {
    if value.is_empty() {
        return path.to_owned();
    }
    let absolute = path.starts_with('/');
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let at = usize::try_from(position - 1).unwrap_or(usize::MAX).min(segments.len());
    segments.insert(at, value);
    let joined = segments.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_segments() {
        assert_eq!(in_path("/a/b", "x", 1), "/x/a/b");
        assert_eq!(in_path("a/b", "x", 3), "a/b/x");
        assert_eq!(in_path("a", "x", 9), "a/x");
        assert_eq!(in_path("", "x", 2), "x");
    }
}
