//! What is printed: tables, documents, and errors with their causes.

pub(crate) use common::error::chain;
use std::io::Write as _;

use crate::error::{Error, Result};

/// Writes text to standard output. A reader that went away (`| head`) is no error of ours but the end of the work.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}

/// Writes a note to standard error, where it does not mix with a result.
pub(crate) fn note(text: &str) {
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes an error with everything that led to it. Helm's errors keep Helm's first word, by which programs know them.
pub(crate) fn error(error: &Error) {
    let word = if matches!(error, Error::Chart(_)) { "Error" } else { "error" };
    note(&format!("{word}: {}", chain(error)));
}

/// Rows under headers, columns as wide as their widest cell; the last column is not padded.
pub(crate) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headers.iter().map(|header| header.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let header: Vec<String> = headers.iter().map(ToString::to_string).collect();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if index > 0 {
                line.push_str("   ");
            }
            line.push_str(cell);
            if index + 1 < row.len() {
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A JSON value as YAML.
pub(crate) fn yaml(value: &serde_json::Value) -> Result<String> {
    let text = value.to_string();
    yaml::v2::unmarshal(text.as_bytes())
        .and_then(|value| yaml::v2::to_string(&value))
        .map_err(|error| Error::Encode(error.to_string()))
}

/// A time span in the largest two units, as kubectl shows ages.
pub(crate) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => format!("{minutes}m{}s", seconds % 60),
        () if hours < 3 => format!("{minutes}m"),
        () if hours < 8 => format!("{hours}h{}m", minutes % 60),
        () if days < 2 => format!("{hours}h"),
        () if days < 8 => format!("{days}d{}h", hours % 24),
        () => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = vec![
            vec!["a".to_owned(), "é".to_owned(), "x".to_owned()],
            vec!["bcd".to_owned(), "ef".to_owned(), String::new()],
        ];
        assert_eq!(table(&["N", "M", "LAST"], &rows), "N     M    LAST\na     é    x\nbcd   ef\n");
    }

    #[test]
    fn ages_are_short() {
        for (seconds, expected) in [
            (-5, "0s"),
            (61, "61s"),
            (130, "2m10s"),
            (3_600, "60m"),
            (4 * 3_600 + 60, "4h1m"),
            (30 * 3_600, "30h"),
            (9 * 86_400, "9d"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }

    #[test]
    fn documents_are_yaml() {
        assert_eq!(yaml(&serde_json::json!({ "b": [1, "x: y"], "a": null })).unwrap(), "a: null\nb:\n- 1\n- 'x: y'\n");
    }
}
