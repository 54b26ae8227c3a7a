//! The process shell every controller shares: flags, telemetry, metrics, health, leases, queue, backoff, events, status.
