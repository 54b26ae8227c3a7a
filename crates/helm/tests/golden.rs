//! Small charts against what the real Helm printed for them. A case is one file below `testdata/cases`: command line flags,
//! one a line; then files, each after a line `-- path --`, the chart's below `chart/`; the last is `expected`.
//!
//! `TOWLINE_HELM=path/to/helm cargo test -p helm --test golden` asks the real Helm anew and rewrites the cases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod case;

use case::Case;
use helm::chart::load_directory;
use helm::postrender::PostRenderer;
use helm::template::{TemplateOptions, template};
use helm::values::ValuesFile;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

type Edit = fn(&str) -> Result<String, String>;

/// A post-renderer of the cases: what Helm's plugin does as a shell command, and the same in Rust.
struct Editor {
    command: &'static str,
    edit: Edit,
}

impl Editor {
    fn named(name: &str) -> Self {
        let (command, edit): (_, Edit) = match name {
            "same" => ("cat", |text| Ok(text.to_owned())),
            "rename" => ("sed s/before/after/", |text| Ok(text.replace("before", "after"))),
            "forget" => ("sed s/postrender-filename/other/", |text| Ok(text.replace("postrender-filename", "other"))),
            "add" => ("sh -c 'cat; printf -- \"---\\nkind: Added\\nmetadata:\\n  name: x\\n\"'", |text| {
                Ok(format!("{text}---\nkind: Added\nmetadata:\n  name: x\n"))
            }),
            "garbage" => ("sed 's/.*/a: [/'", |text| Ok("a: [\n".repeat(text.lines().count()))),
            other => panic!("unknown post-renderer {other}"),
        };
        Self { command, edit }
    }

    /// Installs it where Helm looks for plugins.
    fn install(&self, name: &str, directory: &Path) {
        let place = directory.join("plugins").join(name);
        fs_err::create_dir_all(&place).unwrap();
        let plugin = format!(
            "apiVersion: v1\nname: {name}\nversion: 0.1.0\ntype: postrenderer/v1\nruntime: subprocess\n\
             runtimeConfig:\n  platformCommand:\n  - command: /bin/sh\n    args: [\"-c\", {:?}]\n",
            self.command
        );
        fs_err::write(place.join("plugin.yaml"), plugin).unwrap();
    }
}

impl PostRenderer for Editor {
    fn post_render(&self, manifests: &str) -> Result<String, String> {
        (self.edit)(manifests)
    }
}

fn ours(case: &Case) -> String {
    let file = |name: &str| case.files.iter().find(|file| file.0 == name).unwrap().1.clone();
    let mut options = TemplateOptions { release_name: "rel".into(), namespace: "default".into(), ..Default::default() };
    for flag in &case.flags {
        let (name, value) = flag.split_once(' ').unwrap_or((flag, ""));
        let value = value.to_owned();
        match name {
            "-f" => {
                options.values.files.push(ValuesFile { content: file(&value).into_bytes(), name: value });
            }
            "--set" => options.values.set.push(value),
            "--set-string" => options.values.set_string.push(value),
            "--set-json" => options.values.set_json.push(value),
            "--set-literal" => options.values.set_literal.push(value),
            "--set-file" => {
                let path = value.split_once('=').unwrap().1.to_owned();
                options.values.set_file_contents.insert(path.clone(), file(&path));
                options.values.set_file.push(value);
            }
            "--namespace" => options.namespace = value,
            "--name" => options.release_name = value,
            "--kube-version" => options.kube_version = Some(value),
            "--api-versions" => options.api_versions.push(value),
            "--show-only" => options.show_only.push(value),
            "--include-crds" => options.include_crds = true,
            "--no-hooks" => options.no_hooks = true,
            "--is-upgrade" => options.is_upgrade = true,
            "--skip-tests" => options.skip_tests = true,
            "--post-renderer" => options.post_renderer = Some(Arc::new(Editor::named(&value))),
            "--skip-schema-validation" => options.skip_schema_validation = true,
            other => panic!("unknown flag {other}"),
        }
    }
    let files = case
        .files
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("chart/")?.to_owned(), text.clone().into_bytes())));
    let result = load_directory(files)
        .map_err(|error| error.to_string())
        .and_then(|chart| template(&chart, &options).map_err(|error| error.to_string()));
    match result {
        Ok(output) => output.text,
        Err(error) => format!("error: {}\n", error.trim_end()),
    }
}

fn theirs(helm: &Path, case: &Case) -> String {
    let directory = std::env::temp_dir().join(format!("towline-golden-{}", std::process::id()));
    case.write(&directory);
    let mut name = "rel";
    let mut flags = Vec::new();
    for flag in &case.flags {
        let (flag, value) = flag.split_once(' ').unwrap_or((flag, ""));
        if flag == "--post-renderer" {
            Editor::named(value).install(value, &directory);
        }
        if flag == "--name" {
            name = value;
        } else {
            flags.push(flag);
            if !value.is_empty() {
                flags.push(value);
            }
        }
    }
    let output = Command::new(helm)
        .args(["template", name, "chart"])
        .args(&flags)
        .current_dir(&directory)
        .env("HELM_CACHE_HOME", &directory)
        .env("HELM_CONFIG_HOME", &directory)
        .env("HELM_PLUGINS", directory.join("plugins"))
        .output()
        .unwrap();
    fs_err::remove_dir_all(&directory).unwrap();
    if output.status.success() {
        return String::from_utf8(output.stdout).unwrap();
    }
    let errors = String::from_utf8(output.stderr).unwrap();
    let error = errors.find("Error: ").map_or(errors.as_str(), |start| &errors[start + 7..]);
    format!("error: {}\n", error.trim_end())
}

#[test]
fn cases_render_as_with_helm() {
    case::hold("cases", 10, ours, theirs);
}
