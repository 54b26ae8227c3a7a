//! Snake, kebab and camel case as huandu/xstrings 1.5 makes them.

use super::arguments::{Outcome, text};
use super::runes;
use crate::context::Context;
use crate::function::Function;
use crate::value::Value;
use crate::value::types::STRING;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("snakecase", &[&STRING], &STRING, |_, arguments| {
        Ok(lower_with_connector(&text(arguments, 0)?.lossy(), '_').into())
    }),
    Function::new("kebabcase", &[&STRING], &STRING, |_, arguments| {
        Ok(lower_with_connector(&text(arguments, 0)?.lossy(), '-').into())
    }),
    Function::new("camelcase", &[&STRING], &STRING, pascal_case),
];

fn is_connector(character: char) -> bool {
    character == '-' || character == '_' || runes::is_space(character)
}

/// Letters that have case or could have: Chinese characters do not count.
fn is_alphabet(character: char) -> bool {
    let chinese = matches!(character, '\u{4E00}'..='\u{9FCC}' | '\u{3400}'..='\u{4D85}' | '\u{20000}'..='\u{2B81D}');
    !chinese && runes::is_letter(character)
}

/// `http_server` becomes `HttpServer`. Connectors at the start stay, of others the first of a run goes.
fn pascal_case(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?.lossy();
    let mut characters = text.chars();
    let mut out = String::with_capacity(text.len());
    let mut current = None;
    let mut after_upper = false;
    for character in characters.by_ref() {
        if !is_connector(character) {
            after_upper = runes::is_upper(character);
            current = Some(runes::to_upper(character));
            break;
        }
        out.push(character);
    }
    let Some(mut current) = current else {
        // Only connectors: the last one is written twice.
        out.extend(text.chars().next_back());
        return Ok(out.into());
    };
    for character in characters {
        let previous = std::mem::replace(&mut current, character);
        if is_connector(character) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            after_upper = runes::is_upper(character);
            current = runes::to_upper(character);
        } else {
            if after_upper {
                after_upper = runes::is_upper(character);
                if after_upper {
                    current = runes::to_lower(character);
                }
            }
            out.push(previous);
        }
    }
    out.push(current);
    Ok(out.into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing is left.
    End,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// A run of characters of one kind.
#[derive(Clone, Copy)]
struct Word<'a> {
    kind: Kind,
    text: &'a str,
}

/// Splits the first word off.
fn next_word<'a>(rest: &mut &'a str) -> Word<'a> {
    let whole = *rest;
    let valid = |character: &char| *character != char::REPLACEMENT_CHARACTER;
    let Some(first) = whole.chars().find(valid) else {
        *rest = "";
        return Word { kind: Kind::End, text: whole };
    };
    // Wrong characters belong to whatever surrounds them.
    let start = whole.find(first).unwrap_or(0) + first.len_utf8();
    let run = |from: usize, belongs: &dyn Fn(char) -> bool| {
        let tail = whole.get(from..).unwrap_or_default();
        from + tail.find(|character| valid(&character) && !belongs(character)).unwrap_or(tail.len())
    };
    let small = |character| is_alphabet(character) && !runes::is_upper(character);
    let (kind, end) = if is_connector(first) {
        (Kind::Connector, run(start, &is_connector))
    } else if runes::is_punctuation(first) {
        (Kind::Punctuation, run(start, &runes::is_punctuation))
    } else if runes::is_upper(first) {
        (Kind::Upper, upper_word_end(whole, start, &run, &small))
    } else if is_alphabet(first) {
        (Kind::Alphabet, run(start, &small))
    } else if runes::is_number(first) {
        (Kind::Number, run(start, &runes::is_number))
    } else {
        let other = |character: char| {
            !(is_connector(character)
                || is_alphabet(character)
                || runes::is_number(character)
                || runes::is_punctuation(character))
        };
        (Kind::Other, run(start, &other))
    };
    let (text, after) = whole.split_at_checked(end).unwrap_or((whole, ""));
    *rest = after;
    Word { kind, text }
}

/// Finds the end of a run of characters from a place on.
type Run<'a> = dyn Fn(usize, &dyn Fn(char) -> bool) -> usize + 'a;

/// `Http` is one word, and so is `HTTP` of `HTTPServer`.
fn upper_word_end(whole: &str, start: usize, run: &Run<'_>, small: &dyn Fn(char) -> bool) -> usize {
    let next = |from: usize| {
        whole.get(from..).unwrap_or_default().chars().find(|character| *character != char::REPLACEMENT_CHARACTER)
    };
    match next(start) {
        Some(second) if runes::is_upper(second) => {
            let end = run(start, &runes::is_upper);
            match next(end) {
                Some(after) if is_alphabet(after) => {
                    let last = whole.get(..end).and_then(|upper| upper.chars().next_back());
                    end - last.map_or(0, char::len_utf8)
                }
                _ => end,
            }
        }
        Some(second) if is_alphabet(second) => run(start, small),
        _ => start,
    }
}

fn push_lower(out: &mut String, word: Word<'_>, connector: char) {
    if !matches!(word.kind, Kind::Upper | Kind::Connector) {
        out.push_str(word.text);
        return;
    }
    out.extend(word.text.chars().map(|character| {
        if is_connector(character) {
            connector
        } else if runes::is_upper(character) {
            runes::to_lower(character)
        } else {
            character
        }
    }));
}

/// Writes letters and numbers that follow a number, and gives what comes then.
fn push_run<'a>(out: &mut String, mut word: Word<'a>, rest: &mut &'a str, connector: char) -> Word<'a> {
    while matches!(word.kind, Kind::Alphabet | Kind::Number) {
        push_lower(out, word, connector);
        word = next_word(rest);
    }
    word
}

/// Words in lower case with a connector between them; where numbers belong is a matter of its own.
fn lower_with_connector(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    if text.is_empty() {
        return out;
    }
    let mut rest = text;
    let mut word = next_word(&mut rest);
    while !rest.is_empty() {
        if word.kind != Kind::Connector {
            push_lower(&mut out, word, connector);
        }
        let previous = word;
        word = next_word(&mut rest);
        let separates = |kind| !matches!(kind, Kind::Connector | Kind::Punctuation);
        match previous.kind {
            Kind::Number => {
                word = push_run(&mut out, word, &mut rest, connector);
                if separates(word.kind) && word.kind != Kind::End {
                    out.push(connector);
                }
            }
            Kind::Connector => push_lower(&mut out, previous, connector),
            Kind::Punctuation => {}
            _ if word.kind != Kind::Number => {
                if separates(word.kind) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                word = next_word(&mut rest);
                if word.kind == Kind::Alphabet {
                    // `HTTP2xx`: the number starts a word.
                    out.push(connector);
                    push_lower(&mut out, number, connector);
                    word = push_run(&mut out, word, &mut rest, connector);
                    if separates(word.kind) && word.kind != Kind::End {
                        out.push(connector);
                    }
                } else {
                    // `Bld4Floor`: the number belongs to what is before it.
                    push_lower(&mut out, number, connector);
                    if separates(word.kind) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    push_lower(&mut out, word, connector);
    out
}
