//! DSA keys: out of date, but sprig makes them.

use dsa::signature::rand_core::{TryCryptoRng, TryRng};
use dsa::{Components, KeySize, SigningKey};
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::certificates::encode_element;

/// The system's randomness under the traits that this library wants.
struct SystemRandom;

impl TryRng for SystemRandom {
    type Error = rand::rand_core::OsError;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        OsRng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        OsRng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        OsRng.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for SystemRandom {}

/// A fresh key of sprig's size as the DER that Go programs exchange: version, p, q, g, y, x.
pub(super) fn generate() -> Result<Vec<u8>, String> {
    generate_of(KeySize::DSA_2048_256)
}

fn generate_of(size: KeySize) -> Result<Vec<u8>, String> {
    let random = &mut SystemRandom;
    let components =
        Components::try_generate_from_rng_with_key_size(random, size).map_err(|error| error.to_string())?;
    let key =
        SigningKey::try_generate_from_rng_with_components(random, components).map_err(|error| error.to_string())?;
    let public = key.verifying_key();
    let parts = public.components();
    let numbers: [Box<[u8]>; 5] = [
        parts.p().to_be_bytes(),
        parts.q().to_be_bytes(),
        parts.g().to_be_bytes(),
        public.y().to_be_bytes(),
        key.x().to_be_bytes(),
    ];
    let mut content = encode_element(0x02, &[0]);
    for number in &numbers {
        content.extend(integer(number));
    }
    Ok(encode_element(0x30, &content))
}

/// A positive INTEGER: no zeros in front but the one that keeps it positive.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let sign = digits.first().is_none_or(|first| *first >= 0x80).then_some(0);
    let content: Vec<u8> = sign.into_iter().chain(digits).collect();
    encode_element(0x02, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_the_shortest_that_stay_positive() {
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
    }

    /// The smallest size, as an unoptimised build takes long over the other.
    #[test]
    #[expect(deprecated, reason = "small is what is wanted here")]
    fn keys_have_the_six_numbers() {
        let der = generate_of(KeySize::DSA_1024_160).unwrap();
        assert_eq!(der.first(), Some(&0x30));
        assert!((400..450).contains(&der.len()), "{} bytes", der.len());
    }
}
