//! The glob patterns of `.Files.Glob`: `*` and `?` within a path element, `**` across them, classes, `{a,b}`, `\`.

use goregex::{Regex, quote_meta};

/// A compiled pattern.
pub(super) struct Glob(Regex);

impl Glob {
    /// Compiles a pattern; `None` when it is malformed.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut regex = String::from("(?s)^");
        let mut characters = pattern.chars().peekable();
        let mut braces = 0_u32;
        while let Some(character) = characters.next() {
            match character {
                '*' => {
                    let mut many = false;
                    while characters.peek() == Some(&'*') {
                        characters.next();
                        many = true;
                    }
                    regex.push_str(if many { ".*" } else { "[^/]*" });
                }
                '?' => regex.push_str("[^/]"),
                '\\' => push_literal(&mut regex, characters.next()?),
                '{' => {
                    braces += 1;
                    regex.push_str("(?:");
                }
                '}' if braces > 0 => {
                    braces -= 1;
                    regex.push(')');
                }
                ',' if braces > 0 => regex.push('|'),
                '[' => {
                    regex.push('[');
                    let mut empty = true;
                    if characters.peek() == Some(&'!') {
                        characters.next();
                        regex.push('^');
                    }
                    loop {
                        match characters.next()? {
                            ']' if !empty => break,
                            ']' => return None,
                            '\\' => push_literal(&mut regex, characters.next()?),
                            '-' => regex.push('-'),
                            other => push_literal(&mut regex, other),
                        }
                        empty = false;
                    }
                    regex.push(']');
                }
                other => push_literal(&mut regex, other),
            }
        }
        if braces > 0 {
            return None;
        }
        regex.push('$');
        Regex::new(&regex).ok().map(Self)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

fn push_literal(regex: &mut String, character: char) {
    let mut buffer = [0; 4];
    let quoted = quote_meta(character.encode_utf8(&mut buffer).as_bytes());
    regex.push_str(&String::from_utf8_lossy(&quoted));
    if matches!(character, '-' | '&' | '~' | '^') && quoted.len() == 1 {
        // Harmless outside of classes, needed inside.
        let plain = regex.pop();
        regex.push('\\');
        regex.extend(plain);
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_match_as_gobwas_matches() {
        for (pattern, name, expected) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "d/a.yaml", false),
            ("**.yaml", "d/a.yaml", true),
            ("files/**", "files/a/b", true),
            ("files/*", "files/a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("{a,b}/*.t{xt,oml}", "b/x.toml", true),
            ("{a,b}/*.t{xt,oml}", "c/x.toml", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            ("a+b.c", "a+b.c", true),
            ("a+b.c", "aab-c", false),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
        for pattern in ["[a", "{a", "a\\", "[]"] {
            assert!(Glob::new(pattern).is_none(), "{pattern}");
        }
    }
}
