//! Reading a gzipped tar archive entry by entry under a [`Policy`].

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::limited::{Compressed, Decompressed, Meter, Overrun};
use crate::names::{self, NameError};
use crate::policy::{LinkPolicy, Policy};

/// What an entry is. Everything else is refused or left out by the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Whether any execute bit is set.
        executable: bool,
    },
}

/// An entry's description, before its content is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryInfo {
    /// Cleaned relative path, elements separated by `/`; `.` is the root.
    pub path: String,
    /// Directory or file.
    pub kind: EntryKind,
    /// The size the header declares; the content is checked against it and the policy.
    pub size: u64,
    /// When the header says it was last changed, in seconds since 1970.
    pub modified: u64,
}

/// A regular file read into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Cleaned relative path, elements separated by `/`.
    pub path: String,
    /// Whether any execute bit is set.
    pub executable: bool,
    /// When the header says it was last changed, in seconds since 1970.
    pub modified: u64,
    /// The content.
    pub data: Vec<u8>,
}

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not gzip, damaged or truncated.
    #[error("cannot read the archive: it is damaged, truncated or not a gzipped tar archive")]
    Format(#[source] io::Error),
    /// A name that could leave the target directory or cannot be represented.
    #[error("archive entry '{name}' is refused: {reason}")]
    Name {
        /// The entry's name, made printable.
        name: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A link while links are refused.
    #[error("archive entry '{name}' is a link to '{target}'; links are refused")]
    Link {
        /// The entry's name.
        name: String,
        /// Where it points, made printable.
        target: String,
    },
    /// A device, a pipe, a sparse file or an unknown type.
    #[error("archive entry '{name}' is a {kind}; only regular files and directories are accepted")]
    Kind {
        /// The entry's name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// One file is too large.
    #[error("archive entry '{name}' is larger than the limit of {limit} bytes a file")]
    FileTooLarge {
        /// The entry's name.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// Too many entries.
    #[error("the archive has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// The content grows past the limit.
    #[error("the archive decompresses to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The packed archive is larger than the limit.
    #[error("the packed archive is larger than the limit of {limit} bytes")]
    PackedTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The content is suspiciously larger than the packed bytes.
    #[error("the archive decompresses to more than {limit} times its packed size: it looks like a decompression bomb")]
    Ratio {
        /// The limit.
        limit: u64,
    },
}

/// A refused archive, or the visitor's own error.
#[derive(Debug, thiserror::Error)]
pub enum VisitError<E: std::error::Error + 'static> {
    /// The archive was refused.
    #[error(transparent)]
    Archive(#[from] ReadError),
    /// The visitor stopped.
    #[error(transparent)]
    Visitor(E),
}

/// Calls `visit` for each directory and regular file, in archive order, with a reader for the content.
///
/// What the visitor does not read is skipped. A short or oversized content surfaces as an `io::Error` from the reader
/// and, whatever the visitor makes of that, as the typed error of this function.
pub fn visit_tar_gz<R, E>(
    reader: R,
    policy: &Policy,
    mut visit: impl FnMut(&EntryInfo, &mut dyn Read) -> Result<(), E>,
) -> Result<(), VisitError<E>>
where
    R: Read,
    E: std::error::Error + 'static,
{
    let limits = &policy.limits;
    let meter = Meter::default();
    let compressed = BufReader::with_capacity(32 << 10, Compressed::new(reader, meter.clone(), limits));
    let decompressed = Decompressed::new(MultiGzDecoder::new(compressed), meter.clone(), limits);
    let mut archive = tar::Archive::new(decompressed);
    let classify = |error: io::Error| classify(error, &meter, policy);
    let mut count = 0_u64;
    for entry in archive.entries().map_err(classify)? {
        let mut entry = entry.map_err(classify)?;
        count += 1;
        if count > limits.entries {
            return Err(ReadError::TooManyEntries { limit: limits.entries }.into());
        }
        let Some(info) = inspect(&entry, policy)? else { continue };
        let mut content = Content { inner: &mut entry, remaining: info.size, failed: None };
        let outcome = visit(&info, &mut content);
        if let Some(kind) = content.failed {
            return Err(classify(io::Error::from(kind)).into());
        }
        outcome.map_err(VisitError::Visitor)?;
    }
    Ok(())
}

/// Reads every regular file into memory; the policy's limits bound that memory.
pub fn read_tar_gz<R: Read>(reader: R, policy: &Policy) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    let outcome = visit_tar_gz(reader, policy, |info, content| {
        let EntryKind::File { executable } = info.kind else { return Ok(()) };
        // The declared size is checked against the limit already, yet a lie about it must not reserve memory.
        let mut data = Vec::with_capacity(usize::try_from(info.size.min(1 << 20)).unwrap_or(0));
        content.read_to_end(&mut data)?;
        data.shrink_to_fit();
        entries.push(Entry { path: info.path.clone(), executable, modified: info.modified, data });
        Ok::<(), io::Error>(())
    });
    match outcome {
        Ok(()) => Ok(entries),
        Err(VisitError::Archive(error)) => Err(error),
        Err(VisitError::Visitor(error)) => Err(ReadError::Format(error)),
    }
}

/// The entry's description, or nothing when the policy leaves it out.
fn inspect<R: Read>(entry: &tar::Entry<'_, R>, policy: &Policy) -> Result<Option<EntryInfo>, ReadError> {
    use tar::EntryType;
    let raw = entry.path_bytes();
    let printable = || printable(&raw);
    let header = entry.header();
    let kind = match header.entry_type() {
        EntryType::Regular | EntryType::Continuous if !raw.ends_with(b"/") => {
            EntryKind::File { executable: header.mode().is_ok_and(|mode| mode & 0o111 != 0) }
        }
        // Old archives mark a directory by a trailing slash only.
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => EntryKind::Directory,
        EntryType::Symlink | EntryType::Link => {
            if policy.links == LinkPolicy::Skip {
                return Ok(None);
            }
            let target = entry.link_name_bytes().unwrap_or_default();
            return Err(ReadError::Link { name: printable(), target: self::printable(&target) });
        }
        EntryType::XGlobalHeader | EntryType::XHeader => return Ok(None),
        EntryType::Char => return Err(ReadError::Kind { name: printable(), kind: "character device" }),
        EntryType::Block => return Err(ReadError::Kind { name: printable(), kind: "block device" }),
        EntryType::Fifo => return Err(ReadError::Kind { name: printable(), kind: "named pipe" }),
        EntryType::GNUSparse => return Err(ReadError::Kind { name: printable(), kind: "sparse file" }),
        _ => return Err(ReadError::Kind { name: printable(), kind: "special entry of unknown type" }),
    };
    let path = names::clean(&raw, policy.backslash).map_err(|reason| ReadError::Name { name: printable(), reason })?;
    let size = if kind == EntryKind::Directory { 0 } else { entry.size() };
    if size > policy.limits.file_bytes {
        return Err(ReadError::FileTooLarge { name: path, limit: policy.limits.file_bytes });
    }
    Ok(Some(EntryInfo { path, kind, size, modified: header.mtime().unwrap_or(0) }))
}

/// One entry's content: never more than declared, an error when there is less, and the failure remembered.
struct Content<'a, R: Read> {
    inner: &'a mut R,
    remaining: u64,
    failed: Option<io::ErrorKind>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.remaining == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let wanted = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(buffer.len());
        let slice = buffer.get_mut(..wanted).unwrap_or_default();
        let outcome = match self.inner.read(slice) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            outcome => outcome,
        };
        match outcome {
            Ok(count) => {
                self.remaining = self.remaining.saturating_sub(count as u64);
                Ok(count)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failed = Some(error.kind());
                }
                Err(error)
            }
        }
    }
}

/// The typed error behind an I/O error of the decompressor or the tar reader.
fn classify(error: io::Error, meter: &Meter, policy: &Policy) -> ReadError {
    match meter.overrun() {
        Some(Overrun::Compressed) => ReadError::PackedTooLarge { limit: policy.limits.compressed_bytes },
        Some(Overrun::Total) => ReadError::TooLarge { limit: policy.limits.total_bytes },
        Some(Overrun::Ratio) => ReadError::Ratio { limit: policy.limits.ratio },
        None => ReadError::Format(error),
    }
}

/// A name fit for a message: no control characters, not longer than a line.
fn printable(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw.get(..raw.len().min(200)).unwrap_or_default());
    text.chars().map(|character| if character.is_control() { '\u{FFFD}' } else { character }).collect()
}
