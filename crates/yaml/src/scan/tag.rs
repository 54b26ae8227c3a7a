//! Directives, tags, anchors and aliases.

use std::borrow::Cow;

use super::{Scanner, TokenKind};
use crate::Error;
use crate::chars::{is_blank_byte, is_blank_or_end, is_break_or_end, is_word};

const MAX_VERSION_DIGITS: usize = 2;

impl<'a> Scanner<'a> {
    pub(super) fn scan_directive(&mut self) -> Result<(), Error> {
        let start = self.mark();
        let line = Some(start.line);
        self.position += 1;
        let name = self.take_word();
        if name.is_empty() {
            return Err(self.error(line, "could not find expected directive name"));
        }
        if !is_blank_or_end(self.bytes, self.position) {
            return Err(self.error(line, "found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number(line)?;
                if self.byte() != b'.' {
                    return Err(self.error(line, "did not find expected digit or '.' character"));
                }
                self.position += 1;
                let minor = self.scan_version_number(line)?;
                TokenKind::VersionDirective { major, minor }
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_tag_handle(true, start.line)?;
                if !is_blank_byte(self.byte()) {
                    return Err(self.error(line, "did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri(None, start.line)?;
                if !is_blank_or_end(self.bytes, self.position) {
                    return Err(self.error(line, "did not find expected whitespace or line break"));
                }
                TokenKind::TagDirective { handle: Cow::Borrowed(handle), prefix }
            }
            _ => return Err(self.error(line, "found unknown directive name")),
        };
        self.push(kind, start);
        self.skip_blanks();
        if self.byte() == b'#' {
            self.skip_comment();
        }
        if !is_break_or_end(self.bytes, self.position) {
            return Err(self.error(line, "did not find expected comment or line break"));
        }
        self.skip_break();
        Ok(())
    }

    fn scan_version_number(&mut self, line: Option<u32>) -> Result<u32, Error> {
        let mut number = 0;
        let mut length = 0;
        while let digit @ b'0'..=b'9' = self.byte() {
            length += 1;
            if length > MAX_VERSION_DIGITS {
                return Err(self.error(line, "found extremely long version number"));
            }
            number = number * 10 + u32::from(digit - b'0');
            self.position += 1;
        }
        if length == 0 {
            return Err(self.error(line, "did not find expected version number"));
        }
        Ok(number)
    }

    fn skip_blanks(&mut self) {
        while is_blank_byte(self.byte()) {
            self.position += 1;
        }
    }

    fn take_word(&mut self) -> &'a str {
        let start = self.position;
        while is_word(self.byte()) {
            self.position += 1;
        }
        self.slice(start, self.position)
    }

    pub(super) fn fetch_anchor(&mut self, alias: bool) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark();
        self.position += 1;
        let name = self.take_word();
        let ended = is_blank_or_end(self.bytes, self.position)
            || matches!(self.byte(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ended {
            return Err(self.error(Some(start.line), "did not find expected alphabetic or numeric character"));
        }
        self.push(if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start);
        Ok(())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), Error> {
        let start = self.mark();
        let (handle, suffix): (Cow<'a, str>, Cow<'a, str>);
        if self.byte_after(1) == b'<' {
            self.position += 2;
            handle = Cow::Borrowed("");
            suffix = self.scan_tag_uri(None, start.line)?;
            if self.byte() != b'>' {
                return Err(self.error(Some(start.line), "did not find the expected '>'"));
            }
            self.position += 1;
        } else {
            let found = self.scan_tag_handle(false, start.line)?;
            if found.len() > 1 && found.ends_with('!') {
                handle = Cow::Borrowed(found);
                suffix = self.scan_tag_uri(None, start.line)?;
            } else {
                let uri = self.scan_tag_uri(Some(found), start.line)?;
                // A lone `!` is a tag without a handle.
                if uri.is_empty() {
                    handle = Cow::Borrowed("");
                    suffix = Cow::Borrowed("!");
                } else {
                    handle = Cow::Borrowed("!");
                    suffix = uri;
                }
            }
        }
        if !is_blank_or_end(self.bytes, self.position) {
            return Err(self.error(Some(start.line), "did not find expected whitespace or line break"));
        }
        self.push(TokenKind::Tag { handle, suffix }, start);
        Ok(())
    }

    fn scan_tag_handle(&mut self, directive: bool, start_line: u32) -> Result<&'a str, Error> {
        let start = self.position;
        if self.byte() != b'!' {
            return Err(self.error(Some(start_line), "did not find expected '!'"));
        }
        self.position += 1;
        self.take_word();
        if self.byte() == b'!' {
            self.position += 1;
        } else if directive && self.position - start > 1 {
            return Err(self.error(Some(start_line), "did not find expected '!'"));
        }
        Ok(self.slice(start, self.position))
    }

    /// The rest of a tag; `head` is what was read as a handle but begins the suffix.
    fn scan_tag_uri(&mut self, head: Option<&'a str>, start_line: u32) -> Result<Cow<'a, str>, Error> {
        let mut bytes: Vec<u8> = head.and_then(|head| head.get(1..)).unwrap_or_default().as_bytes().to_vec();
        let has_tag = head.is_some_and(|head| !head.is_empty());
        let start_length = bytes.len();
        loop {
            match self.byte() {
                b'%' => {
                    let digits =
                        (char::from(self.byte_after(1)).to_digit(16), char::from(self.byte_after(2)).to_digit(16));
                    let (Some(high), Some(low)) = digits else {
                        return Err(self.error(Some(start_line), "did not find URI escaped octet"));
                    };
                    bytes.push((high * 16 + low) as u8);
                    self.position += 3;
                }
                byte if is_word(byte) || b";/?:@&=+$.!~*'(),[]".contains(&byte) => {
                    bytes.push(byte);
                    self.position += 1;
                }
                _ => break,
            }
        }
        if !has_tag && bytes.len() == start_length {
            return Err(self.error(Some(start_line), "did not find expected tag URI"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => Err(self.error(Some(start_line), "found an incorrect leading UTF-8 octet")),
        }
    }
}
