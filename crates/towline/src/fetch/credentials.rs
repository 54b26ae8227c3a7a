//! Credentials for Git hosts: `~/.netrc`, and the keys and known hosts of `~/.ssh`.

use std::path::Path;

use common::secret::Secret;
use fs_err as fs;
use git::{SshAuth, SshIdentities, read_identity};
use http_client::{HttpAuth, TlsMaterial};

use super::environment;

/// Keys that ssh tries by itself, in its order.
const KEYS: [&str; 4] = ["id_rsa", "id_ecdsa", "id_ed25519", "id_dsa"];

/// What `~/.netrc` has for a host.
pub(super) fn netrc(host: &str) -> HttpAuth {
    let path = environment::variable("NETRC")
        .map(std::path::PathBuf::from)
        .or_else(|| environment::home().map(|home| home.join(".netrc")));
    let text = path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    netrc_entry(&text, host)
}

/// The first entry for the host, or else the default one. Macro definitions are passed over.
fn netrc_entry(text: &str, host: &str) -> HttpAuth {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut login, mut password) = (None, None);
    let mut is_ours = false;
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" if is_ours => break,
            "machine" => is_ours = words.next() == Some(host),
            "default" => is_ours = true,
            "login" if is_ours => login = words.next(),
            "password" if is_ours => password = words.next(),
            "login" | "password" | "account" => {
                words.next();
            }
            _ => {}
        }
    }
    match (login, password) {
        (Some(login), password) => HttpAuth::Basic {
            username: login.to_owned(),
            password: Secret::new(password.unwrap_or_default().to_owned()),
        },
        (None, _) => HttpAuth::None,
    }
}

/// Trust beside the system's, as `git` is told of it.
pub(super) fn git_tls() -> TlsMaterial {
    let ca = environment::variable("GIT_SSL_CAINFO").and_then(|path| fs::read(path).ok());
    TlsMaterial { ca, ..TlsMaterial::default() }
}

/// The agent, the usual keys, and the known hosts.
pub(super) fn ssh() -> SshAuth {
    let directory = environment::home().map(|home| home.join(".ssh")).unwrap_or_default();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let known_hosts: Vec<String> = ["known_hosts", "known_hosts2"]
        .iter()
        .map(|name| read(&directory.join(name)))
        .chain([read(Path::new("/etc/ssh/ssh_known_hosts"))])
        .collect();
    let keys = KEYS.iter().filter_map(|name| read_identity(&read(&directory.join(name)), None).ok()).collect();
    let agent = environment::variable("SSH_AUTH_SOCK").map(std::path::PathBuf::from);
    SshAuth { identities: SshIdentities { keys, agent }, known_hosts: known_hosts.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netrc_is_read() {
        let text = "# machine a login no\nmachine a\n  login jane\n  password p1\nmachine b login joe password p2 account x\ndefault login any password p3\n";
        for (host, expected) in [("a", "jane:p1"), ("b", "joe:p2"), ("c", "any:p3")] {
            let HttpAuth::Basic { username, password } = netrc_entry(text, host) else { panic!("{host}") };
            assert_eq!(format!("{username}:{}", password.expose()), expected);
        }
        assert!(!netrc_entry("machine a password x\n", "a").is_some());
        assert!(!netrc_entry("machine a login x\n", "b").is_some());
    }
}
