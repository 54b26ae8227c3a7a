//! Values as Go has them while they are composed: maps and lists shared by reference, so that a write through one is seen
//! through the other. `--set` and Flux's `targetPath` depend on it.

use crate::value::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A shared map.
pub(crate) type MapRef = Rc<RefCell<BTreeMap<Arc<str>, Node>>>;
/// A shared list.
pub(crate) type ListRef = Rc<RefCell<Vec<Node>>>;

/// One node of the graph. The parsers and mergers here never make cycles.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Anything that holds no further nodes.
    Scalar(Value),
    List(ListRef),
    Map(MapRef),
}

impl Node {
    pub(crate) fn thaw(value: &Value) -> Self {
        match value {
            Value::List(items) => Self::List(Rc::new(RefCell::new(items.iter().map(Self::thaw).collect()))),
            Value::Map(map) => Self::Map(thaw(map)),
            scalar => Self::Scalar(scalar.clone()),
        }
    }

    pub(crate) fn freeze(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => Value::List(Arc::new(items.borrow().iter().map(Self::freeze).collect())),
            Self::Map(map) => Value::Map(freeze(map)),
        }
    }

    /// What Go calls the type in a failed type assertion.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Self::Scalar(Value::Null) => "nil",
            Self::Scalar(value) => value.go_type(),
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self::thaw(&value)
    }
}

/// A deep copy with Go's sharing semantics.
pub(crate) fn thaw(map: &Map) -> MapRef {
    Rc::new(RefCell::new(map.iter().map(|(key, value)| (key.clone(), Node::thaw(value))).collect()))
}

/// A deep copy back into an immutable tree.
pub(crate) fn freeze(map: &MapRef) -> Map {
    map.borrow().iter().map(|(key, value)| (key.clone(), value.freeze())).collect()
}

/// Go Helm's `MergeMaps`: a new map of `left`'s entries with `right`'s over them; only maps met on both sides are new,
/// everything else stays shared with its origin.
pub(crate) fn merge(left: &MapRef, right: &MapRef) -> MapRef {
    let mut merged = left.borrow().clone();
    for (key, value) in right.borrow().iter() {
        let both = match (merged.get(key), value) {
            (Some(Node::Map(existing)), Node::Map(incoming)) => Some(merge(existing, incoming)),
            _ => None,
        };
        merged.insert(key.clone(), both.map_or_else(|| value.clone(), Node::Map));
    }
    Rc::new(RefCell::new(merged))
}
