//! Git repositories as kustomizations name them: `https://host/org/repo//path?ref=v1`, `git@host:org/repo`, `github.com/org/repo/path`.

use std::time::Duration;

/// How long a clone may take when the URL does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(27);

/// A repository, and a directory in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySpec {
    /// As written.
    pub raw: String,
    /// Scheme, user and host, with the separator behind: `https://github.com/`, `git@host:`.
    pub host: String,
    /// The repository's path on the host.
    pub repository: String,
    /// The directory inside the repository; empty for its top.
    pub path: String,
    /// Branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// How long fetching may take.
    pub timeout: Duration,
    /// Fetch submodules too.
    pub submodules: bool,
}

impl RepositorySpec {
    /// Reads a reference to a repository; `None` when it is a path or anything else.
    pub fn parse(raw: &str) -> Option<Self> {
        if raw.starts_with('/') {
            return None;
        }
        let (location, query) = raw.split_once('?').unwrap_or((raw, ""));
        let location = location.strip_prefix("git::").unwrap_or(location);
        let (host, rest) = split_host(location)?;
        let (repository, path) = split_path(&rest, host == "file://")?;
        if repository.is_empty() || leaves(&path) {
            return None;
        }
        let mut spec = Self {
            raw: raw.to_owned(),
            host,
            repository,
            path: path.trim_end_matches('/').to_owned(),
            reference: String::new(),
            timeout: DEFAULT_TIMEOUT,
            submodules: true,
        };
        spec.read_query(query);
        Some(spec)
    }

    /// What to clone.
    pub fn clone_url(&self) -> String {
        format!("{}{}", self.host, self.repository)
    }

    fn read_query(&mut self, query: &str) {
        let values: Vec<(String, String)> = query.split('&').filter_map(parameter).collect();
        let value = |wanted: &str| values.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
        let named = value("ref").filter(|text| !text.is_empty()).or_else(|| value("version"));
        self.reference = named.unwrap_or_default().to_owned();
        if let Some(timeout) = value("timeout").and_then(parse_timeout) {
            self.timeout = timeout;
        }
        match value("submodules") {
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => self.submodules = true,
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => self.submodules = false,
            _ => {}
        }
    }
}

/// One `key=value` of a query, decoded; what cannot be decoded is passed over, as Go does.
fn parameter(pair: &str) -> Option<(String, String)> {
    if pair.contains(';') {
        return None;
    }
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((decode(key)?, decode(value)?))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Whole seconds, or a duration as Go writes it (`1m30s`).
fn parse_timeout(text: &str) -> Option<Duration> {
    let seconds = if let Ok(seconds) = text.parse::<u32>() { f64::from(seconds) } else { go_duration(text)? };
    Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero())
}

fn go_duration(text: &str) -> Option<f64> {
    let (mut rest, mut seconds) = (text.strip_prefix('+').unwrap_or(text), 0.0);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, behind) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?;
        let (unit, after) =
            behind.split_at(behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len()));
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    Some(seconds)
}

/// Whether a path leads out of the directory it starts in.
fn leaves(path: &str) -> bool {
    let cleaned = crate::fs::clean(path.trim_start_matches('/'));
    cleaned == ".." || cleaned.starts_with("../")
}

const SCHEMES: [&str; 4] = ["https://", "http://", "ssh://", "file://"];

/// The host with everything before the repository's path, and the rest.
fn split_host(location: &str) -> Option<(String, String)> {
    let starts = |text: &str, start: &str| {
        text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
    };
    let scheme = SCHEMES.into_iter().find(|scheme| starts(location, scheme));
    let location = location.get(scheme.map_or(0, str::len)..)?;
    let (user, rest) = split_user(location);
    let is_github = starts(rest, "github.com/") || starts(rest, "github.com:");
    // `user@host:path`, which has no scheme.
    let is_scp = scheme.is_none() && (!user.is_empty() || is_github);
    match scheme {
        None if !is_scp => return None,
        Some("file://") => return Some(("file://".to_owned(), location.to_owned())),
        _ => {}
    }
    let slash = rest.find('/');
    let colon = rest.find(':').filter(|at| is_scp && *at > 0);
    let separator = match (slash, colon) {
        (Some(slash), Some(colon)) => slash.min(colon),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => rest.len().checked_sub(1)?,
    };
    let (host, path) = rest.split_at_checked(separator + 1)?;
    // Every way to write GitHub is one of two.
    if is_github && (scheme == Some("ssh://") || !user.is_empty()) {
        return Some((format!("{user}github.com:"), path.to_owned()));
    }
    if is_github {
        return Some(("https://github.com/".to_owned(), path.to_owned()));
    }
    Some((format!("{}{user}{host}", scheme.unwrap_or_default()), path.to_owned()))
}

/// A user name with its `@`, and what is behind.
fn split_user(location: &str) -> (&str, &str) {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match location.split_once('@') {
        Some((name, _)) if is_name(name) => location.split_at(name.len() + 1),
        _ => ("", location),
    }
}

/// The repository and the directory in it.
fn split_path(path: &str, is_file: bool) -> Option<(String, String)> {
    let split = |repository: &str, directory: &str| {
        let directory = directory.strip_prefix('/').unwrap_or(directory);
        Some((repository.to_owned(), directory.to_owned()))
    };
    if let Some(at) = path.find("_git/") {
        let start = at + "_git/".len();
        let end = path.get(start..)?.find('/').map_or(path.len(), |slash| start + slash);
        return split(path.get(..end)?, path.get(end..)?);
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return split(repository, directory);
    }
    if let Some(at) = path.find(".git") {
        let end = at + ".git".len();
        return split(path.get(..end)?, path.get(end..)?);
    }
    if is_file {
        return split(path, "");
    }
    let second = path.match_indices('/').nth(1).map_or(path.len(), |(at, _)| at);
    let repository = path.get(..second)?;
    if repository.contains('/') { split(repository, path.get(second..).unwrap_or_default()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_paths() {
        for path in [
            "../base",
            "base",
            "./a/b",
            "/abs",
            "a/b/c",
            "https://host/file",
            "github.com",
            "github.com/org",
            "host:org/repo",
            "user:pw@host:x/y",
            "https://host/a/b//../c",
            "https://host/o/r/../x",
            "www.github.com/org/repo",
            "s3://bucket/x/y",
            "git://host/x/y",
            "git@github.com:",
            "git::host/org/repo",
            "git::git::https://host/o/r",
            "git@host:org",
            "ssh://h",
            "../x@h:o/r",
            "foo/x@h:o/r",
        ] {
            assert_eq!(RepositorySpec::parse(path), None, "{path}");
        }
    }

    /// What the real kustomize gives to `git fetch`, and the directory it then looks for.
    #[test]
    fn the_forms_of_repositories() {
        let cases = [
            ("github.com/org/repo//path?ref=x", "https://github.com/org/repo", "path", "x"),
            ("https://host/repo.git//path?ref=a", "https://host/repo.git", "path", "a"),
            ("https://host/repo.git?version=b", "https://host/repo.git", "", "b"),
            ("git::https://host/x/y//z", "https://host/x/y", "z", ""),
            ("git@host:org/repo", "git@host:org/repo", "", ""),
            ("git::git@host:org/repo.git//a?ref=b", "git@host:org/repo.git", "a", "b"),
            ("https://host/a/b/c/d", "https://host/a/b", "c/d", ""),
            ("ssh://git@host:22/org/repo.git/sub", "ssh://git@host:22/org/repo.git", "sub", ""),
            ("git::ssh://h/o/r", "ssh://h/o/r", "", ""),
            ("git@github.com/org/repo", "git@github.com:org/repo", "", ""),
            ("http://github.com/org/repo", "https://github.com/org/repo", "", ""),
            ("HTTPS://GitHub.com/org/repo", "https://github.com/org/repo", "", ""),
            ("ssh://github.com/org/repo", "github.com:org/repo", "", ""),
            ("ssh://git@github.com:22/org/repo", "git@github.com:org/repo", "", ""),
            ("file:///srv/repo.git", "file:///srv/repo.git", "", ""),
            ("file:///srv/repo//sub", "file:///srv/repo", "sub", ""),
            ("file:///srv/repo", "file:///srv/repo", "", ""),
            ("https://host/org/_git/repo/dir", "https://host/org/_git/repo", "dir", ""),
            ("org-12345@github.com:org/repo", "org-12345@github.com:org/repo", "", ""),
            ("https://user:pw@host/x/y", "https://user:pw@host/x/y", "", ""),
            ("https://u:p@github.com/org/repo", "https://u:p@github.com/org/repo", "", ""),
            ("https://u@github.com/org/repo", "u@github.com:org/repo", "", ""),
            ("https://gitlab.com/a/b/c/d//e", "https://gitlab.com/a/b/c/d", "e", ""),
            ("https://host/a/b.gitx/c", "https://host/a/b.git", "x/c", ""),
            ("a@b/c/d", "a@b/c/d", "", ""),
            ("https://host//x", "https://host//x", "", ""),
            ("git@host:/org/repo", "git@host:/org", "repo", ""),
            ("git@host:22/org/repo", "git@host:22/org", "repo", ""),
            ("git@host:org.git", "git@host:org.git", "", ""),
            ("git@[::1]:o/r", "git@[::1]:o/r", "", ""),
            ("ssh://git@[::1]:22/o/r", "ssh://git@[::1]:22/o/r", "", ""),
            ("ssh://git@host/~me/repo", "ssh://git@host/~me/repo", "", ""),
            ("github.com:org/repo", "https://github.com/org/repo", "", ""),
            ("https://www.github.com/org/repo", "https://www.github.com/org/repo", "", ""),
            ("https://host/o/r?ref=a&ref=b", "https://host/o/r", "", "a"),
            ("https://host/o/r?ref=&version=v", "https://host/o/r", "", "v"),
            ("https://host/o/r?ref=a%2Fb", "https://host/o/r", "", "a/b"),
            ("https://host/o/r?ref=x%zz", "https://host/o/r", "", ""),
            ("https://host/o/r?ref=x;version=y", "https://host/o/r", "", ""),
            ("https://host/o/r#frag", "https://host/o/r#frag", "", ""),
            ("https://host/o/r/", "https://host/o/r", "", ""),
            ("https://host/o/r//a/b/", "https://host/o/r", "a/b", ""),
            ("https://host/a.git/b.git//c", "https://host/a.git/b.git", "c", ""),
        ];
        for (raw, clone, path, reference) in cases {
            let spec = RepositorySpec::parse(raw).unwrap_or_else(|| panic!("{raw}"));
            assert_eq!((&*spec.clone_url(), &*spec.path, &*spec.reference), (clone, path, reference), "{raw}");
        }
    }

    #[test]
    fn query_values() {
        let spec = RepositorySpec::parse("https://h/o/r?ref=a&timeout=2m&submodules=false").unwrap();
        assert_eq!((spec.timeout, spec.submodules), (Duration::from_secs(120), false));
        let timeout = |text: &str| RepositorySpec::parse(&format!("https://h/o/r?timeout={text}")).unwrap().timeout;
        assert_eq!((timeout("5"), timeout("1m30.5s")), (Duration::from_secs(5), Duration::from_millis(90_500)));
        let submodules = |text: &str| RepositorySpec::parse(&format!("https://h/o/r?{text}")).unwrap().submodules;
        assert_eq!(
            ["submodules=0", "submodules=False", "submodules=x", "submodules=", "x=y"].map(submodules),
            [false, false, true, true, true]
        );
        assert_eq!(RepositorySpec::parse("https://h/o/r?timeout=x").unwrap().timeout, DEFAULT_TIMEOUT);
    }
}
