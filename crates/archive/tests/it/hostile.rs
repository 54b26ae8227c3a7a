//! Archives made to do harm: each is refused with an error that names the entry and the rule.

use std::io::Write;

use archive::{BackslashPolicy, Limits, LinkPolicy, Policy, ReadError, read_tar_gz};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// A tar entry written by hand, so that no library stands in the way of a bad name.
fn entry(name: &str, kind: EntryType, link: &str, data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(data.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn archive_of(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut plain = entries.concat();
    plain.extend([0; 1024]);
    gzip(&plain)
}

fn refusal(bytes: &[u8], policy: &Policy) -> String {
    read_tar_gz(bytes, policy).unwrap_err().to_string()
}

#[test]
fn bad_entries_are_refused_by_name() {
    let table = [
        (
            entry("../evil", EntryType::Regular, "", b"x"),
            "archive entry '../evil' is refused: the name has a '..' element, which could leave the target directory",
        ),
        (
            entry("chart/../../evil", EntryType::Regular, "", b"x"),
            "archive entry 'chart/../../evil' is refused: the name has a '..' element, which could leave the target directory",
        ),
        (
            entry("/etc/passwd", EntryType::Regular, "", b"x"),
            "archive entry '/etc/passwd' is refused: the name is an absolute path",
        ),
        (
            entry("C:\\evil", EntryType::Regular, "", b"x"),
            "archive entry 'C:\\evil' is refused: the name is an absolute path",
        ),
        (
            entry("a\\..\\..\\b", EntryType::Regular, "", b"x"),
            "archive entry 'a\\..\\..\\b' is refused: the name has a '..' element, which could leave the target directory",
        ),
        (
            entry("chart/link", EntryType::Symlink, "/etc/passwd", b""),
            "archive entry 'chart/link' is a link to '/etc/passwd'; links are refused",
        ),
        (
            entry("chart/hard", EntryType::Link, "chart/a", b""),
            "archive entry 'chart/hard' is a link to 'chart/a'; links are refused",
        ),
        (
            entry("chart/dev", EntryType::Char, "", b""),
            "archive entry 'chart/dev' is a character device; only regular files and directories are accepted",
        ),
        (
            entry("chart/disk", EntryType::Block, "", b""),
            "archive entry 'chart/disk' is a block device; only regular files and directories are accepted",
        ),
        (
            entry("chart/pipe", EntryType::Fifo, "", b""),
            "archive entry 'chart/pipe' is a named pipe; only regular files and directories are accepted",
        ),
        (
            entry("chart/odd", EntryType::new(b'Z'), "", b""),
            "archive entry 'chart/odd' is a special entry of unknown type; only regular files and directories are accepted",
        ),
    ];
    for (bad, message) in table {
        let bytes = archive_of(&[entry("chart/Chart.yaml", EntryType::Regular, "", b"name: a\n"), bad]);
        assert_eq!(refusal(&bytes, &Policy::chart()), message);
    }
    let skipped =
        archive_of(&[entry("link", EntryType::Symlink, "/etc/passwd", b""), entry("a", EntryType::Regular, "", b"1")]);
    assert_eq!(read_tar_gz(skipped.as_slice(), &Policy::source()).unwrap().len(), 1, "sources leave links out");
    let backslash = archive_of(&[entry("a\\b", EntryType::Regular, "", b"x")]);
    assert_eq!(refusal(&backslash, &Policy::source()), "archive entry 'a\\b' is refused: the name has a backslash");
}

fn small(limits: Limits) -> Policy {
    Policy { links: LinkPolicy::Reject, backslash: BackslashPolicy::Reject, limits }
}

const LIMITS: Limits = Limits { entries: 3, file_bytes: 1000, total_bytes: 20_000, compressed_bytes: 5000, ratio: 100 };

#[test]
fn every_bound_is_held() {
    let many: Vec<_> = (0..5).map(|index| entry(&format!("f{index}"), EntryType::Regular, "", b"")).collect();
    assert_eq!(refusal(&archive_of(&many), &small(LIMITS)), "the archive has more than 3 entries");

    let large = archive_of(&[entry("large", EntryType::Regular, "", &[0; 1001])]);
    assert_eq!(refusal(&large, &small(LIMITS)), "archive entry 'large' is larger than the limit of 1000 bytes a file");

    let limits = Limits { entries: 100, ..LIMITS };
    let total: Vec<_> = (0..30).map(|index| entry(&format!("f{index}"), EntryType::Regular, "", &[0; 900])).collect();
    assert_eq!(refusal(&archive_of(&total), &small(limits)), "the archive decompresses to more than 20000 bytes");

    let noise: Vec<u8> = (0..9000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let limits = Limits { file_bytes: 1 << 20, total_bytes: 1 << 20, ..LIMITS };
    let packed = archive_of(&[entry("noise", EntryType::Regular, "", &noise)]);
    assert_eq!(refusal(&packed, &small(limits)), "the packed archive is larger than the limit of 5000 bytes");
}

#[test]
fn a_decompression_bomb_is_stopped_early() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..4].copy_from_slice(b"bomb");
    header.set_size(8 << 30);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&zeros).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let limits =
        Limits { entries: 10, file_bytes: u64::MAX, total_bytes: u64::MAX, compressed_bytes: u64::MAX, ratio: 400 };
    assert!(matches!(read_tar_gz(bytes.as_slice(), &small(limits)), Err(ReadError::Ratio { limit: 400 })));
    assert!(matches!(read_tar_gz(bytes.as_slice(), &Policy::chart()), Err(ReadError::FileTooLarge { .. })));
}

#[test]
fn a_lying_size_is_a_format_error_without_the_memory() {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..1].copy_from_slice(b"a");
    header.set_size(4 << 20);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    let mut plain = header.as_bytes().to_vec();
    plain.extend([1; 100]);
    assert!(matches!(read_tar_gz(gzip(&plain).as_slice(), &Policy::chart()), Err(ReadError::Format(_))));
    assert!(matches!(read_tar_gz(&b"not gzip at all"[..], &Policy::chart()), Err(ReadError::Format(_))));
    assert!(matches!(read_tar_gz(&b""[..], &Policy::chart()), Err(ReadError::Format(_))));
}

/// Names of 10,000 characters, and names whose length is a lie: an end in bounded memory.
#[test]
fn long_names_are_bounded() {
    let long = "n".repeat(10_000);
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let record = match kind {
            EntryType::XHeader => format!("{} path={long}\n", long.len() + 12),
            _ => format!("{long}\0"),
        };
        let bytes = archive_of(&[
            entry("././@LongLink", kind, "", record.as_bytes()),
            entry("short", EntryType::Regular, "", b"x"),
        ]);
        // Whether such a name is taken is the policy's matter; it never counts for less than it is.
        match read_tar_gz(bytes.as_slice(), &Policy::chart()) {
            Ok(entries) => assert_eq!(entries.len(), 1),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let bytes = gzip(header.as_bytes());
    assert!(read_tar_gz(bytes.as_slice(), &Policy::chart()).is_err());
    // A bomb in the place of a name.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    header.set_size(2 << 30);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let piece = vec![b'n'; 1 << 20];
    for _ in 0..300 {
        encoder.write_all(&piece).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    assert!(read_tar_gz(bytes.as_slice(), &Policy::chart()).is_err());
}

#[test]
fn global_headers_are_no_files() {
    let bytes = archive_of(&[
        entry(
            "pax_global_header",
            EntryType::XGlobalHeader,
            "",
            b"52 comment=0123456789012345678901234567890123456789\n",
        ),
        entry("chart/Chart.yaml", EntryType::Regular, "", b"name: a\n"),
    ]);
    let entries = read_tar_gz(bytes.as_slice(), &Policy::chart()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["chart/Chart.yaml"]);
}
