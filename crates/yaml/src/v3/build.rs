//! From events straight to values of the caller's own, for documents that need no node tree in between.

use std::borrow::Cow;

use super::compose::explicit_tag;
use crate::parse::{EventKind, Parser, Properties};
use crate::scan::{Dialect, ScalarStyle, Scanner};
use crate::{Error, MAX_DEPTH};

/// Makes values out of what a document holds.
pub trait Builder {
    /// A value.
    type Value;
    /// A key of a mapping.
    type Key;
    /// A scalar: its text, its short tag (`!!int`), and how it was written.
    fn scalar(&mut self, text: Cow<'_, str>, tag: &str, form: Form) -> Self::Value;
    /// A list.
    fn sequence(&mut self, items: Vec<Self::Value>) -> Self::Value;
    /// A map, keys as they come.
    fn mapping(&mut self, entries: Vec<(Self::Key, Self::Value)>) -> Self::Value;
    /// What a value is as a key.
    fn key(&mut self, value: Self::Value) -> Self::Key;
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// In quotes or as a block.
    pub quoted: bool,
    /// With its tag.
    pub tagged: bool,
    /// In brackets or braces, at whatever depth.
    pub in_flow: bool,
}

/// What reading a document straight into values came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build<V> {
    /// The first document.
    Value(V),
    /// There is none.
    Empty,
    /// It has aliases or merge keys, which take a tree: [`super::parse`] it.
    NeedsTree,
}

/// A collection that is being read.
enum Open<B: Builder> {
    Sequence(Vec<B::Value>),
    Mapping { entries: Vec<(B::Key, B::Value)>, key: Option<B::Key> },
}

/// Reads the first document into values of your own. Comments, styles and anchors are lost.
pub fn build<B: Builder>(text: &[u8], builder: &mut B) -> Result<Build<B::Value>, Error> {
    let input = crate::read::read(text);
    let mut parser = Parser::new(Scanner::from_input(&input, Dialect::V3));
    loop {
        match parser.next_event()?.kind {
            EventKind::StreamStart => {}
            EventKind::DocumentStart => break,
            _ => return Ok(Build::Empty),
        }
    }
    let mut open: Vec<Open<B>> = Vec::new();
    // Flow collections hold no others, so the outermost one decides.
    let mut flow_from: Option<usize> = None;
    loop {
        let value = match parser.next_event()?.kind {
            EventKind::Scalar { properties, value, style, .. } => {
                match scalar(builder, &properties, value, style, flow_from.is_some()) {
                    Some(value) => value,
                    None => return Ok(Build::NeedsTree),
                }
            }
            EventKind::Alias(_) => return Ok(Build::NeedsTree),
            EventKind::SequenceStart { flow, .. } => {
                if flow {
                    flow_from.get_or_insert(open.len());
                }
                push(&mut open, Open::Sequence(Vec::new()))?;
                continue;
            }
            EventKind::MappingStart { flow, .. } => {
                if flow {
                    flow_from.get_or_insert(open.len());
                }
                push(&mut open, Open::Mapping { entries: Vec::new(), key: None })?;
                continue;
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => {
                let closed = open.pop();
                flow_from = flow_from.filter(|from| *from < open.len());
                match closed {
                    Some(Open::Sequence(items)) => builder.sequence(items),
                    Some(Open::Mapping { entries, .. }) => builder.mapping(entries),
                    None => return Ok(Build::Empty),
                }
            }
            EventKind::DocumentEnd | EventKind::DocumentStart | EventKind::StreamStart | EventKind::StreamEnd => {
                return Ok(Build::Empty);
            }
        };
        match open.last_mut() {
            None => return finish(&mut parser, value),
            Some(Open::Sequence(items)) => items.push(value),
            Some(Open::Mapping { entries, key }) => match key.take() {
                Some(key) => entries.push((key, value)),
                None => *key = Some(builder.key(value)),
            },
        }
    }
}

/// Errors behind the root are the document's too.
fn finish<V>(parser: &mut Parser<'_>, value: V) -> Result<Build<V>, Error> {
    parser.next_event()?;
    Ok(Build::Value(value))
}

fn push<B: Builder>(open: &mut Vec<Open<B>>, opened: Open<B>) -> Result<(), Error> {
    // The document itself counts, as it does in a tree.
    if open.len() + 1 > MAX_DEPTH {
        return Err(Error::syntax(0, format!("exceeded max depth of {MAX_DEPTH}")));
    }
    open.push(opened);
    Ok(())
}

/// `None` for a merge key.
fn scalar<B: Builder>(
    builder: &mut B,
    properties: &Properties<'_>,
    text: Cow<'_, str>,
    style: ScalarStyle,
    in_flow: bool,
) -> Option<B::Value> {
    let quoted = style != ScalarStyle::Plain;
    let explicit = explicit_tag(properties);
    let tag = match &explicit {
        Some((tag, _)) => tag,
        None if quoted => "!!str",
        None if text == "<<" => "!!merge",
        None => super::plain_tag(&text),
    };
    if tag == "!!merge" {
        None
    } else {
        Some(builder.scalar(text, tag, Form { quoted, tagged: explicit.is_some(), in_flow }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::{Kind, Node, parse};

    /// Writes values as one line each, to be compared with what the tree says.
    struct Lines;

    impl Builder for Lines {
        type Value = String;
        type Key = String;
        fn scalar(&mut self, text: Cow<'_, str>, tag: &str, form: Form) -> String {
            format!("{tag} {text:?} {}", form.quoted)
        }
        fn sequence(&mut self, items: Vec<String>) -> String {
            format!("[{}]", items.join(", "))
        }
        fn mapping(&mut self, entries: Vec<(String, String)>) -> String {
            let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        }
        fn key(&mut self, value: String) -> String {
            value
        }
    }

    fn line(node: &Node) -> String {
        match node.kind {
            Kind::Document => line(&node.content[0]),
            Kind::Sequence => Lines.sequence(node.content.iter().map(line).collect()),
            Kind::Mapping => Lines.mapping(node.entries().map(|(key, value)| (line(key), line(value))).collect()),
            Kind::Scalar | Kind::Alias => {
                let form = Form { quoted: node.is_quoted(), ..Form::default() };
                Lines.scalar(Cow::Borrowed(&node.value), &node.short_tag(), form)
            }
        }
    }

    #[test]
    fn values_are_those_of_the_tree() {
        for text in [
            "a: 1\nb: [x, '2', !!str 3, ! 4]\n? {c: d}\n: &e |\n  f\n",
            "# only a comment\n",
            "",
            "- # head\n  a: ~\n-\n",
            "!!binary aGk=",
            "a: b\n---\nc: d\n",
        ] {
            let tree = parse(text.as_bytes()).unwrap().map_or(Build::Empty, |node| Build::Value(line(&node)));
            assert_eq!(build(text.as_bytes(), &mut Lines).unwrap(), tree, "{text}");
        }
        for text in ["a: &x 1\nb: *x\n", "<<: {a: b}\n", "a: *unknown\n", "!!merge a: {b: c}\n"] {
            assert_eq!(build(text.as_bytes(), &mut Lines).unwrap(), Build::NeedsTree, "{text}");
        }
    }

    #[test]
    fn scalars_know_how_they_were_written() {
        struct Forms(Vec<String>);
        impl Builder for Forms {
            type Value = ();
            type Key = ();
            fn scalar(&mut self, text: Cow<'_, str>, _: &str, form: Form) {
                if form.in_flow || form.tagged {
                    self.0.push(format!("{text} {} {}", form.in_flow, form.tagged));
                }
            }
            fn sequence(&mut self, _: Vec<()>) {}
            fn mapping(&mut self, _: Vec<((), ())>) {}
            fn key(&mut self, (): ()) {}
        }
        let mut forms = Forms(Vec::new());
        build(b"a: [x, {y: z}]\nb: !!str c\nd:\n- [e]\n- f\n", &mut forms).unwrap();
        assert_eq!(forms.0, ["x true false", "y true false", "z true false", "c false true", "e true false"]);
    }

    #[test]
    fn errors_are_those_of_the_tree() {
        let deep = "[".repeat(1001) + &"]".repeat(1001);
        let fits = "[".repeat(1000) + &"]".repeat(1000);
        for text in ["a: b: c", "a: 'x", "a: b\n- c\n", "\u{1}", &deep, &fits, "a: ]", "a\nb: c\n"] {
            let wanted = parse(text.as_bytes()).map(drop).map_err(|error| error.to_string());
            let found = build(text.as_bytes(), &mut Lines).map(drop).map_err(|error| error.to_string());
            assert_eq!(found, wanted, "{text:?}");
        }
    }
}
