//! `--mirror OLD-URL=NEW-URL`: where to look instead, for repositories that have moved and for clusters without a way out.

use std::str::FromStr;

/// One replacement of a URL prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    from: String,
    to: String,
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The new URL begins behind the `=` that is followed by a scheme; the old one may hold `=` itself.
        let split = text.match_indices('=').find(|(index, _)| {
            text.get(index + 1..)
                .is_some_and(|rest| ["http://", "https://", "ssh://"].iter().any(|scheme| rest.starts_with(scheme)))
        });
        let (from, to) = split
            .and_then(|(index, _)| Some((text.get(..index)?, text.get(index + 1..)?)))
            .filter(|(from, _)| from.contains("://"))
            .ok_or_else(|| format!("{text:?} is not of the form OLD-URL=NEW-URL"))?;
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self { from: trim(from), to: trim(to) })
    }
}

/// All replacements.
#[derive(Clone, Debug, Default)]
pub struct Mirrors(Vec<Mirror>);

impl Mirrors {
    /// Those given by flags.
    pub fn new(mirrors: Vec<Mirror>) -> Self {
        Self(mirrors)
    }

    /// The URL to use instead of `url`: the longest old URL that it equals or lies below decides.
    pub fn apply(&self, url: &str) -> String {
        self.0
            .iter()
            .filter_map(|mirror| {
                let rest = url.strip_prefix(&mirror.from)?;
                (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((mirror, rest))
            })
            .max_by_key(|(mirror, _)| mirror.from.len())
            .map_or_else(|| url.to_owned(), |(mirror, rest)| format!("{}{rest}", mirror.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_old_url_decides() {
        let mirrors = [
            "https://charts.example.com/=http://mirror:8080/a/",
            "https://charts.example.com/stable=http://mirror:8080/b",
        ];
        let mirrors = Mirrors::new(mirrors.into_iter().map(|text| text.parse().unwrap()).collect());
        for (url, expected) in [
            ("https://charts.example.com", "http://mirror:8080/a"),
            ("https://charts.example.com/", "http://mirror:8080/a/"),
            ("https://charts.example.com/stable/index.yaml", "http://mirror:8080/b/index.yaml"),
            ("https://charts.example.com/stables", "http://mirror:8080/a/stables"),
            ("https://charts.example.community/x", "https://charts.example.community/x"),
        ] {
            assert_eq!(mirrors.apply(url), expected);
        }
    }

    #[test]
    fn mirrors_are_checked() {
        for bad in ["", "a=b", "https://a", "https://a=", "=https://b", "https://a=ftp://b"] {
            assert!(bad.parse::<Mirror>().is_err(), "{bad}");
        }
        assert!("https://a/?x=1=https://b".parse::<Mirror>().is_ok());
    }
}
