//! What is written comes back, and the same entries always give the same bytes.

use archive::{Policy, WriteError, Writer, compare_paths, read_tar_gz};
use proptest::prelude::*;

fn pack(files: &[(&str, bool, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.directory(".").unwrap();
    for (path, executable, data) in files {
        writer.file(path, *executable, data).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn headers_depend_on_nothing_but_the_entries() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.directory(".").unwrap();
    writer.directory("bin").unwrap();
    writer.file("bin/run", true, b"#!/bin/sh\n").unwrap();
    writer.file("z.yaml", false, b"a: 1\n").unwrap();
    let bytes = writer.finish().unwrap();

    assert_eq!(&bytes[..10], &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "an empty gzip header");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
        seen.push((
            String::from_utf8(entry.path_bytes().into_owned()).unwrap(),
            header.entry_type(),
            header.mode().unwrap(),
        ));
    }
    assert_eq!(
        seen,
        [
            (".".to_owned(), tar::EntryType::Directory, 0o750),
            ("bin".to_owned(), tar::EntryType::Directory, 0o750),
            ("bin/run".to_owned(), tar::EntryType::Regular, 0o700),
            ("z.yaml".to_owned(), tar::EntryType::Regular, 0o600),
        ]
    );
}

#[test]
fn long_names_survive() {
    let long = format!("{}/{}", "d".repeat(150), "f".repeat(200));
    let entries = read_tar_gz(pack(&[(&long, false, b"x")]).as_slice(), &Policy::source()).unwrap();
    assert_eq!(entries[0].path, long);
}

#[test]
fn unsorted_entries_are_refused() {
    let mut writer = Writer::new(Vec::new()).unwrap();
    writer.file("b", false, b"").unwrap();
    assert!(matches!(writer.file("a", false, b""), Err(WriteError::Order { .. })));
}

#[test]
fn paths_are_ordered_like_a_depth_first_walk() {
    let mut paths = vec!["a.b", "a/b", "a", "a-b", "b", "a/b/c", "a/a.x"];
    paths.sort_by(|left, right| compare_paths(left, right));
    assert_eq!(paths, ["a", "a/a.x", "a/b", "a/b/c", "a-b", "a.b", "b"]);
}

proptest! {
    #[test]
    fn files_come_back_as_written(
        files in prop::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}){0,2}", (any::<bool>(), prop::collection::vec(any::<u8>(), 0..600)), 0..12)
    ) {
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort_by(|left, right| compare_paths(left.0, right.0));
        let written: Vec<(&str, bool, &[u8])> =
            sorted.iter().map(|(path, (executable, data))| (path.as_str(), *executable, data.as_slice())).collect();
        let first = pack(&written);
        prop_assert_eq!(&first, &pack(&written));
        let entries = read_tar_gz(first.as_slice(), &Policy::source()).unwrap();
        let read: Vec<(&str, bool, &[u8])> =
            entries.iter().map(|entry| (entry.path.as_str(), entry.executable, entry.data.as_slice())).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn damaged_archives_never_panic(position in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = pack(&[("a/b.yaml", false, b"kind: List\n"), ("c", true, &[7; 3000])]);
        let index = position.index(bytes.len());
        bytes[index] = value;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = read_tar_gz(bytes.as_slice(), &Policy::source());
        let mut plain = Vec::new();
        let _ = std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut plain);
        if !plain.is_empty() {
            let index = position.index(plain.len());
            plain[index] = value;
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &plain).unwrap();
            let _ = read_tar_gz(encoder.finish().unwrap().as_slice(), &Policy::chart());
        }
    }
}
