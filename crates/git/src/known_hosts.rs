//! Strict host key checking against the text of a `known_hosts` file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::{Algorithm, PublicKey};
use sha1::Sha1;

/// The keys known for one host.
#[derive(Clone, Debug, Default)]
pub struct KnownKeys {
    accepted: Vec<PublicKey>,
    revoked: Vec<PublicKey>,
}

/// What is said of a key that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the known one.
    Accepted,
    /// It is marked as revoked.
    Revoked,
    /// Other keys are known for the host.
    Different,
    /// Nothing is known of the host.
    Unknown,
}

impl KnownKeys {
    /// Reads the lines that are for `host` and `port`. Lines that cannot be read are skipped, as `ssh` does.
    pub fn parse(text: &str, host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        let name = if port == 22 { host } else { format!("[{host}]:{port}") };
        let mut known = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let mut first = words.next().unwrap_or_default();
            let mut is_revoked = false;
            match first {
                "@revoked" => {
                    is_revoked = true;
                    first = words.next().unwrap_or_default();
                }
                // Host certificates are not spoken, so that their authorities vouch for nothing.
                marker if marker.starts_with('@') => continue,
                _ => {}
            }
            if !is_for(first, &name) {
                continue;
            }
            let (Some(kind), Some(key)) = (words.next(), words.next()) else { continue };
            let Ok(key) = PublicKey::from_openssh(&format!("{kind} {key}")) else { continue };
            if is_revoked {
                known.revoked.push(key);
            } else {
                known.accepted.push(key);
            }
        }
        known
    }

    /// Judges the key a server shows.
    pub fn judge(&self, key: &PublicKey) -> Verdict {
        let is = |other: &PublicKey| other.key_data() == key.key_data();
        if self.revoked.iter().any(is) {
            Verdict::Revoked
        } else if self.accepted.iter().any(is) {
            Verdict::Accepted
        } else if self.accepted.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Different
        }
    }

    /// The algorithms that a known key can prove itself with: asking for another one would end in a refusal.
    pub fn prefers(&self, algorithm: &Algorithm) -> bool {
        self.accepted.iter().any(|key| match (key.algorithm(), algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (known, asked) => known == *asked,
        })
    }
}

/// Whether a comma-separated list of names, globs, negations and hashes is for the host.
fn is_for(patterns: &str, name: &str) -> bool {
    let mut matched = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, name) => return false,
            Some(_) => {}
            None => matched |= matches(pattern, name),
        }
    }
    matched
}

fn matches(pattern: &str, name: &str) -> bool {
    if let Some(hashed) = pattern.strip_prefix("|1|") {
        return is_hash_of(hashed, name);
    }
    // `[host]:22` is the same as `host`.
    let lower = pattern.to_ascii_lowercase();
    let pattern = lower.strip_prefix('[').and_then(|rest| rest.strip_suffix("]:22")).unwrap_or(&lower);
    glob(pattern.as_bytes(), name.as_bytes())
}

/// `*` and `?`, without backtracking over more than one star at a time.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, position));
                at += 1;
            }
            Some(byte) if *byte == b'?' || text.get(position) == Some(byte) => {
                at += 1;
                position += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    position = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// `salt|hash`, both base64: HMAC-SHA1 of the name with the salt as key.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else { return false };
    mac.update(name.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRM4VH8Yxu1XJ0SLvQGMYoBgLxtbOKTFBpxxdCmMhYH";

    fn verdict(text: &str, host: &str, port: u16) -> Verdict {
        KnownKeys::parse(text, host, port).judge(&PublicKey::from_openssh(KEY).unwrap())
    }

    #[test]
    fn only_the_known_key_of_the_host_is_accepted() {
        // The hash is that of "hashed.example" with the salt "salt".
        let mut mac = Hmac::<Sha1>::new_from_slice(b"salt").unwrap();
        mac.update(b"hashed.example");
        let hashed = format!("|1|{}|{} {KEY}", STANDARD.encode("salt"), STANDARD.encode(mac.finalize().into_bytes()));
        let table = [
            (format!("example.com {KEY}"), "example.com", 22, Verdict::Accepted),
            (format!("Example.com {KEY}"), "EXAMPLE.com", 22, Verdict::Accepted),
            (format!("example.com {KEY}"), "example.com", 2222, Verdict::Unknown),
            (format!("[example.com]:2222 {KEY} comment"), "example.com", 2222, Verdict::Accepted),
            (format!("a,*.example.com {KEY}"), "git.example.com", 22, Verdict::Accepted),
            (format!("*.example.com,!git.example.com {KEY}"), "git.example.com", 22, Verdict::Unknown),
            (hashed.clone(), "hashed.example", 22, Verdict::Accepted),
            (hashed, "other.example", 22, Verdict::Unknown),
            (format!("example.com {OTHER}"), "example.com", 22, Verdict::Different),
            (format!("example.com {KEY}\n@revoked example.com {KEY}"), "example.com", 22, Verdict::Revoked),
            (format!("@cert-authority example.com {KEY}"), "example.com", 22, Verdict::Unknown),
            (format!("# {KEY}\n\ngarbage\nexample.com ssh-ed25519 !!!"), "example.com", 22, Verdict::Unknown),
        ];
        for (text, host, port, expected) in table {
            assert_eq!(verdict(&text, host, port), expected, "{text} {host}:{port}");
        }
    }
}
