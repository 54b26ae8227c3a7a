//! Writing deterministic archives: the same entries always give the same bytes.

use std::cmp::Ordering;
use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The underlying writer failed.
    #[error("cannot write the archive")]
    Io(#[from] io::Error),
    /// Entries came unsorted or twice, which would make the bytes depend on the caller.
    #[error("archive entry '{path}' comes after '{previous}': entries must be sorted and unique")]
    Order {
        /// The entry that was added.
        path: String,
        /// The one before it.
        previous: String,
    },
}

/// The order of a lexical depth-first walk: compare element by element, so that `a/b` comes before `a.b`.
pub fn compare_paths(left: &str, right: &str) -> Ordering {
    left.split('/').cmp(right.split('/'))
}

/// Writes a gzipped tar archive whose bytes depend on nothing but names, contents and execute bits.
///
/// Owner, group and times are zero; modes are 0600 for files, 0700 for executables and 0750 for directories. Entries come
/// in the order of [`compare_paths`], the root `.` first if at all.
pub struct Writer<W: Write> {
    builder: tar::Builder<GzEncoder<W>>,
    previous: Option<String>,
}

impl<W: Write> Writer<W> {
    /// An empty archive.
    pub fn new(writer: W) -> Result<Self, WriteError> {
        // No name, no time, unknown operating system: an empty header, as Go writes it.
        let encoder = GzBuilder::new().mtime(0).operating_system(255).write(writer, Compression::default());
        Ok(Self { builder: tar::Builder::new(encoder), previous: None })
    }

    /// Adds a directory; `.` is the root.
    pub fn directory(&mut self, path: &str) -> Result<(), WriteError> {
        self.advance(path)?;
        let mut header = header(tar::EntryType::Directory, 0o750, 0);
        self.append(&mut header, path, io::empty())
    }

    /// Adds a regular file.
    pub fn file(&mut self, path: &str, executable: bool, data: &[u8]) -> Result<(), WriteError> {
        self.advance(path)?;
        let mode = if executable { 0o700 } else { 0o600 };
        let mut header = header(tar::EntryType::Regular, mode, data.len() as u64);
        self.append(&mut header, path, data)
    }

    /// Ends the archive and gives the underlying writer back.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.builder.into_inner()?.finish()?)
    }

    fn advance(&mut self, path: &str) -> Result<(), WriteError> {
        if let Some(previous) = &self.previous
            && previous != "."
            && compare_paths(previous, path) != Ordering::Less
        {
            return Err(WriteError::Order { path: path.to_owned(), previous: previous.clone() });
        }
        self.previous = Some(path.to_owned());
        Ok(())
    }

    fn append(&mut self, header: &mut tar::Header, path: &str, data: impl io::Read) -> Result<(), WriteError> {
        if path == "." {
            // The tar crate drops `.` elements from names, yet the root has an entry of its own.
            if let Some(first) = header.as_old_mut().name.first_mut() {
                *first = b'.';
            }
            header.set_cksum();
            self.builder.append(header, data)?;
        } else {
            self.builder.append_data(header, path, data)?;
        }
        Ok(())
    }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
