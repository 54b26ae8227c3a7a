//! Test helper: drives the Go oracle programs of `tests/oracle` over JSON lines.
