//! The form of golden cases: command line flags, one a line; then files, each after a line `-- path --`; the last is
//! `expected`. A path that ends in `/` is an empty directory.

/// A case.
pub(crate) struct Case {
    pub(crate) flags: Vec<String>,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) expected: String,
}

/// Reads a case.
pub(crate) fn parse(text: &str) -> Case {
    let mut flags = Vec::new();
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            files.push((name.to_owned(), String::new()));
        } else if let Some((_, content)) = files.last_mut() {
            content.push_str(line);
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            flags.push(line.trim_end().to_owned());
        }
    }
    let mut expected = String::new();
    if files.last().is_some_and(|(name, _)| name == "expected") {
        expected = files.pop().unwrap().1;
    }
    Case { flags, files, expected }
}

impl Case {
    /// Lays the files out in a directory.
    pub(crate) fn write(&self, directory: &std::path::Path) {
        for (name, text) in &self.files {
            let path = directory.join(name);
            if name.ends_with('/') {
                fs_err::create_dir_all(path).unwrap();
                continue;
            }
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
    }
}
