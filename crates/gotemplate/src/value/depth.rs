//! What lists and maps hold: counted, so that it can be bounded, and dropped without deep recursion, as a template can nest a
//! map a million times.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};

use super::{Str, Value};

/// Nesting below which values are dropped by plain recursion.
const PLAIN_DEPTH: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static DEFERRED: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that the lists and maps of this thread take, without the texts in them.
pub(crate) fn live_bytes() -> usize {
    LIVE.get()
}

/// Something that holds values and can give them up.
pub(super) trait Container: Default {
    /// Gives up every value that itself holds values.
    fn release(&mut self, deferred: &mut Vec<Value>);

    /// What it takes itself, roughly.
    fn bytes(&self) -> usize;
}

/// An allocation of its own with its counters.
const OVERHEAD: usize = 64;

impl Container for Vec<Value> {
    fn release(&mut self, deferred: &mut Vec<Value>) {
        deferred.extend(self.drain(..).filter(Value::is_container));
    }

    fn bytes(&self) -> usize {
        OVERHEAD + self.capacity() * size_of::<Value>()
    }
}

impl Container for Vec<(Str, Value)> {
    fn release(&mut self, deferred: &mut Vec<Value>) {
        deferred.extend(self.drain(..).map(|entry| entry.1).filter(Value::is_container));
    }

    fn bytes(&self) -> usize {
        OVERHEAD + self.capacity() * size_of::<(Str, Value)>()
    }
}

/// The children of a list or map; below a certain depth they are queued instead of dropped recursively.
#[derive(Debug)]
pub(super) struct Children<C: Container> {
    children: C,
    /// What has been counted for it.
    counted: usize,
}

impl<C: Container> Children<C> {
    pub(super) fn new(children: C) -> Self {
        let mut new = Self { children, counted: 0 };
        new.count();
        new
    }

    /// To be called when children have been added.
    pub(super) fn count(&mut self) {
        let bytes = self.children.bytes();
        let before = std::mem::replace(&mut self.counted, bytes);
        let _ = LIVE.try_with(|live| live.set(live.get().saturating_sub(before).saturating_add(bytes)));
    }
}

impl<C: Container> Deref for Children<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.children
    }
}

impl<C: Container> DerefMut for Children<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.children
    }
}

impl<C: Container> Drop for Children<C> {
    fn drop(&mut self) {
        // During the end of a thread the queue may be gone; then plain recursion has to do.
        let depth = DEPTH.try_with(Cell::get).unwrap_or(0);
        let _ = LIVE.try_with(|live| live.set(live.get().saturating_sub(self.counted)));
        if depth >= PLAIN_DEPTH {
            let _ = DEFERRED.try_with(|deferred| self.children.release(&mut deferred.borrow_mut()));
            return;
        }
        let _ = DEPTH.try_with(|cell| cell.set(depth + 1));
        drop(std::mem::take(&mut self.children));
        if depth == 0 {
            // The depth stays above zero, so that only this outermost drop empties the queue.
            while let Ok(Some(value)) = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop()) {
                drop(value);
            }
        }
        let _ = DEPTH.try_with(|cell| cell.set(depth));
    }
}
