//! `.helmignore`: one file pattern per line. A `!` does not re-include as in Git: everything that does not match is ignored.

use super::super::glob::{PathPattern, PatternError};

/// Helm's limit is memory; ours is a number of rules no one writes.
const MOST_RULES: usize = 10_000;

/// The rules of one `.helmignore` file.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: PathPattern,
    negate: bool,
    directories_only: bool,
    /// Match the whole path instead of the last element.
    whole_path: bool,
}

impl Rules {
    /// Reads the rules.
    ///
    /// # Errors
    /// With Helm's wording when a pattern is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        for (number, line) in text.split('\n').enumerate() {
            let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { line };
            rules.add(line)?;
        }
        Ok(rules)
    }

    /// Adds Helm's built-in rule: hidden files below `templates/`.
    pub fn add_defaults(&mut self) {
        // The pattern is valid, so this cannot fail.
        let _ = self.add("templates/.?*");
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let line = crate::go_text::trim_space(line);
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".into());
        }
        if self.rules.len() >= MOST_RULES {
            return Err(format!(".helmignore has more than {MOST_RULES} rules"));
        }
        // Like Helm, the line is tried against a fixed word, so an error later in the pattern may go unnoticed.
        PathPattern::new(line).matches("abc").map_err(|PatternError| "syntax error in pattern".to_owned())?;
        let (negate, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directories_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let (whole_path, line) = match line.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (line.contains('/'), line),
        };
        self.rules.push(Rule { pattern: PathPattern::new(line), negate, directories_only, whole_path });
        Ok(())
    }

    /// Whether the rules leave this path out.
    #[must_use]
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        for rule in &self.rules {
            let name = if rule.whole_path { path } else { crate::go_text::base_name(path) };
            let matches = || rule.pattern.matches(name).unwrap_or(false);
            if rule.negate {
                if (rule.directories_only && !is_directory) || !matches() {
                    return true;
                }
            } else if (is_directory || !rule.directories_only) && matches() {
                return true;
            }
        }
        false
    }

    /// Whether the rules leave out this file, itself or with a directory above it.
    #[must_use]
    pub fn ignores_file_or_parent(&self, path: &str) -> bool {
        path.match_indices('/').any(|(end, _)| self.ignores(path.get(..end).unwrap_or_default(), true))
            || self.ignores(path, false)
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn rules_decide_as_helm_does() {
        for (rules, path, directory, ignored) in [
            ("*.txt", "a/b.txt", false, true),
            ("/*.txt", "a/b.txt", false, false),
            ("/*.txt", "b.txt", false, true),
            ("a/*.txt", "a/b.txt", false, true),
            ("docs/", "docs", true, true),
            ("docs/", "docs", false, false),
            ("docs/", "docs/readme", false, true),
            ("# comment\n\n*.md", "README.md", false, true),
            ("!*.yaml", "a.txt", false, true),
            ("!*.yaml", "a.yaml", false, false),
            ("[a-c].yaml", "b.yaml", false, true),
            ("[^a-c].yaml", "b.yaml", false, false),
            ("", "templates/.hidden", false, true),
            ("", "templates/shown", false, false),
            (".*", ".", true, false),
        ] {
            let mut parsed = Rules::parse(rules).unwrap();
            parsed.add_defaults();
            let found = if directory { parsed.ignores(path, true) } else { parsed.ignores_file_or_parent(path) };
            assert_eq!(found, ignored, "{rules:?} {path}");
        }
        assert!(Rules::parse("a/**/b").is_err());
        assert!(Rules::parse("a[").is_err());
    }
}
