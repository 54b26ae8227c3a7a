//! Builds a tree with the real kustomize and with this crate.

use oracle::Oracle;
use serde_json::{Value, json};

use crate::generator::Tree;

/// How often kustomize is asked again when it differs: where it goes through a Go map, it has several answers.
const ASKED_AGAIN: usize = 12;

/// What a build prints, or why it fails.
pub(crate) type Outcome = Result<String, String>;

/// Both outcomes of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) theirs: Outcome,
    pub(crate) ours: Outcome,
}

impl Verdict {
    pub(crate) fn agrees(&self) -> bool {
        match (&self.theirs, &self.ours) {
            (Ok(theirs), Ok(ours)) => theirs == ours,
            (Err(_), Err(_)) => true,
            _ => false,
        }
    }

    /// Whether nothing differs but the hash suffix of kinds other than ConfigMap and Secret: kustomize's depends on which
    /// lines the fields stood on when they were read.
    pub(crate) fn is_known(&self) -> bool {
        let (Ok(theirs), Ok(ours)) = (&self.theirs, &self.ours) else { return false };
        let (their_words, our_words): (Vec<&str>, Vec<&str>) = (words(theirs).collect(), words(ours).collect());
        their_words.len() == our_words.len()
            && their_words.iter().zip(our_words).all(|(their_word, our_word)| {
                *their_word == our_word
                    || match (without_hash(their_word), without_hash(our_word)) {
                        (Some(name), Some(other)) => name == other && is_of_another_kind(theirs, their_word),
                        _ => false,
                    }
            })
    }

    /// In what way the outcomes differ.
    pub(crate) fn manner(&self) -> (bool, bool, bool) {
        let panics = self.theirs.as_ref().is_err_and(|error| error.starts_with("panic: "));
        (self.theirs.is_ok(), self.ours.is_ok(), panics)
    }
}

/// The real kustomize beside this crate.
pub(crate) struct Judge {
    oracle: Oracle,
}

impl Judge {
    /// `None`, and a line that says so, without Go.
    pub(crate) fn start() -> Option<Self> {
        Some(Self { oracle: Oracle::start_in("oracle-kustomize", "build")? })
    }

    /// The verdicts on some trees, in their order.
    pub(crate) fn try_all(&mut self, trees: &[Tree]) -> Vec<Verdict> {
        let questions: Vec<Value> = trees.iter().map(question).collect();
        let answers = self.oracle.ask_many(&questions);
        let mut verdicts: Vec<Verdict> = trees
            .iter()
            .zip(&answers)
            .map(|(tree, answer)| Verdict { theirs: outcome(answer), ours: tree.ours() })
            .collect();
        for (verdict, question) in verdicts.iter_mut().zip(&questions) {
            for _ in 0..ASKED_AGAIN {
                if verdict.agrees() {
                    break;
                }
                let again = Verdict { theirs: outcome(&self.oracle.ask(question)), ours: verdict.ours.clone() };
                if again.agrees() {
                    *verdict = again;
                }
            }
        }
        verdicts
    }

    /// The verdict on one tree by kustomize's first answer.
    pub(crate) fn try_once(&mut self, tree: &Tree) -> Verdict {
        Verdict { theirs: outcome(&self.oracle.ask(&question(tree))), ours: tree.ours() }
    }
}

/// Output in words, each with what ends it, so that names stand alone.
fn words(output: &str) -> impl Iterator<Item = &str> {
    output.split_inclusive(WORD_ENDS).flat_map(|word| {
        let end = word.strip_suffix(WORD_ENDS).map_or(word.len(), str::len);
        [&word[..end], &word[end..]]
    })
}

const WORD_ENDS: [char; 7] = [' ', '\n', '/', '"', ',', ']', '}'];

/// A name without the ten characters that kustomize makes of a hash.
fn without_hash(name: &str) -> Option<&str> {
    let (name, hash) = name.rsplit_once('-')?;
    (hash.len() == 10 && hash.chars().all(|c| "2456789bcdfghkmt".contains(c))).then_some(name)
}

/// Whether a name is that of a resource which is neither a ConfigMap nor a Secret.
fn is_of_another_kind(output: &str, name: &str) -> bool {
    output.split("---\n").any(|document| {
        document.lines().any(|line| line.strip_prefix("  name: ") == Some(name))
            && !document.lines().any(|line| matches!(line, "kind: ConfigMap" | "kind: Secret"))
    })
}

fn question(tree: &Tree) -> Value {
    json!({"files": tree.files, "root": tree.root, "legacy": tree.legacy, "schema": tree.schema})
}

fn outcome(answer: &Value) -> Outcome {
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        // A library build of kustomize does not know its version.
        None => Ok(answer["output"].as_str().unwrap_or_default().replace("kustomize-(devel)", "kustomize-v5.8.1")),
    }
}

#[test]
fn only_hashes_of_other_kinds_are_known() {
    let verdict = |theirs: &str, ours: &str| Verdict { theirs: Ok(theirs.to_owned()), ours: Ok(ours.to_owned()) };
    let widget =
        |hash: &str| format!("kind: Widget\nmetadata:\n  name: a-{hash}\n---\nkind: Pod\nspec:\n  a: [x, a-{hash}]\n");
    assert!(verdict(&widget("bcdfghkmt2"), &widget("2456789bcd")).is_known());
    assert!(!verdict(&widget("bcdfghkmt2"), &widget("aaaaaaaaaa")).is_known(), "no hash");
    let map = |text: &str| text.replace("Widget", "ConfigMap");
    assert!(!verdict(&map(&widget("bcdfghkmt2")), &map(&widget("2456789bcd"))).is_known(), "of a ConfigMap");
    assert!(!verdict(&widget("bcdfghkmt2"), &(widget("2456789bcd") + "---\n")).is_known(), "one more document");
}
