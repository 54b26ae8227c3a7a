//! The trace of a change as a tree: which process did what, and how long it took.

use std::collections::{BTreeMap, BTreeSet};

use testkit::otlp::Span;

/// The trace that most processes took part in (the last of these), as lines of text.
pub(super) fn last_change(spans: &[Span]) -> Option<String> {
    let mut traces: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(&span.trace).or_default().push(span);
    }
    let services = |spans: &[&Span]| spans.iter().map(|span| &span.service).collect::<BTreeSet<_>>().len();
    let position = |trace: &str| spans.iter().rposition(|span| span.trace == trace);
    let (_, chosen) = traces.iter().max_by_key(|(trace, spans)| (services(spans), position(trace)))?;
    let known: BTreeSet<&str> = chosen.iter().map(|span| span.id.as_str()).collect();
    let mut text = String::new();
    for root in chosen.iter().filter(|span| !known.contains(span.parent.as_str())) {
        write_span(&mut text, root, chosen, 0);
    }
    Some(text)
}

fn write_span(text: &mut String, span: &Span, all: &[&Span], depth: usize) {
    // A trace is a tree, but what came over the wire may be anything.
    const DEEPEST: usize = 32;
    let indent = "  ".repeat(depth);
    let label = format!("{indent}{}", span.name);
    text.push_str(&format!("{label:<44} {:>9.1} ms  {}\n", span.duration.as_secs_f64() * 1000.0, span.service));
    if depth < DEEPEST {
        for child in all.iter().filter(|child| child.parent == span.id && child.id != span.id) {
            write_span(text, child, all, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn span(service: &str, trace: &str, id: &str, parent: &str) -> Span {
        Span {
            service: service.to_owned(),
            name: format!("work {id}"),
            trace: trace.to_owned(),
            id: id.to_owned(),
            parent: parent.to_owned(),
            attributes: Vec::new(),
            duration: Duration::from_millis(5),
        }
    }

    #[test]
    fn the_trace_across_processes_is_shown_as_a_tree() {
        let spans = [
            span("source", "a", "1", ""),
            span("source", "b", "2", ""),
            span("helm", "b", "3", "2"),
            span("helm", "c", "4", "4"),
        ];
        let text = last_change(&spans).unwrap();
        let names: Vec<&str> = text.lines().map(|line| line.get(..8).unwrap()).collect();
        assert_eq!(names, ["work 2  ", "  work 3"]);
        assert_eq!(last_change(&[]), None);
        assert!(last_change(&spans[3..]).is_some());
    }
}
