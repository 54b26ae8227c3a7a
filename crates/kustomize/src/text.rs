//! Between YAML text and trees: documents in, resources out.

use std::borrow::Cow;

use yaml::v3::{self, Kind, Style};

use crate::{
    error::Error,
    hint::Hints,
    node::{Map, Node, Scalar, Tag},
};

mod output;

/// YAML as the kustomization file itself is read (YAML 1.1 through goyaml v2), as JSON.
pub(crate) fn yaml_to_json(bytes: &[u8]) -> Result<serde_json::Value, String> {
    let json = yaml::v2::yaml_to_json(bytes).map_err(|error| error.to_string())?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// The documents of a text as trees; empty ones and ones of comments alone are left out.
pub(crate) fn parse_documents(bytes: &[u8], path: &str) -> Result<Vec<Node>, Error> {
    let wrong = |message: String| Error::Yaml { path: path.to_owned(), message };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("not UTF-8 text".into()))?;
    let text = if text.contains('\r') { text.replace("\r\n", "\n").into() } else { std::borrow::Cow::Borrowed(text) };
    let mut out = Vec::new();
    for document in split(&text).map_err(wrong)? {
        if is_blank(document) {
            continue;
        }
        if let Some(node) = parse_document(document).map_err(|error| wrong(error.to_string()))? {
            out.push(node);
        }
    }
    Ok(out)
}

/// One document as a tree; `None` when it is empty.
pub(crate) fn parse_document(text: &str) -> Result<Option<Node>, yaml::Error> {
    // What comments say of how lists merge takes the parser's own tree.
    if !may_have_hints(text) {
        match v3::build(text.as_bytes(), &mut Trees)? {
            v3::Build::Value(node) => return Ok(Some(node)),
            v3::Build::Empty => return Ok(None),
            v3::Build::NeedsTree => {}
        }
    }
    let Some(document) = v3::parse(text.as_bytes())? else { return Ok(None) };
    let Some(root) = document.content.first() else { return Ok(None) };
    if has_alias(root) {
        return Ok(Some(from_yaml(&v3::expand_aliases(root)?, false)));
    }
    Ok(Some(from_yaml(root, false)))
}

/// Whether some comment looks like a schema.
fn may_have_hints(text: &str) -> bool {
    text.contains("# {") || text.contains("#{")
}

/// Makes trees straight from what the parser reads.
struct Trees;

impl v3::Builder for Trees {
    type Value = Node;
    type Key = Scalar;

    fn scalar(&mut self, text: Cow<'_, str>, tag: &str, form: v3::Form) -> Node {
        Node::Scalar(scalar_of(&text, tag, form))
    }

    fn sequence(&mut self, items: Vec<Node>) -> Node {
        Node::Seq(items)
    }

    fn mapping(&mut self, entries: Vec<(Scalar, Node)>) -> Node {
        Node::Map(Map { entries, ..Map::default() })
    }

    fn key(&mut self, value: Node) -> Scalar {
        match value {
            Node::Scalar(scalar) => scalar,
            _ => collection_key(),
        }
    }
}

/// A collection as a key has no JSON form; its kind is kept so that output can refuse it.
fn collection_key() -> Scalar {
    Scalar { text: "{}".into(), tag: Tag::Binary, plain: true, link: 0 }
}

fn tag(tag: &str) -> Tag {
    match tag {
        "!!int" => Tag::Int,
        "!!float" => Tag::Float,
        "!!bool" => Tag::Bool,
        "!!null" => Tag::Null,
        "!!timestamp" => Tag::Timestamp,
        "!!binary" => Tag::Binary,
        _ => Tag::Str,
    }
}

fn has_alias(node: &v3::Node) -> bool {
    node.kind == Kind::Alias || node.tag == "!!merge" || node.content.iter().any(has_alias)
}

/// Splits at separator lines (`---`, perhaps with a comment).
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if offset > 0 && line.starts_with("---") && line.ends_with('\n') {
            let rest = line.trim_start_matches('-').trim();
            let rest_of_line = line.get(3..).unwrap_or_default().trim();
            if !rest_of_line.is_empty() && !rest_of_line.starts_with('#') {
                // A block that starts on the separator's own line is not read by kustomize either.
                return Err(format!(
                    "invalid document separator: {}",
                    if rest.is_empty() { rest_of_line } else { line.trim_end() }
                ));
            }
            out.push(text.get(start..offset).unwrap_or_default());
            start = offset + line.len();
        }
        offset += line.len();
    }
    out.push(text.get(start..).unwrap_or_default());
    Ok(out)
}

fn is_blank(document: &str) -> bool {
    document.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---" || line == "..."
    })
}

/// A tree from the parser's nodes. `in_flow`: below a collection in brackets or braces.
pub(crate) fn from_yaml(node: &v3::Node, in_flow: bool) -> Node {
    let in_flow = in_flow || node.style.has(Style::FLOW);
    match node.kind {
        Kind::Mapping => Node::Map(Map {
            entries: node
                .content
                .chunks_exact(2)
                .filter_map(|pair| {
                    let [key, value] = pair else { return None };
                    Some((key_scalar(key), from_yaml(value, in_flow)))
                })
                .collect(),
            hints: Hints::of(node),
        }),
        Kind::Sequence => Node::Seq(node.content.iter().map(|element| from_yaml(element, in_flow)).collect()),
        Kind::Document => node.content.first().map_or_else(Node::null, |root| from_yaml(root, in_flow)),
        Kind::Scalar | Kind::Alias => Node::Scalar(scalar(node, in_flow)),
    }
}

fn key_scalar(node: &v3::Node) -> Scalar {
    match node.kind {
        Kind::Scalar | Kind::Alias => scalar(node, false),
        _ => collection_key(),
    }
}

fn scalar(node: &v3::Node, in_flow: bool) -> Scalar {
    let quoted = node.style.has(Style::DOUBLE_QUOTED | Style::SINGLE_QUOTED | Style::LITERAL | Style::FOLDED);
    let form = v3::Form { quoted, tagged: node.style.has(Style::TAGGED), in_flow };
    scalar_of(&node.value, &node.short_tag(), form)
}

fn scalar_of(text: &str, tag_name: &str, form: v3::Form) -> Scalar {
    let tag = tag(tag_name);
    // A written tag outweighs quotes. In flow style nothing at all can only be written as an empty text in quotes: that is
    // a null until it is written.
    let is_blank = form.in_flow && tag == Tag::Null && text.is_empty();
    Scalar { text: text.into(), tag, plain: (!form.quoted || form.tagged) && !is_blank, link: 0 }
}

/// The parser's form of a tree, for the YAML crate's writers and decoders.
pub(crate) fn to_yaml(node: &Node) -> v3::Node {
    match node {
        Node::Map(map) => {
            let mut out = v3::Node::mapping();
            for (key, value) in &map.entries {
                out.content.push(scalar_to_yaml(key));
                out.content.push(to_yaml(value));
            }
            out
        }
        Node::Seq(list) => {
            let mut out = v3::Node::sequence();
            out.content = list.iter().map(to_yaml).collect();
            out
        }
        Node::Scalar(scalar) => scalar_to_yaml(scalar),
    }
}

fn scalar_to_yaml(scalar: &Scalar) -> v3::Node {
    let mut node = v3::Node::scalar(scalar.tag.short(), scalar.text.as_str());
    if !scalar.plain {
        node.style = Style::DOUBLE_QUOTED;
    }
    node
}

/// A float as Go's `%v` prints it.
pub(crate) fn float_text(number: f64) -> String {
    let shortest = format!("{number:e}");
    let exponent =
        shortest.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?)));
    match exponent {
        Some((digits, exponent)) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => number.to_string(),
    }
}

/// What a plain text without a tag means.
pub(crate) fn tag_of(text: &str) -> Tag {
    tag(v3::plain_tag(text))
}

/// A tree as plain data, the way output decodes it.
pub(crate) fn to_value(node: &Node) -> Result<yaml::Value, yaml::Error> {
    v3::decode(&to_yaml(node))
}

/// A tree as JSON.
pub(crate) fn to_json(node: &Node) -> Result<serde_json::Value, String> {
    if let Some(value) = output::json(node) {
        return Ok(value);
    }
    let value = to_value(node).map_err(|error| error.to_string())?;
    serde_json::from_str(&yaml::v2::to_json(&value)).map_err(|error| error.to_string())
}

/// A tree as Go's `encoding/json` writes it, on one line or indented by two spaces.
pub(crate) fn to_go_json(node: &Node, pretty: bool) -> Result<String, String> {
    let value = to_value(node).map_err(|error| error.to_string())?;
    let compact = yaml::v2::to_json(&value);
    Ok(if pretty { indented(&compact) } else { compact })
}

/// Compact JSON with line breaks and an indent of two, as Go's `json.Indent` puts them.
fn indented(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut characters = compact.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = characters.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// JSON with the characters escaped that Go escapes: those that mean something in HTML and two line separators.
pub(crate) fn go_escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// Carries the changes between two trees into the parser's form of the first, whose comments and styles stay.
pub(crate) fn graft(into: &mut v3::Node, before: &Node, after: &Node) {
    if before == after {
        return;
    }
    match (into.kind, before, after) {
        (Kind::Document, ..) => {
            if let Some(root) = into.content.first_mut() {
                graft(root, before, after);
            }
        }
        (Kind::Mapping, Node::Map(old), Node::Map(new)) => {
            for (key, value) in &new.entries {
                match old.get(&key.text) {
                    Some(was) => {
                        let slot = into.content.chunks_exact_mut(2).find_map(|pair| match pair {
                            [name, slot] if *name.value == *key.text => Some(slot),
                            _ => None,
                        });
                        if let Some(slot) = slot {
                            graft(slot, was, value);
                        }
                    }
                    None => into.content.extend([scalar_to_yaml(key), to_yaml(value)]),
                }
            }
        }
        (Kind::Sequence, Node::Seq(old), Node::Seq(new)) => {
            for (at, value) in new.iter().enumerate() {
                match (into.content.get_mut(at), old.get(at)) {
                    (Some(slot), Some(was)) => graft(slot, was, value),
                    _ => into.content.push(to_yaml(value)),
                }
            }
        }
        (Kind::Scalar, Node::Scalar(old), Node::Scalar(new)) => {
            into.value = new.text.to_string();
            if old.tag != new.tag {
                into.tag = scalar_to_yaml(new).tag;
            }
        }
        _ => *into = to_yaml(after),
    }
}

/// A tree from JSON. Floats follow Go's JSON decoder when `floats` is set: every number is a float64 first.
pub(crate) fn from_json(value: &serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::null(),
        serde_json::Value::Bool(flag) => {
            Node::Scalar(Scalar { text: flag.to_string().into(), tag: Tag::Bool, plain: true, link: 0 })
        }
        serde_json::Value::Number(number) => {
            // Upstream takes numbers for floats and writes them as such, which shows where texts are made of them.
            let text = number.as_f64().map_or_else(|| number.to_string(), float_text);
            Node::Scalar(Scalar { tag: tag_of(&text), ..Scalar::open(text) })
        }
        serde_json::Value::String(text) => {
            // Upstream writes it as YAML and reads that, so that what needs quotes has them from then on.
            let node = Node::string(text.as_str());
            let plain =
                is_word(text) || v3::is_plain_string(text) && !node_text(&node).starts_with(['"', '\'', '|', '>']);
            Node::Scalar(Scalar { plain, ..Scalar::string(text.as_str()) })
        }
        serde_json::Value::Array(list) => Node::Seq(list.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => Node::Map(Map {
            entries: map.iter().map(|(key, value)| (Scalar::string(key.as_str()), from_json(value))).collect(),
            hints: Hints::default(),
        }),
    }
}

/// Whether a text surely is one in YAML without quotes, told without writing it: lower-case letters and dashes, too long
/// for `false` or `null`.
fn is_word(text: &str) -> bool {
    text.len() > 5 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !text.starts_with('-')
}

/// What `kustomize build` prints for one resource.
pub(crate) fn emit(node: &Node) -> Result<String, String> {
    if let Some(text) = output::yaml(node) {
        return Ok(text);
    }
    let value = to_value(node).map_err(|error| error.to_string())?;
    yaml::v2::to_string(&value).map_err(|error| error.to_string())
}

/// A node's own YAML text, quotes and all, without a trailing line break: what patterns in replacement paths are held
/// against.
pub(crate) fn node_text(node: &Node) -> String {
    v3::encode(&to_yaml(node), v3::EncodeOptions::KYAML).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_split_at_separator_lines() {
        let documents = parse_documents(b"---\na: 1\n---\n# none\n--- # comment\nb: 2\n", "f").unwrap();
        assert_eq!(documents.len(), 2);
        let error = parse_documents(b"a: 1\n--- b: 2\nc: 3\n", "f.yaml").unwrap_err();
        assert!(error.to_string().contains("f.yaml: invalid document separator"), "{error}");
    }

    #[test]
    fn output_reads_and_writes_as_kustomize_does() {
        let cases = [
            ("b: 1.0\na: yes\n", "a: \"yes\"\nb: 1\n"),
            ("a: 0o17\n", "a: 15\n"),
            ("a: 2001-01-01\n", "a: \"2001-01-01T00:00:00Z\"\n"),
            ("a: &x {b: 1}\nc: *x\n", "a:\n  b: 1\nc:\n  b: 1\n"),
            ("a:\n", "a: null\n"),
        ];
        for (input, output) in cases {
            let node = parse_document(input).unwrap().unwrap();
            assert_eq!(emit(&node).unwrap(), output, "{input}");
        }
    }
}
