//! The allocator of a process that is over in milliseconds.
//!
//! A build of a few files spends a third of its time on memory with mimalloc, which prepares for a long life (172 KiB of
//! bitmaps, forty settings looked up in the environment), and one of a thousand resources a fifth more with the system's; two
//! threads wait for each other half of the time with that of musl. All but the largest pieces are cut here from chunks and kept
//! in one list for each size when they are free; they are not given back before the process ends. The largest are the system's.

#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;

/// Sizes are multiples of this, and no piece that is cut here needs to begin at a multiple of more.
const STEP: usize = 16;
/// Up to here there is a list for each multiple of `STEP`, from here on two for each doubling.
const SMALL: usize = 1024;
const SMALL_LISTS: usize = SMALL / STEP;
/// Larger pieces are the system's.
const LARGEST: usize = 256 << 10;
const LISTS: usize = SMALL_LISTS + 2 * (LARGEST / SMALL).ilog2() as usize;
/// What pieces are cut from: little for a small build, and soon as much as few calls of the system take.
const CHUNKS: [usize; 5] = [64 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20];

/// The allocator.
pub(crate) struct ShortLived;

/// A free piece: it holds the address of the next one.
struct Free {
    next: *mut Self,
}

/// What a thread has at hand. Pieces freed on another thread than they were made on stay with the one that freed them.
struct Pieces {
    free: UnsafeCell<[*mut Free; LISTS]>,
    /// Where the next piece is cut off, and what is left there.
    next: Cell<*mut u8>,
    left: Cell<usize>,
    chunks: Cell<usize>,
}

thread_local! {
    // Without a destructor and made by the compiler, so that using it allocates nothing.
    static PIECES: Pieces = const {
        Pieces {
            free: UnsafeCell::new([null_mut(); LISTS]),
            next: Cell::new(null_mut()),
            left: Cell::new(0),
            chunks: Cell::new(0),
        }
    };
}

/// The list that pieces of a layout belong to; none for those of the system.
#[inline]
fn list_of(layout: Layout) -> Option<usize> {
    if layout.size() > LARGEST || layout.align() > STEP {
        return None;
    }
    let last = layout.size().saturating_sub(1);
    if last < SMALL {
        return Some(last / STEP);
    }
    let doubling = last.ilog2();
    let upper_half = (last >> (doubling - 1)) & 1;
    Some(SMALL_LISTS + 2 * (doubling - SMALL.ilog2()) as usize + upper_half)
}

/// The size of all pieces of a list.
#[inline]
fn size_of(list: usize) -> usize {
    match list.checked_sub(SMALL_LISTS) {
        None => (list + 1) * STEP,
        Some(half) => (SMALL << (half / 2)) + (SMALL << (half / 2)) / 2 * (half % 2 + 1),
    }
}

impl Pieces {
    #[inline]
    fn take(&self, list: usize) -> *mut u8 {
        // SAFETY: only this thread sees its pieces, and no reference into the lists outlives this call.
        let lists = unsafe { &mut *self.free.get() };
        let Some(head) = lists.get_mut(list) else { return null_mut() };
        let piece = *head;
        if piece.is_null() {
            return self.cut(size_of(list));
        }
        // SAFETY: what is in a list is free, large enough for and aligned as a `Free`, and was written by `give`.
        *head = unsafe { (*piece).next };
        piece.cast()
    }

    #[inline]
    fn give(&self, list: usize, piece: *mut u8) {
        // SAFETY: as in `take`.
        let lists = unsafe { &mut *self.free.get() };
        let Some(head) = lists.get_mut(list) else { return };
        let piece = piece.cast::<Free>();
        // SAFETY: the piece was handed out for this list, so it is at least `STEP` bytes at a multiple of `STEP`; nobody uses it any more.
        unsafe { piece.write(Free { next: *head }) };
        *head = piece;
    }

    #[inline]
    fn cut(&self, size: usize) -> *mut u8 {
        if self.left.get() < size && !self.refill(size) {
            return null_mut();
        }
        let piece = self.next.get();
        self.left.set(self.left.get() - size);
        self.next.set(piece.wrapping_add(size));
        piece
    }

    /// Begins a new chunk for a piece; what was left of the last one was never touched and takes no memory but on its first page.
    #[cold]
    fn refill(&self, piece: usize) -> bool {
        let count = self.chunks.get();
        let size = CHUNKS.get(count).or(CHUNKS.last()).copied().unwrap_or(LARGEST).max(piece);
        let Ok(layout) = Layout::from_size_align(size, STEP) else { return false };
        // SAFETY: the size is not zero.
        let chunk = unsafe { System.alloc(layout) };
        if chunk.is_null() {
            return false;
        }
        self.chunks.set(count + 1);
        self.next.set(chunk);
        self.left.set(size);
        true
    }
}

// SAFETY: pieces are cut from chunks at multiples of `STEP` and never overlap, since `next` only grows within a chunk and a
// piece is in a list only after it was given back. Which of both ways a piece goes is told by its layout alone, the same when it
// is given back as when it was handed out. Never inlined: copies at each of thousands of places would make the program half a megabyte larger.
unsafe impl GlobalAlloc for ShortLived {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match list_of(layout) {
            Some(list) => PIECES.with(|pieces| pieces.take(list)),
            // SAFETY: the caller's layout.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match list_of(layout) {
            Some(list) => PIECES.with(|pieces| pieces.give(list, piece)),
            // SAFETY: the caller's piece, which came from the system because its layout is a large one.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if list_of(layout).is_none() {
            // SAFETY: the caller's layout.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's layout; a piece that is handed out is as large as its layout says.
        unsafe {
            let piece = self.alloc(layout);
            if !piece.is_null() {
                piece.write_bytes(0, layout.size());
            }
            piece
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size fits a layout of this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (list_of(layout), list_of(new_layout)) {
            (Some(old), Some(new)) if old == new => piece,
            // SAFETY: the caller's piece, the system's before and after.
            (None, None) => unsafe { System.realloc(piece, layout, new_size) },
            // SAFETY: both pieces are at least as large as the smaller of the two layouts, and they are not the same piece.
            _ => unsafe {
                let moved = self.alloc(new_layout);
                if !moved.is_null() {
                    moved.copy_from_nonoverlapping(piece, layout.size().min(new_size));
                    self.dealloc(piece, layout);
                }
                moved
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a test has been given: where, how much, and the byte it was filled with.
    type Held = (*mut u8, Layout, u8);

    fn check((piece, layout, filled): Held) {
        assert_eq!(piece as usize % layout.align(), 0);
        // SAFETY: the piece was handed out for this layout and filled.
        let content = unsafe { std::slice::from_raw_parts(piece, layout.size()) };
        assert!(content.iter().all(|byte| *byte == filled), "{layout:?} was written to by others");
    }

    /// Pieces of all sizes are taken, changed and given back in an order without a pattern; none is ever written to by another.
    fn exercise(mut seed: u64) {
        let mut random = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let mut held: Vec<Held> = Vec::new();
        for round in 0..20_000 {
            let filled = (round % 251) as u8;
            let most = [1200, 5000, 2 * LARGEST][random(100).saturating_sub(97)];
            let size = 1 + random(most);
            match random(3) {
                0 if !held.is_empty() => {
                    let one = held.swap_remove(random(held.len()));
                    check(one);
                    // SAFETY: handed out for this layout, and forgotten here.
                    unsafe { ShortLived.dealloc(one.0, one.1) };
                }
                1 if !held.is_empty() => {
                    let (piece, layout, before) = held.swap_remove(random(held.len()));
                    // SAFETY: handed out for this layout; the old address is forgotten.
                    let moved = unsafe { ShortLived.realloc(piece, layout, size) };
                    let new = Layout::from_size_align(size, layout.align()).unwrap();
                    check((moved, Layout::from_size_align(size.min(layout.size()), layout.align()).unwrap(), before));
                    // SAFETY: as large as asked for.
                    unsafe { moved.write_bytes(filled, size) };
                    held.push((moved, new, filled));
                }
                _ => {
                    let layout = Layout::from_size_align(size, 1 << random(7)).unwrap();
                    // SAFETY: the size is not zero.
                    let piece = unsafe { ShortLived.alloc_zeroed(layout) };
                    check((piece, layout, 0));
                    // SAFETY: as large as asked for.
                    unsafe { piece.write_bytes(filled, size) };
                    held.push((piece, layout, filled));
                }
            }
        }
        held.iter().copied().for_each(check);
        for (piece, layout, _) in held {
            // SAFETY: handed out for this layout, and not used again.
            unsafe { ShortLived.dealloc(piece, layout) };
        }
    }

    #[test]
    fn pieces_never_overlap() {
        let threads: Vec<_> = (0..4).map(|seed| std::thread::spawn(move || exercise(seed))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn pieces_are_as_large_as_their_layout() {
        for size in 1..=LARGEST {
            let list = list_of(Layout::from_size_align(size, 8).unwrap()).unwrap();
            assert!(list < LISTS && size <= size_of(list) && size_of(list) < size + STEP.max(size / 2), "{size}");
            assert!(list == 0 || size_of(list - 1) < size, "{size}");
        }
        assert_eq!(list_of(Layout::from_size_align(LARGEST + 1, 8).unwrap()), None);
    }

    #[test]
    fn free_pieces_are_used_again() {
        let layout = Layout::from_size_align(100, 8).unwrap();
        // SAFETY: each piece is given back with the layout it was asked for.
        unsafe {
            let first = ShortLived.alloc(layout);
            ShortLived.dealloc(first, layout);
            let second = ShortLived.alloc(Layout::from_size_align(112, 16).unwrap());
            assert_eq!(first, second, "of one list");
            ShortLived.dealloc(second, layout);
        }
    }

    /// What one thread has made another may give back.
    #[test]
    fn pieces_change_threads() {
        let layout = Layout::from_size_align(64, 8).unwrap();
        // SAFETY: the size is not zero.
        let address = unsafe { ShortLived.alloc(layout) } as usize;
        let again = std::thread::spawn(move || {
            // SAFETY: the other thread has forgotten it.
            unsafe { ShortLived.dealloc(address as *mut u8, layout) };
            // SAFETY: the size is not zero.
            (unsafe { ShortLived.alloc(layout) }) as usize
        });
        assert_eq!(again.join().unwrap(), address);
    }
}
