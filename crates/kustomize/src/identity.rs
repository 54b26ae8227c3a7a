//! Lists that merge by several keys: what tells their elements apart, and where each goes.

use std::collections::{HashMap, HashSet};

use crate::{error::Error, merge::NewElements, node::Node};

/// The values of the keys that tell an element apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(Vec<String>);

impl Identity {
    /// Of an element.
    pub(crate) fn of(element: &Node, keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| element.text_at(&[key]).to_owned()).collect())
    }

    fn is_partial(&self) -> bool {
        self.0.iter().any(String::is_empty)
    }

    /// Whether the other has the same values for all keys that this one has.
    fn is_part_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine.is_empty() || mine == theirs)
    }

    /// Both together, when they agree in some key and differ only where one has none.
    fn completed_by(&self, other: &Self) -> Option<Self> {
        if !self.0.iter().zip(&other.0).any(|(a, b)| a == b) {
            return None;
        }
        let pairs = self.0.iter().zip(&other.0);
        let values: Option<Vec<String>> = pairs
            .map(|(a, b)| match (a.is_empty(), b.is_empty()) {
                (false, false) if a != b => None,
                (false, _) => Some(a.clone()),
                (true, _) => Some(b.clone()),
            })
            .collect();
        values.map(Self)
    }

    /// The first key that it has, for messages.
    pub(crate) fn text(&self) -> &str {
        self.0.iter().find(|value| !value.is_empty()).map_or("", String::as_str)
    }
}

/// Every identity once, in the order in which elements are merged.
pub(crate) fn merged_identities(
    destination: &[&Identity],
    patch: &[&Identity],
    order: NewElements,
    keys: &[&str],
) -> Result<Vec<Identity>, Error> {
    let (first, second) = match order {
        NewElements::Prepend => (patch, destination),
        NewElements::Append => (destination, patch),
    };
    let mut seen = HashSet::new();
    let mut distinct: Vec<Identity> = Vec::new();
    for identity in first.iter().chain(second) {
        if seen.insert((*identity).clone()) {
            distinct.push((*identity).clone());
        }
    }
    if keys.len() > 1 && distinct.iter().any(Identity::is_partial) {
        if distinct.len() > MAX_PARTIAL {
            return Err(Error::message(format!(
                "a list of {} elements, some without all of its keys {keys:?}, cannot be merged: give every element all keys, or keep it to {MAX_PARTIAL}",
                distinct.len()
            )));
        }
        complete(&mut distinct);
        seen.clear();
        distinct.retain(|identity| seen.insert(identity.clone()));
    }
    Ok(distinct)
}

/// Longest list in which elements that lack a key are held against each other; every pair is.
const MAX_PARTIAL: usize = 2_000;

/// Fills in what identities lack from others that agree with them, pair by pair and in order, as upstream does.
fn complete(distinct: &mut [Identity]) {
    for at in 0..distinct.len() {
        // As it is when its turn comes, whatever the pairs below make of it.
        let Some(identity) = distinct.get(at).cloned() else { continue };
        for other in 0..distinct.len() {
            let Some(both) = distinct.get(other).and_then(|other| identity.completed_by(other)) else { continue };
            for slot in [at, other] {
                if let Some(slot) = distinct.get_mut(slot) {
                    slot.clone_from(&both);
                }
            }
        }
    }
}

/// Sets the elements of `second` in `first`. With one key, an element takes the place of the one of its identity, or the end;
/// with several, it goes to the end and everything goes that agrees with it in the keys it has.
pub(crate) fn joined(first: Vec<(Identity, Node)>, second: Vec<(Identity, Node)>, several: bool) -> Vec<Node> {
    let mut out: Vec<Option<(Identity, Node)>> = Vec::with_capacity(first.len() + second.len());
    let mut at: HashMap<Identity, usize> = HashMap::new();
    for (identity, node) in first {
        match at.get(&identity).and_then(|at| out.get_mut(*at)) {
            Some(slot) => *slot = Some((identity, node)),
            None => {
                at.insert(identity.clone(), out.len());
                out.push(Some((identity, node)));
            }
        }
    }
    for (identity, node) in second {
        if several && identity.is_partial() {
            for slot in &mut out {
                if slot.as_ref().is_some_and(|(other, _)| identity.is_part_of(other)) {
                    *slot = None;
                }
            }
        } else if let Some(slot) = at.get(&identity).and_then(|at| out.get_mut(*at)).filter(|slot| slot.is_some()) {
            if !several {
                *slot = Some((identity, node));
                continue;
            }
            *slot = None;
        }
        at.insert(identity.clone(), out.len());
        out.push(Some((identity, node)));
    }
    out.into_iter().flatten().map(|(_, node)| node).collect()
}
