//! The form of golden cases: command line flags, one a line; then files, each after a line `-- path --`; the last is
//! `expected`. A path that ends in `/` is an empty directory.

use std::path::{Path, PathBuf};

/// A case.
pub(crate) struct Case {
    pub(crate) flags: Vec<String>,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) expected: String,
}

/// Reads a case.
fn parse(text: &str) -> Case {
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
    pub(crate) fn write(&self, directory: &Path) {
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

/// Holds what we answer to each case below `testdata/FOLDER`, of which there are at least so many, against what is expected.
/// With `TOWLINE_HELM` the real Helm is asked first, and what is expected is written anew.
pub(crate) fn hold(
    folder: &str,
    least: usize,
    ours: impl Fn(&Case) -> String,
    theirs: impl Fn(&Path, &Case) -> String,
) {
    let helm = std::env::var_os("TOWLINE_HELM");
    let mut failures = String::new();
    let mut count = 0;
    for entry in fs_err::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let text = fs_err::read_to_string(&path).unwrap();
        let mut case = parse(&text);
        if let Some(helm) = &helm {
            case.expected = theirs(Path::new(helm), &case);
            let head = text.split("-- expected --\n").next().unwrap();
            fs_err::write(&path, format!("{head}-- expected --\n{}", case.expected)).unwrap();
        }
        count += 1;
        let found = ours(&case);
        if found != case.expected {
            let name = path.file_name().unwrap().to_string_lossy();
            failures.push_str(&format!("=== {name}\n--- expected\n{}--- found\n{found}\n", case.expected));
        }
    }
    assert!(count > least, "only {count} cases found");
    assert!(failures.is_empty(), "{failures}");
}
