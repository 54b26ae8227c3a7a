//! Objects to a cluster: ordering, server-side apply, diff, prune, inventory, readiness.
