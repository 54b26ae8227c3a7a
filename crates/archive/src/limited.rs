//! Readers that count, and stop a stream that grows past its bounds.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::policy::Limits;

/// A bound that was passed while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overrun {
    Compressed,
    Total,
    Ratio,
}

/// Byte counts shared by the two readers around the decompressor, and the bound that was passed.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    compressed: Rc<Cell<u64>>,
    overrun: Rc<Cell<Option<Overrun>>>,
}

impl Meter {
    /// The bound that stopped the stream, if one did.
    pub(crate) fn overrun(&self) -> Option<Overrun> {
        self.overrun.get()
    }

    fn stop(&self, overrun: Overrun) -> io::Error {
        self.overrun.set(Some(overrun));
        io::Error::new(io::ErrorKind::FileTooLarge, "archive is too large")
    }
}

/// Counts the compressed bytes.
pub(crate) struct Compressed<R> {
    inner: R,
    meter: Meter,
    limit: u64,
}

impl<R> Compressed<R> {
    pub(crate) fn new(inner: R, meter: Meter, limits: &Limits) -> Self {
        Self { inner, meter, limit: limits.compressed_bytes }
    }
}

impl<R: Read> Read for Compressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let total = self.meter.compressed.get().saturating_add(count as u64);
        self.meter.compressed.set(total);
        if total > self.limit {
            return Err(self.meter.stop(Overrun::Compressed));
        }
        Ok(count)
    }
}

/// Counts the decompressed bytes and judges the ratio.
pub(crate) struct Decompressed<R> {
    inner: R,
    meter: Meter,
    total: u64,
    limit: u64,
    ratio: u64,
}

impl<R> Decompressed<R> {
    pub(crate) fn new(inner: R, meter: Meter, limits: &Limits) -> Self {
        Self { inner, meter, total: 0, limit: limits.total_bytes, ratio: limits.ratio }
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.total = self.total.saturating_add(count as u64);
        if self.total > self.limit {
            return Err(self.meter.stop(Overrun::Total));
        }
        let compressed = self.meter.compressed.get().max(1);
        if self.total > Limits::RATIO_FROM && self.total / compressed > self.ratio {
            return Err(self.meter.stop(Overrun::Ratio));
        }
        Ok(count)
    }
}
