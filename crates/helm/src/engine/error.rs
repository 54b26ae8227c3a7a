//! Errors of rendering, worded as Helm 4.2.4 words them.

use gotemplate::error::{ExecuteError, ParseError};
use gotemplate::function::FunctionError;

/// Marks where the text of `required` and `fail` begins inside a longer error.
pub(super) const START: &str = "HELM_ERR_START";
/// Marks where it ends.
pub(super) const END: &str = "HELM_ERR_END";

/// A template could not be parsed or executed. The text is Helm's; the fields tell where without reading it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Helm's text, possibly several lines.
    pub message: String,
    /// The template file, as far as known.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<usize>,
}

impl TemplateError {
    pub(super) fn parse(file: &str, error: &ParseError) -> Self {
        let text = error.to_string();
        let tokens: Vec<&str> = text.split(": ").collect();
        let (message, line) = match tokens.as_slice() {
            [_, location, .., last] => (format!("parse error at ({location}): {last}"), line_of(location)),
            [_, location] => (format!("parse error at ({location}): {location}"), line_of(location)),
            _ => (format!("parse error in ({file}): {text}"), None),
        };
        Self { message, file: Some(file.to_owned()), line }
    }

    pub(super) fn execute(error: &ExecuteError) -> Self {
        let location = error.location();
        Self {
            message: execution_message(error),
            file: location.map(|location| location.file.clone()),
            line: location.map(|location| location.line),
        }
    }
}

fn line_of(location: &str) -> Option<usize> {
    location.split(':').nth(1)?.parse().ok()
}

fn execution_message(error: &ExecuteError) -> String {
    let whole = error.to_string();
    let mut tokens = whole.splitn(3, ": ");
    let (_, Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next()) else { return whole };
    if let Some(message) = marked(rest) {
        return format!("execution error at ({location}): {message}");
    }
    if error.location().is_none() {
        return whole;
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut current = Some(Link::Error(error));
    while let Some(link) = current {
        let Some(block) = Block::parse(&link.text()) else { return whole };
        if blocks.last() != Some(&block) {
            blocks.push(block);
        }
        current = link.next();
    }
    let text: String = blocks.iter().map(Block::text).collect();
    crate::go_text::trim_space(&text).to_owned()
}

/// What stands between the outermost markers.
fn marked(text: &str) -> Option<&str> {
    let start = text.find(START)? + START.len();
    let end = text.rfind(END)?;
    text.get(start..end)
}

/// One error of the chain that Go unwraps.
enum Link<'a> {
    Error(&'a ExecuteError),
    Message(&'a str),
    Other(String),
}

impl<'a> Link<'a> {
    fn text(&self) -> String {
        match self {
            Self::Error(error) => error.to_string(),
            Self::Message(text) => (*text).to_owned(),
            Self::Other(text) => text.clone(),
        }
    }

    /// Only a failing function wraps another error; everything else is Go's own message and ends the chain.
    fn next(&self) -> Option<Self> {
        let Self::Error(error) = self else { return None };
        match error.cause() {
            FunctionError::Template(inner) => Some(Link::Error(inner)),
            FunctionError::Message(text) if error.calling().is_some() => Some(Link::Message(text)),
            FunctionError::Message(_) => None,
            FunctionError::Custom(error) => Some(Link::Other(error.to_string())),
        }
    }
}

/// One block of a multi-line error.
#[derive(PartialEq, Eq)]
struct Block {
    location: String,
    executing: String,
    message: String,
}

impl Block {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self { location: String::new(), executing: String::new(), message: text.to_owned() });
        }
        Self::parse_executing(rest).or_else(|| {
            let (location, message) = rest.rsplit_once(": ")?;
            Some(Self {
                location: location.to_owned(),
                executing: String::new(),
                message: before_nested(message).to_owned(),
            })
        })
    }

    fn parse_executing(rest: &str) -> Option<Self> {
        let (location, after) = rest.split_once(": executing ")?;
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (node, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self {
            location: location.to_owned(),
            executing: format!("executing \"{function}\" at <{node}>:"),
            message: before_nested(message).to_owned(),
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if !self.location.is_empty() {
            text.push_str(&format!("{}\n  ", self.location));
        }
        if !self.executing.is_empty() {
            text.push_str(&format!("{}\n    ", self.executing));
        }
        if !self.message.is_empty() {
            text.push_str(&format!("{}\n", self.message));
        }
        text
    }
}

fn before_nested(message: &str) -> &str {
    message.find(" template:").and_then(|cut| message.get(..cut)).unwrap_or(message)
}
