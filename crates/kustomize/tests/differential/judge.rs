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
