//! Makes a tree on which the outcomes differ smaller, as long as they differ in the same manner.

use serde_json::Value;

use crate::generator::Tree;
use crate::judge::{Judge, Verdict};

/// The smallest tree found, and its verdict.
pub(crate) fn reduce(judge: &mut Judge, tree: &Tree, verdict: &Verdict) -> (Tree, Verdict) {
    let (mut tree, mut verdict) = (tree.clone(), verdict.clone());
    let manner = verdict.manner();
    loop {
        let (mut at, mut found) = (0, false);
        // What comes before the place of a success was tried on a larger tree: that is for the next round.
        while let Some(candidate) = smaller(&tree).into_iter().nth(at) {
            let its = judge.try_once(&candidate);
            if !its.agrees() && its.manner() == manner {
                (tree, verdict, found) = (candidate, its, true);
            } else {
                at += 1;
            }
        }
        if !found {
            return (tree, verdict);
        }
    }
}

/// Trees with one thing less, the large things first.
fn smaller(tree: &Tree) -> Vec<Tree> {
    let mut out = Vec::new();
    if !tree.legacy {
        out.push(Tree { legacy: true, ..tree.clone() });
    }
    for path in tree.files.keys() {
        let mut less = tree.clone();
        less.files.remove(path);
        out.push(less);
    }
    for (path, text) in &tree.files {
        let texts = match serde_json::from_str::<Value>(text) {
            Ok(value) => without_one(&value).iter().map(Value::to_string).collect(),
            Err(_) => without_lines(text),
        };
        for text in texts {
            let mut less = tree.clone();
            less.files.insert(path.clone(), text);
            out.push(less);
        }
    }
    out
}

/// The value without one of its entries, at any depth, those above first.
fn without_one(value: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    match value {
        Value::Object(map) => {
            for key in map.keys() {
                let mut less = map.clone();
                less.remove(key);
                out.push(Value::Object(less));
            }
            for (key, inner) in map {
                for inner in without_one(inner) {
                    let mut less = map.clone();
                    less.insert(key.clone(), inner);
                    out.push(Value::Object(less));
                }
            }
        }
        Value::Array(list) => {
            for at in 0..list.len() {
                let mut less = list.clone();
                less.remove(at);
                out.push(Value::Array(less));
            }
            for (at, inner) in list.iter().enumerate() {
                for inner in without_one(inner) {
                    let mut less = list.clone();
                    if let Some(place) = less.get_mut(at) {
                        *place = inner;
                    }
                    out.push(Value::Array(less));
                }
            }
        }
        // A patch or a transformer inline.
        Value::String(text) if text.contains('\n') => out.extend(without_lines(text).into_iter().map(Value::String)),
        _ => {}
    }
    out
}

/// The text without one document, then without one line with those below it, then without one line.
fn without_lines(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let documents: Vec<&str> = text.split("---\n").collect();
    if documents.len() > 1 {
        for at in 0..documents.len() {
            let mut less = documents.clone();
            less.remove(at);
            out.push(less.join("---\n"));
        }
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    for (at, line) in lines.iter().enumerate() {
        // A resource without a version is a matter of its own.
        if line.starts_with("apiVersion:") {
            continue;
        }
        let below = lines.iter().skip(at + 1).take_while(|next| indent(next) > indent(line)).count();
        for cut in if below > 0 { vec![below + 1, 1] } else { vec![1] } {
            let kept = lines.iter().take(at).chain(lines.iter().skip(at + cut));
            out.push(kept.copied().collect());
        }
    }
    out
}
