//! Random questions to our engine and to the real one. `TOWLINE_FUZZ_CASES` says how many of each kind,
//! `TOWLINE_FUZZ_SEED` where to begin.

use oracle::Oracle;
use serde_json::{Value as Json, json};

use crate::generate::{Generator, known};
use crate::support::ours;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// One program answers so many questions: what a template that was given up still holds goes with it.
const BATCH: u64 = 5000;

/// Go's answer, which is what we are measured by; `None` when it died of the question.
fn ask(oracle: &mut Oracle, question: &Json) -> Option<Json> {
    let answer = oracle.ask_or_end(question);
    let given_up = answer.as_ref().is_none_or(|answer| answer["error_text"] == "oracle: time-out");
    if given_up && let Some(fresh) = Oracle::start("gotemplate") {
        *oracle = fresh;
    }
    answer
}

/// Our answer in the form of Go's.
fn answer_like(go: &Json, question: &Json) -> Json {
    let us = ours(question);
    if let (Some(base64), Some(text)) = (go.get("expected_base64"), us.get("expected").and_then(Json::as_str)) {
        // Output that is not UTF-8 cannot be had as JSON: ours comes with replacement characters.
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64.as_str().unwrap()).unwrap();
        let lossy = gotemplate::value::Str::from_bytes(bytes).lossy().into_owned();
        return if lossy == text { go.clone() } else { us };
    }
    us
}

/// Random questions with Go's answers, kept as a table that holds without Go (`TOWLINE_BLESS=1` writes it anew).
#[test]
fn random_table() {
    if !oracle::blesses() {
        return;
    }
    let Some(mut oracle) = Oracle::start("gotemplate") else { return };
    let (mut lines, mut successes, mut failures) = (String::new(), 0, 0);
    for seed in 0..20_000 {
        let mut generator = if seed % 2 == 0 { Generator::rich(seed) } else { Generator::new(seed) };
        let mut question = json!({ "data": generator.data(), "template": generator.template(), "funcs": "helm" });
        let Some(Json::Object(answer)) = ask(&mut oracle, &question) else { continue };
        let (is_error, length) = (answer.contains_key("error"), question.to_string().len());
        let wanted = if is_error { failures < 150 } else { successes < 250 };
        if !wanted
            || length > 1200
            || known::is_known(&Json::Object(answer.clone()).to_string())
            || answer.contains_key("expected_base64")
        {
            continue;
        }
        if is_error {
            failures += 1;
        } else {
            successes += 1;
        }
        question.as_object_mut().unwrap().extend(answer);
        lines.push_str(&question.to_string());
        lines.push('\n');
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/random.jsonl"), lines).unwrap();
}

fn compare(kind: &str, offset: u64, question: impl Fn(&mut Generator) -> Json) {
    compare_from(kind, offset, Generator::new, question);
}

fn compare_from(
    kind: &str,
    offset: u64,
    generator: impl Fn(u64) -> Generator,
    question: impl Fn(&mut Generator) -> Json,
) {
    let Some(mut oracle) = Oracle::start("gotemplate") else { return };
    let cases = setting("TOWLINE_FUZZ_CASES", 1500);
    let seed = setting("TOWLINE_FUZZ_SEED", 1);
    let (mut failed, mut successes, mut given_up) = (0, 0, 0);
    for case in 0..cases {
        if case % BATCH == BATCH - 1
            && let Some(fresh) = Oracle::start("gotemplate")
        {
            oracle = fresh;
        }
        let mut generator = generator(seed.wrapping_mul(1_000_003).wrapping_add(offset + case * 16));
        let question = question(&mut generator);
        let Some(go) = ask(&mut oracle, &question) else {
            // Ours has to end all the same.
            drop(ours(&question));
            given_up += 1;
            continue;
        };
        let us = answer_like(&go, &question);
        successes += u64::from(go.get("error").is_none());
        if go != us && !known::is_known(&go.to_string()) && !known::is_bounded(&us.to_string()) {
            failed += 1;
            if failed <= 12 {
                println!("{kind} case {case}: {question}\n  Go: {go}\n  us: {us}");
            }
        }
    }
    println!("{kind}: {}/{cases} agree, {successes} of them without error, Go gave up {given_up}", cases - failed);
    assert_eq!(failed, 0, "{kind}");
}

#[test]
fn templates() {
    compare("templates", 0, |generator| {
        let data = generator.data();
        json!({ "template": generator.template(), "data": data, "funcs": "core" })
    });
}

#[test]
fn templates_with_functions() {
    compare_from("templates with functions", 7, Generator::rich, |generator| {
        let data = generator.data();
        json!({ "template": generator.template(), "data": data, "funcs": "helm" })
    });
}

#[test]
fn missing_keys() {
    compare("missing keys", 1, |generator| {
        let data = generator.data();
        let mode = if generator.value(0).is_null() { "zero" } else { "error" };
        json!({ "template": generator.template(), "data": data, "funcs": "core", "missingkey": mode })
    });
}

#[test]
fn formats() {
    compare("formats", 2, |generator| {
        let format = generator.format();
        let numbers: Vec<String> = (0..3).map(|_| generator.number()).collect();
        let mut list: Vec<Json> = numbers.iter().map(|number| serde_json::from_str(number).unwrap()).collect();
        if let Some(first) = list.get_mut(0).filter(|first| first.is_f64()) {
            *first = generator.value(2);
        }
        json!({
            "template": "{{printf .format (index .list 0) (index .list 1) (index .list 2)}}|{{printf .format .list}}",
            "data": { "format": format, "list": list },
            "funcs": "core",
        })
    });
}

#[test]
fn comparisons() {
    compare("comparisons", 3, |generator| {
        let (left, right) = (generator.value(1), generator.value(1));
        let names = ["eq", "ne", "lt", "le", "gt", "ge"];
        let template: String = names.iter().map(|name| format!("{{{{{name} .left .right}}}} ")).collect();
        let name = names[generator.value(0).to_string().len() % 6];
        let template =
            if left.is_number() && right.is_number() { template } else { format!("{{{{{name} .left .right}}}}") };
        json!({ "template": template, "data": { "left": left, "right": right }, "funcs": "core" })
    });
}

#[test]
fn literals() {
    compare("literals", 4, |generator| {
        let template = format!("{{{{{}}}}} {{{{printf \"%T %v\" {}}}}}", generator.literal(), generator.literal());
        json!({ "template": template, "data": null, "funcs": "core" })
    });
}

#[test]
fn data() {
    compare("data", 5, |generator| {
        let value = match generator.value(0) {
            Json::Bool(_) => {
                json!({ "text": generator.format(), "number": serde_json::from_str::<Json>(&generator.number()).unwrap() })
            }
            _ => generator.value(4),
        };
        let template = "{{toJson .}}|{{toYaml .}}|{{toYamlPretty .}}|{{toJson . | fromYaml}}|{{toYaml . | fromYaml}}\
                        |{{toJson . | fromJson | toJson}}|{{toJson . | fromJsonArray | toJson}}|{{if kindIs \"map\" .}}{{toToml .}}{{end}}";
        json!({ "template": template, "data": value, "funcs": "helm" })
    });
}

#[test]
fn json_texts() {
    compare("JSON texts", 6, |generator| {
        let text = generator.json_text();
        json!({ "template": "{{fromJson .}}|{{fromJsonArray .}}", "data": text, "funcs": "helm" })
    });
}

/// The characters for which the two sides differ, as ranges.
fn differing(ranges: &Json, ours: impl Fn(char) -> bool) -> Vec<(char, char)> {
    let ranges: Vec<(u32, u32)> = serde_json::from_value(ranges["ranges"].clone()).unwrap();
    let mut differing: Vec<(char, char)> = Vec::new();
    for character in '\0'..=char::MAX {
        let code = u32::from(character);
        let go = ranges.iter().any(|range| (range.0..=range.1).contains(&code));
        if go != ours(character) {
            match differing.last_mut() {
                Some(last) if u32::from(last.1) + 1 == code => last.1 = character,
                _ => differing.push((character, character)),
            }
        }
    }
    differing
}

#[test]
fn character_classes() {
    let Some(mut oracle) = Oracle::start("gotemplate") else { return };
    let printable = oracle.ask(&json!({ "printable": true }));
    assert_eq!(differing(&printable, gotemplate::format::quote::is_printable), []);
    let letters = oracle.ask(&json!({ "letters": true }));
    assert_eq!(differing(&letters, gotemplate::utf8::is_identifier_character), []);
}
