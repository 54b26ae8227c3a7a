//! Semantic versions and constraints as Masterminds/semver reads them.
