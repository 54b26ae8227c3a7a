//! Answers a table of questions, one JSON line each, so that other programs can hold our engines against others.

use std::io::{BufRead, Write};

use archive::sourceignore::{MatchResult, Matcher, Pattern, default_patterns, read_patterns, version_control_patterns};
use gotemplate::context::Environment;
use gotemplate::function::FunctionMap;
use serde::Deserialize;
use serde_json::{Value, json};

/// Which engine answers.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Table {
    /// Templates.
    Gotemplate,
    /// Variable substitution.
    Envsubst,
    /// Ignore rules.
    Sourceignore,
    /// The status of objects.
    Kstatus,
}

/// Answers every line of the input, in order, each as soon as it is there.
pub(crate) fn run(table: Table, input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    for line in input.split(b'\n') {
        let line = line?;
        let answer = match table {
            Table::Gotemplate => gotemplate(&line),
            Table::Envsubst => envsubst(&line),
            Table::Sourceignore => sourceignore(&line),
            Table::Kstatus => kstatus(&line),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": true, "error_text": error.to_string() }));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the clock of a program, read at its edge")]
fn gotemplate(line: &[u8]) -> anyhow::Result<Value> {
    let functions = |name: &str| match name {
        "core" => Some(FunctionMap::default()),
        "sprig" => Some(gotemplate::sprig::functions()),
        "helm" => Some(helm::engine::data_functions()),
        _ => None,
    };
    let environment = || Environment::new(jiff::Timestamp::now());
    Ok(serde_json::from_str(&gotemplate::answer(std::str::from_utf8(line)?, functions, environment))?)
}

#[derive(Deserialize)]
struct Substitution {
    input: String,
    #[serde(default)]
    vars: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    strict: bool,
}

fn envsubst(line: &[u8]) -> anyhow::Result<Value> {
    let asked: Substitution = serde_json::from_slice(line)?;
    let text = substitute::Template::parse(&asked.input)?.execute(|name| match asked.vars.get(name) {
        None if !asked.strict => Some(""),
        value => value.map(String::as_str),
    })?;
    Ok(json!({ "expected": text }))
}

#[derive(Deserialize)]
struct IgnoreLine {
    pattern: String,
    #[serde(default)]
    domain: Vec<String>,
}

#[derive(Deserialize)]
struct Ignore {
    kind: String,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    ignore_file: String,
    #[serde(default)]
    patterns: Vec<IgnoreLine>,
    #[serde(default)]
    defaults: bool,
    #[serde(default)]
    domain: Vec<String>,
    path: Vec<String>,
    #[serde(default)]
    is_dir: bool,
}

fn sourceignore(line: &[u8]) -> anyhow::Result<Value> {
    let asked: Ignore = serde_json::from_slice(line)?;
    if asked.kind == "pattern" {
        let result = Pattern::parse(asked.pattern.as_bytes(), &asked.domain).matches(&asked.path, asked.is_dir);
        let word = match result {
            MatchResult::NoMatch => "no-match",
            MatchResult::Exclude => "exclude",
            MatchResult::Include => "include",
        };
        return Ok(json!({ "expected": word }));
    }
    let mut patterns = Vec::new();
    if asked.defaults {
        patterns.extend(version_control_patterns(&asked.domain));
        patterns.extend(default_patterns(&asked.domain));
    }
    patterns.extend(read_patterns(asked.ignore_file.as_bytes(), &asked.domain));
    patterns.extend(asked.patterns.iter().map(|line| Pattern::parse(line.pattern.as_bytes(), &line.domain)));
    Ok(json!({ "expected_ignored": Matcher::new(patterns).is_ignored(&asked.path, asked.is_dir) }))
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    kind: String,
    object: Value,
    #[serde(default)]
    set_conditions: Vec<Value>,
}

#[expect(clippy::disallowed_methods, reason = "the question says that its times were set to the present one")]
fn kstatus(line: &[u8]) -> anyhow::Result<Value> {
    let asked: Object = serde_json::from_slice(line)?;
    let now = jiff::Timestamp::now();
    let mut object = match asked.object {
        Value::String(text) => serde_json::from_str(&yaml::v2::yaml_to_json(text.as_bytes())?)?,
        object => object,
    };
    if !asked.set_conditions.is_empty() {
        anyhow::ensure!(object.is_object(), "the object is not a map");
        let status = object.as_object_mut().map(|map| map.entry("status").or_insert_with(|| json!({})));
        if let Some(Value::Object(status)) = status {
            status.insert("conditions".to_owned(), Value::Array(asked.set_conditions));
        }
    }
    let result = status::compute_at(&object, now)?;
    let conditions = if asked.kind == "augment" {
        status::augment(&mut object, now)?;
        object.pointer("/status/conditions").cloned().unwrap_or_else(|| json!([]))
    } else {
        serde_json::to_value(&result.conditions)?
    };
    let conditions: Vec<Value> = conditions
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| {
            let field = |name: &str| condition.get(name).cloned().unwrap_or_default();
            json!({ "type": field("type"), "status": field("status"), "reason": field("reason") })
        })
        .collect();
    Ok(json!({ "status": result.status, "conditions": conditions }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(table: Table, lines: &str) -> Vec<Value> {
        let mut output = Vec::new();
        run(table, lines.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_has_its_answer() {
        let answers = ask(
            Table::Envsubst,
            "{\"input\":\"${a}\",\"vars\":{\"a\":\"b\"}}\nnot json\n{\"input\":\"${a\"}\n{\"input\":\"${a}\",\"strict\":true}\n",
        );
        assert_eq!(answers.len(), 4);
        assert_eq!(answers[0], json!({ "expected": "b" }));
        assert!(answers[1..].iter().all(|answer| answer["error"] == true), "{answers:?}");
        let answers = ask(Table::Sourceignore, "{\"kind\":\"pattern\",\"pattern\":\"a\",\"path\":[\"a\"]}\n\u{7f}");
        assert_eq!(answers[0], json!({ "expected": "exclude" }));
        assert_eq!(answers[1]["error"], true);
        let answers = ask(Table::Kstatus, "{\"kind\":\"compute\",\"object\":\"kind: Pod\\napiVersion: v1\\n\"}\n{}\n");
        assert_eq!(answers[0]["conditions"][0]["reason"], "PodNotObserved");
        assert_eq!(answers[1]["error"], true);
    }
}
