//! What the outline takes, what it leaves to the parser, and that the two never disagree.

use super::head_text;
use crate::manifest::ManifestHead;

#[test]
fn the_head_is_found_without_the_parser() {
    for (document, expected) in [
        ("apiVersion: v1\nkind: A\nspec:\n  a: b\n", "apiVersion: v1\nkind: A\n"),
        (
            "kind: A\n# c\nmetadata:\n  name: b\n  labels: {a: \"b\"}\nspec: x # y\n",
            "kind: A\n# c\nmetadata:\n  name: b\n  labels: {a: \"b\"}\n",
        ),
        ("spec:\n- a: 1\n  b:\n  - c\n  - - d\n    - e: f\n  g: h\nKIND: B", "KIND: B"),
        ("data:\n  x: |\n    a: b: c\n     d\n\n   \n  y: >-\n\n    z\nkind: C\n", "kind: C\n"),
        ("data:\n  x: a b\n    c - d\n\n    e\n  y: \"\\\"\" # z\nkind: C\n", "kind: C\n"),
        ("args: [a, \"b\", 'it''s', [c], {d: e}, {}]\nempty:\nlist: []\n", ""),
        ("# only a comment\n", ""),
        ("a:\n  # c\n  b\n c\nc:\n  {}\nd:\n-\n  .e\n f\nkind: C\n", "kind: C\n"),
        ("a: 'b\n\n  # c: d''\n  e' # f\nb:\n- \"c\\n\n  \\\"d\"\nkind: C\n", "kind: C\n"),
    ] {
        assert_eq!(head_text(document).as_deref(), Some(expected), "{document:?}");
        assert_eq!(ManifestHead::parse(document), ManifestHead::parse_whole(document), "{document:?}");
    }
}

#[test]
fn what_is_not_plain_is_left_to_the_parser() {
    for document in [
        "- a",
        "text",
        "a: b\n  c: d",
        "a:\n  b: c\n d: e",
        "a: b: c",
        "a: b\n  c:",
        "a:\n\tb: c",
        "a: \"b\nc\"",
        "a: \"b\\\n  c\"",
        "a: 'b\n  c' d",
        "a: 'b\n  c",
        "a: \"b\" c",
        "a: \"\\x41\"",
        "a: &b c",
        "a: *b",
        "a: !!str b",
        "a: .inf",
        "a: -.inf",
        "<<: {a: b}",
        "null: a",
        "a: {null: b}",
        "1: a",
        "a: {b: c",
        "a: [b, c\n  d]",
        "a: [b]: c",
        "a: |2\n    b",
        "a: |\n     \n  b",
        "a: |\n   b\n  c",
        "a: |\n  b\n \tc",
        "a: - b",
        "a: b\n- c",
        "a:\n- b\n  c: d",
        "a:\n  - b\n  c: d",
        "a: b\n...\n",
        "a: @b",
        "a: b\u{2028}c",
        "a: b\rc",
        "a: \u{7}",
        "a: b # c\n  d",
        "a:\n  b\n  c: d",
        "a:\n  - b\n  c",
        "a:\n  &b c",
    ] {
        assert_eq!(head_text(document), None, "{document:?}");
    }
}

/// Documents put together from pieces at random, most of them wrong in some way: whatever the outline is sure of, the
/// parser accepts with the same head.
#[test]
fn the_outline_never_disagrees_with_the_parser() {
    const PIECES: [&str; 50] = [
        "a:",
        "b: c",
        "kind: K",
        "metadata:",
        "name: n",
        "annotations:",
        "apiVersion: v1",
        "- ",
        "-",
        "- a",
        "- b: c",
        "- - d",
        "x: |",
        "y: >-",
        "z: |+",
        "text of words",
        "t: text of words",
        "# comment",
        "u: v # comment",
        "\"q\": r",
        "'s': \"t\"",
        "f: [a, b]",
        "m: {k: v}",
        "[]",
        "{}",
        "g: []",
        "h: {}",
        "\"\\n\"",
        "w: \"a",
        "b\"",
        "v: 'a",
        "c'",
        "i: 'it''s'",
        ": x",
        "? y",
        "a: b: c",
        "c:d",
        "&a b",
        "j: *a",
        "!t u",
        "k: .inf",
        "null: x",
        "1: 2",
        "n: 12:30",
        "o: -",
        "p: -x",
        "é: ü",
        "e: é",
        "---",
        "...",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 0xFFFF_FFFF).unwrap_or(0) % bound
    };
    let mut sure = 0;
    for _ in 0..60_000 {
        let mut document = String::new();
        for _ in 0..=random(7) {
            if random(12) == 0 {
                document.push('\n');
            }
            document.push_str("      ".get(..random(4) + random(3)).unwrap_or_default());
            for _ in 0..=random(12) / 11 {
                document.push_str(PIECES[random(PIECES.len())]);
            }
            document.push_str(if random(20) == 0 { " \n" } else { "\n" });
        }
        let document = document.trim_start();
        if let Some(text) = head_text(document) {
            sure += 1;
            let parsed = crate::yaml_text::parse(document.as_bytes());
            assert!(parsed.is_ok(), "{document:?}: {parsed:?}");
            assert_eq!(ManifestHead::parse_whole(&text), ManifestHead::parse_whole(document), "{document:?}");
        }
    }
    assert!(sure > 1_000, "{sure}");
}
