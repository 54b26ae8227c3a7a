//! `reflect.DeepEqual`: equal types, equal content.

use super::{List, Map, Value};

/// Deeper than this two values count as different: only cyclic or hostile data gets there.
const MAX_DEPTH: u32 = 1000;
/// More comparisons than this are given up as different: shared lists can hold exponentially many values.
pub(crate) const MAX_COMPARISONS: u32 = 50_000_000;

impl Value {
    /// Go's `reflect.DeepEqual`.
    #[must_use]
    pub fn deep_equal(&self, other: &Self) -> bool {
        self.deep_equal_within(other, &mut { MAX_COMPARISONS })
    }

    /// The same within a number of comparisons, which is counted down.
    pub(crate) fn deep_equal_within(&self, other: &Self, left_over: &mut u32) -> bool {
        deep_equal(self, other, 0, left_over)
    }
}

fn deep_equal(left: &Value, right: &Value, depth: u32, left_over: &mut u32) -> bool {
    if depth > MAX_DEPTH || *left_over == 0 {
        return false;
    }
    *left_over -= 1;
    match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Int64(left), Value::Int64(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(left), Value::List(right)) => lists_equal(left, right, depth, left_over),
        (Value::Map(left), Value::Map(right)) => maps_equal(left, right, depth, left_over),
        (Value::Object(left), Value::Object(right)) => {
            left.go_type() == right.go_type()
                && (std::rc::Rc::ptr_eq(left, right)
                    || left.equals(right.as_ref())
                    || match (left.underlying(), right.underlying()) {
                        (Some(left), Some(right)) => deep_equal(&left, &right, depth + 1, left_over),
                        _ => false,
                    })
        }
        (Value::NilPointer(left), Value::NilPointer(right)) => left == right,
        _ => false,
    }
}

fn lists_equal(left: &List, right: &List, depth: u32, left_over: &mut u32) -> bool {
    left.go_type() == right.go_type()
        && left.is_nil() == right.is_nil()
        && left.len() == right.len()
        && (left.same(right)
            || left
                .items()
                .iter()
                .zip(right.items())
                .all(|(left, right)| deep_equal(left, right, depth + 1, left_over)))
}

fn maps_equal(left: &Map, right: &Map, depth: u32, left_over: &mut u32) -> bool {
    if left.go_type() != right.go_type() || left.is_nil() != right.is_nil() || left.len() != right.len() {
        return false;
    }
    if left.same(right) {
        return true;
    }
    let (Some(left), Some(right)) = (left.entries(), right.entries()) else { return true };
    left.iter()
        .zip(right.iter())
        .all(|(left, right)| left.0 == right.0 && deep_equal(&left.1, &right.1, depth + 1, left_over))
}
