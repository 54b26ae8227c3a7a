//! `kustomize build` over a virtual file system. Pure.
