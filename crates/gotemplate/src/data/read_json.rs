//! Reading JSON as `encoding/json` does, with its messages.

use crate::stack::StackGuard;
use crate::strconv;
use crate::value::{List, Map, Str, Type, Value};

const STACK_BYTES: usize = 384 * 1024;
/// Go's own limit on nesting.
const MAX_DEPTH: usize = 10_000;

/// Which Go types numbers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Always `float64`, as into `interface {}`.
    Float,
    /// `int` where there is neither fraction nor exponent.
    IntOrFloat,
}

/// What was read: Go goes on after a number out of range, leaving nil in its place.
#[derive(Debug)]
pub struct Document {
    /// The value.
    pub value: Value,
    /// The message about the first number out of range.
    pub range_error: Option<String>,
}

/// Reads one JSON value.
///
/// # Errors
/// With Go's message, where the text is not JSON or a number is out of range.
pub fn read(text: &[u8], numbers: Numbers) -> Result<Value, String> {
    let document = read_document(text, numbers)?;
    match document.range_error {
        Some(message) => Err(message),
        None => Ok(document.value),
    }
}

/// Reads one JSON value, also when a number is out of range.
///
/// # Errors
/// With Go's message, where the text is not JSON.
pub fn read_document(text: &[u8], numbers: Numbers) -> Result<Document, String> {
    let mut reader =
        Reader { text, position: 0, numbers, stack: StackGuard::new(STACK_BYTES), depth: 0, range_error: None };
    let value = reader.value()?;
    reader.space();
    if let Some(byte) = reader.peek() {
        return Err(unexpected(byte, "after top-level value"));
    }
    Ok(Document { value, range_error: reader.range_error })
}

/// Go's message for a value of the wrong kind.
#[must_use]
pub fn cannot_unmarshal(value: &Value, target: &Type) -> String {
    let what = match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("json: cannot unmarshal {what} into Go value of type {}", target.name)
}

const END: &str = "unexpected end of JSON input";

fn unexpected(byte: u8, place: &str) -> String {
    let shown = match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        _ => {
            let mut buffer = [0; 4];
            let quoted = crate::format::quote::quoted(char::from(byte).encode_utf8(&mut buffer).as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    format!("invalid character {shown} {place}")
}

struct Reader<'a> {
    text: &'a [u8],
    position: usize,
    numbers: Numbers,
    stack: StackGuard,
    depth: usize,
    /// A number out of range; reported only when the syntax is good.
    range_error: Option<String>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    /// The end counts as a space where a space would be wrong too.
    fn peek_or_space(&self) -> u8 {
        self.peek().unwrap_or(b' ')
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        self.space();
        let Some(byte) = self.peek() else { return Err(END.to_owned()) };
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH || self.stack.is_exhausted() {
                    return Err("exceeded max depth".to_owned());
                }
                let value = if byte == b'{' { self.object() } else { self.array() }?;
                self.depth -= 1;
                Ok(value)
            }
            b'"' => self.string().map(Value::String),
            b't' => self.literal(b"true", Value::Bool(true)),
            b'f' => self.literal(b"false", Value::Bool(false)),
            b'n' => self.literal(b"null", Value::Nil),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(unexpected(byte, "looking for beginning of value")),
        }
    }

    fn object(&mut self) -> Result<Value, String> {
        self.position += 1;
        let mut entries: Vec<(Str, Value)> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.position += 1;
            return Ok(Value::Map(Map::new()));
        }
        loop {
            self.space();
            match self.peek() {
                None => return Err(END.to_owned()),
                Some(b'"') => {}
                Some(byte) => return Err(unexpected(byte, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            self.space();
            match self.peek() {
                None => return Err(END.to_owned()),
                Some(b':') => self.position += 1,
                Some(byte) => return Err(unexpected(byte, "after object key")),
            }
            let value = self.value()?;
            entries.push((key, value));
            self.space();
            match self.peek() {
                None => return Err(END.to_owned()),
                Some(b',') => self.position += 1,
                Some(b'}') => {
                    self.position += 1;
                    return Ok(Value::Map(Map::from_entries(entries)));
                }
                Some(byte) => return Err(unexpected(byte, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        self.position += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(Value::List(List::new(items)));
        }
        loop {
            items.push(self.value()?);
            self.space();
            match self.peek() {
                None => return Err(END.to_owned()),
                Some(b',') => self.position += 1,
                Some(b']') => {
                    self.position += 1;
                    return Ok(Value::List(List::new(items)));
                }
                Some(byte) => return Err(unexpected(byte, "after array element")),
            }
        }
    }

    fn literal(&mut self, word: &[u8], value: Value) -> Result<Value, String> {
        for expected in word {
            let byte = self.peek_or_space();
            if byte != *expected {
                let word = String::from_utf8_lossy(word);
                let place = format!("in literal {word} (expecting '{}')", char::from(*expected));
                return Err(unexpected(byte, &place));
            }
            self.position += 1;
        }
        Ok(value)
    }

    fn digits(&mut self, place: &str) -> Result<(), String> {
        let byte = self.peek_or_space();
        if !byte.is_ascii_digit() {
            return Err(unexpected(byte, place));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        if self.peek() == Some(b'0') {
            self.position += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            self.position += 1;
            integer = false;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            integer = false;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(self.text.get(start..self.position).unwrap_or_default());
        if let (true, Numbers::IntOrFloat, Ok(int)) = (integer, self.numbers, text.parse()) {
            return Ok(Value::Int(int));
        }
        match strconv::parse_float(&text) {
            Some(float) => Ok(Value::Float(float)),
            None => {
                let message = format!("json: cannot unmarshal number {text} into Go value of type float64");
                self.range_error.get_or_insert(message);
                Ok(Value::Nil)
            }
        }
    }

    fn string(&mut self) -> Result<Str, String> {
        self.position += 1;
        let start = self.position;
        // Most strings have neither escapes nor wrong bytes.
        let rest = self.text.get(start..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        if rest.get(plain) == Some(&b'"')
            && let Ok(text) = std::str::from_utf8(rest.get(..plain).unwrap_or_default())
        {
            self.position += plain + 1;
            return Ok(Str::from(text));
        }
        let mut output = String::new();
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let Some(rune) = crate::utf8::Runes::new(rest).next() else { return Err(END.to_owned()) };
            self.position += rune.bytes.len();
            match rune.character() {
                '"' => return Ok(Str::from(output)),
                '\\' => output.push(self.escape()?),
                control @ '\0'..='\x1F' => return Err(unexpected(control as u8, "in string literal")),
                character => output.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let byte = self.peek_or_space();
        self.position += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hexadecimal()?;
                if !(0xD800..0xE000).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let rest = self.text.get(self.position..).unwrap_or_default();
                if first < 0xDC00 && rest.starts_with(b"\\u") {
                    let before = self.position;
                    self.position += 2;
                    let second = self.hexadecimal()?;
                    if (0xDC00..0xE000).contains(&second) {
                        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.position = before;
                }
                char::REPLACEMENT_CHARACTER
            }
            _ => return Err(unexpected(byte, "in string escape code")),
        })
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.peek_or_space();
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(unexpected(byte, "in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.position += 1;
        }
        Ok(code)
    }
}
