//! What many releases cost; for people, not a pass or fail (`make bench` is the measure).

use anyhow::Result;
use serde_json::json;

use crate::world::{WEB, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it by name"]
async fn a_hundred_releases() -> Result<()> {
    const RELEASES: usize = 100;
    let world = World::start_with(&["--log-level=info", "--kube-api-qps=-1"]).await?;
    world.chart("web", "1.0.0", WEB);
    let (cpu, requests) = (world.controller.cpu_time()?, world.requests().await?.values().sum::<f64>());
    let started = tokio::time::Instant::now();
    for number in 0..RELEASES {
        world.release(&format!("web{number}"), "web", "1.0.0", json!({})).await?;
    }
    for number in 0..RELEASES {
        world.ready(&format!("web{number}")).await?;
    }
    let elapsed = started.elapsed();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let cpu = world.controller.cpu_time()?.saturating_sub(cpu);
    let requests = world.requests().await?.values().sum::<f64>() - requests;
    eprintln!(
        "{RELEASES} releases ready in {elapsed:?}; per release {:?} CPU and {} requests; peak {} MiB, now {} MiB",
        cpu / u32::try_from(RELEASES)?,
        requests / RELEASES as f64,
        world.controller.peak_memory()? >> 20,
        world.controller.memory()? >> 20
    );
    Ok(())
}
