//! Container images without a container tool: each controller's release binary, which is linked statically, and the
//! certificate authorities, packed as an OCI archive. The same input gives the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use flate2::{Compression, GzBuilder};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::controllers::CONTROLLERS;
use crate::generated::workspace;

/// Who the process is in the image.
pub(crate) const USER: &str = "65534:65534";
/// Where the certificate authorities are.
pub(crate) const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where a controller's binary is in its image.
pub(crate) fn program_path(controller: &str) -> String {
    format!("/usr/local/bin/{controller}")
}

/// Where to take binaries from and put images.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these controllers.
    #[arg(value_name = "CONTROLLER")]
    controllers: Vec<String>,
    /// Directory for the archives.
    #[arg(long, default_value = "target/images")]
    output: PathBuf,
    /// Take the binaries from this directory instead of building them.
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
    /// Tag of the images.
    #[arg(long, default_value = concat!("v", env!("CARGO_PKG_VERSION")))]
    tag: String,
}

/// Packs the images.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted: Vec<&str> = CONTROLLERS
        .iter()
        .map(|controller| controller.name)
        .filter(|name| arguments.controllers.is_empty() || arguments.controllers.iter().any(|wanted| wanted == name))
        .collect();
    if wanted.is_empty() {
        bail!("there is no controller called {}", arguments.controllers.join(", "));
    }
    let binaries = match &arguments.binaries {
        Some(directory) => directory.clone(),
        None => crate::release::build(&wanted)?,
    };
    let output = workspace().join(&arguments.output);
    fs_err::create_dir_all(&output)?;
    for name in wanted {
        let files = files(name, &binaries.join(name))?;
        let image = pack(name, &arguments.tag, &files)?;
        let path = output.join(format!("{name}.tar"));
        let size = image.len() >> 20;
        fs_err::write(&path, image)?;
        println!("{} ({size} MiB)", path.display());
    }
    Ok(())
}

/// What is in an image: path without the leading slash, mode and content.
type Content = BTreeMap<String, (u32, Vec<u8>)>;

fn files(controller: &str, binary: &Path) -> anyhow::Result<Content> {
    check_static(binary)?;
    let mut files = Content::new();
    let mut add = |path: &str, mode: u32, content: Vec<u8>| {
        files.insert(path.trim_start_matches('/').to_owned(), (mode, content));
    };
    add(&program_path(controller), 0o755, fs_err::read(binary)?);
    add(AUTHORITIES, 0o644, fs_err::read(AUTHORITIES).context("install ca-certificates on this machine")?);
    Ok(files)
}

/// An image has no library that a program could be linked to.
fn check_static(binary: &Path) -> anyhow::Result<()> {
    let output = Command::new("ldd").arg(binary).output().context("run ldd")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.split_whitespace().any(|word| word.starts_with('/')) {
        bail!("{} needs shared libraries; build it as `cargo xtask images` does:\n{text}", binary.display());
    }
    Ok(())
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// The file system as a tar stream: every directory before what is in it.
fn layer(files: &Content) -> anyhow::Result<Vec<u8>> {
    let mut directories = BTreeMap::from([("tmp".to_owned(), 0o1777)]);
    for path in files.keys() {
        for parent in Path::new(path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            directories.entry(parent.to_string_lossy().into_owned()).or_insert(0o755);
        }
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (path, mode) in directories {
        builder.append_data(&mut header(EntryType::Directory, mode, 0), format!("{path}/"), std::io::empty())?;
    }
    for (path, (mode, content)) in files {
        builder.append_data(&mut header(EntryType::Regular, *mode, content.len()), path, content.as_slice())?;
    }
    Ok(builder.into_inner()?)
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// An OCI archive: the layout as a tar file.
fn pack(controller: &str, tag: &str, files: &Content) -> anyhow::Result<Vec<u8>> {
    let plain = layer(files)?;
    let mut compressed = Vec::new();
    let mut encoder = GzBuilder::new().mtime(0).write(&mut compressed, Compression::default());
    std::io::Write::write_all(&mut encoder, &plain)?;
    encoder.finish()?;

    let mut blobs = BTreeMap::new();
    let mut blob = |media_type: &str, content: Vec<u8>| {
        let digest = digest(&content);
        let descriptor = json!({ "mediaType": media_type, "digest": digest, "size": content.len() });
        blobs.insert(format!("blobs/{}", digest.replace(':', "/")), content);
        descriptor
    };
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": USER,
            "Entrypoint": [program_path(controller)],
            "Labels": { "org.opencontainers.image.title": controller, "org.opencontainers.image.version": tag },
        },
        "rootfs": { "type": "layers", "diff_ids": [digest(&plain)] },
    });
    let config = blob("application/vnd.oci.image.config.v1+json", serde_json::to_vec(&config)?);
    let layer = blob("application/vnd.oci.image.layer.v1.tar+gzip", compressed);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [layer],
    });
    let mut manifest = blob("application/vnd.oci.image.manifest.v1+json", serde_json::to_vec(&manifest)?);
    manifest["annotations"] = json!({
        "io.containerd.image.name": format!("docker.io/towline/{controller}:{tag}"),
        "org.opencontainers.image.ref.name": tag,
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    blobs.insert("index.json".to_owned(), serde_json::to_vec(&index)?);
    blobs.insert("oci-layout".to_owned(), serde_json::to_vec(&json!({ "imageLayoutVersion": "1.0.0" }))?);

    let mut archive = tar::Builder::new(Vec::new());
    for directory in ["blobs/", "blobs/sha256/"] {
        archive.append_data(&mut header(EntryType::Directory, 0o755, 0), directory, std::io::empty())?;
    }
    for (path, content) in blobs {
        archive.append_data(&mut header(EntryType::Regular, 0o644, content.len()), path, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use serde_json::Value;

    use super::*;

    fn unpack(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, content);
        }
        files
    }

    /// This test is a program that is linked to libraries.
    #[test]
    fn programs_that_need_libraries_are_refused() {
        let error = files("helm-controller", &std::env::current_exe().unwrap()).unwrap_err().to_string();
        assert!(error.contains("needs shared libraries") && error.contains("libc.so"), "{error}");
    }

    #[test]
    fn images_are_complete_consistent_and_deterministic() {
        let binary = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(binary.path(), "a program\n").unwrap();
        let content = files("helm-controller", binary.path()).unwrap();
        let image = pack("helm-controller", "v1", &content).unwrap();
        assert!(image == pack("helm-controller", "v1", &content).unwrap(), "two runs, two images");

        let blobs = unpack(&image);
        for (path, content) in blobs.iter().filter(|(path, _)| path.starts_with("blobs/sha256/") && path.len() > 13) {
            assert_eq!(*path, format!("blobs/{}", digest(content).replace(':', "/")));
        }
        let blob = |descriptor: &Value| {
            let path = format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/"));
            assert_eq!(descriptor["size"], blobs[&path].len());
            blobs[&path].clone()
        };
        let index: Value = serde_json::from_slice(&blobs["index.json"]).unwrap();
        let manifest: Value = serde_json::from_slice(&blob(&index["manifests"][0])).unwrap();
        let config: Value = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
        assert_eq!(config["config"]["User"], USER);
        assert_eq!(config["config"]["Entrypoint"], json!(["/usr/local/bin/helm-controller"]));
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(blob(&manifest["layers"][0]).as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&plain));
        let layer = unpack(&plain);
        for path in ["tmp/", "usr/local/bin/helm-controller", "etc/ssl/certs/ca-certificates.crt"] {
            assert!(layer.contains_key(path), "{path} is not in {:?}", layer.keys());
        }
    }

    /// Whoever builds with Docker gets the same image.
    #[test]
    fn dockerfiles_say_the_same() {
        for controller in CONTROLLERS {
            let path = workspace().join(format!("docker/{}.Dockerfile", controller.name));
            let text = fs_err::read_to_string(path).unwrap();
            let program = program_path(controller.name);
            let (directory, _) = program.rsplit_once('/').unwrap();
            for line in [
                "FROM scratch".to_owned(),
                format!("USER {USER}"),
                format!("ENTRYPOINT [\"{program}\"]"),
                format!(
                    "RUN cargo {} build --release --locked --bin {}",
                    crate::release::SETTINGS.join(" "),
                    controller.name
                ),
            ] {
                assert!(text.lines().any(|found| found == line), "{}: no line {line}", controller.name);
            }
            for part in [
                format!("cp target/*/release/{} /image{directory}/;", controller.name),
                format!("cp --dereference {AUTHORITIES} "),
                "chmod 1777 /image/tmp".to_owned(),
            ] {
                assert!(text.contains(&part), "{}: nowhere {part}", controller.name);
            }
        }
    }
}
