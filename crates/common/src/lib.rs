//! API types of every group, conditions, Artifact, Revision, Digest, GoDuration. Types and pure functions: no I/O.
