//! Leader election by a Lease, compatible with client-go's: one holder at a time, expiry judged by the observer's own clock.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{clock::Clock, flags::LeaderElectionFlags, health::Gate};

/// One candidate for a Lease.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    namespace: String,
    identity: String,
    timings: LeaderElectionFlags,
    clock: Clock,
    observed: Option<Observed>,
}

/// A Lease as last seen, and when it was first seen so.
#[derive(Clone, Debug)]
struct Observed {
    lease: Lease,
    since: Instant,
}

/// What a candidate may do at this moment.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// The Lease does not exist: create it.
    Create,
    /// Ours: renew it.
    Renew,
    /// Free or expired: take it.
    Take,
    /// Held by somebody else.
    Held(String),
}

fn standing(observed: Option<&Observed>, identity: &str, now: Instant, lease_duration: Duration) -> Standing {
    let Some(Observed { lease, since }) = observed else { return Standing::Create };
    let spec = lease.spec.as_ref();
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
    if holder == identity {
        return Standing::Renew;
    }
    let declared = spec.and_then(|spec| spec.lease_duration_seconds).and_then(|seconds| u64::try_from(seconds).ok());
    let valid_for = declared.map_or(lease_duration, Duration::from_secs);
    if holder.is_empty() || now.saturating_duration_since(*since) >= valid_for {
        Standing::Take
    } else {
        Standing::Held(holder.to_owned())
    }
}

/// The Lease's name, as upstream builds it: shards with a label selector elect separately.
pub fn lease_name(controller: &str, label_selector: &str) -> String {
    if label_selector.is_empty() {
        return format!("{controller}-leader-election");
    }
    let mut suffix: String =
        label_selector.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    suffix.truncate(63);
    format!("{controller}-leader-election-{}", suffix.trim_matches('-'))
}

impl Candidate {
    /// A candidate for `namespace/name`.
    pub fn new(
        client: Client,
        namespace: &str,
        name: String,
        identity: String,
        timings: LeaderElectionFlags,
        clock: Clock,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name,
            namespace: namespace.to_owned(),
            identity,
            timings,
            clock,
            observed: None,
        }
    }

    /// Waits until this candidate holds the Lease; `false` when `shutdown` came first.
    pub async fn acquire(&mut self, gate: &Gate, shutdown: &CancellationToken) -> bool {
        loop {
            match self.attempt().await {
                Ok(None) => {
                    info!(lease = self.name, identity = self.identity, "became the leader");
                    gate.ready();
                    return true;
                }
                Ok(Some(holder)) => {
                    if gate.waiting(&format!("Lease {}/{} is held by {holder}", self.namespace, self.name)) {
                        info!(lease = self.name, holder, "standing by");
                    }
                }
                Err(error) => {
                    gate.waiting(&format!("Lease {}/{} cannot be read or written: {error}", self.namespace, self.name));
                    warn!(lease = self.name, error = %error, "cannot read or write the Lease");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return false,
                () = sleep(self.timings.leader_election_retry_period) => {}
            }
        }
    }

    /// Keeps the Lease renewed; returns when `shutdown` comes (`true`) or the Lease is lost (`false`).
    pub async fn hold(&mut self, shutdown: &CancellationToken) -> bool {
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return true,
                () = sleep(self.timings.leader_election_retry_period) => {}
            }
            match self.attempt().await {
                Ok(None) => renewed = Instant::now(),
                Ok(Some(holder)) => {
                    warn!(lease = self.name, holder, "lost the Lease");
                    return false;
                }
                Err(error) => {
                    warn!(lease = self.name, error = %error, "cannot renew the Lease");
                    if renewed.elapsed() >= self.timings.leader_election_renew_deadline {
                        return false;
                    }
                }
            }
        }
    }

    /// Gives the Lease up, so that the next leader need not wait for it to expire.
    pub async fn release(&mut self) {
        let Some(observed) = self.observed.clone() else { return };
        let mut lease = observed.lease;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            return;
        }
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        if let Err(error) = self.api.replace(&self.name, &PostParams::default(), &lease).await {
            warn!(lease = self.name, error = %error, "the Lease could not be released; it will expire");
        }
    }

    /// One try; `Some(holder)` when somebody else holds the Lease.
    async fn attempt(&mut self) -> Result<Option<String>, kube::Error> {
        // While we lead, our own last write is the state of the Lease unless the next write meets a conflict.
        let ours = standing(
            self.observed.as_ref(),
            &self.identity,
            Instant::now(),
            self.timings.leader_election_lease_duration,
        ) == Standing::Renew;
        if !ours {
            let lease = self.api.get_opt(&self.name).await?;
            self.observe(lease);
        }
        match standing(
            self.observed.as_ref(),
            &self.identity,
            Instant::now(),
            self.timings.leader_election_lease_duration,
        ) {
            Standing::Held(holder) => Ok(Some(holder)),
            Standing::Create => {
                let lease = self.written(None);
                match self.api.create(&PostParams::default(), &lease).await {
                    Ok(lease) => self.wrote(lease),
                    Err(error) => self.conflicted(error).await,
                }
            }
            Standing::Renew | Standing::Take => {
                let lease = self.written(self.observed.as_ref().map(|observed| &observed.lease));
                match self.api.replace(&self.name, &PostParams::default(), &lease).await {
                    Ok(lease) => self.wrote(lease),
                    Err(error) => self.conflicted(error).await,
                }
            }
        }
    }

    fn wrote(&mut self, lease: Lease) -> Result<Option<String>, kube::Error> {
        self.observed = Some(Observed { lease, since: Instant::now() });
        Ok(None)
    }

    /// Somebody wrote before us: look again, so that the next try judges what is there now.
    async fn conflicted(&mut self, error: kube::Error) -> Result<Option<String>, kube::Error> {
        if matches!(&error, kube::Error::Api(status) if status.is_conflict() || status.is_already_exists() || status.is_not_found())
        {
            let lease = self.api.get_opt(&self.name).await?;
            self.observe(lease);
            if let Standing::Held(holder) = standing(
                self.observed.as_ref(),
                &self.identity,
                Instant::now(),
                self.timings.leader_election_lease_duration,
            ) {
                return Ok(Some(holder));
            }
        }
        Err(error)
    }

    /// A Lease counts as unchanged (and so ages towards expiry) while its resource version stays the same.
    fn observe(&mut self, lease: Option<Lease>) {
        let version = |lease: &Lease| lease.metadata.resource_version.clone();
        self.observed = match (lease, self.observed.take()) {
            (None, _) => None,
            (Some(lease), Some(earlier)) if version(&lease) == version(&earlier.lease) => Some(earlier),
            (Some(lease), _) => Some(Observed { lease, since: Instant::now() }),
        };
    }

    fn written(&self, current: Option<&Lease>) -> Lease {
        let now = MicroTime(self.clock.now());
        let old = current.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let ours = old.holder_identity.as_deref() == Some(&self.identity);
        let transitions = old.lease_transitions.unwrap_or_default();
        Lease {
            metadata: current.map_or_else(
                || ObjectMeta {
                    name: Some(self.name.clone()),
                    namespace: Some(self.namespace.clone()),
                    ..ObjectMeta::default()
                },
                |lease| lease.metadata.clone(),
            ),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(self.timings.leader_election_lease_duration.as_secs()).ok(),
                acquire_time: if ours { old.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(if ours || current.is_none() { transitions } else { transitions + 1 }),
                ..LeaseSpec::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(holder: &str, seconds: i32, since: Instant) -> Observed {
        let spec = LeaseSpec {
            holder_identity: Some(holder.into()),
            lease_duration_seconds: Some(seconds),
            ..LeaseSpec::default()
        };
        Observed { lease: Lease { spec: Some(spec), ..Lease::default() }, since }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_taken_only_when_free_or_expired() {
        let (start, default) = (Instant::now(), Duration::from_secs(35));
        let later = |seconds| start + Duration::from_secs(seconds);
        let of = |holder, now| standing(Some(&observed(holder, 15, start)), "me", now, default);
        assert_eq!(standing(None, "me", start, default), Standing::Create);
        assert_eq!(of("me", later(100)), Standing::Renew);
        assert_eq!(of("other", later(14)), Standing::Held("other".into()));
        assert_eq!(of("other", later(15)), Standing::Take);
        assert_eq!(of("", later(0)), Standing::Take);
    }

    #[test]
    fn shards_have_their_own_lease() {
        assert_eq!(lease_name("helm-controller", ""), "helm-controller-leader-election");
        assert_eq!(
            lease_name("helm-controller", "sharding.fluxcd.io/key=shard1"),
            "helm-controller-leader-election-sharding-fluxcd-io-key-shard1"
        );
    }
}
