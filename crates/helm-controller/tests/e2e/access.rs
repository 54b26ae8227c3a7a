//! Whose rights a release has.

use anyhow::Result;
use serde_json::json;

use crate::world::{CONFIG, World, condition};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_has_its_service_accounts_rights() -> Result<()> {
    let world = World::start().await?;
    world.chart("config", "1.0.0", CONFIG);
    world.kubectl(&["create", "serviceaccount", "deployer"]).await?;
    world.release("config", "config", "1.0.0", json!({"serviceAccountName": "deployer"})).await?;
    let user = format!("system:serviceaccount:{}:deployer", world.namespace);
    let release = world.until("config", |release| condition(release, "Ready").2.contains("forbidden")).await?;
    assert!(condition(&release, "Ready").2.contains(&user), "{:?}", condition(&release, "Ready"));
    assert!(world.history("config").await.is_err(), "nothing was done with the controller's own rights");
    let account = format!("--serviceaccount={}:deployer", world.namespace);
    world.kubectl(&["create", "rolebinding", "deployer", "--clusterrole=cluster-admin", &account]).await?;
    world.ready("config").await?;
    assert_eq!(world.history("config").await?, ["deployed"]);
    world.delete("config").await?;
    Ok(())
}
