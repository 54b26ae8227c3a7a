//! Hermetic test environment: control plane, Git, Helm and OTLP servers, temporary directories.
