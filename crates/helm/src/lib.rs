//! Helm charts: loading, values, rendering, manifests, hooks, release records. Pure: files in, manifests out.
