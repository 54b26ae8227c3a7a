//! Plays scripts from `testdata/machine`: each line is a step the machine must ask for and what comes of it.

use std::collections::HashMap;

use apply::{
    Gvk,
    readiness::{Condition, NotReady, Observed},
};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    action: Action,
    #[serde(default = "yes")]
    hooks_enabled: bool,
    #[serde(default = "yes")]
    wait: bool,
    #[serde(default)]
    hooks: Vec<ScriptHook>,
    #[serde(default)]
    only_tests: Vec<String>,
    steps: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptHook {
    name: String,
    #[serde(default = "job")]
    kind: String,
    events: Vec<HookEvent>,
    #[serde(default)]
    weight: i64,
    #[serde(default)]
    policies: Vec<String>,
    run: Option<HookPhase>,
}

fn yes() -> bool {
    true
}

fn job() -> String {
    "Job".to_owned()
}

#[derive(Default)]
struct World {
    states: HashMap<String, String>,
}

impl View for World {
    fn readiness(&self, required: &[Required]) -> Readiness {
        let mut waiting = Vec::new();
        for Required { object, .. } in required {
            let condition = match self.states.get(&object.name).map(String::as_str) {
                Some("Current") => continue,
                Some("Failed") => Condition::Failed,
                _ => Condition::InProgress,
            };
            waiting.push(NotReady { object: object.clone(), condition, message: "0/1".to_owned() });
        }
        if waiting.iter().any(|object| object.condition == Condition::Failed) {
            Readiness::Failed(waiting)
        } else if waiting.is_empty() {
            Readiness::Ready
        } else {
            Readiness::Waiting(waiting)
        }
    }

    fn run(&self, required: &Required) -> (Run, String) {
        match self.states.get(&required.object.name).map(String::as_str) {
            Some("Succeeded") => (Run::Succeeded, String::new()),
            Some("Failed") => (Run::Failed, "Job failed: BackoffLimitExceeded".to_owned()),
            Some("None") => (Run::None, String::new()),
            _ => (Run::Running, String::new()),
        }
    }

    fn gone(&self, object: &ObjectRef, _uid: &str) -> bool {
        self.states.get(&object.name).is_some_and(|state| state == "gone")
    }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef { gvk: Gvk::new("batch/v1", "Job"), namespace: "n".into(), name: name.into() }
}

fn required(name: &str) -> Required {
    let applied = Observed {
        uid: "u".into(),
        resource_version: 1,
        condition: Condition::InProgress,
        message: "".into(),
        run: Run::Running,
    };
    Required { object: object(name), applied }
}

fn describe_step(step: &Step, machine: &Machine) -> String {
    let name = |index: &usize| machine.hooks()[*index].name.clone();
    match step {
        Step::ClearHook(index) => format!("clear {}", name(index)),
        Step::StartHook(index) => format!("start {}", name(index)),
        Step::FindHook(index) => format!("find {}", name(index)),
        Step::CleanHooks(list) => format!("clean {}", list.iter().map(name).collect::<Vec<_>>().join(",")),
        Step::Apply => "apply".to_owned(),
        Step::Delete => "delete".to_owned(),
        Step::Await { .. } => "await".to_owned(),
        Step::Done(Ok(())) => "done".to_owned(),
        Step::Done(Err(failure)) => format!("failed: {failure}"),
    }
}

fn play(path: &std::path::Path) {
    let text = fs_err::read_to_string(path).unwrap();
    let script: Script = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut now = start;
    let hooks = script
        .hooks
        .into_iter()
        .map(|hook| {
            let policy = |name: &str| hook.policies.iter().any(|policy| policy == name);
            Hook {
                path: format!("chart/templates/{}.yaml", hook.name),
                delete_before_creation: hook.policies.is_empty() || policy("before-hook-creation"),
                delete_when_succeeded: policy("hook-succeeded"),
                delete_when_failed: policy("hook-failed"),
                run: hook.run.map(|phase| HookRun { started: start, completed: None, phase }),
                name: hook.name,
                kind: hook.kind,
                events: hook.events,
                weight: hook.weight,
            }
        })
        .collect();
    let stages = script.action.stages(script.hooks_enabled, script.wait);
    let filters = script.only_tests.into_iter().map(|name| TestFilter { name, exclude: false }).collect();
    let mut machine = Machine::new(script.action, stages, Duration::from_secs(300), hooks).with_test_filter(filters);
    let mut world = World::default();
    for (number, line) in script.steps.iter().enumerate() {
        let (expected, outcome) = line.split_once(" -> ").unwrap_or((line, ""));
        let step = machine.step(now, &world);
        let actual = describe_step(&step, &machine);
        assert_eq!(actual, expected, "{}: step {}", path.display(), number + 1);
        let index = match &step {
            Step::ClearHook(index) | Step::StartHook(index) | Step::FindHook(index) => *index,
            _ => 0,
        };
        let words: Vec<_> = outcome.split_whitespace().collect();
        match (&step, words.as_slice()) {
            (Step::ClearHook(_), ["gone"]) => machine.hook_cleared(None, now),
            (Step::ClearHook(_), ["going"]) => {
                let name = machine.hooks()[index].name.clone();
                machine.hook_cleared(Some((object(&name), "u".into())), now);
            }
            (Step::StartHook(_), ["ok"]) => {
                machine.hook_starting(index, now);
                assert_eq!(machine.hooks()[index].run.as_ref().unwrap().phase, HookPhase::Running);
                let name = machine.hooks()[index].name.clone();
                machine.hook_started(required(&name), now);
            }
            (Step::StartHook(_), ["refused", ..]) => {
                machine.hook_starting(index, now);
                machine.hook_refused(index, words[1..].join(" "), now);
            }
            (Step::FindHook(_), ["found"]) => {
                let name = machine.hooks()[index].name.clone();
                machine.hook_started(required(&name), now);
            }
            (Step::FindHook(_), ["lost"]) => machine.hook_lost(index),
            (Step::CleanHooks(_), []) => machine.hooks_cleaned(),
            (Step::Apply, names) if names.first() != Some(&"refused") => {
                machine.applied(names.iter().map(|name| required(name)).collect());
            }
            (Step::Apply, _) => machine.fail(Failure::Refused(words[1..].join(" "))),
            (Step::Delete, names) => machine.deleted(names.iter().map(|name| (object(name), "u".into())).collect()),
            (Step::Await { .. }, ["later"]) => now = later(now, Duration::from_secs(10)),
            (Step::Await { until, .. }, ["timeout"]) => now = *until,
            (Step::Await { .. }, ["superseded"]) => machine.fail(Failure::Superseded("generation 2".into())),
            (Step::Await { .. }, [name, state]) => {
                world.states.insert((*name).to_owned(), (*state).to_owned());
            }
            (Step::Done(_), []) => {}
            (step, words) => panic!("{}: step {}: {step:?} with {words:?}", path.display(), number + 1),
        }
    }
    assert!(matches!(machine.step(now, &world), Step::Done(_)), "{}: the script ends too early", path.display());
}

#[test]
fn scripts() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/machine");
    let mut count = 0;
    for entry in fs_err::read_dir(directory).unwrap() {
        play(&entry.unwrap().path());
        count += 1;
    }
    assert!(count >= 10, "only {count} scripts were found");
}

#[test]
fn test_filters() {
    let filter = |name: &str, exclude| TestFilter { name: name.into(), exclude };
    for (filters, name, expected) in [
        (vec![], "a", true),
        (vec![filter("a", false)], "a", true),
        (vec![filter("a", false)], "b", false),
        (vec![filter("a", true)], "a", false),
        (vec![filter("a", true)], "b", true),
        (vec![filter("a", false), filter("a", true)], "a", false),
    ] {
        assert_eq!(test_selected(&filters, name), expected, "{filters:?} {name}");
    }
}
