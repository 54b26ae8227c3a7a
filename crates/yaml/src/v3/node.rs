//! The node tree.

use std::borrow::Cow;
use std::ops::{BitOr, BitOrAssign};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// The root of a document; its content is one node.
    Document,
    /// A list.
    Sequence,
    /// A map; keys and values alternate in the content.
    Mapping,
    /// Text, a number, ...
    #[default]
    Scalar,
    /// `*name`; the name is the value.
    Alias,
}

/// How a node is written; a set of the constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Style(u8);

impl Style {
    /// Block style for collections, plain for scalars where possible.
    pub const NONE: Self = Self(0);
    /// The tag is written.
    pub const TAGGED: Self = Self(1);
    /// `"text"`
    pub const DOUBLE_QUOTED: Self = Self(2);
    /// `'text'`
    pub const SINGLE_QUOTED: Self = Self(4);
    /// `|`
    pub const LITERAL: Self = Self(8);
    /// `>`
    pub const FOLDED: Self = Self(16);
    /// `[]` and `{}`
    pub const FLOW: Self = Self(32);

    /// Is any of these styles in the set?
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The number Go uses.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }
}

impl BitOr for Style {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Style {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Comments around a node, with their `#`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comments {
    /// On the lines before.
    pub head: String,
    /// At the end of the line.
    pub line: String,
    /// On the lines after.
    pub foot: String,
}

/// A node of a YAML document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// How it was and will be written.
    pub style: Style,
    /// The short tag (`!!str`); empty lets the text decide.
    pub tag: Cow<'static, str>,
    /// Text of a scalar, name of an alias.
    pub value: String,
    /// `&name`
    pub anchor: Option<Box<str>>,
    /// Children.
    pub content: Vec<Self>,
    /// Comments, if there are any.
    pub comments: Option<Box<Comments>>,
    /// Line in the source, from 1; 0 when the node was not read.
    pub line: u32,
    /// Column in the source, from 1.
    pub column: u32,
}

impl Node {
    /// A scalar with a tag, in no particular style.
    #[must_use]
    pub fn scalar(tag: &'static str, value: impl Into<String>) -> Self {
        Self { kind: Kind::Scalar, tag: Cow::Borrowed(tag), value: value.into(), ..Self::default() }
    }

    /// A string.
    #[must_use]
    pub fn string(value: impl Into<String>) -> Self {
        Self::scalar("!!str", value)
    }

    /// An empty map.
    #[must_use]
    pub fn mapping() -> Self {
        Self { kind: Kind::Mapping, tag: Cow::Borrowed("!!map"), ..Self::default() }
    }

    /// An empty list.
    #[must_use]
    pub fn sequence() -> Self {
        Self { kind: Kind::Sequence, tag: Cow::Borrowed("!!seq"), ..Self::default() }
    }

    /// The short tag: the one it has, or what its kind and text imply.
    #[must_use]
    pub fn short_tag(&self) -> Cow<'_, str> {
        if !self.tag.is_empty() && self.tag != "!" {
            return crate::resolve::short_tag(&self.tag);
        }
        Cow::Borrowed(match self.kind {
            Kind::Mapping => "!!map",
            Kind::Sequence => "!!seq",
            Kind::Document | Kind::Alias => "",
            Kind::Scalar if self.is_quoted() => "!!str",
            Kind::Scalar if self.value == "<<" => "!!merge",
            Kind::Scalar => super::plain_tag(&self.value),
        })
    }

    /// Is this scalar written in quotes or as a block?
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.style.has(Style::SINGLE_QUOTED | Style::DOUBLE_QUOTED | Style::LITERAL | Style::FOLDED)
    }

    /// Keys and values of a map.
    pub fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        self.content.as_chunks::<2>().0.iter().map(|[key, value]| (key, value))
    }

    /// The value under a scalar key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        if self.kind != Kind::Mapping {
            return None;
        }
        self.entries().find(|(found, _)| found.kind == Kind::Scalar && found.value == key).map(|(_, value)| value)
    }

    /// The value under a scalar key of a map, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        if self.kind != Kind::Mapping {
            return None;
        }
        self.content
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .find(|[found, _]| found.kind == Kind::Scalar && found.value == key)
            .map(|[_, value]| value)
    }
}
