//! Splitting a stream into documents.

/// The documents of a stream as `k8s.io/apimachinery`'s YAML reader splits it: at lines that begin with `---`.
///
/// The separator line is dropped as a whole; empty documents are kept as empty texts between separators, but a
/// separator at the very beginning opens the first document.
pub fn split_documents(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    let mut at_start = true;
    std::iter::from_fn(move || {
        loop {
            let current = rest?;
            let (document, after) = cut(current, at_start);
            let was_start = at_start;
            at_start = false;
            rest = after;
            if was_start && document.trim().is_empty() && after.is_some() {
                continue;
            }
            return Some(document);
        }
    })
}

fn cut(text: &str, at_line_start: bool) -> (&str, Option<&str>) {
    let separator = if at_line_start && text.starts_with("---") {
        Some(0)
    } else {
        memchr::memmem::find(text.as_bytes(), b"\n---").map(|found| found + 1)
    };
    let Some(start) = separator else { return (text, None) };
    let line = text.get(start..).unwrap_or_default();
    let after = match line.find('\n') {
        // The line break stays, so that a separator on the very next line is found.
        Some(end) => line.get(end..).unwrap_or_default(),
        None => "",
    };
    (text.get(..start).unwrap_or_default(), Some(after))
}
