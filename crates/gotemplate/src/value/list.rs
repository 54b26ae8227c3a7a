//! Go slices. Their elements do not change after construction.

use std::rc::Rc;

use super::depth::Children;
use super::types::{self, Type};
use super::{Str, Value};

/// A Go slice of any type but `[]byte`; cloning shares the elements.
#[derive(Clone, Debug)]
pub struct List {
    go_type: &'static Type,
    items: Option<Rc<Children<Vec<Value>>>>,
}

impl List {
    /// A `[]interface {}`.
    #[must_use]
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(&types::LIST, items)
    }

    /// A slice of the given type; every item must be of its element type.
    #[must_use]
    pub fn typed(go_type: &'static Type, items: Vec<Value>) -> Self {
        Self { go_type, items: Some(Rc::new(Children::new(items))) }
    }

    /// The nil slice of the given type.
    #[must_use]
    pub fn nil(go_type: &'static Type) -> Self {
        Self { go_type, items: None }
    }

    /// A `[]string`.
    #[must_use]
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::typed(&types::STRINGS, items.into_iter().map(|item| Value::String(item.into())).collect())
    }

    /// The elements.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.items.as_deref().map_or(&[], |items| items.as_slice())
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// Has it no elements?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// Is it the nil slice?
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// Its Go type.
    #[must_use]
    pub fn go_type(&self) -> &'static Type {
        self.go_type
    }

    /// The type of its elements.
    #[must_use]
    pub fn element_type(&self) -> &'static Type {
        self.go_type.element.unwrap_or(&types::ANY)
    }

    /// The same elements as another type of the same shape (a Go conversion).
    #[must_use]
    pub fn converted(&self, go_type: &'static Type) -> Self {
        Self { go_type, items: self.items.clone() }
    }

    pub(super) fn address(&self) -> Option<usize> {
        self.items.as_ref().map(|items| Rc::as_ptr(items).addr())
    }

    /// Do both share their elements?
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.items, &other.items) {
            (Some(left), Some(right)) => Rc::ptr_eq(left, right),
            (None, None) => true,
            _ => false,
        }
    }
}
