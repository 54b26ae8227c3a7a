//! Splitting rendered text into documents, as loosely as Helm 4 does it.

use crate::go_text::{is_space, trim_space};

/// The documents of a text. `---` at the start of a line separates, even with more text right after it; white space before
/// a document is dropped, after it kept; documents of white space only are left out.
#[must_use]
pub fn split_manifests(text: &str) -> Vec<&str> {
    let text = text.trim_start_matches(is_space);
    let mut documents = Vec::new();
    let mut start = 0;
    let mut line = 0;
    loop {
        let rest = text.get(line..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix("---") {
            push(&mut documents, text.get(start..line).unwrap_or_default());
            let after = after.trim_start_matches([' ', '\t']);
            start = text.len() - after.len();
        }
        // The separator may be followed by text on the same line, so look for the next line from here.
        let from = line.max(start);
        match text.get(from..).and_then(|rest| rest.find('\n')) {
            Some(end) => line = from + end + 1,
            None => break,
        }
    }
    push(&mut documents, text.get(start..).unwrap_or_default());
    documents
}

fn push<'a>(documents: &mut Vec<&'a str>, document: &'a str) {
    if !trim_space(document).is_empty() {
        documents.push(document.trim_start_matches(is_space));
    }
}

#[cfg(test)]
mod tests {
    use super::split_manifests;

    #[test]
    fn documents_are_split_as_helm_splits_them() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("a: 1\n", &["a: 1\n"]),
            ("\n\n---\na: 1\n\n---\n \n--- \t\nb: 2", &["a: 1\n\n", "b: 2"]),
            ("---apiVersion: v1\n", &["apiVersion: v1\n"]),
            ("a\n ---\nb\n", &["a\n ---\nb\n"]),
            ("a\n---\n---\n---\nb\n", &["a\n", "b\n"]),
            ("a\n------\nb", &["a\n", "---\nb"]),
            ("x: |\n  a\n--- # comment\ny", &["x: |\n  a\n", "# comment\ny"]),
            ("---", &[]),
        ] {
            assert_eq!(split_manifests(text), expected, "{text:?}");
        }
    }
}
