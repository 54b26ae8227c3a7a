//! Reads a pattern by Go's grammar and writes it, every flag resolved, in the syntax of the `regex` crate.
//!
//! One pass without recursion: the output grows at its end, and a stack holds the open groups.

use std::fmt::Write;

use crate::scan::Scanner;
use crate::{Error, ErrorKind, class};

/// How deep expressions may nest. Go allows 1000; less keeps the compiler of the `regex` crate, which is recursive,
/// well within the stack of any thread.
const MAXIMUM_DEPTH: u32 = 500;
/// How often one thing may be repeated, nested repetitions multiplied.
const MAXIMUM_REPEAT: u32 = 1000;

/// A pattern for the `regex` crate, and the names its groups have in Go.
#[derive(Debug)]
pub(crate) struct Translation {
    pub(crate) pattern: String,
    /// By group number; the first is the whole match.
    pub(crate) names: Vec<Option<String>>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold_case: bool,
    multiple_lines: bool,
    dot_matches_newline: bool,
    lazy: bool,
}

/// The last complete expression, which a repetition operator applies to.
#[derive(Clone, Copy)]
struct Item {
    /// Where it starts in the output.
    start: usize,
    size: Size,
    is_repetition: bool,
}

/// What limits are about.
#[derive(Clone, Copy)]
struct Size {
    depth: u32,
    /// The product of nested repetitions.
    repeats: u32,
}

impl Size {
    const LEAF: Self = Self { depth: 1, repeats: 1 };

    fn max(self, other: Self) -> Self {
        Self { depth: self.depth.max(other.depth), repeats: self.repeats.max(other.repeats) }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// An open group, or the whole pattern.
struct Group {
    start: usize,
    captures: bool,
    /// To be restored at its end.
    flags: Flags,
    last: Option<Item>,
    /// Of the complete items of all alternatives.
    size: Size,
    items: u32,
    alternatives: u32,
}

impl Group {
    fn open(start: usize, captures: bool, flags: Flags) -> Self {
        Self { start, captures, flags, last: None, size: Size::LEAF, items: 0, alternatives: 1 }
    }
}

pub(crate) fn translate(pattern: &str) -> Result<Translation, Error> {
    let mut parser = Parser {
        whole: pattern,
        scanner: Scanner { rest: pattern },
        out: String::with_capacity(pattern.len() * 2),
        flags: Flags::default(),
        group: Group::open(0, false, Flags::default()),
        outer: Vec::new(),
        names: vec![None],
    };
    parser.run()?;
    Ok(Translation { pattern: parser.out, names: parser.names })
}

struct Parser<'a> {
    whole: &'a str,
    scanner: Scanner<'a>,
    out: String,
    flags: Flags,
    /// The innermost open group.
    group: Group,
    outer: Vec<Group>,
    names: Vec<Option<String>>,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), Error> {
        // Where the repetition operator just read began: two in a row are refused.
        let mut repetition: Option<&'a str> = None;
        while let Some(character) = self.scanner.peek() {
            let start = self.scanner.rest;
            let operator = match character {
                '*' | '+' | '?' => {
                    self.scanner.next();
                    Some(match character {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    })
                }
                '{' => match self.counted()? {
                    Some(counts) => Some(counts),
                    None => {
                        self.scanner.next();
                        self.literal('{'.into())?;
                        None
                    }
                },
                _ => {
                    self.step(character)?;
                    None
                }
            };
            match operator {
                Some((minimum, maximum)) => {
                    self.repeat(start, repetition, minimum, maximum)?;
                    repetition = Some(start);
                }
                None => repetition = None,
            }
        }
        if self.outer.is_empty() { Ok(()) } else { Err(ErrorKind::MissingParenthesis.at(self.whole)) }
    }

    /// Anything but a repetition operator.
    fn step(&mut self, character: char) -> Result<(), Error> {
        match character {
            '(' if self.scanner.rest.starts_with("(?") => return self.special_group(),
            '(' => {
                self.scanner.next();
                return self.open(None);
            }
            ')' => {
                self.scanner.next();
                return self.close();
            }
            '[' => {
                let class = class::bracket_class(&mut self.scanner)?;
                return self.class(&class);
            }
            '\\' => return self.backslash(),
            _ => {}
        }
        self.scanner.next();
        match character {
            '|' => {
                self.out.push('|');
                self.group.last = None;
                self.group.alternatives += 1;
                Ok(())
            }
            '^' => self.item(if self.flags.multiple_lines { "(?m:^)" } else { r"\A" }),
            '$' => self.item(if self.flags.multiple_lines { "(?m:$)" } else { r"\z" }),
            '.' => self.item(if self.flags.dot_matches_newline { "(?s:.)" } else { r"[^\n]" }),
            character => self.literal(character.into()),
        }
    }

    fn backslash(&mut self) -> Result<(), Error> {
        let start = self.scanner.rest;
        let simple = [(r"\A", r"\A"), (r"\b", r"(?-u:\b)"), (r"\B", r"(?-u:\B)"), (r"\z", r"\z")];
        for (escape, text) in simple {
            if self.scanner.accept(escape) {
                return self.item(text);
            }
        }
        if self.scanner.accept(r"\C") {
            return Err(ErrorKind::InvalidEscape.at(self.scanner.since(start)));
        }
        if self.scanner.accept(r"\Q") {
            let (text, rest) = self.scanner.rest.split_once(r"\E").unwrap_or((self.scanner.rest, ""));
            self.scanner.rest = rest;
            return text.chars().try_for_each(|character| self.literal(character.into()));
        }
        if let Some(class) = class::escape_class(&mut self.scanner)? {
            return self.class(&class);
        }
        let code = self.scanner.escape()?;
        self.literal(code)
    }

    fn literal(&mut self, code: u32) -> Result<(), Error> {
        let mut text = String::new();
        match char::from_u32(code) {
            Some(character) if character.is_ascii_alphanumeric() || !character.is_ascii() => text.push(character),
            // Writing to a String cannot fail.
            Some(_) => drop(write!(text, r"\x{{{code:X}}}")),
            None => text.push_str(crate::unicode::NOTHING),
        }
        if self.flags.fold_case && char::from_u32(code).is_some_and(char::is_alphanumeric) {
            text = format!("(?i:{text})");
        }
        self.item(&text)
    }

    fn class(&mut self, class: &str) -> Result<(), Error> {
        if self.flags.fold_case { self.item(&format!("(?i:{class})")) } else { self.item(class) }
    }

    fn item(&mut self, text: &str) -> Result<(), Error> {
        let start = self.out.len();
        self.out.push_str(text);
        self.complete(Item { start, size: Size::LEAF, is_repetition: false })
    }

    fn complete(&mut self, item: Item) -> Result<(), Error> {
        if item.size.depth > MAXIMUM_DEPTH {
            return Err(ErrorKind::NestsTooDeeply.at(self.whole));
        }
        self.group.size = self.group.size.max(item.size);
        self.group.items += 1;
        self.group.last = Some(item);
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,5}`; anything else is `None`, and then the brace is an ordinary character.
    fn counted(&mut self) -> Result<Option<(u32, Option<u32>)>, Error> {
        let start = self.scanner.rest;
        let mut scanner = self.scanner;
        scanner.next();
        let Some(minimum) = scanner.number() else { return Ok(None) };
        let maximum = if !scanner.accept(",") {
            Some(minimum)
        } else if scanner.rest.starts_with('}') {
            None
        } else {
            let Some(maximum) = scanner.number() else { return Ok(None) };
            Some(maximum)
        };
        if !scanner.accept("}") {
            return Ok(None);
        }
        self.scanner = scanner;
        let allowed = |count: u32| (count <= MAXIMUM_REPEAT).then_some(count);
        let counts = match (minimum.and_then(allowed), maximum.map(|maximum| maximum.and_then(allowed))) {
            (Some(minimum), None) => Some((minimum, None)),
            (Some(minimum), Some(Some(maximum))) if minimum <= maximum => Some((minimum, Some(maximum))),
            _ => None,
        };
        match counts {
            Some(counts) => Ok(Some(counts)),
            None => Err(ErrorKind::InvalidRepeatCount.at(self.scanner.since(start))),
        }
    }

    fn repeat(
        &mut self,
        start: &'a str,
        previous: Option<&'a str>,
        minimum: u32,
        maximum: Option<u32>,
    ) -> Result<(), Error> {
        let lazy = self.scanner.accept("?") != self.flags.lazy;
        if let Some(previous) = previous {
            return Err(ErrorKind::InvalidNestedRepetition.at(self.scanner.since(previous)));
        }
        let Some(item) = self.group.last else {
            return Err(ErrorKind::MissingRepetitionArgument.at(self.scanner.since(start)));
        };
        let counted = start.starts_with('{');
        let mut size = item.size.deeper();
        if counted {
            size.repeats = match maximum {
                Some(0) => 1,
                maximum => size.repeats.saturating_mul(maximum.unwrap_or(minimum).max(1)),
            };
            let several = minimum >= 2 || maximum.is_some_and(|maximum| maximum >= 2);
            if several && size.repeats > MAXIMUM_REPEAT {
                return Err(ErrorKind::InvalidRepeatCount.at(self.scanner.since(start)));
            }
        }
        // Only flags can stand between two repetitions of the same thing.
        if item.is_repetition {
            self.out.insert_str(item.start, "(?:");
            self.out.push(')');
        }
        // Writing to a String cannot fail.
        let _ = match (minimum, maximum) {
            (0, None) => write!(self.out, "*"),
            (1, None) => write!(self.out, "+"),
            (0, Some(1)) => write!(self.out, "?"),
            (minimum, None) => write!(self.out, "{{{minimum},}}"),
            (minimum, Some(maximum)) => write!(self.out, "{{{minimum},{maximum}}}"),
        };
        if lazy {
            self.out.push('?');
        }
        self.complete(Item { start: item.start, size, is_repetition: true })
    }

    /// `(?P<name>`, `(?<name>`, `(?i)` or `(?i:`.
    fn special_group(&mut self) -> Result<(), Error> {
        let start = self.scanner.rest;
        let bytes = start.as_bytes();
        let named = (bytes.len() > 4 && start.starts_with("(?P<")) || (bytes.len() > 3 && start.starts_with("(?<"));
        if named {
            let Some(opening) = self.scanner.take_through('>') else {
                return Err(ErrorKind::InvalidNamedCapture.at(start));
            };
            let name = opening.trim_end_matches('>').split_once('<').map_or("", |(_, name)| name);
            if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                return Err(ErrorKind::InvalidNamedCapture.at(opening));
            }
            return self.open(Some(name));
        }
        self.scanner.accept("(?");
        let mut flags = self.flags;
        let mut value = true;
        let mut seen = false;
        while let Some(character) = self.scanner.next() {
            match character {
                'i' => flags.fold_case = value,
                'm' => flags.multiple_lines = value,
                's' => flags.dot_matches_newline = value,
                'U' => flags.lazy = value,
                '-' if value => {
                    value = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if value || seen => {
                    if character == ':' {
                        self.out_group("(?:", false)?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        Err(ErrorKind::InvalidPerlSyntax.at(self.scanner.since(start)))
    }

    fn open(&mut self, name: Option<&str>) -> Result<(), Error> {
        self.names.push(name.map(str::to_owned));
        self.out_group("(", true)
    }

    fn out_group(&mut self, opening: &str, captures: bool) -> Result<(), Error> {
        if self.outer.len() >= MAXIMUM_DEPTH as usize {
            return Err(ErrorKind::NestsTooDeeply.at(self.whole));
        }
        let group = Group::open(self.out.len(), captures, self.flags);
        self.out.push_str(opening);
        self.outer.push(std::mem::replace(&mut self.group, group));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(outer) = self.outer.pop() else {
            return Err(ErrorKind::UnexpectedParenthesis.at(self.whole));
        };
        let group = std::mem::replace(&mut self.group, outer);
        self.out.push(')');
        self.flags = group.flags;
        let mut size = group.size;
        for deeper in [group.items > group.alternatives, group.alternatives > 1, group.captures] {
            if deeper {
                size = size.deeper();
            }
        }
        self.complete(Item { start: group.start, size, is_repetition: false })
    }
}
