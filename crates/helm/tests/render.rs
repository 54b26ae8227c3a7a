//! Random templates in a chart, rendered by Helm and by this crate: the same text, or the same error.
//!
//! Needs Go; bounded here, longer with `TOWLINE_FUZZ_CASES=100000`, from another seed with `TOWLINE_FUZZ_SEED`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../../gotemplate/tests/it/functions.rs"]
mod functions;
#[path = "../../gotemplate/tests/it/generate/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the template engine")]
mod generate;

use generate::{Generator, known};
use helm::chart::load_directory;
use helm::template::{TemplateOptions, template};
use helm::values::ValuesFile;
use oracle::{Oracle, fuzz_cases, fuzz_seed};
use serde_json::json;
use std::collections::BTreeMap;

const CHART: &str = "apiVersion: v2\nname: demo\nversion: 1.0.0\n";
/// What the random template gives becomes a string, so that the manifest is YAML whatever it is.
const MANIFEST: &str = "out: {{ include \"demo/templates/_random.tpl\" .Values | toJson }}\n";

fn ours(random: &str, values: &str) -> Result<String, String> {
    let files = [
        ("Chart.yaml".to_owned(), CHART.as_bytes().to_vec()),
        ("templates/_random.tpl".to_owned(), random.as_bytes().to_vec()),
        ("templates/t.yaml".to_owned(), MANIFEST.as_bytes().to_vec()),
    ];
    let chart = load_directory(files).map_err(|error| error.to_string())?;
    let mut options =
        TemplateOptions { release_name: "rel".into(), namespace: "ns".into(), ..TemplateOptions::default() };
    options.values.files.push(ValuesFile { name: "v.yaml".into(), content: values.as_bytes().to_vec() });
    template(&chart, &options).map(|output| output.text).map_err(|error| {
        // What the command line puts around it.
        let text = error.to_string();
        let text = text.strip_suffix("\n\nUse --debug flag to render out invalid YAML").unwrap_or(&text);
        text.strip_prefix("failed to parse v.yaml: ").unwrap_or(text).to_owned()
    })
}

#[test]
fn random_templates_render_as_in_helm() {
    let Some(mut oracle) = Oracle::start("helm") else { return };
    let cases = u64::from(fuzz_cases(300));
    let (mut failed, mut successes, mut given_up) = (0, 0, 0);
    for case in 0..cases {
        let mut generator = Generator::host(fuzz_seed().wrapping_mul(1_000_003).wrapping_add(case));
        let data = generator.data();
        // Control characters are no YAML.
        let values = data.to_string().replace("\\u0001", "").replace('\u{7f}', "");
        if !data.is_object() {
            continue;
        }
        let random = generator.template();
        let question = json!({
            "op": "template", "values": values, "release": "rel", "namespace": "ns",
            "files": { "Chart.yaml": CHART, "templates/_random.tpl": random, "templates/t.yaml": MANIFEST },
        });
        let ours = ours(&random, &values);
        let Some(answer) = oracle.ask_or_end(&question) else {
            given_up += 1;
            oracle = Oracle::start("helm").unwrap();
            continue;
        };
        let theirs = match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"]["text"].as_str().unwrap().to_owned()),
        };
        successes += u64::from(theirs.is_ok());
        if theirs != ours
            && !known::is_known(&answer.to_string())
            && !ours.as_ref().is_err_and(|error| known::is_bounded(error))
        {
            failed += 1;
            if failed <= 10 {
                println!("case {case}: {random:?} with {values}\n  Helm: {theirs:?}\n  us:   {ours:?}");
            }
        }
    }
    println!("{failed} of {cases} differ, {successes} rendered, Helm gave up {given_up}");
    assert_eq!(failed, 0);
}

/// Sprig's names, Helm's and ours, each with whether Helm's templates know it: `testdata/functions.json`, written anew with
/// `TOWLINE_BLESS=1`.
#[test]
fn the_same_functions_are_known() {
    let call = |name: &str| format!("{{{{ if false }}}}{{{{ {name} }}}}{{{{ end }}}}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/functions.json");
    let text = fs_err::read_to_string(path).unwrap_or_else(|_| "{}".to_owned());
    let mut known: BTreeMap<String, bool> = serde_json::from_str(&text).unwrap();
    if let (Some(mut sprig), Some(mut helm)) = (Oracle::start("sprig"), Oracle::start("helm")) {
        let of_sprig: Vec<String> = serde_json::from_value(sprig.ask(&json!({ "names": true }))).unwrap();
        let ours = gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS);
        let of_helm = ["include", "tpl", "required", "fail", "lookup", "getHostByName", "absent"];
        let names = of_sprig.into_iter().chain(ours.names().chain(of_helm).map(ToOwned::to_owned));
        let mut asked = BTreeMap::new();
        for name in names {
            let answer = helm.ask(&json!({
                "op": "template", "values": "{}", "release": "rel", "namespace": "ns",
                "files": { "Chart.yaml": CHART, "templates/t.yaml": call(&name) },
            }));
            asked.insert(name, !answer.to_string().contains("not defined"));
        }
        if oracle::blesses() {
            fs_err::write(path, serde_json::to_string_pretty(&asked).unwrap() + "\n").unwrap();
            known.clone_from(&asked);
        }
        assert_eq!(known, asked);
    }
    assert!(known.len() > 200, "{} names", known.len());
    for (name, known) in known {
        let files = [("Chart.yaml", CHART), ("templates/t.yaml", &call(&name))];
        let chart = load_directory(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))).unwrap();
        let options = TemplateOptions { release_name: "rel".into(), ..TemplateOptions::default() };
        let error = template(&chart, &options).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(!error.contains("not defined"), known, "{name}: {error}");
    }
}
