//! Dropping deeply nested values without deep recursion: a template can nest a map a million times.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};

use super::{Str, Value};

/// Nesting below which values are dropped by plain recursion.
const PLAIN_DEPTH: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static DEFERRED: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Something that holds values and can give them up.
pub(super) trait Container: Default {
    /// Gives up every value that itself holds values.
    fn release(&mut self, deferred: &mut Vec<Value>);
}

impl Container for Vec<Value> {
    fn release(&mut self, deferred: &mut Vec<Value>) {
        deferred.extend(self.drain(..).filter(Value::is_container));
    }
}

impl Container for Vec<(Str, Value)> {
    fn release(&mut self, deferred: &mut Vec<Value>) {
        deferred.extend(self.drain(..).map(|entry| entry.1).filter(Value::is_container));
    }
}

/// The children of a list or map; below a certain depth they are queued instead of dropped recursively.
#[derive(Debug)]
pub(super) struct Children<C: Container>(C);

impl<C: Container> Children<C> {
    pub(super) fn new(children: C) -> Self {
        Self(children)
    }
}

impl<C: Container> Deref for Children<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C: Container> DerefMut for Children<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0
    }
}

impl<C: Container> Drop for Children<C> {
    fn drop(&mut self) {
        // During the end of a thread the queue may be gone; then plain recursion has to do.
        let depth = DEPTH.try_with(Cell::get).unwrap_or(0);
        if depth >= PLAIN_DEPTH {
            let _ = DEFERRED.try_with(|deferred| self.0.release(&mut deferred.borrow_mut()));
            return;
        }
        let _ = DEPTH.try_with(|cell| cell.set(depth + 1));
        drop(std::mem::take(&mut self.0));
        if depth == 0 {
            // The depth stays above zero, so that only this outermost drop empties the queue.
            while let Ok(Some(value)) = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop()) {
                drop(value);
            }
        }
        let _ = DEPTH.try_with(|cell| cell.set(depth));
    }
}
