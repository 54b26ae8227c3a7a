//! `kill -9` at many moments of an install and of an upgrade: restarted, the controller ends at `deployed` by itself.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::world::{WEB, World};

const HOOK: (&str, &str) = (
    "templates/hook.yaml",
    "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-migrate\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: example.invalid/a}]\n",
);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_many_points_it_ends_deployed() -> Result<()> {
    let mut world = World::start().await?;
    let mut chart = WEB.to_vec();
    chart.push(HOOK);
    world.chart("web", "1.0.0", &chart);
    for (number, delay) in [0u64, 30, 60, 120, 250, 500, 1000].into_iter().enumerate() {
        let name = format!("web{number}");
        world.release(&name, "web", "1.0.0", json!({})).await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        world.ready(&name).await?;
        let history = world.history(&name).await?;
        assert_eq!(
            history,
            ["deployed"],
            "killed {delay} ms after the release was created: no failed revision is left either"
        );

        let change = world.change(&name, json!({"values": {"greeting": format!("hello {number}")}})).await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        let generation = change.metadata.generation;
        world
            .until(&name, |release| {
                release.metadata.generation == generation && common::meta::FluxObject::is_ready(release)
            })
            .await?;
        let history = world.history(&name).await?;
        assert_eq!(history, ["superseded", "deployed"], "killed {delay} ms after the values were changed");
    }
    Ok(())
}
