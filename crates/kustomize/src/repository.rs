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
        let is_file = host == "file://";
        let (repository, path) = split_path(&rest, is_file)?;
        if repository.is_empty() || path == ".." || path.starts_with("../") {
            return None;
        }
        let mut spec = Self {
            raw: raw.to_owned(),
            host,
            repository,
            path,
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
        let values = |wanted: &str| {
            query
                .split('&')
                .filter_map(move |pair| pair.split_once('='))
                .find(|(key, _)| *key == wanted)
                .map(|(_, v)| v.to_owned())
        };
        self.reference =
            values("ref").filter(|text| !text.is_empty()).or_else(|| values("version")).unwrap_or_default();
        if let Some(timeout) = values("timeout").and_then(|text| parse_timeout(&text)) {
            self.timeout = timeout;
        }
        if let Some(submodules) = values("submodules") {
            self.submodules = matches!(submodules.as_str(), "1" | "t" | "T" | "TRUE" | "true" | "True");
        }
    }
}

/// Seconds, or a number with `ms`, `s`, `m` or `h`.
fn parse_timeout(text: &str) -> Option<Duration> {
    let seconds: f64 = if let Ok(seconds) = text.parse::<u32>() {
        f64::from(seconds)
    } else {
        let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at_checked(digits)?;
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        number.parse::<f64>().ok()? * factor
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero())
}

/// The host with everything before the repository's path, and the rest.
fn split_host(location: &str) -> Option<(String, String)> {
    let lower = location.to_ascii_lowercase();
    for scheme in ["https://", "http://", "ssh://", "file://"] {
        if !lower.starts_with(scheme) {
            continue;
        }
        let rest = location.get(scheme.len()..)?;
        if scheme == "file://" {
            return Some((scheme.to_owned(), rest.to_owned()));
        }
        let (authority, path) = rest.split_once('/')?;
        let (user, host) = split_user(authority);
        if host.is_empty() {
            return None;
        }
        if host.eq_ignore_ascii_case("github.com") && scheme != "ssh://" {
            return Some(("https://github.com/".to_owned(), path.to_owned()));
        }
        return Some((format!("{scheme}{user}{host}/"), path.to_owned()));
    }
    // scp form, or GitHub without a scheme.
    let (user, rest) = split_user_anywhere(location);
    for prefix in ["github.com:", "github.com/"] {
        if rest.to_ascii_lowercase().starts_with(prefix) {
            let path = rest.get(prefix.len()..)?.to_owned();
            let host = if user.is_empty() { "https://github.com/".to_owned() } else { format!("{user}github.com:") };
            return Some((host, path));
        }
    }
    if user.is_empty() {
        return None;
    }
    let (host, path) = rest.split_once(':')?;
    (!host.is_empty() && !host.contains('/')).then(|| (format!("{user}{host}:"), path.to_owned()))
}

fn split_user(authority: &str) -> (String, &str) {
    match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    }
}

fn split_user_anywhere(location: &str) -> (String, &str) {
    match location.split_once('@') {
        Some((user, rest)) if !user.is_empty() && !user.contains(['/', ':']) => (format!("{user}@"), rest),
        _ => (String::new(), location),
    }
}

/// The repository and the directory in it.
fn split_path(path: &str, is_file: bool) -> Option<(String, String)> {
    let trim = |text: &str| text.trim_matches('/').to_owned();
    if let Some(at) = path.find("_git/") {
        let start = at + "_git/".len();
        let end = path.get(start..)?.find('/').map_or(path.len(), |slash| start + slash);
        return Some((path.get(..end)?.to_owned(), trim(path.get(end..)?)));
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return Some((repository.to_owned(), trim(directory)));
    }
    if let Some(at) = path.find(".git") {
        let end = at + ".git".len();
        let rest = path.get(end..)?;
        if rest.is_empty() || rest.starts_with('/') {
            return Some((path.get(..end)?.to_owned(), trim(rest)));
        }
    }
    if is_file {
        return Some((path.to_owned(), String::new()));
    }
    let path = path.trim_end_matches('/');
    let second = path.match_indices('/').nth(1).map_or(path.len(), |(at, _)| at);
    let repository = path.get(..second)?;
    repository.contains('/').then(|| (repository.to_owned(), trim(path.get(second..).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_paths() {
        for path in ["../base", "base", "./a/b", "/abs", "a/b/c", "https://host/file", "github.com"] {
            assert_eq!(RepositorySpec::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_forms_of_repositories() {
        let cases = [
            ("https://github.com/org/repo/dir?ref=v1", "https://github.com/", "org/repo", "dir", "v1"),
            ("github.com/org/repo//a/b?version=x", "https://github.com/", "org/repo", "a/b", "x"),
            ("git@github.com:org/repo.git//a", "git@github.com:", "org/repo.git", "a", ""),
            ("ssh://git@host:22/org/repo.git/sub", "ssh://git@host:22/", "org/repo.git", "sub", ""),
            ("git::https://host/x/y//z", "https://host/", "x/y", "z", ""),
            ("https://host/org/_git/repo/dir", "https://host/", "org/_git/repo", "dir", ""),
            ("file:///srv/repo.git", "file://", "/srv/repo.git", "", ""),
            ("user@host:org/repo", "user@host:", "org/repo", "", ""),
        ];
        for (raw, host, repository, path, reference) in cases {
            let spec = RepositorySpec::parse(raw).unwrap_or_else(|| panic!("{raw}"));
            let found = (&*spec.host, &*spec.repository, &*spec.path, &*spec.reference);
            assert_eq!(found, (host, repository, path, reference), "{raw}");
        }
    }

    #[test]
    fn query_values() {
        let spec = RepositorySpec::parse("https://h/o/r?ref=a&timeout=2m&submodules=false").unwrap();
        assert_eq!((spec.timeout, spec.submodules), (Duration::from_secs(120), false));
        assert_eq!(RepositorySpec::parse("https://h/o/r?timeout=5").unwrap().timeout, Duration::from_secs(5));
        assert_eq!(RepositorySpec::parse("https://h/o/r?timeout=x").unwrap().timeout, DEFAULT_TIMEOUT);
    }
}
