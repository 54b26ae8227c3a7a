//! `go.yaml.in/yaml/v3` (being written: nodes, comments kept, kyaml styles).
