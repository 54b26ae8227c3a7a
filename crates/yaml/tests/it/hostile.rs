//! Input made to hurt: an error or an answer in bounded time and memory, never a crash.

use std::time::Duration;

use yaml::{v2, v3};

/// Far above what any of these takes in an unoptimised build on a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

/// Other tests of this program take some of it.
const MEMORY: u64 = 1 << 30;

fn bounded(name: &str, text: &[u8]) -> (Result<yaml::Value, yaml::Error>, Result<Vec<v3::Node>, yaml::Error>) {
    println!("{name}");
    fuzz::bounded(LIMIT, MEMORY, || {
        let value = v2::unmarshal(text);
        if let Ok(value) = &value {
            drop(v2::to_string(value));
            drop(v3::to_string_pretty(value));
        }
        let nodes = v3::parse_all(text);
        if let Ok(nodes) = &nodes {
            for node in nodes {
                drop(v3::decode(node));
                drop(v3::expand_aliases(node));
                drop(v3::encode(node, v3::EncodeOptions::KYAML));
            }
        }
        (value, nodes)
    })
}

#[test]
fn deep_nesting_is_refused() {
    for (name, text) in [
        ("flow sequences", "[".repeat(100_000)),
        ("closed flow sequences", format!("{}{}", "[".repeat(9_000), "]".repeat(9_000))),
        ("flow mappings", "{a: ".repeat(100_000)),
        ("block sequences", "- ".repeat(100_000)),
        ("complex keys", "? ".repeat(50_000)),
        ("block mappings", (0..12_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()),
        ("tags", "!!seq [".repeat(20_000)),
    ] {
        let (value, nodes) = bounded(name, text.as_bytes());
        assert!(value.is_err(), "{name}");
        assert!(nodes.is_err(), "{name}");
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let depth = yaml::MAX_DEPTH - 2;
    let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let (value, nodes) = bounded("depth below the limit", text.as_bytes());
    assert!(value.is_ok());
    assert_eq!(nodes.unwrap().len(), 1);
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![previous; 9].join(",")));
    }
    let (value, nodes) = bounded("billion laughs", text.as_bytes());
    let error = value.unwrap_err().to_string();
    assert!(error.contains("excessive aliasing"), "{error}");
    assert!(v3::decode(&nodes.unwrap()[0]).is_err());

    let mut merges = String::from("a0: &a0 {x: 1}\n");
    for level in 1..25 {
        let previous = level - 1;
        merges.push_str(&format!("a{level}: &a{level} {{<<: [*a{previous}, *a{previous}]}}\n"));
    }
    assert!(bounded("merge bomb", merges.as_bytes()).0.is_err());
    assert!(bounded("alias of itself", b"&a [*a]").0.is_err());
    assert!(bounded("merge of itself", b"a: &a {<<: *a}").0.is_err());
    assert!(bounded("key of itself", b"&a {*a : 1}").0.is_err());
}

#[test]
fn long_input_takes_linear_time() {
    let words = "word ".repeat(200_000);
    for (name, text) in [
        ("many documents", "---\na: 1\n".repeat(100_000)),
        ("many keys", (0..100_000).map(|index| format!("k{index}: {index}\n")).collect()),
        ("equal keys", "a: 1\n".repeat(50_000)),
        ("many anchors", (0..50_000).map(|index| format!("- &a{index} x\n")).collect()),
        ("one long plain scalar", words.clone()),
        ("one long quoted scalar", format!("\"{words}\"")),
        ("one long key", format!("{words}: 1")),
        ("one long flow line", format!("[{}]", "a, ".repeat(200_000))),
        ("one long flow line of wide characters", format!("[{}]", "é, ".repeat(100_000))),
        ("many blank lines", format!("a:{}b", "\n".repeat(500_000))),
        ("many comments", "# comment\n".repeat(100_000)),
        ("many line breaks in a block", format!("a: |\n  x\n{}", "\n".repeat(300_000))),
        ("many tags", "- !!str x\n".repeat(50_000)),
        ("colons", ":".repeat(300_000)),
        ("dashes", "-".repeat(300_000)),
        ("question marks", "?".repeat(300_000)),
        ("quotes", "'".repeat(300_000)),
        ("spaces", " ".repeat(500_000)),
        ("tabs", "\t".repeat(500_000)),
    ] {
        drop(bounded(name, text.as_bytes()));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for bytes in [
        &b"a: \xff"[..],
        b"a: \xc3",
        b"a: \xc3\x28",
        b"a: \xed\xa0\x80",
        b"a: \xf8\x88\x80\x80\x80",
        b"a: \x00",
        b"a: \x07",
        b"\x80",
        b"\xff\xfea",
        b"\xfe\xff\xd8\x00",
    ] {
        let (value, nodes) = bounded("bad bytes", bytes);
        assert!(value.is_err(), "{bytes:?}");
        assert!(nodes.is_err(), "{bytes:?}");
    }
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain("a: é\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(v2::to_string(&v2::unmarshal(&utf16).unwrap()).unwrap(), "a: é\n");
}
