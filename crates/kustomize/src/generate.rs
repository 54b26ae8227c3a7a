//! ConfigMaps and Secrets made from literals, files and env files.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    error::Error,
    kustomization::{GeneratorArguments, GeneratorOptions},
    loader::Loader,
    node::{Map, Node, Scalar, Tag},
    resource::{Behavior, Resource},
    transform::metadata::set_string,
};

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// Width at which kustomize breaks long base64 texts; the line breaks are part of the value.
const BASE64_WIDTH: usize = 70;

/// Makes the resource that the arguments describe.
pub(crate) fn generate(
    kind: Generated,
    arguments: &GeneratorArguments,
    globals: Option<&GeneratorOptions>,
    loader: &Loader,
) -> Result<Resource, Error> {
    let options = merged_options(arguments.options.as_ref(), globals);
    let mut node = Node::map();
    if arguments.name.is_empty() {
        return Err(Error::message("a configmap or secret generator must have a name"));
    }
    let kind_name = match kind {
        Generated::ConfigMap => "ConfigMap",
        Generated::Secret => "Secret",
    };
    if let Some(root) = node.as_map_mut() {
        set_string(root, "apiVersion", "v1");
        set_string(root, "kind", kind_name);
    }
    if let Some(metadata) = node.map_at_mut(&["metadata"]) {
        set_string(metadata, "name", &arguments.name);
        if !arguments.namespace.is_empty() {
            set_string(metadata, "namespace", &arguments.namespace);
        }
        for (field, pairs) in [("labels", &options.labels), ("annotations", &options.annotations)] {
            if !pairs.is_empty() {
                let mut map = Map::default();
                pairs.iter().for_each(|(key, value)| set_string(&mut map, key, value));
                metadata.set(field, Node::Map(map));
            }
        }
    }
    let pairs = pairs(arguments, loader)?;
    match kind {
        Generated::ConfigMap => config_map(&mut node, pairs),
        Generated::Secret => secret(&mut node, pairs, &arguments.secret_type),
    }
    if options.immutable
        && let Some(root) = node.as_map_mut()
    {
        root.set("immutable", Node::Scalar(Scalar { text: "true".into(), tag: Tag::Bool, plain: true, link: 0 }));
    }
    let mut resource = Resource::new(node);
    resource.is_generated = true;
    resource.behavior = Behavior::parse(&arguments.behavior);
    resource.needs_hash = !options.disable_name_suffix_hash;
    Ok(resource)
}

/// Local maps win over global ones; a global true cannot be undone.
fn merged_options(local: Option<&GeneratorOptions>, globals: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut out = local.cloned().unwrap_or_default();
    let Some(globals) = globals else { return out };
    for (key, value) in &globals.labels {
        out.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    for (key, value) in &globals.annotations {
        out.annotations.entry(key.clone()).or_insert_with(|| value.clone());
    }
    out.disable_name_suffix_hash |= globals.disable_name_suffix_hash;
    out.immutable |= globals.immutable;
    out
}

fn config_map(node: &mut Node, pairs: Vec<(String, Vec<u8>)>) {
    for (key, value) in pairs {
        let (field, text) = match String::from_utf8(value) {
            Ok(text) => ("data", text),
            Err(error) => ("binaryData", encode(error.as_bytes())),
        };
        if let Some(map) = node.map_at_mut(&[field]) {
            set_string(map, &key, &text);
        }
    }
}

fn secret(node: &mut Node, pairs: Vec<(String, Vec<u8>)>, secret_type: &str) {
    let Some(root) = node.as_map_mut() else { return };
    set_string(root, "type", if secret_type.is_empty() { "Opaque" } else { secret_type });
    root.set("data", Node::map());
    if let Some(data) = node.map_at_mut(&["data"]) {
        for (key, value) in pairs {
            set_string(data, &key, &encode(&value));
        }
    }
}

fn encode(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    if text.len() <= BASE64_WIDTH {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / BASE64_WIDTH + 1);
    let mut rest = text.as_str();
    while let Some((line, tail)) =
        rest.split_at_checked(BASE64_WIDTH.min(rest.len())).filter(|(line, _)| !line.is_empty())
    {
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out
}

/// All keys and values: env files first, then literals, then files.
fn pairs(arguments: &GeneratorArguments, loader: &Loader) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    for path in &arguments.envs {
        out.extend(env_file(
            &loader.file(path).map_err(|error| error.context(format!("env source files: {:?}", arguments.envs)))?,
            path,
        )?);
    }
    for literal in &arguments.literals {
        out.push(self::literal(literal)?);
    }
    for source in &arguments.files {
        let (key, path) = file_source(source)?;
        out.push((key, loader.file(&path)?));
    }
    let mut seen = std::collections::HashSet::new();
    for (key, _) in &out {
        if !seen.insert(key) {
            return Err(Error::message(format!(
                "cannot add key {key}, another key by that name already exists in the data of generator '{}'",
                arguments.name
            )));
        }
    }
    Ok(out)
}

/// The fields of generated data.
pub(crate) const DATA: [&str; 2] = ["data", "binaryData"];

/// Which key's value is from which file.
pub(crate) fn keys_of_files(arguments: &GeneratorArguments, loader: &Loader) -> Vec<(String, String)> {
    let of_env = |path: &String| {
        let pairs = loader.file(path).and_then(|bytes| env_file(&bytes, path)).unwrap_or_default();
        pairs.into_iter().map(|(key, _)| (key, path.clone())).collect::<Vec<_>>()
    };
    let envs = arguments.envs.iter().flat_map(of_env);
    envs.chain(arguments.files.iter().filter_map(|source| file_source(source).ok())).collect()
}

fn literal(text: &str) -> Result<(String, Vec<u8>), Error> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), unquoted(value).as_bytes().to_vec())),
        _ => Err(Error::message(format!("invalid literal source {text}, expected key=value"))),
    }
}

/// One layer of matching quotes off.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2
            && let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

fn file_source(source: &str) -> Result<(String, String), Error> {
    let parts: Vec<&str> = source.split('=').collect();
    match parts.as_slice() {
        [path] => Ok((path.rsplit('/').next().unwrap_or(path).to_owned(), (*path).to_owned())),
        ["", _] => Err(Error::message(format!("missing key name for file path in '{source}'"))),
        [_, ""] => Err(Error::message(format!("missing file path for key name in '{source}'"))),
        [key, path] => Ok(((*key).to_owned(), (*path).to_owned())),
        _ => Err(Error::message(format!("key names or file paths cannot contain '=': '{source}'"))),
    }
}

fn env_file(bytes: &[u8], path: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut out = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = std::str::from_utf8(line).map_err(|_| Error::Yaml {
            path: path.to_owned(),
            message: format!("line {} has invalid utf8 bytes", number + 1),
        })?;
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if key.is_empty() {
            return Err(Error::Yaml {
                path: path.to_owned(),
                message: format!("line {}: no key before '='", number + 1),
            });
        }
        out.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_lose_one_layer_of_quotes() {
        assert_eq!(literal("a='b'").unwrap(), ("a".into(), b"b".to_vec()));
        assert_eq!(literal("a=b=c").unwrap(), ("a".into(), b"b=c".to_vec()));
        assert!(literal("=x").is_err());
        assert!(literal("x").is_err());
    }

    #[test]
    fn env_files() {
        let read = env_file(b"\xef\xbb\xbfA=1\r\n# no\n  B = x \nC\n", "e").unwrap();
        let expected = [("A", "1"), ("B ", " x "), ("C", "")];
        assert_eq!(read, expected.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec())));
    }

    #[test]
    fn long_base64_is_broken_into_lines() {
        let text = encode(&[0; 60]);
        assert_eq!(text.lines().next().unwrap().len(), 70);
        assert!(text.ends_with('\n'));
        assert!(!encode(&[0; 10]).contains('\n'));
    }
}
