//! Many objects in order: runs of one kind in parallel, one run after the other.

use futures::{StreamExt, stream::FuturesOrdered};
use serde_json::Value;

use crate::{Applied, ApplyOptions, Cluster, Error};

/// How many objects of one run are on the wire at a time.
const PARALLEL: usize = 8;

/// Splits an ordered list into runs of equal kind.
pub fn runs(objects: &[Value]) -> Vec<&[Value]> {
    objects.chunk_by(|a, b| a.get("kind") == b.get("kind") && a.get("apiVersion") == b.get("apiVersion")).collect()
}

/// What became of a batch: everything that was applied, and the first failure (after which no later run was begun).
#[derive(Debug, Default)]
pub struct BatchOutcome {
    /// Objects applied, in order.
    pub applied: Vec<Applied>,
    /// Failures of the run that stopped the batch, in order.
    pub errors: Vec<Error>,
}

/// Applies objects in order.
pub async fn apply(
    cluster: &Cluster,
    objects: &[Value],
    default_namespace: &str,
    options: &ApplyOptions,
) -> BatchOutcome {
    let mut outcome = BatchOutcome::default();
    for run in runs(objects) {
        let mut results = Vec::with_capacity(run.len());
        let mut pending = FuturesOrdered::new();
        for object in run {
            if pending.len() >= PARALLEL {
                results.extend(pending.next().await);
            }
            pending.push_back(cluster.apply(object, default_namespace, options));
        }
        while let Some(result) = pending.next().await {
            results.push(result);
        }
        for result in results {
            match result {
                Ok(applied) => outcome.applied.push(applied),
                Err(error) => outcome.errors.push(error),
            }
        }
        if !outcome.errors.is_empty() {
            break;
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn runs_keep_order() {
        let kinds = ["A", "A", "B", "A"];
        let objects: Vec<_> = kinds.iter().map(|kind| json!({"kind": kind})).collect();
        assert_eq!(runs(&objects).iter().map(|run| run.len()).collect::<Vec<_>>(), [2, 1, 1]);
    }
}
