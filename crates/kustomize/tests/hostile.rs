//! Input made to take all time or memory: a clear error or an ordinary answer, and soon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fmt::Write, sync::Arc};

use kustomize::{Error, Options, build, fs::MemoryFileSystem};

fn built(kustomization: &str, resources: String) -> Result<String, Error> {
    let mut fs = MemoryFileSystem::default();
    fs.insert("kustomization.yaml", kustomization);
    fs.insert("r.yaml", resources);
    build(Arc::new(fs), "/", Options::default())?.to_yaml()
}

fn refusal(kustomization: &str, resources: String) -> String {
    built(kustomization, resources).expect_err("is refused").to_string()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";

#[test]
fn aliases_of_aliases_are_refused() {
    let mut bomb = format!("{POD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let message = refusal("resources: [r.yaml]\n", bomb);
    assert!(message.contains("kustomization.yaml: resources") && message.contains("aliasing"), "{message}");
}

#[test]
fn an_alias_to_itself_is_refused() {
    let message = refusal("resources: [r.yaml]\n", format!("{POD}a: &a [*a]\n"));
    assert!(message.contains("kustomization.yaml: resources") && message.contains("contains itself"), "{message}");
}

#[test]
fn deep_nesting_is_refused() {
    let message = refusal("resources: [r.yaml]\n", format!("{POD}a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)));
    assert!(message.contains("kustomization.yaml: resources") && message.contains("max depth"), "{message}");
    let mut nested = POD.to_owned() + "a:\n";
    for level in 1..5_000 {
        writeln!(nested, "{}a:", " ".repeat(level)).unwrap();
    }
    let message = refusal("resources: [r.yaml]\n", nested);
    assert!(message.contains("max depth"), "{message}");
}

#[test]
fn many_documents_are_only_many() {
    let mut documents = String::new();
    for at in 0..100_000 {
        write!(documents, "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{at}\n").unwrap();
    }
    let output = built("namePrefix: p-\nresources: [r.yaml]\n", documents).unwrap();
    assert_eq!(output.matches("  name: p-c").count(), 100_000);
    let message = refusal("resources: [r.yaml]\n", "---\na: b\n".repeat(100_000));
    assert!(message.contains("missing kind"), "{message}");
    assert!(message.len() < 1_000, "{}", message.len());
}

#[test]
fn long_lists_without_all_keys_are_refused_and_with_them_merge() {
    let ports =
        |protocol: &str| -> String { (0..20_000).map(|port| format!("  - port: {port}\n{protocol}")).collect() };
    let service =
        |ports: String| format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n  ports:\n{ports}");
    let patch = "resources: [r.yaml]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Service\n    metadata: {name: s}\n    spec: {ports: [{port: 7, protocol: TCP, name: seven}]}\n";
    let message = refusal(patch, service(ports("")));
    assert!(message.contains("patches") && message.contains("cannot be merged"), "{message}");
    let output = built(patch, service(ports("    protocol: TCP\n"))).unwrap();
    assert!(output.contains("name: seven"));
}

#[test]
fn patterns_cannot_run_away() {
    let kustomization = "resources: [r.yaml]\npatches:\n- target: {name: '(a*)*(a*)*b'}\n  patch: '[{\"op\": \"add\", \"path\": \"/a\", \"value\": 1}]'\n";
    let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {}}}\n", "a".repeat(50_000));
    assert!(built(kustomization, pod).is_ok());
    let message = refusal(&kustomization.replace("(a*)*(a*)*b", "((a{1000}){1000}){1000}"), POD.to_owned());
    assert!(message.contains("kustomization.yaml: patches"), "{message}");
}

#[test]
fn a_copy_into_itself_stays_small() {
    // Each replacement doubles what it copies.
    let mut kustomization = "resources: [r.yaml]\nreplacements:\n".to_owned();
    for at in 0..12 {
        write!(kustomization, "- source: {{kind: Foo, fieldPath: spec}}\n  targets: [{{select: {{kind: Foo}}, fieldPaths: [spec.f{at}], options: {{create: true}}}}]\n").unwrap();
    }
    let resource = "apiVersion: v1\nkind: Foo\nmetadata: {name: a}\nspec: {a: b}\n";
    assert!(built(&kustomization, resource.to_owned()).is_ok());
    for at in 12..60 {
        write!(kustomization, "- source: {{kind: Foo, fieldPath: spec}}\n  targets: [{{select: {{kind: Foo}}, fieldPaths: [spec.f{at}], options: {{create: true}}}}]\n").unwrap();
    }
    let message = refusal(&kustomization, resource.to_owned());
    assert!(message.contains("kustomization.yaml: replacements"), "{message}");
    let mut kustomization = "resources: [r.yaml]\nreplacements:\n".to_owned();
    for _ in 0..60 {
        kustomization.push_str("- source: {kind: Foo, fieldPath: spec.a}\n  targets: [{select: {kind: Foo}, fieldPaths: [spec.a], options: {delimiter: '/', index: -1}}]\n");
    }
    let message = refusal(&kustomization, resource.to_owned());
    assert!(message.contains("longer than"), "{message}");
}
