//! Ignore rules: the corpus, and whatever proptest invents, against Flux's own matcher.

use archive::sourceignore::{MatchResult, Matcher, Pattern, default_patterns, read_patterns, version_control_patterns};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Line {
    pattern: String,
    domain: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    name: String,
    kind: String,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    ignore_file: String,
    #[serde(default)]
    patterns: Vec<Line>,
    #[serde(default)]
    defaults: bool,
    domain: Vec<String>,
    path: Vec<String>,
    is_dir: bool,
    expected: Option<String>,
    expected_ignored: Option<bool>,
}

impl Case {
    fn answer(&self) -> Value {
        if self.kind == "pattern" {
            let result = Pattern::parse(self.pattern.as_bytes(), &self.domain).matches(&self.path, self.is_dir);
            let name = match result {
                MatchResult::NoMatch => "no-match",
                MatchResult::Exclude => "exclude",
                MatchResult::Include => "include",
            };
            return json!({ "expected": name, "expected_ignored": false });
        }
        let mut patterns = Vec::new();
        if self.defaults {
            patterns.extend(version_control_patterns(&self.domain));
            patterns.extend(default_patterns(&self.domain));
        }
        patterns.extend(read_patterns(self.ignore_file.as_bytes(), &self.domain));
        patterns.extend(self.patterns.iter().map(|line| Pattern::parse(line.pattern.as_bytes(), &line.domain)));
        json!({ "expected_ignored": Matcher::new(patterns).is_ignored(&self.path, self.is_dir) })
    }
}

#[test]
fn the_corpus_is_matched() {
    let Some(shared) = oracle::shared_directory() else { return };
    #[expect(clippy::disallowed_methods, reason = "tests have no fs_err here")]
    let text = std::fs::read(shared.join("corpus/sourceignore.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
    let mut passed = 0;
    for case in &cases {
        let answer = case.answer();
        let is_right = match (&case.expected, case.expected_ignored) {
            (Some(expected), _) => answer["expected"] == json!(expected),
            (None, ignored) => answer["expected_ignored"] == json!(ignored),
        };
        passed += usize::from(is_right);
        if !is_right {
            println!("wrong: {}: {answer}", case.name);
        }
    }
    println!("sourceignore corpus: {passed}/{}", cases.len());
    assert_eq!(passed, cases.len());
}

#[test]
fn artifacts_leave_out_what_flux_leaves_out() {
    let given: &[&str] = &[];
    let table: [(&str, &str, bool, bool); 12] = [
        ("", "logo.png", false, true),
        ("", ".github", true, true),
        ("", "a/.sops.yaml", false, true),
        ("", ".gitignore", false, true),
        ("", "a.yaml", false, false),
        ("/tmp", "logo.png", false, false),
        ("/tmp", ".gitmodules", false, true),
        ("/*\n!/deploy", "deploy/app/a.yaml", false, false),
        ("/*\n!/deploy", "other/a.yaml", false, true),
        ("foo/\n!foo/bar.yaml", "foo/bar.yaml", false, false),
        ("foo/\n!foo/bar.yaml", "foo", true, true),
        ("  # not a comment", "# not a comment", false, false),
    ];
    for (text, path, is_directory, expected) in table {
        let matcher = Matcher::for_artifact(read_patterns(text.as_bytes(), given));
        assert_eq!(matcher.is_path_ignored(path, is_directory), expected, "{text:?} {path}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab*?/!]{0,8}",
        2 => "!?/?(\\*\\*|[ab]\\*?|\\*|[a-b]{1,2}|\\[[ab^\\]-]{0,4}\\]?|\\\\.|ä|\\?)(/(\\*\\*|[ab]\\*?|\\*|a\\*\\*|))*/? {0,2}",
        1 => "\\PC{0,6}",
    ]
}

fn path() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop_oneof![4 => "[ab]{1,3}", 1 => "\\PC{1,3}"], 1..5)
}

#[test]
fn invented_patterns_match_as_in_flux() {
    let Some(oracle) = oracle::Oracle::start_in("oracle-flux", "sourceignore") else { return };
    let oracle = std::cell::RefCell::new(oracle);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: oracle::fuzz_cases(4000),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let cases = (
        prop::collection::vec(text(), 1..4),
        path(),
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec("[ab]", 0..2),
    );
    runner
        .run(&cases, |(lines, path, is_dir, defaults, domain)| {
            let mut questions = vec![json!({
                "kind": "file", "ignore_file": lines.join("\n"), "patterns": [], "defaults": defaults,
                "domain": domain, "path": path, "is_dir": is_dir,
            })];
            for line in &lines {
                questions.push(json!({
                    "kind": "pattern", "pattern": line, "domain": domain, "path": path, "is_dir": is_dir,
                }));
            }
            for question in questions {
                let expected = oracle.borrow_mut().ask(&question);
                let case: Case = serde_json::from_value(question.clone()).unwrap();
                prop_assert_eq!(case.answer(), expected, "{}", question);
            }
            Ok(())
        })
        .unwrap();
}
