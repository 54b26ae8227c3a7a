//! Reading a repository's index as a stream, and storing it so that one chart can be found without reading the rest.
//!
//! The stored form is JSON with one chart a line. Memory is bounded by the largest chart's entry, not by the index.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

use serde::Deserialize as _;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::split;

/// Why an index is refused.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Nothing in it.
    #[error("empty index.yaml file")]
    Empty,
    /// It has no apiVersion.
    #[error("no API version specified")]
    NoApiVersion,
    /// Not YAML or JSON of the right form.
    #[error("{0}")]
    Invalid(String),
    /// The same chart twice.
    #[error("chart '{0}' is in the index twice")]
    Duplicate(String),
    /// A file cannot be read or written.
    #[error("cannot read or write the index")]
    Io(#[from] io::Error),
}

/// Where each chart's entry lies in the stored index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexTable {
    entries: HashMap<Box<str>, (u64, u32)>,
}

/// First bytes of an index as we store it.
const HEADER: &str = "{\"apiVersion\":\"v1\",\"entries\":{";
/// Last bytes.
const FOOTER: &str = "\n}}\n";

impl IndexTable {
    /// How many charts there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads the table of a stored index.
    pub fn scan(mut stored: impl BufRead) -> Result<Self, IndexError> {
        let foreign = || IndexError::Invalid("the stored index is not in our form".to_owned());
        let mut header = vec![0; HEADER.len()];
        stored.read_exact(&mut header)?;
        if header != HEADER.as_bytes() {
            return Err(foreign());
        }
        let mut table = Self::default();
        let mut offset = HEADER.len() as u64;
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = stored.read_until(b'\n', &mut line)?;
            if count == 0 {
                return Ok(table);
            }
            let content = line.strip_suffix(b"\n").unwrap_or(&line);
            let content = content.strip_suffix(b",").unwrap_or(content);
            if content.starts_with(b"\"") {
                let mut names = serde_json::Deserializer::from_slice(content);
                let name = String::deserialize(&mut names).map_err(|_| foreign())?;
                let start = content.iter().position(|byte| *byte == b'[').ok_or_else(foreign)?;
                let length = u32::try_from(content.len() - start).map_err(|_| foreign())?;
                table.entries.insert(name.into(), (offset + start as u64, length));
            }
            offset += count as u64;
        }
    }

    /// The chart's entry: a JSON list of versions.
    pub fn read(&self, mut stored: impl Read + Seek, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some((offset, length)) = self.entries.get(name) else { return Ok(None) };
        stored.seek(SeekFrom::Start(*offset))?;
        let mut entry = Vec::with_capacity(*length as usize);
        stored.take(u64::from(*length)).read_to_end(&mut entry)?;
        Ok(Some(entry))
    }
}

/// Whether a stored index is in our form (an upstream controller before us stored it in another).
pub fn is_ours(stored: &mut impl Read) -> bool {
    let mut header = vec![0; HEADER.len()];
    stored.read_exact(&mut header).is_ok() && header == HEADER.as_bytes()
}

/// Writes the stored form entry by entry.
pub(crate) struct IndexWriter<W> {
    target: W,
    offset: u64,
    table: IndexTable,
    names: HashSet<String>,
}

impl<W: Write> IndexWriter<W> {
    fn start(mut target: W) -> io::Result<Self> {
        target.write_all(HEADER.as_bytes())?;
        Ok(Self { target, offset: HEADER.len() as u64, table: IndexTable::default(), names: HashSet::new() })
    }

    /// Adds one chart; versions that are not usable are left out, as Helm leaves them out.
    pub(crate) fn add(&mut self, name: &str, versions: Value) -> Result<(), IndexError> {
        if !self.names.insert(name.to_owned()) {
            return Err(IndexError::Duplicate(name.to_owned()));
        }
        let versions = match versions {
            Value::Array(versions) => versions,
            Value::Null => Vec::new(),
            _ => return Err(IndexError::Invalid(format!("entry '{name}' is not a list of chart versions"))),
        };
        let mut usable = Vec::with_capacity(versions.len());
        for version in versions {
            match version {
                Value::Object(fields) if is_usable(&fields) => usable.push(Value::Object(fields)),
                Value::Object(_) | Value::Null => {}
                _ => return Err(IndexError::Invalid(format!("entry '{name}' has a version that is not a mapping"))),
            }
        }
        let first = if self.table.entries.is_empty() { "\n" } else { ",\n" };
        let key = format!("{first}{}:", Value::String(name.to_owned()));
        let list = serde_json::to_vec(&usable).map_err(io::Error::from)?;
        let length =
            u32::try_from(list.len()).map_err(|_| IndexError::Invalid(format!("entry '{name}' is too large")))?;
        self.target.write_all(key.as_bytes())?;
        self.target.write_all(&list)?;
        let start = self.offset + key.len() as u64;
        self.table.entries.insert(name.into(), (start, length));
        self.offset = start + u64::from(length);
        Ok(())
    }

    fn finish(mut self) -> Result<IndexTable, IndexError> {
        self.target.write_all(FOOTER.as_bytes())?;
        Ok(self.table)
    }
}

/// A version needs a name and a semantic version, without which it can never be chosen.
fn is_usable(fields: &serde_json::Map<String, Value>) -> bool {
    let text = |key: &str| match fields.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        // YAML reads an unquoted `1.0` as a number.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    text("name").is_some_and(|name| !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..")
        && text("version").is_some_and(|text| version::Version::parse(&text).is_ok())
}

/// Reads an index in YAML or JSON and writes it in the stored form.
pub fn convert(mut input: impl BufRead, target: impl Write) -> Result<IndexTable, IndexError> {
    let mut writer = IndexWriter::start(target)?;
    let start = loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Err(IndexError::Empty);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match buffer.get(blank) {
            Some(byte) => break *byte,
            None => input.consume(blank),
        }
    };
    let has_version =
        if start == b'{' { read_json(input, &mut writer)? } else { split::read_yaml(input, &mut writer)? };
    if !has_version {
        return Err(IndexError::NoApiVersion);
    }
    writer.finish()
}

fn read_json<W: Write>(input: impl BufRead, writer: &mut IndexWriter<W>) -> Result<bool, IndexError> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let outcome = Document { writer, failure: &mut failure }
        .deserialize(&mut deserializer)
        .and_then(|has_version| deserializer.end().map(|()| has_version));
    match (failure, outcome) {
        (Some(error), _) => Err(error),
        (None, Ok(has_version)) => Ok(has_version),
        (None, Err(error)) => Err(IndexError::Invalid(format!("the index is not valid JSON: {error}"))),
    }
}

/// The whole document, visited key by key.
struct Document<'a, W> {
    writer: &'a mut IndexWriter<W>,
    failure: &'a mut Option<IndexError>,
}

impl<'de, W: Write> DeserializeSeed<'de> for Document<'_, W> {
    type Value = bool;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Document<'_, W> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an index with apiVersion and entries")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut has_version = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "apiVersion" => has_version = !map.next_value::<String>()?.is_empty(),
                "entries" => map.next_value_seed(Entries { writer: &mut *self.writer, failure: &mut *self.failure })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(has_version)
    }
}

/// The map of charts, one at a time.
struct Entries<'a, W> {
    writer: &'a mut IndexWriter<W>,
    failure: &'a mut Option<IndexError>,
}

impl<'de, W: Write> DeserializeSeed<'de> for Entries<'_, W> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Entries<'_, W> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping of chart names to lists of versions")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let raw: Box<RawValue> = map.next_value()?;
            let versions = serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
            if let Err(error) = self.writer.add(&name, versions) {
                *self.failure = Some(error);
                return Err(de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn stored(text: &str) -> Result<(Vec<u8>, IndexTable), String> {
        let mut target = Vec::new();
        let table = convert(text.as_bytes(), &mut target).map_err(|error| error.to_string())?;
        Ok((target, table))
    }

    const YAML: &str = "apiVersion: v1\nentries:\n  # the first\n  web:\n  - apiVersion: v2\n    name: web\n    version: 1.0.0\n    description: \"folded\n      over lines: yes\"\n    urls: [web-1.0.0.tgz]\n  - null\n  - name: web\n    version: not.a.version\n  - name: web\n    version: 2.0\n  db:\n    - {name: db, version: 0.1.0, urls: [https://h/db.tgz]}\n  none: []\ngenerated: \"2020-01-01T00:00:00Z\"\n";

    #[test]
    fn yaml_and_json_give_the_same_table() {
        let (bytes, table) = stored(YAML).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["entries"]["web"].as_array().unwrap().len(), 2);
        assert_eq!(value["entries"]["web"][0]["description"], "folded over lines: yes");
        assert_eq!(value["entries"]["none"], serde_json::json!([]));
        assert_eq!(IndexTable::scan(bytes.as_slice()).unwrap(), table);
        assert!(is_ours(&mut bytes.as_slice()) && !is_ours(&mut YAML.as_bytes()));
        let entry = table.read(Cursor::new(&bytes), "db").unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&entry).unwrap()[0]["version"], "0.1.0");
        assert_eq!(table.read(Cursor::new(&bytes), "nope").unwrap(), None);

        // What we store is an index itself.
        let (again, table_again) = stored(&String::from_utf8(bytes.clone()).unwrap()).unwrap();
        assert_eq!((again, table_again), (bytes, table));
    }

    #[test]
    fn bad_indexes_are_refused() {
        let table = [
            ("", "empty index.yaml file"),
            (" \n\n", "empty index.yaml file"),
            ("{}", "no API version specified"),
            ("entries: {}\n", "no API version specified"),
            ("apiVersion: v1\nentries:\n  a: 1\n", "entry 'a' is not a list of chart versions"),
            ("apiVersion: v1\nentries:\n  a: [1]\n", "entry 'a' has a version that is not a mapping"),
            ("apiVersion: v1\nentries:\n  a: []\n  b: []\n  a: []\n", "chart 'a' is in the index twice"),
            ("{\"apiVersion\":\"v1\",\"entries\":{\"a\":[],\"a\":[]}}", "chart 'a' is in the index twice"),
        ];
        for (text, message) in table {
            assert_eq!(stored(text).unwrap_err(), message, "{text}");
        }
        for text in [
            "<html>not found</html>",
            "{\"apiVersion\":\"v1\",",
            "apiVersion: v1\nentries:\n  a:\n  - name: [\n",
            "apiVersion: v1\nentries:\n\ta: []\n",
            "apiVersion: v1\nentries: nonsense\n",
            "just text",
            "\u{0}\u{1}",
        ] {
            assert!(stored(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn empty_indexes_are_fine() {
        for text in ["apiVersion: v1\nentries: {}\n", "apiVersion: v1\nentries:\ngenerated: x\n", "apiVersion: v1\n"] {
            let (bytes, table) = stored(text).unwrap();
            assert!(table.is_empty());
            serde_json::from_slice::<Value>(&bytes).unwrap();
        }
    }
}
