//! Inventory identifiers: the `<namespace>_<name>_<group>_<kind>` strings of status inventories.

use crate::object::{Gvk, ObjectRef};

/// The identifier of an object. Names of RBAC objects may hold colons, which are written as two underscores.
pub fn id(object: &ObjectRef) -> String {
    format!("{}_{}_{}_{}", object.namespace, object.name.replace(':', "__"), object.gvk.group, object.gvk.kind)
}

/// The object an identifier names, given its version.
pub fn parse(id: &str, version: &str) -> Option<ObjectRef> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    if name.is_empty() || kind.is_empty() {
        return None;
    }
    Some(ObjectRef {
        gvk: Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() },
        namespace: namespace.to_owned(),
        name: name.replace("__", ":"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for (namespace, name, group, kind, expected) in [
            ("default", "web", "apps", "Deployment", "default_web_apps_Deployment"),
            ("", "web", "", "Namespace", "_web__Namespace"),
            (
                "",
                "system:reader",
                "rbac.authorization.k8s.io",
                "ClusterRole",
                "_system__reader_rbac.authorization.k8s.io_ClusterRole",
            ),
        ] {
            let object = ObjectRef {
                gvk: Gvk { group: group.into(), version: "v1".into(), kind: kind.into() },
                namespace: namespace.into(),
                name: name.into(),
            };
            assert_eq!(id(&object), expected);
            assert_eq!(parse(expected, "v1"), Some(object));
        }
        assert_eq!(parse("junk", "v1"), None);
    }
}
