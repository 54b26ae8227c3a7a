//! Repository URLs.

use common::secret::Secret;

use http_client::{HttpAuth, percent_decode};

use crate::GitError;

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
    /// `ssh`.
    Ssh,
}

/// A checked URL without credentials.
#[derive(Clone, Debug)]
pub struct GitUrl {
    /// How.
    pub scheme: Scheme,
    /// The URL without user information; safe to print.
    pub url: url::Url,
    /// Credentials that were part of the URL.
    pub embedded: HttpAuth,
    /// The SSH user.
    pub user: String,
    /// The path starts at the user's home directory, as in `user@host:path`.
    is_relative: bool,
}

impl GitUrl {
    /// Parses an `http`, `https` or `ssh` URL.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let invalid = |reason: &str| GitError::Url { url: common::url::mask(text), reason: reason.to_owned() };
        let mut url = url::Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "ssh" => Scheme::Ssh,
            _ => return Err(invalid("the scheme must be http, https or ssh")),
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("it has no host"));
        }
        let decode = |text: &str| percent_decode(text);
        let (username, password) = (decode(url.username()), url.password().map(decode));
        let embedded = match (scheme, password) {
            (Scheme::Ssh, _) => HttpAuth::None,
            (_, None) if username.is_empty() => HttpAuth::None,
            (_, password) => {
                HttpAuth::Basic { username: username.clone(), password: Secret::new(password.unwrap_or_default()) }
            }
        };
        // Setting fails only for URLs without a host, which were refused above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let user = if username.is_empty() { "git".to_owned() } else { username };
        Ok(Self { scheme, url, embedded, user, is_relative: false })
    }

    /// Parses a URL, or the form `user@host:path` that git takes for SSH.
    pub fn parse_any(text: &str) -> Result<Self, GitError> {
        let Some((host, path)) = scp_form(text) else { return Self::parse(text) };
        let mut parsed = Self::parse(&format!("ssh://{host}/{}", path.trim_start_matches('/')))?;
        parsed.is_relative = !path.starts_with('/');
        Ok(parsed)
    }

    /// The same host by another path.
    pub(crate) fn with_path(&self, path: &str) -> Result<Self, GitError> {
        let mut url = self.url.clone();
        url.set_path(path);
        let mut parsed = Self::parse(url.as_str())?;
        parsed.user.clone_from(&self.user);
        parsed.is_relative = self.is_relative;
        Ok(parsed)
    }

    /// Host and port to connect to.
    pub fn address(&self) -> (String, u16) {
        let default = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ssh => 22,
        };
        let host = self.url.host_str().unwrap_or_default();
        (host.trim_start_matches('[').trim_end_matches(']').to_owned(), self.url.port().unwrap_or(default))
    }

    /// The path as the server's file system sees it (for SSH).
    pub fn path(&self) -> String {
        let path = percent_decode(self.url.path());
        // `ssh://host/~user/repo` is relative to that user's home.
        let relative = path.strip_prefix('/').filter(|rest| self.is_relative || rest.starts_with('~'));
        relative.map_or_else(|| path.clone(), str::to_owned)
    }

    /// Whether credentials for this URL may be sent to the other one.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.address() == other.address()
    }
}

impl std::fmt::Display for GitUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&common::url::mask(self.url.as_str()))
    }
}

/// Host with user, and path, of `user@host:path`.
fn scp_form(text: &str) -> Option<(&str, &str)> {
    if text.contains("://") {
        return None;
    }
    // An IPv6 address is in brackets and has colons of its own.
    let from = text.find("]:").map_or(0, |at| at + 1);
    let at = from + text.get(from..)?.find(':')?;
    let (host, path) = (text.get(..at)?, text.get(at + 1..)?);
    (!host.is_empty() && !host.contains('/') && !path.is_empty()).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = GitUrl::parse("https://jane:p%40ss@example.com:8443/team/repo.git").unwrap();
        assert_eq!(url.url.as_str(), "https://example.com:8443/team/repo.git");
        assert!(
            matches!(&url.embedded, HttpAuth::Basic { username, password } if username == "jane" && password.expose() == "p@ss")
        );
        assert_eq!(url.address(), ("example.com".to_owned(), 8443));

        let ssh = GitUrl::parse("ssh://example.com/team/repo%20x.git").unwrap();
        assert_eq!((ssh.user.as_str(), ssh.path().as_str(), ssh.address().1), ("git", "/team/repo x.git", 22));
        assert_eq!(GitUrl::parse("ssh://me@example.com:2222/~me/x").unwrap().path(), "~me/x");
        for bad in ["", "git@example.com:a/b", "file:///etc", "ext::sh -c x", "http://"] {
            assert!(GitUrl::parse(bad).is_err(), "{bad}");
        }
        for (text, address, user, path) in [
            ("git@example.com:team/repo.git", "example.com", "git", "team/repo.git"),
            ("org-1@example.com:/srv/repo", "example.com", "org-1", "/srv/repo"),
            ("example.com:repo", "example.com", "git", "repo"),
            ("git@[::1]:a/b", "::1", "git", "a/b"),
            ("ssh://git@example.com/a", "example.com", "git", "/a"),
        ] {
            let url = GitUrl::parse_any(text).unwrap();
            assert_eq!(
                (url.address().0.as_str(), url.user.as_str(), url.path().as_str()),
                (address, user, path),
                "{text}"
            );
        }
        assert!(GitUrl::parse_any("/srv/a:b").is_err() && GitUrl::parse_any("a@b/c/d").is_err());
        let error = GitUrl::parse("ftp://jane:secret@example.com/x").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn origins_are_compared_whole() {
        let one = GitUrl::parse("https://example.com/a").unwrap();
        for (other, expected) in [
            ("https://example.com:443/b", true),
            ("http://example.com/a", false),
            ("https://example.com:444/a", false),
            ("https://example.org/a", false),
        ] {
            assert_eq!(one.is_same_origin(&GitUrl::parse(other).unwrap()), expected, "{other}");
        }
    }
}
