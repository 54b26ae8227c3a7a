//! Cutting an index in block-style YAML into its charts, so that only one of them is parsed at a time.

use std::io::{BufRead, Read as _, Write};

use serde_json::Value;

use crate::index::{IndexError, IndexWriter};

/// Largest index that is parsed as a whole because it is not in block style.
const WHOLE: usize = 8 << 20;
/// Largest part of one: a chart with thousands of versions.
const PART: usize = 32 << 20;

/// Reads the document; says whether it has an apiVersion.
pub(crate) fn read_yaml<W: Write>(input: impl BufRead, writer: &mut IndexWriter<W>) -> Result<bool, IndexError> {
    let mut splitter = Splitter { writer, head: String::new(), part: String::new(), indent: None, place: Place::Top };
    let mut input = input;
    let mut line = String::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        number += 1;
        let count = (&mut input).take(PART as u64).read_line(&mut line).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => IndexError::Invalid(format!("line {number} is not UTF-8")),
            _ => IndexError::Io(error),
        })?;
        if count == 0 {
            break;
        }
        match splitter.line(&line)? {
            Step::Taken => {}
            Step::NotBlockStyle => {
                let mut whole = std::mem::take(&mut splitter.head);
                whole.push_str(&line);
                let room = WHOLE.saturating_sub(whole.len()) as u64;
                let rest = (&mut input).take(room + 1).read_to_string(&mut whole)?;
                if rest as u64 > room {
                    return Err(IndexError::Invalid(format!(
                        "line {number}: 'entries' is not in block style, which is read up to {WHOLE} bytes only"
                    )));
                }
                return read_whole(&whole, splitter.writer);
            }
        }
    }
    splitter.end_part()?;
    let head = parse(&splitter.head)?;
    if !head.is_object() && !head.is_null() {
        return Err(IndexError::Invalid("the index is not a mapping".to_owned()));
    }
    Ok(has_version(&head))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Entries,
}

enum Step {
    Taken,
    NotBlockStyle,
}

struct Splitter<'a, W> {
    writer: &'a mut IndexWriter<W>,
    /// Everything outside of `entries`.
    head: String,
    /// The chart being collected.
    part: String,
    indent: Option<usize>,
    place: Place,
}

impl<W: Write> Splitter<'_, W> {
    fn line(&mut self, line: &str) -> Result<Step, IndexError> {
        let content = line.trim_end_matches(['\n', '\r']);
        let indent = content.len() - content.trim_start_matches(' ').len();
        let text = content.get(indent..).unwrap_or_default();
        let is_blank = text.is_empty() || text.starts_with('#');
        if self.place == Place::Entries && !is_blank && indent == 0 {
            if text == "-" || text.starts_with("- ") {
                return Err(IndexError::Invalid("'entries' is a list and must be a mapping".to_owned()));
            }
            self.end_part()?;
            self.place = Place::Top;
        }
        match self.place {
            Place::Top => {
                if let Some(rest) = content.strip_prefix("entries:") {
                    let rest = rest.split(" #").next().unwrap_or_default().trim();
                    if !rest.is_empty() && rest != "{}" && rest != "null" && rest != "~" {
                        return Ok(Step::NotBlockStyle);
                    }
                    if rest.is_empty() {
                        self.place = Place::Entries;
                        self.indent = None;
                    }
                    return Ok(Step::Taken);
                }
                add(&mut self.head, line, "the part outside of 'entries'")?;
            }
            Place::Entries => {
                // The first chart decides how far all of them are indented.
                if self.indent.is_none() && !is_blank {
                    self.indent = Some(indent);
                }
                let expected = self.indent.unwrap_or(indent);
                if !is_blank && indent < expected {
                    return Err(IndexError::Invalid(format!(
                        "{:?} is indented less than the charts before it",
                        shown(text)
                    )));
                }
                let is_item = text == "-" || text.starts_with("- ");
                if !is_blank && indent == expected && !is_item {
                    self.end_part()?;
                }
                add(&mut self.part, line, "one chart's entry")?;
            }
        }
        Ok(Step::Taken)
    }

    fn end_part(&mut self) -> Result<(), IndexError> {
        let part = std::mem::take(&mut self.part);
        if part.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(());
        }
        match parse(&part)? {
            Value::Object(charts) => {
                charts.into_iter().try_for_each(|(name, versions)| self.writer.add(&name, versions))
            }
            _ => Err(IndexError::Invalid(format!("{:?} is not a chart's entry", shown(part.trim())))),
        }
    }
}

fn add(target: &mut String, line: &str, what: &str) -> Result<(), IndexError> {
    if target.len() + line.len() > PART {
        return Err(IndexError::Invalid(format!("{what} is larger than {PART} bytes")));
    }
    target.push_str(line);
    Ok(())
}

fn read_whole<W: Write>(text: &str, writer: &mut IndexWriter<W>) -> Result<bool, IndexError> {
    let mut document = parse(text)?;
    match document.get_mut("entries").map(Value::take) {
        None | Some(Value::Null) => {}
        Some(Value::Object(charts)) => {
            for (name, versions) in charts {
                writer.add(&name, versions)?;
            }
        }
        Some(_) => return Err(IndexError::Invalid("'entries' must be a mapping".to_owned())),
    }
    Ok(has_version(&document))
}

fn has_version(document: &Value) -> bool {
    document.get("apiVersion").is_some_and(|version| version.as_str().is_some_and(|text| !text.is_empty()))
}

/// Parses strictly: a key that comes twice is an error.
fn parse(text: &str) -> Result<Value, IndexError> {
    let invalid = |error: &dyn std::fmt::Display| IndexError::Invalid(format!("the index is not valid YAML: {error}"));
    let value = yaml::v2::unmarshal_strict(text.as_bytes()).map_err(|error| invalid(&error))?;
    let json = yaml::v2::to_json(&value);
    serde_json::from_str(&json).map_err(|error| invalid(&error))
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
