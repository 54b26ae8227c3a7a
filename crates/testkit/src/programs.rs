//! Finds the real programs that tests run (control plane, kubectl, judges), and builds with Go, once, what is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

/// The linker flags that stamp a version into a program; `{}` is the version of `module` in the go.mod.
struct Stamp {
    module: &'static str,
    flags: &'static str,
}

/// One program and where it comes from.
struct Program {
    name: &'static str,
    /// Directory of its go.mod below `tests/`.
    directory: &'static str,
    package: &'static str,
    stamp: Option<Stamp>,
    /// Built from a copy of this module with generated files put in place, because its module cannot be built as it is.
    copied: Option<Copied>,
}

/// A module that is copied out of the module cache before it is built, with files its own build generates.
struct Copied {
    module: &'static str,
    placeholder: &'static str,
}

/// Without these Kubernetes programs call themselves v0.0.0-master+$Format:%H$.
const KUBERNETES: Stamp = Stamp {
    module: "k8s.io/kubernetes",
    flags: "-X k8s.io/component-base/version.gitVersion={} \
            -X k8s.io/component-base/version.gitMajor=1 \
            -X k8s.io/component-base/version.gitMinor={minor} \
            -X k8s.io/component-base/version.gitTreeState=clean \
            -X k8s.io/component-base/version.gitCommit=0000000000000000000000000000000000000000 \
            -X k8s.io/component-base/version.buildDate=1970-01-01T00:00:00Z",
};

const fn kubernetes(name: &'static str, package: &'static str) -> Program {
    Program { name, directory: "control-plane", package, stamp: Some(KUBERNETES), copied: None }
}

const PROGRAMS: &[Program] = &[
    Program { name: "etcd", directory: "control-plane", package: "./cmd/etcd", stamp: None, copied: None },
    kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
    Program {
        name: "kwok",
        directory: "control-plane",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        stamp: Some(Stamp { module: "sigs.k8s.io/kwok", flags: "-X sigs.k8s.io/kwok/pkg/consts.Version={bare}" }),
        copied: None,
    },
    Program {
        name: "helm",
        directory: "tools/helm",
        package: "helm.sh/helm/v4/cmd/helm",
        stamp: Some(Stamp { module: "helm.sh/helm/v4", flags: "-X helm.sh/helm/v4/internal/version.version={}" }),
        copied: None,
    },
    Program {
        name: "kustomize",
        directory: "tools/kustomize",
        package: "sigs.k8s.io/kustomize/kustomize/v5",
        stamp: Some(Stamp {
            module: "sigs.k8s.io/kustomize/kustomize/v5",
            flags: "-X sigs.k8s.io/kustomize/api/provenance.version={}",
        }),
        copied: None,
    },
    Program {
        name: "grpcurl",
        directory: "tools/grpcurl",
        package: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
        stamp: Some(Stamp { module: "github.com/fullstorydev/grpcurl", flags: "-X main.version={}" }),
        copied: None,
    },
    Program {
        name: "registry",
        directory: "tools/registry",
        package: "github.com/google/go-containerregistry/cmd/registry",
        stamp: None,
        copied: None,
    },
    Program {
        name: "flux",
        directory: "tools/flux",
        package: "./cmd/flux",
        stamp: Some(Stamp { module: "github.com/fluxcd/flux2/v2", flags: "-X main.VERSION={bare}" }),
        // Its releases embed manifests that are generated; without any file there it does not compile.
        copied: Some(Copied { module: "github.com/fluxcd/flux2/v2", placeholder: "cmd/flux/manifests/none.yaml" }),
    },
    Program {
        name: "flux-helm-controller",
        directory: "tools/helm-controller",
        package: "github.com/fluxcd/helm-controller",
        stamp: None,
        copied: None,
    },
    Program {
        name: "flux-source-controller",
        directory: "tools/source-controller",
        package: "github.com/fluxcd/source-controller",
        stamp: None,
        copied: None,
    },
];

/// The file of kwok stages, made from kwok's own module beside the kwok program.
const KWOK_STAGES: &str = "kwok.yaml";

/// Which stages make fake nodes and pods live, below `kustomize/stage` of kwok's module.
const STAGES: &[&str] = &[
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "pod/fast/pod-complete",
    "pod/fast/pod-delete",
    "pod/fast/pod-ready",
];

/// The programs of a complete control plane, in the order they are built.
pub const CONTROL_PLANE: &[&str] =
    &["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"];

/// The path of a program: `etcd`, `kube-…`, `kubectl`, `kwok`, `helm`, `kustomize`, `grpcurl`, `registry`, `flux`,
/// `flux-source-controller` or `flux-helm-controller`. Looks in `$KUBEBUILDER_ASSETS`, then in the cache, and else builds it (blocking; minutes for the large ones).
pub fn tool(name: &str) -> Result<PathBuf> {
    ensure(&[name])?;
    find(program(name)?)?.with_context(|| format!("{name} was built but is not in the cache"))
}

/// [`tool`], or the program of that name that is installed on this machine where ours can be neither found nor built.
pub fn tool_or_installed(name: &str) -> Result<PathBuf> {
    if !obtainable(&[name])? {
        let path = variable("PATH").unwrap_or_default();
        if let Some(installed) = first_with(name, std::env::split_paths(&path)) {
            return Ok(installed);
        }
    }
    tool(name)
}

/// Whether all these programs exist or can be built here.
pub fn obtainable(names: &[&str]) -> Result<bool> {
    let programs = names.iter().map(|name| program(name)).collect::<Result<Vec<_>>>()?;
    Ok(missing(&programs)?.is_empty() || go_is_installed())
}

fn go_is_installed() -> bool {
    Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Makes sure that all these programs exist, building what is missing together.
pub fn ensure(names: &[&str]) -> Result<()> {
    let programs = names.iter().map(|name| program(name)).collect::<Result<Vec<_>>>()?;
    if missing(&programs)?.is_empty() {
        return Ok(());
    }
    let root = cache_root()?;
    fs::create_dir_all(&root)?;
    // One builder at a time: parallel test binaries wait here and then find everything built.
    let lock = fs::OpenOptions::new().create(true).append(true).open(root.join("build.lock"))?;
    lock.lock().context("locking the program cache")?;
    for program in missing(&programs)? {
        build(program)?;
    }
    Ok(())
}

/// The kwok stages of the built kwok's module.
pub(crate) fn kwok_stages() -> Result<PathBuf> {
    let cached = directory_of(program("kwok")?)?.join(KWOK_STAGES);
    if !cached.is_file() {
        write_stages(&cached)?;
    }
    Ok(cached)
}

fn program(name: &str) -> Result<&'static Program> {
    PROGRAMS
        .iter()
        .find(|program| program.name == name)
        .with_context(|| format!("testkit does not know how to build {name}"))
}

fn missing(programs: &[&'static Program]) -> Result<Vec<&'static Program>> {
    let mut missing = Vec::new();
    for program in programs {
        if find(program)?.is_none() {
            missing.push(*program);
        }
    }
    Ok(missing)
}

fn find(program: &Program) -> Result<Option<PathBuf>> {
    let assets = variable("KUBEBUILDER_ASSETS").map(PathBuf::from);
    Ok(first_with(program.name, assets.into_iter().chain([directory_of(program)?])))
}

/// The program in the first of the directories that holds it.
fn first_with(name: &str, directories: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    directories.into_iter().map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// `<cache>/<directory>/<hash of its go.mod>`: a changed pin is a new directory, never a stale program.
fn directory_of(program: &Program) -> Result<PathBuf> {
    let manifest = fs::read(module_directory(program).join("go.mod"))?;
    let hash = hex::encode(Sha256::digest(manifest));
    Ok(cache_root()?.join(program.directory).join(hash.get(..16).unwrap_or(&hash)))
}

fn module_directory(program: &Program) -> PathBuf {
    crate::workspace().join("tests").join(program.directory)
}

fn cache_root() -> Result<PathBuf> {
    if let Some(configured) = variable("TOWLINE_CACHE") {
        return Ok(PathBuf::from(configured));
    }
    let home = variable("HOME").context("neither TOWLINE_CACHE nor HOME is set: no place for built programs")?;
    Ok(Path::new(&home).join(".cache/towline"))
}

#[expect(clippy::disallowed_methods, reason = "the edge where the test environment's variables are read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn build(program: &Program) -> Result<()> {
    let output = directory_of(program)?;
    fs::create_dir_all(&output)?;
    let directory = module_directory(program);
    if !go_is_installed() {
        bail!(
            "{} is not built yet: install Go 1.26 or later, or point KUBEBUILDER_ASSETS at a directory that holds it",
            program.name
        );
    }
    let manifest = fs::read_to_string(directory.join("go.mod"))?;
    let mut flags = "-s -w".to_owned();
    if let Some(stamp) = &program.stamp {
        let version = pinned(&manifest, stamp.module)?;
        flags.push(' ');
        flags.push_str(&stamp_flags(stamp.flags, version));
    }
    let source = match &program.copied {
        None => directory,
        Some(copied) => copy_module(copied, &directory, &output)?,
    };
    // Built beside its place and renamed into it, so that an interrupted build leaves no half program.
    let partial = output.join(format!("{}.partial", program.name));
    let mut child = go(&source)
        .args(["build", "-ldflags", &flags, "-o"])
        .arg(&partial)
        .arg(program.package)
        .stdout(Stdio::null())
        .stderr(fs::File::create(output.join(format!("{}.log", program.name)))?.into_file())
        .spawn()
        .context("starting go build")?;
    let started = tokio::time::Instant::now();
    crate::notice(&format!(
        "testkit: building {} with Go, once (the whole control plane takes 5 to 10 minutes)…",
        program.name
    ));
    let mut announced = 1;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(200));
        let seconds = started.elapsed().as_secs();
        if seconds / 30 >= announced {
            announced += 1;
            crate::notice(&format!("testkit: still building {} ({seconds} s)", program.name));
        }
    };
    let log = output.join(format!("{}.log", program.name));
    if !status.success() {
        bail!("building {} failed:\n{}", program.name, tail(&fs::read_to_string(log)?, 20));
    }
    if program.name == "kwok" {
        write_stages(&output.join(KWOK_STAGES))?;
    }
    fs::rename(&partial, output.join(program.name))?;
    fs::remove_file(log)?;
    if program.copied.is_some() {
        fs::remove_dir_all(source)?;
    }
    crate::notice(&format!("testkit: built {} in {} s", program.name, started.elapsed().as_secs()));
    Ok(())
}

fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(directory)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-trimpath -buildvcs=false")
        .env("GOWORK", "off")
        .stdin(Stdio::null());
    command
}

/// The version that a go.mod requires of a module.
fn pinned<'a>(manifest: &'a str, module: &str) -> Result<&'a str> {
    manifest
        .lines()
        .filter_map(|line| {
            let line = line.trim().trim_start_matches("require ");
            line.strip_prefix(module)?.strip_prefix(' ')?.split_whitespace().next()
        })
        .find(|version| version.starts_with('v'))
        .with_context(|| format!("go.mod does not require {module}"))
}

fn stamp_flags(template: &str, version: &str) -> String {
    let bare = version.trim_start_matches('v');
    let minor = bare.split('.').nth(1).unwrap_or("0");
    template.replace("{}", version).replace("{bare}", bare).replace("{minor}", minor)
}

/// Where a module lies in Go's module cache.
fn module_source(directory: &Path, module: &str) -> Result<PathBuf> {
    let manifest = fs::read_to_string(directory.join("go.mod"))?;
    let module = format!("{module}@{}", pinned(&manifest, module)?);
    let output = go(directory)
        .args(["mod", "download", "-json", &module])
        .output()
        .context("running go mod download (needs Go 1.26 or later)")?;
    let described: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("go mod download {module}: {}", String::from_utf8_lossy(&output.stderr)))?;
    match described.get("Dir").and_then(serde_json::Value::as_str) {
        Some(path) => Ok(PathBuf::from(path)),
        None => bail!("go mod download {module}: {described}"),
    }
}

fn write_stages(path: &Path) -> Result<()> {
    let kwok = program("kwok")?;
    let stages = module_source(&module_directory(kwok), "sigs.k8s.io/kwok")?.join("kustomize/stage");
    let mut text = String::new();
    for stage in STAGES {
        text.push_str("---\n");
        text.push_str(&fs::read_to_string(stages.join(format!("{stage}.yaml")))?);
    }
    let partial = path.with_extension("partial");
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    fs::write(&partial, text)?;
    fs::rename(partial, path)?;
    Ok(())
}

fn copy_module(copied: &Copied, directory: &Path, output: &Path) -> Result<PathBuf> {
    let source = module_source(directory, copied.module)?;
    let target = output.join("source");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let status = Command::new("cp")
        .args(["-r", "--no-preserve=mode"])
        .arg(&source)
        .arg(&target)
        .status()
        .context("copying a module")?;
    if !status.success() {
        bail!("copying {} failed", source.display());
    }
    let placeholder = target.join(copied.placeholder);
    fs::create_dir_all(placeholder.parent().unwrap_or(&target))?;
    fs::write(placeholder, "")?;
    Ok(target)
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_requirements_not_from_replacements_or_longer_names() {
        let manifest = "module x\nrequire k8s.io/kubernetes/extra v0.1.0\nrequire (\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n\
                        replace k8s.io/kubernetes => k8s.io/kubernetes v1.0.0\n";
        assert_eq!(pinned(manifest, "k8s.io/kubernetes").unwrap(), "v1.36.3");
        assert!(pinned(manifest, "k8s.io/kube").is_err());
    }

    #[test]
    fn stamps_carry_the_version_in_every_form() {
        assert_eq!(stamp_flags("{} {bare} {minor}", "v1.36.3"), "v1.36.3 1.36.3 36");
    }

    #[test]
    fn an_unknown_program_is_an_error_that_names_it() {
        let error = tool("no-such-program").unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }

    #[test]
    fn each_program_comes_from_the_assets_that_hold_it_and_else_from_the_cache() {
        let (assets, cache) = (crate::TempDir::new("assets").unwrap(), crate::TempDir::new("cache").unwrap());
        fs::write(assets.join("etcd"), "").unwrap();
        for name in ["etcd", "kwok"] {
            fs::write(cache.join(name), "").unwrap();
        }
        let places = || [assets.path().to_owned(), cache.path().to_owned()];
        assert_eq!(first_with("etcd", places()), Some(assets.join("etcd")));
        assert_eq!(first_with("kwok", places()), Some(cache.join("kwok")));
        assert_eq!(first_with("helm", places()), None);
    }

    #[test]
    fn every_program_has_a_pinned_module() {
        for program in PROGRAMS {
            let manifest = fs::read_to_string(module_directory(program).join("go.mod")).unwrap();
            if let Some(stamp) = &program.stamp {
                pinned(&manifest, stamp.module).unwrap();
            }
        }
    }
}
