//! The spec's post-renderers: kustomize's patches and images on what a chart rendered.
//!
//! Which objects go through together is the strategy's choice; how files become one stream and files again is Helm's
//! (`helm::postrender`).

use std::{collections::BTreeMap, sync::Arc};

use common::helm::v2::{KustomizePostRenderer, PostRenderStrategy, PostRenderer};
use helm::manifest::{KindOrder, SortedManifests, sort_manifests};
use helm::postrender::post_render;
use kustomize::fs::MemoryFileSystem;
use serde_json::json;

const DIRECTORY: &str = "/release";
const INPUT: &str = "helm-output.yaml";

type Files = BTreeMap<Arc<str>, String>;

/// Rendered files through the renderers, sorted into hooks and manifests.
pub fn sorted(
    files: &Files,
    renderers: &[PostRenderer],
    strategy: PostRenderStrategy,
) -> Result<SortedManifests, String> {
    let sort = |files: &Files| sort_manifests(files, KindOrder::Install).map_err(|error| error.to_string());
    let renderers = Kustomizations(renderers.iter().filter_map(|renderer| renderer.kustomize.as_ref()).collect());
    if renderers.0.is_empty() {
        return sort(files);
    }
    let run = |files: &Files| post_render(files, &renderers).map_err(|error| error.to_string());
    if strategy == PostRenderStrategy::Combined {
        return sort(&run(files)?);
    }
    let before = sort(files)?;
    let manifests = gather(before.manifests.iter().map(|found| (&*found.path, &*found.content)));
    let mut after = sort(&run(&manifests)?)?;
    if strategy == PostRenderStrategy::Separate {
        let hooks = gather(before.hooks.iter().map(|hook| (&*hook.path, &*hook.manifest)));
        after.hooks.extend(sort(&run(&hooks)?)?.hooks);
    } else {
        after.hooks.extend(before.hooks);
    }
    after.unknown_hooks.extend(before.unknown_hooks);
    Ok(after)
}

/// Documents back in the files they are from.
fn gather<'a>(documents: impl Iterator<Item = (&'a str, &'a str)>) -> Files {
    let mut files = Files::new();
    for (path, text) in documents {
        let file = files.entry(path.into()).or_default();
        file.push_str("---\n");
        file.push_str(text);
        if !file.ends_with('\n') {
            file.push('\n');
        }
    }
    files
}

/// The spec's renderers, one after the other, as one of Helm's.
struct Kustomizations<'a>(Vec<&'a KustomizePostRenderer>);

impl helm::postrender::PostRenderer for Kustomizations<'_> {
    fn post_render(&self, manifests: &str) -> Result<String, String> {
        let start = Ok(manifests.to_owned());
        self.0.iter().fold(start, |text, renderer| kustomized(renderer, text?).map_err(|error| error.to_string()))
    }
}

/// One renderer over a stream of documents; nothing that is left is nothing to build.
fn kustomized(renderer: &KustomizePostRenderer, text: String) -> Result<String, kustomize::Error> {
    if text.is_empty() {
        return Ok(text);
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [INPUT], "images": renderer.images, "patches": renderer.patches,
    });
    let mut files = MemoryFileSystem::default();
    files.insert(&format!("{DIRECTORY}/kustomization.yaml"), kustomization.to_string());
    files.insert(&format!("{DIRECTORY}/{INPUT}"), text);
    kustomize::build(Arc::new(files), DIRECTORY, kustomize::Options::default())?.to_yaml()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: \"1\"\n";
    const HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: before\n  annotations:\n    helm.sh/hook: pre-install\ndata:\n  a: \"1\"\n";
    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: example.invalid/web:1\n";

    fn files() -> Files {
        [
            ("web/templates/a.yaml", format!("{MAP}---\n# a comment\n---\n{HOOK}")),
            ("web/templates/b.yaml", POD.to_owned()),
        ]
        .into_iter()
        .map(|(path, text)| (path.into(), text))
        .collect()
    }

    fn renderers(spec: Value) -> Vec<PostRenderer> {
        serde_json::from_value(spec).unwrap()
    }

    fn patch(value: &str) -> Value {
        json!({"kustomize": {"patches": [{"target": {"kind": "ConfigMap"},
            "patch": format!("- op: replace\n  path: /data/a\n  value: \"{value}\"\n")}]}})
    }

    #[test]
    fn patches_and_images_in_order_and_every_object_stays_in_its_file() {
        let renderers = renderers(json!([
            patch("2"),
            {"kustomize": {"images": [{"name": "example.invalid/web", "newTag": "2"}],
                           "patches": [{"patch": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {b: \"3\"}\n"}]}},
        ]));
        let sorted = sorted(&files(), &renderers, PostRenderStrategy::Combined).unwrap();
        let found: Vec<_> = sorted.manifests.iter().map(|found| (&*found.path, found.content.as_str())).collect();
        assert_eq!(
            found,
            [
                (
                    "web/templates/a.yaml",
                    "apiVersion: v1\ndata:\n  a: \"2\"\n  b: \"3\"\nkind: ConfigMap\nmetadata:\n  name: settings\n"
                ),
                (
                    "web/templates/b.yaml",
                    &*POD.replace("web:1", "web:2").replace(
                        "spec:\n  containers:\n  - name: web\n    image: example.invalid/web:2\n",
                        "spec:\n  containers:\n  - image: example.invalid/web:2\n    name: web\n"
                    )
                ),
            ]
        );
        assert_eq!(sorted.hooks.len(), 1);
        assert!(sorted.hooks[0].manifest.contains("a: \"2\""), "hooks go along: {}", sorted.hooks[0].manifest);
    }

    #[test]
    fn strategies_decide_about_hooks() {
        let renderers = renderers(json!([patch("2")]));
        for (strategy, hook) in [
            (PostRenderStrategy::Combined, "a: \"2\""),
            (PostRenderStrategy::Separate, "a: \"2\""),
            (PostRenderStrategy::NoHooks, "a: \"1\""),
        ] {
            let sorted = sorted(&files(), &renderers, strategy).unwrap();
            assert_eq!((sorted.hooks.len(), sorted.manifests.len()), (1, 2), "{strategy:?}");
            assert!(sorted.hooks[0].manifest.contains(hook), "{strategy:?}: {}", sorted.hooks[0].manifest);
            assert!(sorted.manifests[0].content.contains("a: \"2\""), "{strategy:?}");
        }
    }

    #[test]
    fn what_kustomize_refuses_is_said() {
        for renderers in [
            json!([{"kustomize": {"patches": [{"patch": "- op: no-such\n  path: /a\n", "target": {"kind": "Pod"}}]}}]),
            json!([{"kustomize": {"patches": [{"patch": "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n"}]}}]),
        ] {
            let error = sorted(&files(), &self::renderers(renderers), PostRenderStrategy::Combined).unwrap_err();
            assert!(error.starts_with("error while running post render on files: "), "{error}");
        }
        let none = sorted(&Files::new(), &renderers(json!([patch("2")])), PostRenderStrategy::Combined).unwrap();
        assert!(none.manifests.is_empty());
    }
}
