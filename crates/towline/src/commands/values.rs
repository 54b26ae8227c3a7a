//! The flags by which Helm's commands take values.

use std::collections::BTreeMap;
use std::io::Read as _;

use fs_err as fs;
use helm::values::{ValuesFile, ValuesOptions};

use crate::error::{Error, Result};

/// Helm's values flags; later kinds win over earlier ones.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ValuesArguments {
    /// Values from a YAML file, or from standard input when `-`; later files win.
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    values: Vec<String>,
    /// Values as key1=value1,key2=value2.
    #[arg(long, value_name = "VALUES")]
    set: Vec<String>,
    /// Values that are always strings.
    #[arg(long, value_name = "VALUES")]
    set_string: Vec<String>,
    /// Values that are JSON, as key=json or as an object.
    #[arg(long, value_name = "VALUES")]
    set_json: Vec<String>,
    /// Values read from files, as key=path.
    #[arg(long, value_name = "VALUES")]
    set_file: Vec<String>,
    /// One value that is taken as it is.
    #[arg(long, value_name = "VALUE")]
    set_literal: Vec<String>,
}

impl ValuesArguments {
    /// Reads every file that the flags name.
    pub(crate) fn read(&self) -> Result<ValuesOptions> {
        let mut files = Vec::new();
        for name in &self.values {
            files.push(ValuesFile { name: name.clone(), content: read(name)? });
        }
        let mut set_file_contents = BTreeMap::new();
        for path in self.set_file.iter().flat_map(|text| paths(text)) {
            // A path that cannot be read is reported where it is used, in Helm's words.
            if let Ok(content) = fs::read(path) {
                set_file_contents.insert(path.to_owned(), String::from_utf8_lossy(&content).into_owned());
            }
        }
        Ok(ValuesOptions {
            files,
            set_json: self.set_json.clone(),
            set: self.set.clone(),
            set_string: self.set_string.clone(),
            set_file: self.set_file.clone(),
            set_file_contents,
            set_literal: self.set_literal.clone(),
        })
    }
}

fn read(name: &str) -> Result<Vec<u8>> {
    if name.trim() == "-" {
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content).map_err(Error::File)?;
        return Ok(content);
    }
    fs::read(name).map_err(|error| {
        Error::Chart(match error.kind() {
            std::io::ErrorKind::NotFound => format!("open {name}: no such file or directory"),
            std::io::ErrorKind::IsADirectory => format!("read {name}: is a directory"),
            std::io::ErrorKind::PermissionDenied => format!("open {name}: permission denied"),
            _ => error.to_string(),
        })
    })
}

/// The paths of a `--set-file` value.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter_map(|pair| pair.split_once('=').map(|(_, path)| path))
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn every_path_of_a_set_file_value_is_found() {
        assert_eq!(paths("a=x.txt,b.c=dir/y").collect::<Vec<_>>(), ["x.txt", "dir/y"]);
        assert_eq!(paths("nothing").count(), 0);
    }
}
