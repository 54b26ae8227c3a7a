//! Post-build variable substitution (the envsubst grammar of Flux). Pure.
