//! What makes values out of a document, and how it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Makes values of your own out of a document, without an intermediate tree.
pub trait Builder {
    /// A finished value.
    type Value;
    /// A list being filled.
    type Sequence;
    /// A map being filled.
    type Mapping;

    /// `null`
    fn null(&mut self) -> Self::Value;
    /// `true` or `false`
    fn boolean(&mut self, value: bool) -> Self::Value;
    /// A signed integer.
    fn int(&mut self, value: i64) -> Self::Value;
    /// An integer above the signed range.
    fn uint(&mut self, value: u64) -> Self::Value;
    /// A finite float.
    fn float(&mut self, value: f64) -> Self::Value;
    /// Text, borrowed from the input where possible.
    fn string(&mut self, value: Cow<'_, str>) -> Self::Value;
    /// Opens a list.
    fn begin_sequence(&mut self) -> Self::Sequence;
    /// Appends to a list.
    fn push(&mut self, sequence: &mut Self::Sequence, value: Self::Value);
    /// Closes a list.
    fn end_sequence(&mut self, sequence: Self::Sequence) -> Self::Value;
    /// Opens a map.
    fn begin_mapping(&mut self) -> Self::Mapping;
    /// Sets a key, replacing the value of an equal one.
    fn insert(&mut self, mapping: &mut Self::Mapping, key: Cow<'_, str>, value: Self::Value);
    /// Closes a map.
    fn end_mapping(&mut self, mapping: Self::Mapping) -> Self::Value;
}

/// Which numbers come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// Floats only, as `encoding/json` decodes into `interface{}`: Helm's values.
    #[default]
    Float64,
    /// Integers where the JSON text is an integer that fits 64 bits, as the Kubernetes API machinery decodes.
    Json,
    /// As the YAML says.
    Yaml,
}

/// How to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Refuse equal keys in one map.
    pub strict: bool,
    /// Number types.
    pub numbers: Numbers,
}

/// Builds trees of any type that can be made from its parts: [`crate::Value`], or JSON values.
#[derive(Debug)]
pub struct TreeBuilder<V, M = BTreeMap<String, V>>(PhantomData<(V, M)>);

impl<V, M> Default for TreeBuilder<V, M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<V, M> Builder for TreeBuilder<V, M>
where
    V: Default + From<bool> + From<i64> + From<u64> + From<f64> + From<String> + From<Vec<V>> + From<M>,
    M: Default + Extend<(String, V)>,
{
    type Value = V;
    type Sequence = Vec<V>;
    type Mapping = M;

    fn null(&mut self) -> V {
        V::default()
    }
    fn boolean(&mut self, value: bool) -> V {
        value.into()
    }
    fn int(&mut self, value: i64) -> V {
        value.into()
    }
    fn uint(&mut self, value: u64) -> V {
        value.into()
    }
    fn float(&mut self, value: f64) -> V {
        value.into()
    }
    fn string(&mut self, value: Cow<'_, str>) -> V {
        value.into_owned().into()
    }
    fn begin_sequence(&mut self) -> Vec<V> {
        Vec::new()
    }
    fn push(&mut self, sequence: &mut Vec<V>, value: V) {
        sequence.push(value);
    }
    fn end_sequence(&mut self, sequence: Vec<V>) -> V {
        sequence.into()
    }
    fn begin_mapping(&mut self) -> M {
        M::default()
    }
    fn insert(&mut self, mapping: &mut M, key: Cow<'_, str>, value: V) {
        mapping.extend([(key.into_owned(), value)]);
    }
    fn end_mapping(&mut self, mapping: M) -> V {
        mapping.into()
    }
}
