//! What an archive may contain and how large it may get.

/// What happens to symbolic and hard links found in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPolicy {
    /// A link fails the whole archive.
    Reject,
    /// Links are left out, as Flux leaves them out of artifacts.
    Skip,
}

/// What a backslash in a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackslashPolicy {
    /// A name with a backslash fails the whole archive.
    Reject,
    /// A backslash separates path elements (Helm charts packed on Windows).
    Separator,
}

/// Upper bounds; reaching one is an error that says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most entries of any type.
    pub entries: u64,
    /// Most bytes of one file's content.
    pub file_bytes: u64,
    /// Most bytes after decompression, tar headers included.
    pub total_bytes: u64,
    /// Most bytes of the compressed stream.
    pub compressed_bytes: u64,
    /// Largest decompressed size per compressed byte, judged once [`Limits::RATIO_FROM`] bytes came out.
    pub ratio: u64,
}

impl Limits {
    /// Below this many decompressed bytes the ratio is not judged: small archives of repetitive text compress very well.
    pub const RATIO_FROM: u64 = 32 << 20;
}

/// One extraction policy: the rules for names, links and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Links.
    pub links: LinkPolicy,
    /// Backslashes in names.
    pub backslash: BackslashPolicy,
    /// Sizes.
    pub limits: Limits,
}

impl Policy {
    /// For artifacts of sources (Git trees): upstream producers drop links, so finding one is left out rather than fatal.
    pub const fn source() -> Self {
        Self {
            links: LinkPolicy::Skip,
            backslash: BackslashPolicy::Reject,
            limits: Limits {
                entries: 500_000,
                file_bytes: 256 << 20,
                total_bytes: 1 << 30,
                compressed_bytes: 512 << 20,
                ratio: 400,
            },
        }
    }

    /// For Helm charts: Helm's own limits of 100 MiB in all and 5 MiB a file, 10 MiB packed, and no links at all.
    pub const fn chart() -> Self {
        Self {
            links: LinkPolicy::Reject,
            backslash: BackslashPolicy::Separator,
            limits: Limits {
                entries: 20_000,
                file_bytes: 5 << 20,
                total_bytes: 100 << 20,
                compressed_bytes: 10 << 20,
                ratio: 400,
            },
        }
    }
}
