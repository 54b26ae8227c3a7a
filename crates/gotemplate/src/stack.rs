//! How much native stack a recursion has used, so that it can end with an error instead of a crash.

use std::cell::Cell;

/// What recursion may use on a thread that nobody has given more: half of Rust's usual 2 MiB.
const DEFAULT_BUDGET: usize = 1 << 20;
/// What is left on a thread of [`with_stack`] for everything that is not guarded.
const RESERVE: usize = 1 << 20;

thread_local! {
    static BUDGET: Cell<usize> = const { Cell::new(DEFAULT_BUDGET) };
}

/// What recursion may use on this thread.
#[must_use]
pub fn budget() -> usize {
    BUDGET.get()
}

/// Knows where a recursion began.
#[derive(Clone, Copy, Debug)]
pub struct StackGuard {
    base: usize,
    budget: usize,
}

impl StackGuard {
    /// A guard for a recursion that begins here and may use `budget` bytes of stack.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { base: here(), budget }
    }

    /// Has the budget been used up?
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.base.abs_diff(here()) > self.budget
    }
}

/// The address of the current stack frame, as a number only.
#[inline(never)]
fn here() -> usize {
    let marker = 0u8;
    std::hint::black_box(std::ptr::from_ref(&marker)) as usize
}

/// Runs something on a thread whose recursion may use this much stack, and waits for it. The stack is only reserved, not used up front.
///
/// # Errors
/// When no thread can be started.
pub fn with_stack<T: Send>(bytes: usize, run: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let stack_size = bytes.saturating_add(RESERVE);
        let handle = std::thread::Builder::new().stack_size(stack_size).spawn_scoped(scope, move || {
            BUDGET.set(bytes);
            run()
        })?;
        match handle.join() {
            Ok(value) => Ok(value),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
