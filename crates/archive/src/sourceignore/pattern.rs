//! One ignore pattern and how it meets a path.

use super::glob::Glob;

/// What a pattern says about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchResult {
    /// Nothing.
    NoMatch,
    /// Leave it out.
    Exclude,
    /// Take it in (a pattern that starts with `!`).
    Include,
}

/// A parsed pattern with the directory it belongs to.
#[derive(Clone, Debug)]
pub struct Pattern {
    domain: Vec<Vec<u8>>,
    is_inclusion: bool,
    directories_only: bool,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// No slash inside: any element of the path may match.
    Name(Glob),
    /// With a slash: anchored to the domain, segment by segment.
    Path(Vec<Segment>),
}

#[derive(Clone, Debug)]
enum Segment {
    /// Between two slashes, or before the first one.
    Empty,
    /// `**`: any number of elements.
    AnyElements,
    /// `**` together with other characters, which matches nothing.
    Impossible,
    /// One element.
    Element(Glob),
}

impl Segment {
    fn parse(text: &[u8]) -> Self {
        match text {
            b"" => Self::Empty,
            b"**" => Self::AnyElements,
            text if text.windows(2).any(|pair| pair == b"**") => Self::Impossible,
            text => Self::Element(Glob::parse(text)),
        }
    }
}

impl Pattern {
    /// Parses one line; `domain` is the directory, by its elements, in which the line was found.
    pub fn parse<S: AsRef<str>>(line: &[u8], domain: &[S]) -> Self {
        let (is_inclusion, mut text) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
        if !text.ends_with(b"\\ ") {
            while let Some(shorter) = text.strip_suffix(b" ") {
                text = shorter;
            }
        }
        let (directories_only, text) = text.strip_suffix(b"/").map_or((false, text), |rest| (true, rest));
        let shape = if text.contains(&b'/') {
            Shape::Path(text.split(|byte| *byte == b'/').map(Segment::parse).collect())
        } else {
            Shape::Name(Glob::parse(text))
        };
        let domain = domain.iter().map(|element| element.as_ref().as_bytes().to_vec()).collect();
        Self { domain, is_inclusion, directories_only, shape }
    }

    /// What the pattern says about the path, given by its elements from the root.
    pub fn matches<S: AsRef<[u8]>>(&self, path: &[S], is_directory: bool) -> MatchResult {
        let below = path.len() > self.domain.len()
            && self.domain.iter().zip(path).all(|(expected, element)| expected == element.as_ref());
        let path = path.get(self.domain.len()..).unwrap_or_default();
        let is_match = below
            && match &self.shape {
                Shape::Name(glob) => self.name_matches(glob, path, is_directory),
                Shape::Path(segments) => self.path_matches(segments, path, is_directory),
            };
        match (is_match, self.is_inclusion) {
            (false, _) => MatchResult::NoMatch,
            (true, true) => MatchResult::Include,
            (true, false) => MatchResult::Exclude,
        }
    }

    /// The first matching element decides; it is a directory unless it is the last one.
    fn name_matches<S: AsRef<[u8]>>(&self, glob: &Glob, path: &[S], is_directory: bool) -> bool {
        path.iter()
            .position(|element| glob.matches(element.as_ref()))
            .is_some_and(|index| !self.directories_only || is_directory || index + 1 < path.len())
    }

    fn path_matches<S: AsRef<[u8]>>(&self, segments: &[Segment], path: &[S], is_directory: bool) -> bool {
        let mut elements = path.iter();
        let mut is_matched = false;
        let mut may_skip = false;
        for (index, segment) in segments.iter().enumerate() {
            let glob = match segment {
                Segment::Empty => {
                    may_skip = false;
                    continue;
                }
                Segment::AnyElements if index + 1 == segments.len() => break,
                Segment::AnyElements => {
                    may_skip = true;
                    continue;
                }
                Segment::Impossible => return false,
                Segment::Element(glob) => glob,
            };
            if elements.as_slice().is_empty() {
                return false;
            }
            is_matched = if may_skip {
                elements.any(|element| glob.matches(element.as_ref()))
            } else {
                elements.next().is_some_and(|element| glob.matches(element.as_ref()))
            };
            if !is_matched && !may_skip {
                return false;
            }
            may_skip = false;
        }
        let ends_on_file = elements.as_slice().is_empty() && !is_directory;
        is_matched && !(self.directories_only && ends_on_file)
    }
}
