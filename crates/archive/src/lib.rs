//! Packing and strict, bounded unpacking of tar, gzip and chart archives; ignore rules. Pure.
