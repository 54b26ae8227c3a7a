//! Requests that people make by annotation: reconcile, force a release, reset failure counters.

use std::collections::BTreeMap;

use common::{
    helm::v2::HelmReleaseStatus,
    names::annotation::{FORCE_AT, REQUESTED_AT, RESET_AT},
};

/// What is asked for and not yet handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Reconcile now.
    pub reconcile: bool,
    /// Install or upgrade once, whatever the state.
    pub force: bool,
    /// Forget failures.
    pub reset: bool,
}

/// Reads the annotations against what was handled. Force and reset only count together with the request to reconcile.
pub fn read(annotations: Option<&BTreeMap<String, String>>, status: &HelmReleaseStatus) -> Requests {
    let value = |key: &str| annotations.and_then(|annotations| annotations.get(key));
    let Some(requested) = value(REQUESTED_AT) else { return Requests::default() };
    let new = status.last_handled_reconcile_at.as_ref() != Some(requested);
    let asks =
        |key, handled: &Option<String>| new && value(key) == Some(requested) && handled.as_ref() != Some(requested);
    Requests {
        reconcile: new,
        force: asks(FORCE_AT, &status.last_handled_force_at),
        reset: asks(RESET_AT, &status.last_handled_reset_at),
    }
}

/// Records that the requests in the annotations are handled.
pub fn handled(annotations: Option<&BTreeMap<String, String>>, status: &mut HelmReleaseStatus) {
    let value = |key: &str| annotations.and_then(|annotations| annotations.get(key)).cloned();
    for (key, slot) in [
        (REQUESTED_AT, &mut status.last_handled_reconcile_at),
        (FORCE_AT, &mut status.last_handled_force_at),
        (RESET_AT, &mut status.last_handled_reset_at),
    ] {
        if let Some(value) = value(key) {
            *slot = Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn force_and_reset_need_the_same_token_and_count_once() {
        let mut status = HelmReleaseStatus::default();
        assert_eq!(read(None, &status), Requests::default());
        let both = annotations(&[(REQUESTED_AT, "1"), (FORCE_AT, "1"), (RESET_AT, "0")]);
        assert_eq!(read(Some(&both), &status), Requests { reconcile: true, force: true, reset: false });
        handled(Some(&both), &mut status);
        assert_eq!(read(Some(&both), &status), Requests::default());
        let only_force = annotations(&[(REQUESTED_AT, "1"), (FORCE_AT, "2")]);
        assert_eq!(read(Some(&only_force), &status), Requests::default());
        let alone = annotations(&[(FORCE_AT, "3")]);
        assert_eq!(read(Some(&alone), &status), Requests::default());
    }
}
