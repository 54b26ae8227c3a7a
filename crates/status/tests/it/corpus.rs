//! The shared corpus: objects with the status upstream computes for them.

use serde_json::{Value, json};

const NOW: &str = "2026-01-02T03:04:05Z";

fn object(case: &Value) -> Value {
    let text = case["object"].as_str().unwrap().replace("@now@", NOW);
    serde_json::from_str(&yaml::v2::yaml_to_json(text.as_bytes()).unwrap()).unwrap()
}

fn summary(conditions: &[Value]) -> Vec<Value> {
    let mut list: Vec<_> = conditions
        .iter()
        .map(|condition| json!([condition["type"], condition["status"], condition["reason"]]))
        .collect();
    list.sort_by_key(Value::to_string);
    list
}

fn compute(case: &Value) {
    let result = status::compute_at(&object(case), NOW.parse().unwrap()).unwrap();
    assert_eq!(Some(result.status.as_str()), case["expected_status"].as_str(), "{}", case["name"]);
    let conditions: Vec<_> =
        result.conditions.iter().map(|condition| serde_json::to_value(condition).unwrap()).collect();
    let have = summary(&conditions);
    for expected in summary(case["expected_conditions"].as_array().unwrap()) {
        assert!(have.contains(&expected), "{}: {expected} is not in {have:?}", case["name"]);
    }
    for absent in case["absent_conditions"].as_array().unwrap() {
        assert!(!have.iter().any(|condition| condition[0] == *absent), "{}: {absent} is in {have:?}", case["name"]);
    }
}

fn augment(case: &Value) {
    let mut object = object(case);
    if !case["set_conditions"].as_array().is_none_or(Vec::is_empty) {
        object["status"]["conditions"] = case["set_conditions"].clone();
    }
    status::augment(&mut object, NOW.parse().unwrap()).unwrap();
    let have = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let names = |list: &[Value]| {
        let mut names: Vec<_> = list.iter().map(|c| format!("{} {}", c["type"], c["reason"])).collect();
        names.sort();
        names
    };
    assert_eq!(names(&have), names(case["expected_conditions"].as_array().unwrap()), "{}", case["name"]);
}

#[test]
fn corpus() {
    let Some(shared) = oracle::shared_directory() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(shared.join("corpus/kstatus")).unwrap() {
        let case: Value = serde_json::from_slice(&fs_err::read(entry.unwrap().path()).unwrap()).unwrap();
        if case["kind"] == "augment" {
            augment(&case);
        } else {
            compute(&case);
        }
        count += 1;
    }
    println!("{count} objects");
    assert!(count >= 39);
}
