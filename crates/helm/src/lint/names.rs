//! What Kubernetes takes for an object's name, which depends on its kind.

use crate::go_text::quote;

const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with the name of an object of this kind, in Kubernetes' words.
pub(super) fn problem(kind: &str, name: &str) -> Option<String> {
    let problems = match kind.to_lowercase().as_str() {
        "service" => in_length(name, 63, (!is_old_label(name)).then_some(OLD_LABEL)),
        "namespace" => {
            let problem = if is_label(name) {
                None
            } else if is_subdomain(name) {
                Some("must not contain dots")
            } else {
                Some(LABEL)
            };
            in_length(name, 63, problem)
        }
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => path_segment(name),
        "certificatesigningrequest" => Vec::new(),
        _ => in_length(name, 253, (!is_subdomain(name)).then_some(SUBDOMAIN)),
    };
    let mut problems: Vec<String> =
        problems.iter().map(|problem| format!("metadata.name: Invalid value: {}: {problem}", quote(name))).collect();
    let text = match problems.len() {
        0 => return None,
        1 => problems.remove(0),
        _ => format!("[{}]", problems.join(", ")),
    };
    Some(format!("object name does not conform to Kubernetes naming requirements: {}: {text}", quote(name)))
}

fn in_length(name: &str, longest: usize, problem: Option<&str>) -> Vec<String> {
    let too_long = (name.len() > longest).then(|| format!("must be no more than {longest} characters"));
    too_long.into_iter().chain(problem.map(str::to_owned)).collect()
}

fn path_segment(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ['/', '%'].iter().filter(|part| name.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}

fn is_label(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
}

fn is_old_label(name: &str) -> bool {
    is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}
