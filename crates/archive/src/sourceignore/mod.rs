//! `.sourceignore` patterns as Flux matches them.
//!
//! Close to gitignore, with differences that users' repositories rely on: the last matching pattern of the whole list wins,
//! a file below an excluded directory can be included again, and a segment such as `a**` in a pattern with a slash matches nothing.

mod glob;
mod pattern;

pub use pattern::{MatchResult, Pattern};

/// The file that holds patterns for the directory it lies in.
pub const IGNORE_FILE: &str = ".sourceignore";

/// Left out always.
const VERSION_CONTROL: &[&str] = &[".git/", ".gitignore", ".gitmodules", ".gitattributes"];

/// Left out when neither the repository nor the object gives a pattern.
const DEFAULTS: &[&str] = &[
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// Longest line that is read; a longer one ends the reading of its file, as with Go's line scanner.
const LONGEST_LINE: usize = 64 << 10;

/// The patterns for version control files, which always apply.
pub fn version_control_patterns<S: AsRef<str>>(domain: &[S]) -> Vec<Pattern> {
    VERSION_CONTROL.iter().map(|text| Pattern::parse(text.as_bytes(), domain)).collect()
}

/// The patterns that apply where none are given.
pub fn default_patterns<S: AsRef<str>>(domain: &[S]) -> Vec<Pattern> {
    DEFAULTS.iter().map(|text| Pattern::parse(text.as_bytes(), domain)).collect()
}

/// The patterns of an ignore file's text that lies in the directory `domain` (empty: the root).
pub fn read_patterns<S: AsRef<str>>(text: &[u8], domain: &[S]) -> Vec<Pattern> {
    text.split(|byte| *byte == b'\n')
        .take_while(|line| line.len() < LONGEST_LINE)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.starts_with(b"#") && !is_blank(line))
        .map(|line| Pattern::parse(line, domain))
        .collect()
}

/// Whether the line has nothing but white space (Unicode's, as Go sees it).
fn is_blank(line: &[u8]) -> bool {
    line.utf8_chunks().all(|chunk| chunk.invalid().is_empty() && chunk.valid().chars().all(char::is_whitespace))
}

/// A list of patterns, the later ones stronger.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    patterns: Vec<Pattern>,
}

impl Matcher {
    /// A matcher of exactly these patterns.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        Self { patterns }
    }

    /// The matcher that decides what enters an artifact: version control files are always left out, and the default lists
    /// apply only when no pattern is given.
    pub fn for_artifact(given: Vec<Pattern>) -> Self {
        let root: &[&str] = &[];
        let mut patterns = version_control_patterns(root);
        if given.is_empty() {
            patterns.extend(default_patterns(root));
        }
        patterns.extend(given);
        Self { patterns }
    }

    /// Whether the path, given by its elements from the root, is left out.
    pub fn is_ignored<S: AsRef<[u8]>>(&self, path: &[S], is_directory: bool) -> bool {
        self.patterns
            .iter()
            .rev()
            .map(|pattern| pattern.matches(path, is_directory))
            .find(|result| *result != MatchResult::NoMatch)
            == Some(MatchResult::Exclude)
    }

    /// [`Matcher::is_ignored`] for a path written with slashes.
    pub fn is_path_ignored(&self, path: &str, is_directory: bool) -> bool {
        let elements: Vec<&str> = path.split('/').collect();
        self.is_ignored(&elements, is_directory)
    }
}
