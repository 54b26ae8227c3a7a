//! What to do about an error: the place in the template, the value, the next step. Helm's own text stays as it is.

use super::TemplateError;
use crate::chart::Chart;
use crate::engine::{self, RenderError};
use crate::values::unknown::edits;
use std::fmt::Write as _;

impl TemplateError {
    /// Lines to print below the error, when there is more to say than Helm does.
    #[must_use]
    pub fn advice(&self, chart: &Chart) -> Option<String> {
        match self {
            Self::Render(RenderError::Template(error)) => Some(template(error, chart)),
            Self::Render(RenderError::KubeVersion { .. }) => {
                Some("help: render for a version the chart supports with --kube-version".to_owned())
            }
            Self::Render(RenderError::Schema(_)) => Some(
                "help: the paths are those of the values, / between the keys; values.schema.json has the rules, and \
                 --skip-schema-validation leaves them out"
                    .to_owned(),
            ),
            Self::Sort(error) | Self::NotYaml { error, .. } => {
                Some(not_yaml(&error.path, &error.message, &error.document))
            }
            Self::ShowOnly { .. } => {
                Some("help: the path is the one behind the chart's name on the # Source lines of the output".to_owned())
            }
            Self::ReleaseName { .. }
            | Self::KubeVersion { .. }
            | Self::Values(_)
            | Self::Chart(_)
            | Self::Render(_)
            | Self::NameTemplate(_)
            | Self::PostRender(_) => None,
        }
    }
}

/// The file and line, the line itself, and what its failing part means.
fn template(error: &engine::TemplateError, chart: &Chart) -> String {
    let mut out = String::new();
    if let (Some(file), Some(number)) = (&error.file, error.line) {
        let _ = write!(out, "  --> {file}:{number}");
        if let Some(line) = source_line(chart, chart.name(), file, number) {
            let _ = write!(out, "\n   | {}", line.trim());
        }
        out.push('\n');
    }
    let _ = write!(out, "help: {}", help(&error.message));
    out
}

fn source_line(chart: &Chart, path: &str, file: &str, number: usize) -> Option<String> {
    let rest = file.strip_prefix(path)?.strip_prefix('/')?;
    if let Some(found) = chart.templates.iter().find(|template| &*template.name == rest) {
        return String::from_utf8_lossy(&found.data).lines().nth(number.checked_sub(1)?).map(str::to_owned);
    }
    chart.dependencies.iter().find_map(|subchart| {
        // The directory is named by the alias, where there is one.
        let below = rest.strip_prefix("charts/")?.split('/').next()?;
        let alias = chart.metadata.dependencies.iter().find(|dependency| dependency.alias == below);
        let matches = subchart.name() == below || alias.is_some_and(|alias| alias.name == subchart.name());
        matches.then(|| source_line(subchart, &format!("{path}/charts/{below}"), file, number)).flatten()
    })
}

fn help(message: &str) -> String {
    let value = failing_value(message);
    if let Some(name) = between(message, "function \"", "\" not defined") {
        let known = engine::function_names();
        let closest = known.iter().map(|known| (edits(known, name), known)).filter(|(edits, _)| *edits <= 2).min();
        return match closest {
            Some((_, closest)) => format!("there is no function {name}; did you mean {closest}?"),
            None => format!(
                "there is no function {name}; Helm's functions are those of Go templates, sprig and Helm itself"
            ),
        };
    }
    if message.contains("nil pointer evaluating") || message.contains("can't evaluate field") {
        return match value {
            Some(path) => {
                let above = path.rsplit_once('.').map_or(path, |(above, _)| above);
                format!("{above} is not set or no map: set {path} with --set or -f, or guard it with `if` or `default`")
            }
            None => "something on the way is not set: guard it with `if`, `with` or `default`".to_owned(),
        };
    }
    if message.contains("wrong type for value") || message.contains("incompatible types") {
        return match value {
            Some(path) => {
                format!("the value {path} has another type than the template takes; --set-string makes a string")
            }
            None => "a value has another type than the template takes; --set-string makes a string".to_owned(),
        };
    }
    if let Some(name) = between(message, "no template \"", "\"") {
        return format!("no file defines {name}: is the chart that does so below charts/ and enabled?");
    }
    if message.starts_with("execution error at") {
        return "the chart itself asks for this: set the value it names with --set or -f".to_owned();
    }
    if message.starts_with("parse error") {
        return "the template's text is wrong on this line or before it: an action, string or block is not closed"
            .to_owned();
    }
    match value {
        Some(path) => format!("look at the value {path}, which the failing part reads"),
        None => "look at the failing part on this line".to_owned(),
    }
}

/// The values path in the innermost `<.Values...>` of a message.
fn failing_value(message: &str) -> Option<&str> {
    let start = message.rfind(".Values.")? + ".Values.".len();
    let rest = message.get(start..)?;
    let end = rest.find(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '.')));
    rest.get(..end.unwrap_or(rest.len())).map(|path| path.trim_matches('.')).filter(|path| !path.is_empty())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}

/// The rendered lines around the one that is not YAML.
fn not_yaml(path: &str, message: &str, document: &str) -> String {
    let mut out = format!("  --> what {path} rendered to\n");
    let number = between(message, "yaml: line ", ":").and_then(|digits| digits.parse::<usize>().ok());
    let failing = number.unwrap_or(1);
    for (index, line) in document.lines().enumerate() {
        let number = index + 1;
        if number + 3 > failing && number <= failing + 2 {
            let _ = writeln!(out, "{number:4} | {line}");
        }
    }
    out.push_str(
        "help: most often the indentation of an inserted block is wrong (`nindent`), or a value needs `quote`",
    );
    out
}
