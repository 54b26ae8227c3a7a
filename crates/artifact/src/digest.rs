//! Computing digests while bytes pass by.

use common::digest::Algorithm;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A running digest.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// A digest by this algorithm; `None` for BLAKE3, which is not built in.
    pub fn new(algorithm: Algorithm) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha384 => State::Sha384(Sha384::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
            Algorithm::Blake3 => return None,
        }))
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest as `<algorithm>:<hex>`.
    pub fn finish(self) -> String {
        match self.0 {
            State::Sha1(state) => format!("sha1:{}", hex::encode(state.finalize())),
            State::Sha256(state) => format!("sha256:{}", hex::encode(state.finalize())),
            State::Sha384(state) => format!("sha384:{}", hex::encode(state.finalize())),
            State::Sha512(state) => format!("sha512:{}", hex::encode(state.finalize())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_have_their_algorithm_in_front() {
        let of = |algorithm| {
            let mut hasher = Hasher::new(algorithm)?;
            hasher.update(b"abc");
            Some(hasher.finish())
        };
        assert_eq!(of(Algorithm::Sha1).unwrap(), "sha1:a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(of(Algorithm::Sha256).unwrap().starts_with("sha256:ba7816bf"));
        assert!(of(Algorithm::Sha512).unwrap().starts_with("sha512:ddaf35a1"));
        assert_eq!(of(Algorithm::Blake3), None);
    }
}
