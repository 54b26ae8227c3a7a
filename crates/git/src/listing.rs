//! What a remote says it has: references, the commits behind annotated tags, and what it can do.

use std::collections::{BTreeMap, BTreeSet};

/// A remote's references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Object by full reference name (`refs/heads/main`).
    pub references: BTreeMap<String, String>,
    /// Commit by name of an annotated tag.
    pub peeled: BTreeMap<String, String>,
    /// Capabilities.
    pub capabilities: BTreeSet<String>,
}

impl Listing {
    /// Takes in one line of an advertisement: `<oid> <name>[\0<capabilities>]`. Says why a line cannot be one.
    pub fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|_| "a reference name is not UTF-8".to_owned())?;
        let text = text.trim_end_matches('\n');
        let (text, capabilities) = text.split_once('\0').unwrap_or((text, ""));
        self.capabilities.extend(capabilities.split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
        if text.starts_with("shallow ") {
            return Ok(());
        }
        let (oid, name) = text.split_once(' ').ok_or_else(|| "a reference has no name".to_owned())?;
        if !is_oid(oid) {
            let format = self.capabilities.iter().find_map(|word| word.strip_prefix("object-format="));
            return Err(match format {
                Some(format) if format != "sha1" => format!("repositories of object format {format} are not supported"),
                _ => "a reference has no object id".to_owned(),
            });
        }
        match name.strip_suffix("^{}") {
            Some("capabilities") => {}
            Some(tag) => {
                self.peeled.insert(tag.to_owned(), oid.to_owned());
            }
            None => {
                self.references.insert(name.to_owned(), oid.to_owned());
            }
        }
        Ok(())
    }

    /// The commit a reference leads to.
    pub fn commit(&self, reference: &str) -> Option<&str> {
        self.peeled.get(reference).or_else(|| self.references.get(reference)).map(String::as_str)
    }

    /// Whether the server has the capability.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }
}

/// Whether the text is the id of an object in a SHA-1 repository.
pub fn is_oid(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advertisements_are_read() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let mut listing = Listing::default();
        listing.add(format!("{one} HEAD\0side-band-64k shallow object-format=sha1\n").as_bytes()).unwrap();
        listing.add(format!("{one} refs/heads/main\n").as_bytes()).unwrap();
        listing.add(format!("{two} refs/tags/v1\n").as_bytes()).unwrap();
        listing.add(format!("{one} refs/tags/v1^{{}}\n").as_bytes()).unwrap();
        assert_eq!(listing.commit("refs/tags/v1"), Some(one.as_str()));
        assert_eq!(listing.references["refs/tags/v1"], two);
        assert!(listing.can("shallow") && !listing.can("ofs-delta"));
        for bad in ["", "x refs/heads/main", "1111 refs/heads/main"] {
            assert!(listing.add(bad.as_bytes()).is_err(), "{bad}");
        }
        let mut sha256 = Listing::default();
        let error = sha256.add(format!("{} HEAD\0object-format=sha256", "a".repeat(64)).as_bytes()).unwrap_err();
        assert_eq!(error, "repositories of object format sha256 are not supported");
        let mut empty = Listing::default();
        empty.add(format!("{} capabilities^{{}}\0shallow", "0".repeat(40)).as_bytes()).unwrap();
        assert!(empty.references.is_empty() && empty.peeled.is_empty());
    }
}
