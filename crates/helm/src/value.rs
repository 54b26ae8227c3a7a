//! The values tree: what YAML, JSON and `--set` give and templates see. Cloning is cheap, changing copies on write.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One node of a values tree. Numbers keep the kind Go would give them: `Int` from `--set`, `Float` from YAML and JSON.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// YAML `null`, Go's nil.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer (`--set`, `targetPath`).
    Int(i64),
    /// A floating point number: every number that came through YAML or JSON.
    Float(f64),
    /// A string.
    String(Arc<str>),
    /// A list.
    List(Arc<Vec<Self>>),
    /// A map with string keys.
    Map(Map),
}

/// A map of values, sorted by key bytes as Go's JSON and YAML writers sort it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Map(Arc<BTreeMap<Arc<str>, Value>>);

impl Map {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key; a map shared with others is copied first.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: impl Into<Value>) {
        self.make_mut().insert(key.into(), value.into());
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if self.0.contains_key(key) { self.make_mut().remove(key) } else { None }
    }

    /// The entries, for changing; copies them first when they are shared.
    pub fn make_mut(&mut self) -> &mut BTreeMap<Arc<str>, Value> {
        Arc::make_mut(&mut self.0)
    }

    /// Whether two maps are one and the same allocation, so that comparing them is free.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The map found by following dotted names, as Go Helm's `Values.Table` does.
    #[must_use]
    pub fn table(&self, path: &str) -> Option<&Self> {
        let mut current = self;
        for name in path.split('.') {
            current = match current.get(name) {
                Some(Value::Map(map)) => map,
                _ => return None,
            };
        }
        Some(current)
    }

    /// The value, not a table, at a dotted path, as Go Helm's `Values.PathValue` finds it.
    #[must_use]
    pub fn path_value(&self, path: &str) -> Option<&Value> {
        let (table, key) = match path.rsplit_once('.') {
            Some((tables, key)) => (self.table(tables)?, key),
            None => (self, path),
        };
        table.get(key).filter(|value| !matches!(value, Value::Map(_)))
    }

    /// The tree as plain JSON, for libraries that want it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Object(self.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect())
    }
}

impl std::ops::Deref for Map {
    type Target = BTreeMap<Arc<str>, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<BTreeMap<Arc<str>, Value>> for Map {
    fn from(entries: BTreeMap<Arc<str>, Value>) -> Self {
        Self(Arc::new(entries))
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Value)>>(entries: T) -> Self {
        Self(Arc::new(entries.into_iter().collect()))
    }
}

impl Value {
    /// The map, when this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The text, when this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The items, when this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reads JSON as Go's `json.Unmarshal` into `any` does: every number becomes a float.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(0.0)),
            serde_json::Value::String(text) => Self::String(text.as_str().into()),
            serde_json::Value::Array(items) => Self::List(Arc::new(items.iter().map(Self::from_json).collect())),
            serde_json::Value::Object(entries) => Self::Map(
                entries.iter().map(|(key, value)| (Arc::from(key.as_str()), Self::from_json(value))).collect(),
            ),
        }
    }

    /// The tree as plain JSON; whole floats become integers, as Go prints them.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(flag) => serde_json::Value::Bool(*flag),
            Self::Int(number) => (*number).into(),
            Self::Float(number) => float_to_json(*number),
            Self::String(text) => serde_json::Value::String(text.to_string()),
            Self::List(items) => serde_json::Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(map) => map.to_json(),
        }
    }

    /// What Go's `%T` prints for the value.
    #[must_use]
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}

/// 2^53: above it whole floats no longer stand for one integer each.
const LARGEST_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn float_to_json(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() <= LARGEST_EXACT_FLOAT {
        (number as i64).into()
    } else {
        serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
