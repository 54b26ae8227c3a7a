//! Random documents and values, from a seed.

mod grammar;
mod random;
mod values;
mod words;

use grammar::grammar;
use random::Random;
pub(crate) use values::value;
use words::FRAGMENTS;

/// A document.
pub(crate) fn document(seed: u64) -> String {
    let mut random = Random::new(seed);
    match random.below(10) {
        0 | 1 => soup(&mut random),
        2 | 3 => {
            let text = grammar(&mut random);
            mutate(&mut random, &text)
        }
        _ => grammar(&mut random),
    }
}

fn soup(random: &mut Random) -> String {
    let count = 1 + random.below(14);
    (0..count).map(|_| random.pick(FRAGMENTS)).collect()
}

fn mutate(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let position = random.below(characters.len() + 1);
        if random.chance(2) && position < characters.len() {
            characters.remove(position);
        } else {
            let inserted = random.pick(FRAGMENTS);
            for (offset, character) in inserted.chars().enumerate() {
                characters.insert(position + offset, character);
            }
        }
    }
    characters.into_iter().collect()
}
