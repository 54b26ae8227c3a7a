//! Every length and every overlap against what safe Rust does.
#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "calls of unsafe functions")]

use memory::{compare, copy_forward, copy_overlapping, fill};

/// Bytes without a period.
fn bytes(count: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(next).collect()
}

/// All lengths that take another way, and some of each.
fn lengths() -> impl Iterator<Item = usize> {
    (0..200).chain([255, 256, 257, 1000, 1023, 4095, 4096, 4097, 4111, 9000])
}

#[test]
fn copies_are_what_was_copied() {
    let source = bytes(9100);
    for count in lengths() {
        for (from, to) in [(0, 0), (1, 0), (0, 3), (13, 7)] {
            let mut found = vec![0xAA; count + 40];
            let mut expected = found.clone();
            expected[to..to + count].copy_from_slice(&source[from..from + count]);
            // SAFETY: both are long enough and apart.
            unsafe { copy_forward(found.as_mut_ptr().add(to), source.as_ptr().add(from), count) };
            assert_eq!(found, expected, "{count} from {from} to {to}");
        }
    }
}

#[test]
fn overlapping_places_are_copied_whole() {
    for count in lengths() {
        for distance in (0..70).chain([127, 128, 500]) {
            for (from, to) in [(0, distance), (distance, 0)] {
                let mut found = bytes(count + distance);
                let mut expected = found.clone();
                expected.copy_within(from..from + count, to);
                let place = found.as_mut_ptr();
                // SAFETY: both lie within the vector.
                unsafe { copy_overlapping(place.add(to), place.add(from), count) };
                assert_eq!(found, expected, "{count} from {from} to {to}");
            }
        }
    }
}

#[test]
fn all_bytes_are_filled_and_no_other() {
    for count in lengths() {
        for to in [0, 1, 9] {
            let mut found = vec![0xAA; count + 40];
            let mut expected = found.clone();
            expected[to..to + count].fill(0xC3);
            // SAFETY: long enough.
            unsafe { fill(found.as_mut_ptr().add(to), 0xC3, count) };
            assert_eq!(found, expected, "{count} at {to}");
        }
    }
}

#[test]
fn the_first_difference_decides() {
    for count in (0..100).chain([256, 1000]) {
        let left = bytes(count);
        // SAFETY: both have so many bytes.
        let compared = |right: &[u8]| unsafe { compare(left.as_ptr(), right.as_ptr(), count) }.signum();
        assert_eq!(compared(&left), 0, "{count}");
        for at in 0..count {
            for value in [0, 0x7F, 0x80, 0xFF] {
                let mut right = left.clone();
                right[at] = value;
                // What follows differs the other way.
                right[at + 1..].iter_mut().for_each(|byte| *byte = !*byte);
                let expected = match left.cmp(&right) {
                    std::cmp::Ordering::Less => -1,
                    std::cmp::Ordering::Equal => 0,
                    std::cmp::Ordering::Greater => 1,
                };
                assert_eq!(compared(&right), expected, "{count} at {at}");
            }
        }
    }
}
