//! Definitions of custom resources that charts bring along, under each policy.

use anyhow::Result;
use serde_json::json;

use crate::world::{CONFIG, World};

/// A definition whose group is the test's own, for definitions are the cluster's; `note` tells its editions apart.
fn definition(group: &str, plural: &str, note: &str) -> String {
    let kind = if plural == "widgets" { "Widget" } else { "Gadget" };
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {plural}.{group}\n  annotations: {{note: {note}}}\n\
         spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: {kind}, plural: {plural}, singular: {}}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n\
         \x20   schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n",
        kind.to_lowercase()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_follow_the_policy_of_install_and_upgrade() -> Result<()> {
    let world = World::start().await?;
    let group = format!("{}.example.invalid", world.namespace);
    let (widgets, gadgets) = (format!("widgets.{group}"), format!("gadgets.{group}"));
    let widget = format!("apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: {{{{ .Release.Name }}}}}}\n");
    // What is in crds/ and is no definition is left out.
    let stray = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: stray}\n";
    for (version, note) in [("1.0.0", "one"), ("2.0.0", "two"), ("3.0.0", "three"), ("4.0.0", "four")] {
        let mut files = vec![
            ("templates/widget.yaml", widget.clone()),
            ("crds/widgets.yaml", format!("{}{stray}", definition(&group, "widgets", note))),
        ];
        if version != "1.0.0" {
            files.push(("crds/gadgets.yaml", definition(&group, "gadgets", note)));
        }
        let files: Vec<_> = files.iter().map(|(path, content)| (*path, content.as_str())).collect();
        world.chart("widgets", version, &files);
    }
    let plain = definition(&group, "gadgets", "plain");
    world.chart("plain", "1.0.0", &[CONFIG[0], CONFIG[1], ("crds/gadgets.yaml", &plain)]);
    let note = async |name: &str| {
        world.kubectl(&["get", "crd", name, "-o", "jsonpath={.metadata.annotations.note}"]).await.unwrap_or_default()
    };

    // Skip on install: the chart without its definitions.
    world.release("plain", "plain", "1.0.0", json!({"install": {"crds": "Skip"}})).await?;
    world.ready("plain").await?;
    assert_eq!(note(&gadgets).await, "", "Skip brings no definition");

    // The default on install is Create, and the chart's own objects of the new kind go with it.
    world.release("web", "widgets", "1.0.0", json!({})).await?;
    let release = world.ready("web").await?;
    assert_eq!(note(&widgets).await, "one");
    world.kubectl(&["get", &widgets, "web"]).await?;
    assert!(world.kubectl(&["get", "configmap", "stray"]).await.is_err());
    let labels = world.kubectl(&["get", "crd", &widgets, "-o", "jsonpath={.metadata.labels}"]).await?;
    assert!(labels.contains(r#""helm.toolkit.fluxcd.io/name":"web""#), "{labels}");
    let inventory = release.status.unwrap().inventory.unwrap();
    assert!(inventory.entries.iter().any(|entry| entry.id.contains("CustomResourceDefinition")), "{inventory:?}");

    // Create on upgrade, its default: new ones come, those that exist stay as they are.
    let version = |version: &str| json!({"chart": {"spec": {"version": version}}});
    world.change("web", version("2.0.0")).await?;
    world.ready("web").await?;
    assert_eq!((note(&widgets).await, note(&gadgets).await), ("one".to_owned(), "two".to_owned()));
    // CreateReplace: they follow the chart.
    let mut change = version("3.0.0");
    change["upgrade"] = json!({"crds": "CreateReplace"});
    world.change("web", change).await?;
    world.ready("web").await?;
    assert_eq!((note(&widgets).await, note(&gadgets).await), ("three".to_owned(), "three".to_owned()));
    // Skip: nothing happens to them.
    let mut change = version("4.0.0");
    change["upgrade"] = json!({"crds": "Skip"});
    world.change("web", change).await?;
    world.ready("web").await?;
    assert_eq!((note(&widgets).await, note(&gadgets).await), ("three".to_owned(), "three".to_owned()));
    world.kubectl(&["get", &widgets, "web"]).await?;

    // CreateReplace on install replaces what is there.
    let replace = json!({"install": {"crds": "CreateReplace"}});
    world.release("other", "plain", "1.0.0", replace).await?;
    world.ready("other").await?;
    assert_eq!(note(&gadgets).await, "plain");

    // Definitions outlive the releases: deleting one would delete every object of its kind.
    world.delete("web").await?;
    world.delete("other").await?;
    assert_eq!((note(&widgets).await, note(&gadgets).await), ("three".to_owned(), "plain".to_owned()));
    Ok(())
}
