//! Following objects until they are ready: what to request next and what is done is decided here, without any I/O.
//!
//! Sources come before what is made from them, so that a push reaches the release in one `sync`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kinds::Requests;
use crate::object::{Health, Key, Object};

/// How long a failed status that speaks of an older source is given to catch up.
const CATCHING_UP: Duration = Duration::from_secs(3);

/// How following an object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is ready.
    Ready,
    /// It is not, and these lines say why.
    Failed(Vec<String>),
    /// What it is made from is not ready.
    Blocked(Key),
    /// It is left alone on request.
    Suspended,
}

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its sources are not done.
    Waiting,
    /// It was asked to reconcile.
    Requested,
    /// It is done.
    Done(Outcome),
}

/// One object that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    pub(crate) stage: Stage,
    sources: Vec<Key>,
    /// When a failure was first seen that may be the state before the source's change.
    doubtful_since: Option<Duration>,
}

/// Everything that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    entries: BTreeMap<Key, Entry>,
    /// The value of the request's annotation.
    token: String,
}

/// What `step` changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Objects to ask now.
    pub(crate) request: Vec<Key>,
    /// Objects that are done now.
    pub(crate) done: Vec<Key>,
}

impl Plan {
    /// A plan to ask these objects, each with its sources among them.
    pub(crate) fn new(objects: &[Object], token: String) -> Self {
        let mut plan = Self { entries: BTreeMap::new(), token };
        for object in objects {
            let mut sources = object.sources();
            sources.extend(objects.iter().filter(|other| object.owns(other)).map(Object::key));
            sources.retain(|source| *source != object.key() && objects.iter().any(|other| other.key() == *source));
            let entry = Entry { object: object.clone(), stage: Stage::Waiting, sources, doubtful_since: None };
            plan.entries.insert(object.key(), entry);
        }
        plan
    }

    /// The value of the request's annotation.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Everything that is followed.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// One of them.
    pub(crate) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Takes in an object's newer state.
    pub(crate) fn observe(&mut self, object: Object) {
        if let Some(entry) = self.entries.get_mut(&object.key()) {
            entry.object = object;
        }
    }

    /// Ends following an object that cannot become ready any more.
    pub(crate) fn fail(&mut self, key: &Key, why: String) {
        if let Some(entry) = self.entries.get_mut(key)
            && !matches!(entry.stage, Stage::Done(_))
        {
            entry.stage = Stage::Done(Outcome::Failed(vec![why]));
        }
    }

    /// How many are not done.
    pub(crate) fn pending(&self) -> usize {
        self.entries().filter(|entry| !matches!(entry.stage, Stage::Done(_))).count()
    }

    /// How many ended badly.
    pub(crate) fn failed(&self) -> usize {
        self.entries()
            .filter(|entry| matches!(entry.stage, Stage::Done(Outcome::Failed(_) | Outcome::Blocked(_))))
            .count()
    }

    /// Moves everything on that can move; `elapsed` is the time since following began.
    pub(crate) fn step(&mut self, elapsed: Duration) -> Changes {
        let mut changes = Changes::default();
        loop {
            let next: Vec<(Key, Stage)> = self
                .entries
                .iter()
                .filter_map(|(key, entry)| Some((key.clone(), self.next_stage(entry, elapsed)?)))
                .collect();
            if next.is_empty() {
                break;
            }
            for (key, stage) in next {
                match &stage {
                    Stage::Requested => changes.request.push(key.clone()),
                    Stage::Done(_) => changes.done.push(key.clone()),
                    Stage::Waiting => {}
                }
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.stage = stage;
                }
            }
        }
        self.remember_doubts(elapsed);
        changes
    }

    fn next_stage(&self, entry: &Entry, elapsed: Duration) -> Option<Stage> {
        match &entry.stage {
            Stage::Done(_) => None,
            Stage::Waiting => {
                for key in &entry.sources {
                    match self.entries.get(key).map(|source| &source.stage) {
                        Some(Stage::Done(Outcome::Failed(_) | Outcome::Blocked(_))) => {
                            return Some(Stage::Done(Outcome::Blocked(key.clone())));
                        }
                        Some(Stage::Waiting | Stage::Requested) => return None,
                        Some(Stage::Done(Outcome::Ready | Outcome::Suspended)) | None => {}
                    }
                }
                let suspended = entry.object.health() == Health::Suspended;
                Some(if suspended { Stage::Done(Outcome::Suspended) } else { Stage::Requested })
            }
            Stage::Requested => {
                if !entry.object.handled(&self.token) {
                    return None;
                }
                let outcome = match entry.object.health() {
                    Health::Progressing => return None,
                    Health::Ready if self.follows_its_sources(entry) => Outcome::Ready,
                    Health::Ready => return None,
                    Health::Suspended => Outcome::Suspended,
                    Health::Failed => {
                        let waited = entry.doubtful_since.is_some_and(|since| elapsed >= since + CATCHING_UP);
                        if !self.follows_its_sources(entry) && !waited {
                            return None;
                        }
                        Outcome::Failed(failure(&entry.object))
                    }
                };
                Some(Stage::Done(outcome))
            }
        }
    }

    fn follows_its_sources(&self, entry: &Entry) -> bool {
        let requested = entry.object.kind.requests != Requests::None;
        !requested
            || entry
                .sources
                .iter()
                .filter_map(|key| self.entries.get(key))
                .all(|source| entry.object.follows(&source.object))
    }

    fn remember_doubts(&mut self, elapsed: Duration) {
        for entry in self.entries.values_mut() {
            let failed = entry.stage == Stage::Requested
                && entry.object.handled(&self.token)
                && entry.object.health() == Health::Failed;
            entry.doubtful_since = failed.then(|| entry.doubtful_since.unwrap_or(elapsed));
        }
    }
}

fn failure(object: &Object) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", object.reason(), object.message())];
    lines.extend(object.causes());
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::object::tests::object;

    const NOW: Duration = Duration::from_secs(1);

    fn status(ready: &str, handled: bool, more: &Value) -> Value {
        let mut status = json!({
            "observedGeneration": 2,
            "conditions": [{ "type": "Ready", "status": ready, "reason": "Because", "message": "said so" }],
        });
        if handled {
            status["lastHandledReconcileAt"] = json!("token");
        }
        for (name, value) in more.as_object().unwrap() {
            status[name] = value.clone();
        }
        status
    }

    fn repository(handled: bool, revision: &str, ready: &str) -> Object {
        object(
            "git",
            "apps",
            "repo",
            json!({}),
            status(ready, handled, &json!({ "artifact": { "revision": revision } })),
        )
    }

    fn chart(handled: bool, source: &str, revision: &str) -> Object {
        let more = json!({ "observedSourceArtifactRevision": source, "artifact": { "revision": revision } });
        let spec = json!({ "sourceRef": { "kind": "GitRepository", "name": "repo" } });
        object("hc", "apps", "apps-web", spec, status("True", handled, &more))
    }

    fn release(handled: bool, revision: &str, ready: &str) -> Object {
        let spec = json!({ "chart": { "spec": { "sourceRef": { "kind": "GitRepository", "name": "repo" } } } });
        object("hr", "apps", "web", spec, status(ready, handled, &json!({ "lastAttemptedRevision": revision })))
    }

    fn names(keys: &[Key]) -> Vec<&str> {
        keys.iter().map(|key| key.kind.as_str()).collect()
    }

    #[test]
    fn a_push_travels_from_source_to_chart_to_release() {
        let objects = [release(false, "1", "True"), chart(false, "a", "1"), repository(false, "a", "True")];
        let mut plan = Plan::new(&objects, "token".to_owned());
        assert_eq!(names(&plan.step(NOW).request), ["GitRepository"]);
        assert_eq!(plan.step(NOW), Changes::default());
        plan.observe(repository(true, "b", "True"));
        let changes = plan.step(NOW);
        assert_eq!((names(&changes.done), names(&changes.request)), (vec!["GitRepository"], vec!["HelmChart"]));
        // Handled, but with the commit before.
        plan.observe(chart(true, "a", "1"));
        assert_eq!(plan.step(NOW), Changes::default());
        plan.observe(chart(true, "b", "2"));
        assert_eq!(names(&plan.step(NOW).request), ["HelmRelease"]);
        plan.observe(release(true, "1", "True"));
        assert_eq!(plan.step(NOW), Changes::default());
        plan.observe(release(true, "2", "True"));
        assert_eq!(names(&plan.step(NOW).done), ["HelmRelease"]);
        assert_eq!((plan.pending(), plan.failed()), (0, 0));
    }

    #[test]
    fn a_failed_source_blocks_what_is_made_from_it() {
        let objects = [release(false, "1", "True"), chart(false, "a", "1"), repository(true, "a", "False")];
        let mut plan = Plan::new(&objects, "token".to_owned());
        let changes = plan.step(NOW);
        assert_eq!(names(&changes.done), ["GitRepository", "HelmChart", "HelmRelease"]);
        assert_eq!((plan.pending(), plan.failed()), (0, 3));
        let web = plan.entries().find(|entry| entry.object.kind.kind == "HelmRelease").unwrap();
        assert!(matches!(&web.stage, Stage::Done(Outcome::Blocked(_))));
    }

    #[test]
    fn a_failure_from_before_the_change_is_given_time_to_pass() {
        let objects = [release(true, "1", "False"), chart(true, "b", "2"), repository(true, "b", "True")];
        let mut plan = Plan::new(&objects, "token".to_owned());
        assert_eq!(names(&plan.step(NOW).done), ["GitRepository", "HelmChart"]);
        assert_eq!(plan.step(NOW + CATCHING_UP / 2), Changes::default());
        assert_eq!(names(&plan.step(NOW + CATCHING_UP).done), ["HelmRelease"]);
        assert_eq!(plan.failed(), 1);
    }

    #[test]
    fn suspended_objects_are_done_and_block_nobody() {
        let suspended = object("git", "apps", "repo", json!({ "suspend": true }), json!({}));
        let mut plan = Plan::new(&[chart(true, "", "1"), suspended], "token".to_owned());
        assert_eq!(names(&plan.step(NOW).done), ["GitRepository", "HelmChart"]);
        assert_eq!(plan.failed(), 0);
    }
}
