//! Image names, tags and digests.

use goregex::Regex;

use crate::{
    error::{Context, Error},
    field_spec::{Create, FieldSpec},
    kustomization::Image,
    node::Node,
    res_map::ResMap,
};

/// Lists of containers are found under these keys anywhere in a resource.
const CONTAINER_LISTS: [&str; 2] = ["containers", "initContainers"];

/// Deepest nesting searched; the parser lets less through.
const MAX_DEPTH: usize = 10_000;

/// Changes every image of the given name; tells whether there is one.
pub(crate) fn apply(resources: &mut ResMap, image: &Image, specs: &[FieldSpec]) -> Result<bool, Error> {
    let mut updater = Updater::new(image)?;
    for resource in resources.iter_mut() {
        let gvk = resource.id().gvk.clone();
        if &*gvk.kind == "CustomResourceDefinition" {
            continue;
        }
        let id = resource.id().clone();
        let node = resource.node_mut();
        updater.containers(node, 0).context(|| format!("setting images in {id}"))?;
        for spec in specs {
            spec.apply(&gvk, node, Create::Nothing, &mut |node| updater.field(node))?;
        }
    }
    Ok(updater.is_found)
}

struct Updater<'a> {
    image: &'a Image,
    pattern: Pattern<'a>,
    is_found: bool,
}

/// The images that a name stands for. The name is a pattern of its own, unescaped, as in kustomize; nearly all have nothing
/// in them that means more than itself but dots, and comparing costs less than compiling.
enum Pattern<'a> {
    /// Characters that stand for themselves, and dots, which stand for any.
    Simple(&'a str),
    Regex(Regex),
}

impl<'a> Pattern<'a> {
    fn new(name: &'a str) -> Result<Self, Error> {
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/.:@".contains(&byte)) {
            return Ok(Self::Simple(name));
        }
        let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
        Regex::new(&pattern)
            .map(Self::Regex)
            .map_err(|error| Error::message(format!("name '{name}' is not a valid pattern: {error}")))
    }

    fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::Simple(name) => is_named(text, name),
        }
    }
}

/// `NAME(:TAG)?(@sha256:DIGEST)?`
fn is_named(text: &str, name: &str) -> bool {
    let mut characters = text.chars();
    let is_same = |wanted| characters.next().is_some_and(|c| c == wanted || (wanted == '.' && c != '\n'));
    if !name.chars().all(is_same) {
        return false;
    }
    let rest = characters.as_str();
    let is_of_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '{' | '}' | '-');
    let rest = rest.strip_prefix(':').map_or(rest, |tag| tag.trim_start_matches(is_of_tag));
    rest.strip_prefix("@sha256:").map_or(rest, |digest| digest.trim_start_matches(is_of_tag)).is_empty()
}

impl<'a> Updater<'a> {
    fn new(image: &'a Image) -> Result<Self, Error> {
        Ok(Self { image, pattern: Pattern::new(&image.name)?, is_found: false })
    }

    fn containers(&mut self, node: &mut Node, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        match node {
            Node::Map(map) => {
                for (key, value) in &mut map.entries {
                    if CONTAINER_LISTS.contains(&&*key.text)
                        && let Node::Seq(list) = value
                    {
                        list.iter_mut().try_for_each(|container| self.container(container))?;
                    }
                    self.containers(value, depth + 1)?;
                }
                Ok(())
            }
            Node::Seq(list) => list.iter_mut().try_for_each(|element| self.containers(element, depth + 1)),
            Node::Scalar(_) => Ok(()),
        }
    }

    fn container(&mut self, container: &mut Node) -> Result<(), Error> {
        let (is_null, kind) = (container.is_null(), container.kind());
        match container.as_map_mut() {
            Some(map) => map.get_mut("image").map_or(Ok(()), |field| self.field(field)),
            None if is_null => Ok(()),
            None => Err(Error::WrongNode { expected: "MappingNode", found: kind, path: "containers".into() }),
        }
    }

    fn field(&mut self, node: &mut Node) -> Result<(), Error> {
        let kind = node.kind();
        let Node::Scalar(scalar) = node else {
            return Err(Error::WrongNode { expected: "ScalarNode", found: kind, path: "image".into() });
        };
        if !self.pattern.is_match(&scalar.text) {
            return Ok(());
        }
        self.is_found = true;
        let updated = self.updated(&scalar.text);
        scalar.set_untyped(updated);
        Ok(())
    }

    fn updated(&self, value: &str) -> String {
        let (name, tag, digest) = split(value);
        let name = if self.image.new_name.is_empty() { name } else { &self.image.new_name };
        let (mut tag, mut digest) = (tag.to_owned(), digest.to_owned());
        match (self.image.new_tag.is_empty(), self.image.digest.is_empty()) {
            (false, false) => {
                tag.clone_from(&self.image.new_tag);
                digest.clone_from(&self.image.digest);
            }
            (false, true) => {
                tag.clone_from(&self.image.new_tag);
                digest.clear();
            }
            (true, false) => {
                tag.clear();
                digest.clone_from(&self.image.digest);
            }
            // A suffix counts only when nothing else is said of the tag.
            (true, true) if !self.image.tag_suffix.is_empty() => {
                tag.push_str(&self.image.tag_suffix);
                digest.clear();
            }
            (true, true) => {}
        }
        let mut out = name.to_owned();
        if !tag.is_empty() {
            out.push(':');
            out.push_str(&tag);
        }
        if !digest.is_empty() {
            out.push('@');
            out.push_str(&digest);
        }
        out
    }
}

/// Name, tag and digest of an image; a colon before the last slash is a registry's port.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let path = rest.find('/').map_or(0, |slash| slash + 1);
    match rest.get(path..).and_then(|part| part.find(':')).map(|at| path + at) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default(), digest),
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_compared_match_what_their_pattern_matches() {
        let names = ["nginx", "a.b/c", "r:5000/a", "", ".", "x@y"];
        let texts = [
            "nginx",
            "nginx:1",
            "nginx:",
            "nginx@sha256:ab",
            "nginx:1@sha256:ab",
            "nginx@sha512:ab",
            "nginx:1:2",
            "nginxx",
            "a.b/c:v",
            "aXb/c",
            "a\nb/c",
            "r:5000/a:{{x}}",
            "",
            ":1",
            "@sha256:",
            "x",
            "\n",
            "é",
            "x@y",
            "nginx:é",
        ];
        for name in names {
            let simple = Pattern::new(name).unwrap();
            assert!(matches!(simple, Pattern::Simple(_)));
            let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
            let regex = Pattern::Regex(Regex::new(&pattern).unwrap());
            for text in texts {
                assert_eq!(simple.is_match(text), regex.is_match(text), "{name:?} {text:?}");
            }
        }
        assert!(Pattern::new("ng(inx").is_err());
    }

    #[test]
    fn images_are_taken_apart_and_put_together() {
        let cases = [
            (("nginx", "", "v2", "", ""), "nginx:1.0", "nginx:v2"),
            (("nginx", "my/nginx", "", "", ""), "nginx:1.0@sha256:ab", "my/nginx:1.0@sha256:ab"),
            (("r:5000/a", "", "v2", "", ""), "r:5000/a", "r:5000/a:v2"),
            (("a", "", "", "sha256:cd", ""), "a:1", "a@sha256:cd"),
            (("a", "", "v", "sha256:cd", ""), "a:1", "a:v@sha256:cd"),
            (("a", "", "", "", "-x"), "a:1", "a:1-x"),
        ];
        for ((name, new_name, new_tag, digest, tag_suffix), input, expected) in cases {
            let image = Image {
                name: name.into(),
                new_name: new_name.into(),
                new_tag: new_tag.into(),
                digest: digest.into(),
                tag_suffix: tag_suffix.into(),
            };
            let updater = Updater::new(&image).unwrap();
            assert!(updater.pattern.is_match(input));
            assert_eq!(updater.updated(input), expected);
        }
    }
}
