//! A control plane, both controllers as processes of their own with default flags, and what they ask of the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, Client};
use testkit::process::ProcessCommand;
use testkit::{ControlPlane, HelmRepositoryServer, Options, Process, TempDir};

use super::Bench;

const SYSTEM_NAMESPACE: &str = "flux-system";
const READY_LIMIT: Duration = Duration::from_secs(60);

/// One controller.
pub(super) struct Controller {
    pub(super) process: Process,
    metrics: String,
}

/// What the controllers run in.
pub(super) struct World {
    // Dropped in this order: the controllers end before what they talk to.
    pub(super) source: Controller,
    pub(super) helm: Controller,
    pub(super) charts: HelmRepositoryServer,
    pub(super) client: Client,
    pub(super) plane: ControlPlane,
    http: reqwest::Client,
    _files: TempDir,
}

/// What both controllers have used up to a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// Requests but watches, by controller, method and resource.
    pub(super) requests: BTreeMap<String, f64>,
    pub(super) watches: f64,
    pub(super) source_cpu: Duration,
    pub(super) helm_cpu: Duration,
}

/// Processor time of every program.
#[derive(Clone, Debug)]
pub(super) struct CpuTimes(Vec<(String, Duration)>);

impl CpuTimes {
    /// What was used after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let each = self.0.iter().zip(&before.0);
        Self(each.map(|((name, now), (_, then))| (name.clone(), now.saturating_sub(*then))).collect())
    }

    /// The sum over all programs.
    pub(super) fn total(&self) -> Duration {
        self.0.iter().map(|(_, time)| time).sum()
    }

    /// For people: the programs that used any, in milliseconds per object.
    pub(super) fn detail(&self, objects: f64) -> String {
        let each = self.0.iter().map(|(name, time)| (name, super::report::milliseconds(*time) / objects));
        each.filter(|(_, time)| *time >= 0.05)
            .map(|(name, time)| format!("{name} {time:.1} ms"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Usage {
    /// What was used after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let mut requests = self.requests.clone();
        for (key, count) in &before.requests {
            *requests.entry(key.clone()).or_default() -= count;
        }
        requests.retain(|_, count| *count > 0.0);
        Self {
            requests,
            watches: self.watches - before.watches,
            source_cpu: self.source_cpu.saturating_sub(before.source_cpu),
            helm_cpu: self.helm_cpu.saturating_sub(before.helm_cpu),
        }
    }

    /// All requests but watches.
    pub(super) fn total(&self) -> f64 {
        // An empty sum of floats is -0.
        self.requests.values().sum::<f64>() + 0.0
    }

    /// Requests that change something, but for the renewal of Leases and questions about access.
    pub(super) fn writes(&self) -> f64 {
        let asks = ["leases", "tokenreviews", "subjectaccessreviews", "selfsubjectaccessreviews", "tokenrequests"];
        let is_write = |key: &str| !key.contains(" GET ") && !asks.iter().any(|resource| key.ends_with(resource));
        self.requests.iter().filter(|(key, _)| is_write(key)).map(|(_, count)| count).sum::<f64>() + 0.0
    }

    /// Milliseconds of both controllers.
    pub(super) fn cpu(&self) -> f64 {
        super::report::milliseconds(self.source_cpu + self.helm_cpu)
    }

    /// The requests for people, per object, most frequent first.
    pub(super) fn detail(&self, objects: f64) -> String {
        let mut requests: Vec<(&String, f64)> = self
            .requests
            .iter()
            .map(|(key, count)| (key, count / objects))
            .filter(|(_, count)| *count >= 0.05)
            .collect();
        requests.sort_by(|left, right| right.1.total_cmp(&left.1));
        requests.iter().map(|(key, count)| format!("{count:.2} {key}")).collect::<Vec<_>>().join(", ")
    }
}

impl World {
    /// Starts everything.
    pub(super) async fn start(bench: &Bench) -> Result<Self> {
        let plane = ControlPlane::start(Options::default()).await?;
        plane.apply_crds().await?;
        plane.create_namespace(SYSTEM_NAMESPACE).await?;
        let binding = ["create", "clusterrolebinding", "towline-bench", "--clusterrole=cluster-admin"];
        let accounts =
            ["source-controller", "helm-controller"].map(|name| format!("--serviceaccount={SYSTEM_NAMESPACE}:{name}"));
        plane.kubectl(&[&binding[..], &accounts.each_ref().map(String::as_str)[..]].concat()).await?;
        let files = TempDir::new("bench")?;
        let address = format!("127.0.0.1:{}", testkit::free_port()?);
        let (source, source_metrics, source_health) = common(bench, &plane, "source-controller").await?;
        let source = source
            .arg(format!("--storage-path={}", files.join("artifacts").display()))
            .arg(format!("--storage-addr={address}"))
            .arg(format!("--storage-adv-addr={address}"));
        let (helm, helm_metrics, helm_health) = common(bench, &plane, "helm-controller").await?;
        let token = plane.token(SYSTEM_NAMESPACE, "helm-controller", &["towline-artifact"]).await?;
        fs_err::write(files.join("token"), token)?;
        let helm = helm
            .arg(format!("--artifact-addr=http://{address}"))
            .arg(format!("--artifact-token-file={}", files.join("token").display()));
        let (mut source, mut helm) = (source.start()?, helm.start()?);
        source.wait_ready(&source_health, READY_LIMIT).await?;
        helm.wait_ready(&helm_health, READY_LIMIT).await?;
        Ok(Self {
            source: Controller { process: source, metrics: source_metrics },
            helm: Controller { process: helm, metrics: helm_metrics },
            charts: HelmRepositoryServer::start().await?,
            client: plane.client().await?,
            plane,
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?,
            _files: files,
        })
    }

    /// What both controllers have used so far.
    pub(super) async fn usage(&self) -> Result<Usage> {
        let mut usage = Usage {
            source_cpu: self.source.process.cpu_time()?,
            helm_cpu: self.helm.process.cpu_time()?,
            ..Usage::default()
        };
        for (short, controller) in [("source", &self.source), ("helm", &self.helm)] {
            for (method, resource, count) in requests(&self.metrics(controller).await?) {
                if method == "WATCH" {
                    usage.watches += count;
                } else {
                    *usage.requests.entry(format!("{short} {method} {resource}")).or_default() += count;
                }
            }
        }
        Ok(usage)
    }

    /// Processor time used so far by everything that runs: the control plane and both controllers.
    pub(super) async fn cpu_times(&self) -> Result<CpuTimes> {
        let mut times = self.plane.cpu_times().await?;
        for Controller { process, .. } in [&self.source, &self.helm] {
            times.push((process.name().to_owned(), process.cpu_time()?));
        }
        Ok(CpuTimes(times))
    }

    /// Waits until both have been quiet for a moment (events are sent in the background), then tells what they used.
    pub(super) async fn settled(&self) -> Result<Usage> {
        let mut last = self.usage().await?;
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.usage().await?;
            let quiet = (now.total() - last.total()).abs() < 0.5;
            last = now;
            if quiet {
                break;
            }
        }
        Ok(last)
    }

    /// How many reconciles helm-controller has done.
    pub(super) async fn reconciles(&self) -> Result<f64> {
        let text = self.metrics(&self.helm).await?;
        let name = "controller_runtime_reconcile_total{controller=\"helmrelease\"";
        Ok(text.lines().filter(|line| line.starts_with(name)).filter_map(value_of).sum())
    }

    async fn metrics(&self, controller: &Controller) -> Result<String> {
        let answer = self.http.get(&controller.metrics).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    /// Ends a namespace with everything in it, HelmReleases first, so that the next measurement has the machine for itself.
    pub(super) async fn clear(&self, namespace: &str) -> Result<()> {
        let releases: Api<common::helm::v2::HelmRelease> = Api::namespaced(self.client.clone(), namespace);
        releases.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        testkit::until("the uninstall of all releases", Duration::from_secs(120), || async {
            releases.list_metadata(&ListParams::default()).await.ok().filter(|list| list.items.is_empty())
        })
        .await?;
        self.plane.delete_namespace(namespace).await?;
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        testkit::wait::object(namespaces, namespace, Duration::from_secs(120), |object| object.is_none()).await?;
        Ok(())
    }
}

async fn common(bench: &Bench, plane: &ControlPlane, name: &str) -> Result<(ProcessCommand, String, String)> {
    let access = plane.service_account(SYSTEM_NAMESPACE, name).await?;
    let (metrics, health) = (testkit::free_port()?, testkit::free_port()?);
    let command = Process::command(bench.binary(name))
        .env("KUBECONFIG", &access.kubeconfig)
        .env("RUNTIME_NAMESPACE", SYSTEM_NAMESPACE)
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .arg(format!("--metrics-addr=127.0.0.1:{metrics}"))
        .arg(format!("--health-addr=127.0.0.1:{health}"));
    Ok((command, format!("http://127.0.0.1:{metrics}/metrics"), format!("http://127.0.0.1:{health}/readyz")))
}

fn value_of(line: &str) -> Option<f64> {
    line.rsplit_once(' ')?.1.parse().ok()
}

/// Method, resource and count of every line of `towline_api_requests_total`.
fn requests(metrics: &str) -> impl Iterator<Item = (String, String, f64)> {
    let label = |line: &str, name: &str| -> Option<String> {
        Some(line.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.to_owned())
    };
    metrics
        .lines()
        .filter(|line| line.starts_with("towline_api_requests_total{"))
        .filter_map(move |line| Some((label(line, "method")?, label(line, "resource")?, value_of(line)?)))
}

/// Checks that a release binary is there before anything is started.
pub(super) fn binary_size(bench: &Bench, name: &str) -> Result<u64> {
    let path = bench.binary(name);
    Ok(fs_err::metadata(&path).with_context(|| format!("{name} is not built for release"))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_from_metrics() {
        let text = "# TYPE towline_api_requests counter\n\
            towline_api_requests_total{method=\"GET\",resource=\"secrets\",code=\"200\"} 3\n\
            towline_api_requests_total{method=\"WATCH\",resource=\"pods\",code=\"200\"} 1\n";
        let read: Vec<_> = requests(text).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].0.as_str(), read[0].1.as_str()), ("GET", "secrets"));
        assert!((read[0].2 - 3.0).abs() < 1e-9);
    }

    #[test]
    fn usage_is_a_difference() {
        let usage = |count: f64| Usage {
            requests: BTreeMap::from([("helm PATCH a".to_owned(), count), ("helm GET b".to_owned(), 2.0)]),
            ..Usage::default()
        };
        let difference = usage(5.0).since(&usage(3.0));
        assert!((difference.total() - 2.0).abs() < 1e-9);
        assert!((usage(5.0).writes() - 5.0).abs() < 1e-9);
        assert_eq!(difference.detail(1.0), "2.00 helm PATCH a");
    }
}
