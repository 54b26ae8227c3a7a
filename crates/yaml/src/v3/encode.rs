//! From node trees to text, styles kept.

use super::node::{Kind, Node, Style};
use crate::emit::{Analysis, Place, Writer};
use crate::resolve::short_tag;
use crate::scan::{Dialect, ScalarStyle};
use crate::{Error, MAX_DEPTH};

/// Where lists stand below their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Indentation {
    /// `- ` at the column of the key: kyaml's compact style.
    Compact,
    /// Indented like maps: go-yaml's own.
    #[default]
    Wide,
}

/// How to write nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Spaces per level (go-yaml's own default is 4, kyaml's and `toYamlPretty`'s 2).
    pub indent: u8,
    /// Where lists stand.
    pub sequences: Indentation,
}

impl EncodeOptions {
    /// What kyaml's `String()` uses.
    pub const KYAML: Self = Self { indent: 2, sequences: Indentation::Compact };
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self { indent: 4, sequences: Indentation::Wide }
    }
}

/// Writes one document.
pub fn encode(node: &Node, options: EncodeOptions) -> Result<String, Error> {
    encode_all(std::iter::once(node), options)
}

/// Writes documents, `---` between them.
pub fn encode_all<'n>(nodes: impl IntoIterator<Item = &'n Node>, options: EncodeOptions) -> Result<String, Error> {
    let mut encoder = Encoder::new(options);
    for node in nodes {
        encoder.document(node)?;
    }
    Ok(encoder.finish())
}

/// What a node is written into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    Root,
    Sequence,
    Mapping,
    SimpleKey,
    /// A key after `?`.
    Key,
}

/// A longer key needs `?`.
const MAX_SIMPLE_KEY: usize = 128;

pub(super) struct Encoder {
    writer: Writer,
    options: EncodeOptions,
    flow_level: usize,
    depth: usize,
    first: bool,
    /// Comments of the node at hand that have not been written yet (the line comment is the writer's).
    head: String,
    foot: String,
    /// Foot of the map entry before.
    tail: String,
    /// A line comment of a key, which goes where there is room for it.
    key_line: String,
}

impl Encoder {
    pub(super) fn new(options: EncodeOptions) -> Self {
        // Indentations outside 2 to 9 fall back to 2, as in libyaml.
        let indent = if (2..=9).contains(&options.indent) { i64::from(options.indent) } else { 2 };
        Self {
            writer: Writer::new(Dialect::V3, indent, usize::MAX),
            options,
            flow_level: 0,
            depth: 0,
            first: true,
            head: String::new(),
            foot: String::new(),
            tail: String::new(),
            key_line: String::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.writer.out
    }

    pub(super) fn document(&mut self, node: &Node) -> Result<(), Error> {
        if !self.first {
            self.writer.write_indicator("---", true, false, false);
        }
        self.first = false;
        let root = if node.kind == Kind::Document { node.content.first() } else { Some(node) };
        if let Some(comments) = node.comments.as_ref().filter(|_| node.kind == Kind::Document) {
            self.head.clone_from(&comments.head);
            if !self.head.is_empty() {
                self.write_head();
                self.writer.put_break();
            }
        }
        match root {
            Some(root) => {
                self.begin(root, "");
                self.write_head();
                self.node(root, Parent::Root)?;
            }
            None => self.scalar_text("null", "", ScalarStyle::Plain, Parent::Root),
        }
        if let Some(comments) = node.comments.as_ref().filter(|_| node.kind == Kind::Document)
            && !comments.foot.is_empty()
        {
            self.foot.clone_from(&comments.foot);
        }
        self.writer.foot_indent = 0;
        self.write_foot();
        self.writer.foot_indent = -1;
        self.writer.indent = -1;
        self.writer.write_indent();
        Ok(())
    }

    /// Makes the comments of a node pending; those that nobody wrote stay.
    fn begin(&mut self, node: &Node, tail: &str) {
        if !tail.is_empty() {
            tail.clone_into(&mut self.tail);
        }
        let Some(comments) = &node.comments else { return };
        if !comments.head.is_empty() {
            self.head.clone_from(&comments.head);
        }
        // Collections have theirs at their end.
        if matches!(node.kind, Kind::Scalar | Kind::Alias) {
            self.begin_end(node);
        }
    }

    fn begin_end(&mut self, node: &Node) {
        let Some(comments) = &node.comments else { return };
        if !comments.line.is_empty() {
            self.writer.line_comment.clone_from(&comments.line);
        }
        if !comments.foot.is_empty() {
            self.foot.clone_from(&comments.foot);
        }
    }

    fn write_head(&mut self) {
        if !self.tail.is_empty() {
            self.writer.write_indent();
            let tail = std::mem::take(&mut self.tail);
            self.writer.write_comment(&tail);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
        if !self.head.is_empty() {
            self.writer.write_indent();
            let head = std::mem::take(&mut self.head);
            self.writer.write_comment(&head);
        }
    }

    fn write_foot(&mut self) {
        if !self.foot.is_empty() {
            self.writer.write_indent();
            let foot = std::mem::take(&mut self.foot);
            self.writer.write_comment(&foot);
            self.writer.foot_indent = self.writer.indent.max(0);
        }
    }

    /// Comments beside and below an item of a block: after a scalar, but already where a collection begins.
    fn end_block_item(&mut self, parent: Parent) {
        if self.flow_level == 0 && matches!(parent, Parent::Root | Parent::Sequence | Parent::Mapping) {
            self.writer.write_line_comment();
            self.write_foot();
        }
    }

    fn has_trailing_comment(&self) -> bool {
        !self.writer.line_comment.is_empty() || !self.foot.is_empty()
    }

    fn node(&mut self, node: &Node, parent: Parent) -> Result<(), Error> {
        if self.depth > MAX_DEPTH {
            return Err(Error::emit(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        let (tag, force_quoting) = visible_tag(node);
        match node.kind {
            Kind::Document => return node.content.first().map_or(Ok(()), |root| self.node(root, parent)),
            Kind::Alias => {
                self.writer.write_indicator("*", true, false, false);
                self.write_word(&node.value);
                self.end_block_item(parent);
                return Ok(());
            }
            Kind::Scalar => {
                if let Some(anchor) = &node.anchor {
                    self.write_anchor(anchor);
                }
                let style = scalar_style(node, force_quoting);
                self.scalar_text(&node.value, &tag, style, parent);
                self.end_block_item(parent);
                return Ok(());
            }
            Kind::Sequence | Kind::Mapping => {}
        }
        if let Some(anchor) = &node.anchor {
            self.write_anchor(anchor);
        }
        self.write_tag(&tag);
        self.end_block_item(parent);
        let flow = self.flow_level > 0 || node.style.has(Style::FLOW) || node.content.is_empty();
        self.depth += 1;
        let outer = self.writer.indent;
        match (node.kind, flow) {
            (Kind::Sequence, true) => self.flow_sequence(node, parent)?,
            (Kind::Sequence, false) => self.block_sequence(node, parent)?,
            (_, true) => self.flow_mapping(node, parent)?,
            (_, false) => self.block_mapping(node, parent)?,
        }
        self.writer.indent = outer;
        self.depth -= 1;
        Ok(())
    }

    fn flow_sequence(&mut self, node: &Node, parent: Parent) -> Result<(), Error> {
        self.writer.write_indicator("[", true, true, false);
        let outer = self.writer.indent;
        self.writer.indent = self.writer.deeper(true, self.is_block_item(parent));
        self.flow_level += 1;
        let mut separated = true;
        for item in &node.content {
            self.begin(item, "");
            if !separated {
                self.writer.write_indicator(",", false, false, false);
            }
            self.write_head();
            if self.writer.column == 0 {
                self.writer.write_indent();
            }
            self.node(item, Parent::Sequence)?;
            separated = self.end_flow_item();
        }
        self.begin_end(node);
        self.flow_level -= 1;
        self.writer.indent = outer;
        if self.writer.column == 0 {
            self.writer.write_indent();
        }
        self.writer.write_indicator("]", false, false, false);
        self.writer.write_line_comment();
        self.write_foot();
        Ok(())
    }

    /// Writes the comments after an item and, before them, its comma; true if there was one.
    fn end_flow_item(&mut self) -> bool {
        let commented = self.has_trailing_comment();
        if commented {
            self.writer.write_indicator(",", false, false, false);
        }
        self.writer.write_line_comment();
        self.write_foot();
        commented
    }

    fn flow_mapping(&mut self, node: &Node, parent: Parent) -> Result<(), Error> {
        self.writer.write_indicator("{", true, true, false);
        let outer = self.writer.indent;
        self.writer.indent = self.writer.deeper(true, self.is_block_item(parent));
        self.flow_level += 1;
        let mut separated = true;
        let mut tail = String::new();
        for (key, value) in node.entries() {
            self.begin_key(key, &mut tail);
            if !separated {
                self.writer.write_indicator(",", false, false, false);
            }
            self.write_head();
            if self.writer.column == 0 {
                self.writer.write_indent();
            }
            if is_simple_key(key) {
                self.node(key, Parent::SimpleKey)?;
                self.begin(value, "");
                self.writer.write_indicator(":", false, false, false);
            } else {
                self.writer.write_indicator("?", true, false, false);
                self.node(key, Parent::Key)?;
                self.begin(value, "");
                self.writer.write_indicator(":", true, false, false);
            }
            self.node(value, Parent::Mapping)?;
            separated = self.end_flow_item();
        }
        if !tail.is_empty() {
            self.tail = tail;
        }
        self.begin_end(node);
        let commented = [&self.head, &self.foot, &self.tail].iter().any(|comment| !comment.is_empty());
        if commented && !separated {
            self.writer.write_indicator(",", false, false, false);
        }
        self.write_head();
        self.flow_level -= 1;
        self.writer.indent = outer;
        self.writer.write_indicator("}", false, false, false);
        self.writer.write_line_comment();
        self.write_foot();
        Ok(())
    }

    /// The foot of a key is written after its value, as the tail of the next key.
    fn begin_key(&mut self, key: &Node, tail: &mut String) {
        let before = std::mem::take(tail);
        self.begin(key, &before);
        if let Some(comments) = key.comments.as_ref().filter(|comments| !comments.foot.is_empty()) {
            tail.clone_from(&comments.foot);
            self.foot.clear();
        }
    }

    fn is_block_item(&self, parent: Parent) -> bool {
        parent == Parent::Sequence && self.flow_level == 0
    }

    fn block_sequence(&mut self, node: &Node, parent: Parent) -> Result<(), Error> {
        let aligned = self.writer.indent >= 0 && parent != Parent::Sequence;
        let in_mapping =
            matches!(parent, Parent::Mapping | Parent::Key) && (self.writer.column == 0 || !self.writer.indention);
        self.writer.indent = self.writer.deeper(false, parent == Parent::Sequence);
        if aligned && in_mapping && self.options.sequences == Indentation::Compact {
            self.writer.indent -= 2;
        }
        for item in &node.content {
            self.begin(item, "");
            self.write_head();
            self.writer.write_indent();
            self.writer.write_indicator("-", true, false, true);
            self.node(item, Parent::Sequence)?;
        }
        self.begin_end(node);
        Ok(())
    }

    fn block_mapping(&mut self, node: &Node, parent: Parent) -> Result<(), Error> {
        self.writer.indent = self.writer.deeper(false, parent == Parent::Sequence);
        let mut tail = String::new();
        for (key, value) in node.entries() {
            self.begin_key(key, &mut tail);
            self.write_head();
            self.writer.write_indent();
            if !self.writer.line_comment.is_empty() {
                self.key_line = std::mem::take(&mut self.writer.line_comment);
            }
            if is_simple_key(key) {
                self.node(key, Parent::SimpleKey)?;
                self.begin(value, "");
                self.writer.write_indicator(":", false, false, false);
            } else {
                self.writer.write_indicator("?", true, false, true);
                self.node(key, Parent::Key)?;
                self.begin(value, "");
                self.writer.write_indent();
                self.writer.write_indicator(":", true, false, true);
            }
            self.place_key_comment(value);
            self.node(value, Parent::Mapping)?;
        }
        if !tail.is_empty() {
            self.tail = tail;
        }
        self.begin_end(node);
        self.write_head();
        Ok(())
    }

    /// A comment beside a key goes beside its scalar, or above its block.
    fn place_key_comment(&mut self, value: &Node) {
        if self.key_line.is_empty() {
            return;
        }
        match value.kind {
            Kind::Scalar if self.writer.line_comment.is_empty() => {
                self.writer.line_comment = std::mem::take(&mut self.key_line);
            }
            Kind::Sequence | Kind::Mapping if !value.style.has(Style::FLOW) => {
                let own = std::mem::replace(&mut self.writer.line_comment, std::mem::take(&mut self.key_line));
                self.writer.write_line_comment();
                self.writer.line_comment = own;
            }
            _ => {}
        }
    }

    fn scalar_text(&mut self, text: &str, tag: &str, wanted: ScalarStyle, parent: Parent) {
        let analysis = Analysis::of(text, Dialect::V3);
        let place = Place {
            in_flow: self.flow_level > 0,
            simple_key: parent == Parent::SimpleKey,
            in_sequence: self.is_block_item(parent),
        };
        let style = Writer::select_style(wanted, analysis, text.is_empty(), place);
        self.write_tag(tag);
        self.writer.write_scalar(text, style, place);
    }

    fn write_anchor(&mut self, anchor: &str) {
        self.writer.write_indicator("&", true, false, false);
        self.write_word(anchor);
    }

    fn write_word(&mut self, word: &str) {
        self.writer.out.push_str(word);
        self.writer.column += word.chars().count();
        self.writer.whitespace = false;
        self.writer.indention = false;
    }

    fn write_tag(&mut self, tag: &str) {
        if tag.is_empty() {
            return;
        }
        let short = short_tag(tag);
        if let Some(suffix) = short.strip_prefix("!!").filter(|suffix| !suffix.is_empty()) {
            self.write_tag_parts("!!", suffix);
        } else if let Some(suffix) = short.strip_prefix('!').filter(|suffix| !suffix.is_empty()) {
            self.write_tag_parts("!", suffix);
        } else {
            self.write_tag_parts("!<", &short);
            self.writer.put('>');
        }
    }

    fn write_tag_parts(&mut self, handle: &str, suffix: &str) {
        self.writer.write_indicator(handle, true, false, false);
        for byte in suffix.bytes() {
            if crate::chars::is_word(byte) || b";/?:@&=+$,.~*'()[]".contains(&byte) {
                self.writer.put(char::from(byte));
            } else {
                self.write_word(&format!("%{byte:02X}"));
            }
        }
    }
}

/// The tag if it has to be written, and whether quotes have to show that a scalar is a string.
fn visible_tag(node: &Node) -> (String, bool) {
    if node.tag.is_empty() || node.kind == Kind::Alias {
        return (String::new(), false);
    }
    let short = short_tag(&node.tag);
    if node.style.has(Style::TAGGED) {
        return (short.into_owned(), false);
    }
    let implied = match node.kind {
        Kind::Sequence => "!!seq",
        Kind::Mapping => "!!map",
        Kind::Scalar if short == "!!str" && node.is_quoted() => return (String::new(), false),
        Kind::Scalar => super::plain_tag(&node.value),
        Kind::Document | Kind::Alias => return (String::new(), false),
    };
    if short == implied {
        (String::new(), false)
    } else if short == "!!str" {
        (String::new(), true)
    } else {
        (short.into_owned(), false)
    }
}

fn scalar_style(node: &Node, force_quoting: bool) -> ScalarStyle {
    if node.style.has(Style::DOUBLE_QUOTED) {
        ScalarStyle::DoubleQuoted
    } else if node.style.has(Style::SINGLE_QUOTED) {
        ScalarStyle::SingleQuoted
    } else if node.style.has(Style::LITERAL) {
        ScalarStyle::Literal
    } else if node.style.has(Style::FOLDED) {
        ScalarStyle::Folded
    } else if node.value.contains('\n') {
        ScalarStyle::Literal
    } else if force_quoting {
        ScalarStyle::DoubleQuoted
    } else {
        ScalarStyle::Plain
    }
}

/// May this key stand before a `:` on one line?
fn is_simple_key(key: &Node) -> bool {
    let properties = key.anchor.as_ref().map_or(0, |anchor| anchor.len()) + visible_tag(key).0.len();
    match key.kind {
        Kind::Alias => key.value.len() <= MAX_SIMPLE_KEY,
        Kind::Scalar => {
            !key.value.contains(crate::emit::is_break_char) && properties + key.value.len() <= MAX_SIMPLE_KEY
        }
        Kind::Sequence | Kind::Mapping => key.content.is_empty() && properties <= MAX_SIMPLE_KEY,
        Kind::Document => false,
    }
}
