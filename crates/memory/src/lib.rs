//! `memcpy` and its like for programs linked to musl on `x86_64`.
//!
//! What copies and compares in a program is nearly always a few dozen bytes. musl's `memcpy` starts the processor's string
//! instructions for them, which takes longer than the copying, and its `memcmp` goes byte by byte: together a tenth of a small
//! `towline build`, and a fifth of a large one. No crate offers these for a target with a C library; the compiler's own are
//! behind an unstable feature.
//!
//! Everything is done with blocks of 16 bytes, the last of which overlaps the one before it, so that there is no rest to be
//! treated apart. A block is written only after all that must survive it was read.

// What is written here as a loop must not become a call of what is defined here.
#![no_builtins]
#![no_std]
#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "these functions are unsafe by nature; their callers promise what C's callers promise")]

use core::arch::asm;
use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm_storeu_si128,
};

const BLOCK: usize = 16;
/// Where the processor's string instructions overtake blocks.
const LONG: usize = 4096;

#[inline(always)]
unsafe fn load(from: *const u8) -> __m128i {
    // SAFETY: the caller says that 16 bytes can be read.
    unsafe { _mm_loadu_si128(from.cast()) }
}

#[inline(always)]
unsafe fn store(to: *mut u8, block: __m128i) {
    // SAFETY: the caller says that 16 bytes can be written.
    unsafe { _mm_storeu_si128(to.cast(), block) }
}

/// Copies up to 32 bytes, all read before any is written.
#[inline(always)]
unsafe fn copy_few(to: *mut u8, from: *const u8, count: usize) {
    /// Both ends, which overlap.
    macro_rules! ends {
        ($kind:ty) => {{
            let last = count - size_of::<$kind>();
            // SAFETY: the count is at least the size, and the caller says that so many bytes can be read and written.
            unsafe {
                let start = from.cast::<$kind>().read_unaligned();
                let end = from.add(last).cast::<$kind>().read_unaligned();
                to.cast::<$kind>().write_unaligned(start);
                to.add(last).cast::<$kind>().write_unaligned(end);
            }
        }};
    }
    match count {
        0 => {}
        // SAFETY: one byte can be read and written.
        1 => unsafe { to.write(from.read()) },
        2..4 => ends!(u16),
        4..8 => ends!(u32),
        8..16 => ends!(u64),
        _ => ends!(__m128i),
    }
}

/// Copies; both places may overlap if the one written to begins first.
///
/// # Safety
/// `count` bytes can be read from `from` and written to `to`.
#[inline(always)]
pub unsafe fn copy_forward(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: every offset stays below `count`. A block is read before it or anything behind it is written, as what is written
    // begins no later than what is read; the last one is read before everything.
    unsafe {
        if count <= 2 * BLOCK {
            return copy_few(to, from, count);
        }
        if count >= LONG {
            asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags));
            return;
        }
        let end = count - BLOCK;
        let last = load(from.add(end));
        let mut at = 0;
        while at + 2 * BLOCK <= end {
            let (first, second) = (load(from.add(at)), load(from.add(at + BLOCK)));
            store(to.add(at), first);
            store(to.add(at + BLOCK), second);
            at += 2 * BLOCK;
        }
        if at + BLOCK <= end {
            store(to.add(at), load(from.add(at)));
            at += BLOCK;
        }
        if at < end {
            // Fewer than 16 bytes are left before the last block.
            copy_few(to.add(at), from.add(at), end - at);
        }
        store(to.add(end), last);
    }
}

/// Copies from the end; both places may overlap if the one written to begins last.
///
/// # Safety
/// `count` bytes can be read from `from` and written to `to`.
#[inline(always)]
pub unsafe fn copy_backward(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: as in `copy_forward`, with both ends exchanged.
    unsafe {
        if count <= 2 * BLOCK {
            return copy_few(to, from, count);
        }
        let first = load(from);
        let mut left = count;
        while left > BLOCK {
            left -= BLOCK;
            store(to.add(left), load(from.add(left)));
        }
        store(to, first);
    }
}

/// Copies, whichever way both places overlap.
///
/// # Safety
/// `count` bytes can be read from `from` and written to `to`.
#[inline(always)]
pub unsafe fn copy_overlapping(to: *mut u8, from: *const u8, count: usize) {
    let ahead = (to as usize).wrapping_sub(from as usize);
    // SAFETY: the caller's promise; which comes first was just looked at.
    unsafe { if ahead >= count { copy_forward(to, from, count) } else { copy_backward(to, from, count) } }
}

/// Writes the same byte everywhere.
///
/// # Safety
/// `count` bytes can be written to `to`.
#[inline(always)]
pub unsafe fn fill(to: *mut u8, byte: u8, count: usize) {
    // SAFETY: every offset stays below `count`.
    unsafe {
        if count >= LONG {
            asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") byte, options(nostack, preserves_flags));
            return;
        }
        if count < BLOCK {
            let mut at = 0;
            while at < count {
                to.add(at).write(byte);
                at += 1;
            }
            return;
        }
        let block = _mm_set1_epi8(byte.cast_signed());
        let mut at = 0;
        while at + BLOCK < count {
            store(to.add(at), block);
            at += BLOCK;
        }
        store(to.add(count - BLOCK), block);
    }
}

/// The difference of the first bytes that differ, 0 if none does.
///
/// # Safety
/// `count` bytes can be read from both.
#[inline(always)]
pub unsafe fn compare(left: *const u8, right: *const u8, count: usize) -> i32 {
    // SAFETY: every offset stays below `count`.
    unsafe {
        let byte = |at: usize| i32::from(left.add(at).read()) - i32::from(right.add(at).read());
        let mut at = 0;
        while at + BLOCK <= count {
            let same = _mm_movemask_epi8(_mm_cmpeq_epi8(load(left.add(at)), load(right.add(at))));
            if same != 0xffff {
                return byte(at + (!same).trailing_zeros() as usize);
            }
            at += BLOCK;
        }
        if at + 8 <= count {
            let one = left.add(at).cast::<u64>().read_unaligned();
            let other = right.add(at).cast::<u64>().read_unaligned();
            if one != other {
                return byte(at + ((one ^ other).trailing_zeros() / 8) as usize);
            }
            at += 8;
        }
        while at < count {
            let difference = byte(at);
            if difference != 0 {
                return difference;
            }
            at += 1;
        }
        0
    }
}

/// The names under which the compiler and C call these.
#[cfg(target_env = "musl")]
mod names {
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: what C's callers promise.
        unsafe { super::copy_forward(to, from, count) };
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: what C's callers promise.
        unsafe { super::copy_overlapping(to, from, count) };
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
        // SAFETY: what C's callers promise; C takes the lowest byte.
        unsafe { super::fill(to, byte.to_le_bytes()[0], count) };
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
        // SAFETY: what C's callers promise.
        unsafe { super::compare(left, right, count) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
        // SAFETY: what C's callers promise.
        unsafe { super::compare(left, right, count) }
    }
}
