//! Name prefixes and suffixes.

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    id::Gvk,
    node::Node,
    res_map::ResMap,
};

/// Which end of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Before it.
    Prefix,
    /// Behind it.
    Suffix,
}

/// Kinds whose names are part of an interface, so they are never changed.
fn keeps_name(original: &Gvk) -> bool {
    matches!(
        (&*original.group, &*original.kind),
        (_, "CustomResourceDefinition" | "Namespace") | ("apiregistration.k8s.io", "APIService")
    )
}

/// Puts `affix` at an end of every name that `specs` name.
pub(crate) fn apply(resources: &mut ResMap, end: End, affix: &str, specs: &[FieldSpec]) -> Result<(), Error> {
    for resource in resources.iter_mut() {
        if keeps_name(&resource.original_id().gvk) {
            continue;
        }
        let gvk = resource.id().gvk.clone();
        for spec in specs {
            if !gvk.is_selected(&spec.gvk) {
                continue;
            }
            if spec.path == "metadata/name" {
                if !affix.is_empty() {
                    resource.remember();
                }
                match end {
                    End::Prefix => resource.prefixes.push(affix.into()),
                    End::Suffix => resource.suffixes.push(affix.into()),
                }
            }
            spec.apply(&gvk, resource.node_mut(), Create::Scalar, &mut |node| match node {
                Node::Scalar(scalar) => {
                    scalar.set_untyped(match end {
                        End::Prefix => format!("{affix}{}", scalar.text),
                        End::Suffix => format!("{}{affix}", scalar.text),
                    });
                    Ok(())
                }
                other => Err(Error::WrongNode { expected: "ScalarNode", found: other.kind(), path: String::new() }),
            })?;
            resource.settle();
        }
    }
    Ok(())
}
