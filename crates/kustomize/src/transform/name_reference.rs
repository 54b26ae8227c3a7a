//! Name references: fields that name a resource follow its renaming. Runs once, at the root of a build.

use std::collections::{HashMap, HashSet};

use crate::{
    config::Config,
    error::Error,
    field_spec::{Create, FieldSpec},
    id::Gvk,
    node::{Node, Text},
    res_map::ResMap,
    resource::{Resource, set_text},
};

/// What is kept of a resource that others may refer to.
struct Referral {
    /// Position among the resources.
    at: usize,
    name: Text,
    namespace: Text,
    place: Place,
    is_service_account: bool,
    previous_kinds: Vec<(Text, Gvk)>,
}

/// Renamed resources by each name they had.
struct Referrals {
    by_old_name: HashMap<Text, Vec<usize>>,
    all: Vec<Referral>,
    /// Where resources were first and are now, renamed or not.
    places: HashSet<Place>,
}

/// Namespaces of a resource as they take effect.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    original_namespace: Text,
    effective_namespace: Text,
    is_cluster_scoped: bool,
}

impl Referrals {
    fn collect(resources: &ResMap) -> Self {
        let mut out = Self { by_old_name: HashMap::new(), all: Vec::new(), places: HashSet::new() };
        for (at, resource) in resources.iter().enumerate() {
            let id = resource.id();
            let place = Place {
                original_namespace: resource.original_id().effective_namespace().into(),
                effective_namespace: id.effective_namespace().into(),
                is_cluster_scoped: id.gvk.is_cluster_scoped(),
            };
            if !out.places.contains(&place) {
                out.places.insert(place.clone());
            }
            if resource.previous.is_empty() {
                // What was never renamed has no earlier id that a reference could hold.
                continue;
            }
            let index = out.all.len();
            let previous_kinds: Vec<(Text, Gvk)> = resource.previous_ids().map(|id| (id.name, id.gvk)).collect();
            for (name, _) in &previous_kinds {
                let list = out.by_old_name.entry(name.clone()).or_default();
                if list.last() != Some(&index) {
                    list.push(index);
                }
            }
            out.all.push(Referral {
                at,
                name: id.name.clone(),
                namespace: id.namespace.clone(),
                place,
                is_service_account: &*id.gvk.kind == "ServiceAccount",
                previous_kinds,
            });
        }
        out
    }
}

/// The resource whose fields are looked at.
struct Referrer {
    /// Position among the resources, where its tree is missing meanwhile.
    at: usize,
    gvk: Gvk,
    is_cluster_scoped: bool,
    effective_namespace: Text,
    /// Namespaces of a role binding's service accounts, in which its references may lead too.
    subject_namespaces: Vec<Text>,
    /// The kind of role that a binding names.
    role: Option<Gvk>,
}

/// Updates every reference. Returns an error when a name could mean several resources.
pub(crate) fn apply(resources: &mut ResMap, config: &Config) -> Result<(), Error> {
    let referrals = Referrals::collect(resources);
    // By the kind of the referrer, so that each resource meets only the specs for it.
    let specs: Vec<(&Gvk, &FieldSpec)> = config
        .name_references
        .iter()
        .flat_map(|reference| reference.referrers.iter().map(move |spec| (&reference.target, spec)))
        .collect();
    let mut by_kind: HashMap<Gvk, Vec<(&Gvk, &FieldSpec)>> = HashMap::new();
    let mut found: Vec<usize> = Vec::new();
    for at in 0..resources.len() {
        let Some(resource) = resources.get(at) else { continue };
        // What it was first decides which fields of it are references.
        let original = resource.original_id().gvk;
        let specs = by_kind
            .entry(original.clone())
            .or_insert_with(|| specs.iter().filter(|(_, spec)| original.is_selected(&spec.gvk)).copied().collect());
        if specs.is_empty() {
            continue;
        }
        let referrer = Referrer::new(at, resource, resource.id().gvk.clone());
        let Some(mut node) = resources.get_mut(at).map(Resource::lend_node) else { continue };
        let mut changed = false;
        for (target, spec) in specs {
            let mut update = Update {
                referrals: &referrals,
                resources,
                referrer: &referrer,
                target,
                spec,
                changed: &mut changed,
                found: &mut found,
            };
            spec.apply_to_any(&referrer.gvk, &mut node, Create::Scalar, &mut |node| update.field(node)).map_err(
                |error| {
                    let id = resources.get(at).map(|resource| resource.id().to_string()).unwrap_or_default();
                    error.context(format!("updating name reference in '{}' field of '{id}'", spec.path))
                },
            )?;
        }
        if let Some(resource) = resources.get_mut(at) {
            resource.return_node(node, changed);
            if changed {
                resource.settle();
            }
        }
    }
    for at in found {
        if let Some(resource) = resources.get_mut(at) {
            resource.referrers += 1;
        }
    }
    Ok(())
}

impl Referrer {
    fn new(at: usize, resource: &Resource, gvk: Gvk) -> Self {
        let subject_namespaces = if matches!(&*gvk.kind, "RoleBinding" | "ClusterRoleBinding") {
            resource
                .node()
                .at(&["subjects"])
                .and_then(Node::as_seq)
                .unwrap_or_default()
                .iter()
                .filter(|subject| subject.text_at(&["kind"]) == "ServiceAccount")
                .map(|subject| subject.text_at(&["namespace"]))
                .filter(|namespace| !namespace.is_empty())
                .map(Text::new)
                .collect()
        } else {
            Vec::new()
        };
        Self {
            is_cluster_scoped: gvk.is_cluster_scoped(),
            effective_namespace: resource.id().effective_namespace().into(),
            role: role_of(resource.node()),
            at,
            gvk,
            subject_namespaces,
        }
    }

    /// Whether a resource is one that this referrer's fields may mean at all.
    fn sees(&self, place: &Place) -> bool {
        self.is_cluster_scoped
            || place.is_cluster_scoped
            || place.effective_namespace == self.effective_namespace
            || self.subject_namespaces.contains(&place.effective_namespace)
    }
}

struct Update<'a> {
    referrals: &'a Referrals,
    resources: &'a ResMap,
    referrer: &'a Referrer,
    target: &'a Gvk,
    spec: &'a FieldSpec,
    changed: &'a mut bool,
    found: &'a mut Vec<usize>,
}

impl<'a> Update<'a> {
    fn field(&mut self, node: &mut Node) -> Result<(), Error> {
        if node.is_null() {
            return Ok(());
        }
        match node {
            Node::Scalar(_) => self.scalar(node),
            Node::Map(_) => self.mapping(node),
            Node::Seq(list) => list.iter_mut().try_for_each(|element| match element {
                Node::Scalar(_) => self.scalar(element),
                Node::Map(_) => self.mapping(element),
                Node::Seq(_) => Err(Error::message("node is expected to be either a string or a map")),
            }),
        }
    }

    fn scalar(&mut self, node: &mut Node) -> Result<(), Error> {
        let Some(old) = node.text().map(str::to_owned) else { return Ok(()) };
        let Some(referral) = self.select(&old, |_| true, false)? else { return Ok(()) };
        self.found.push(referral.at);
        if referral.name != old
            && let Node::Scalar(scalar) = node
        {
            scalar.set_untyped(referral.name.clone());
            *self.changed = true;
        }
        Ok(())
    }

    /// A map with a name and perhaps a namespace, both of which follow.
    fn mapping(&mut self, node: &mut Node) -> Result<(), Error> {
        let Some(map) = node.as_map_mut() else { return Ok(()) };
        let Some(old) = map.get("name").and_then(Node::text).map(str::to_owned) else {
            return Err(Error::message("path config error; no 'name' field in node"));
        };
        let namespace = map.get("namespace").and_then(Node::text).map(str::to_owned);
        let referrals = self.referrals;
        let selected = match namespace {
            None => self.select(&old, |_| true, true)?,
            Some(namespace) => {
                let originally = |referral: &Referral| referral.place.original_namespace == namespace;
                let now = |referral: &Referral| referral.place.effective_namespace == namespace;
                // Namespaces that were once in use, be it by another kind, win over those in use now.
                let was_used = |place: &Place| place.original_namespace == namespace && self.referrer.sees(place);
                if referrals.places.iter().any(was_used) {
                    self.select(&old, originally, true)?
                } else {
                    self.select(&old, now, true)?
                }
            }
        };
        let Some(referral) = selected else { return Ok(()) };
        self.found.push(referral.at);
        if referral.name == old && referral.namespace.is_empty() {
            return Ok(());
        }
        *self.changed = true;
        set_text(map, "name", &referral.name);
        if !referral.namespace.is_empty() {
            set_text(map, "namespace", &referral.namespace);
        }
        Ok(())
    }

    /// The one resource that a name means.
    fn select(
        &self,
        old_name: &str,
        in_namespace: impl Fn(&Referral) -> bool,
        by_namespace: bool,
    ) -> Result<Option<&'a Referral>, Error> {
        let Some(indexes) = self.referrals.by_old_name.get(old_name) else { return Ok(None) };
        let role = self.referrer.role.as_ref().filter(|_| self.spec.path.ends_with("roleRef/name"));
        let selected_by = |referral: &Referral, gvk: &Gvk| {
            referral.previous_kinds.iter().any(|(_, previous)| previous.is_selected(gvk))
        };
        let mut candidates: Vec<&Referral> = indexes
            .iter()
            .filter_map(|index| self.referrals.all.get(*index))
            .filter(|referral| self.referrer.sees(&referral.place) && in_namespace(referral))
            .filter(|referral| selected_by(referral, self.target))
            .filter(|referral| role.is_none_or(|role| selected_by(referral, role)))
            .filter(|referral| {
                self.referrer.is_cluster_scoped
                    || referral.place.is_cluster_scoped
                    || referral.is_service_account
                    || referral.place.effective_namespace == self.referrer.effective_namespace
            })
            .collect();
        if candidates.len() > 1 {
            for allow_empty in [true, false] {
                if candidates.len() > 1 {
                    candidates.retain(|referral| {
                        let referrer = self.resources.get(self.referrer.at);
                        let candidate = self.resources.get(referral.at);
                        candidate.zip(referrer).is_some_and(|(one, other)| one.affixes_agree(other, allow_empty))
                    });
                }
            }
        }
        let Some(first) = candidates.first() else { return Ok(None) };
        let same =
            |other: &&Referral| other.name == first.name && (!by_namespace || other.namespace == first.namespace);
        if candidates.iter().all(same) {
            return Ok(Some(first));
        }
        let ids: Vec<String> = candidates
            .iter()
            .filter_map(|referral| self.resources.get(referral.at))
            .map(|resource| resource.id().to_string())
            .collect();
        Err(Error::message(format!("found multiple possible referrals: {}", ids.join(", "))))
    }
}

/// The kind that a role binding names.
fn role_of(node: &Node) -> Option<Gvk> {
    let role = node.at(&["roleRef"])?;
    let (group, kind) = (role.at(&["apiGroup"])?.text()?, role.at(&["kind"])?.text()?);
    Some(Gvk { group: group.into(), version: "".into(), kind: kind.into() })
}
