//! `.Files`: the chart's own files, as templates reach them.

use super::glob::Glob;
use crate::chart::File;
use crate::go_text::base_name;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::context::Context;
use gotemplate::function::{Function, FunctionError};
use gotemplate::value::types::{self, Type};
use gotemplate::value::{Map, Object, Str, Value, downcast};
use std::any::Any;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

static FILES: Type = Type::map("map[string][]uint8", &types::BYTES)
    .with_name("engine.files", &[&GET, &GET_BYTES, &GLOB, &AS_CONFIG, &AS_SECRETS, &LINES]);
static GET: Function = Function::new("Get", &[&FILES, &types::STRING], &types::STRING, get);
static GET_BYTES: Function = Function::new("GetBytes", &[&FILES, &types::STRING], &types::BYTES, get_bytes);
static GLOB: Function = Function::new("Glob", &[&FILES, &types::STRING], &FILES, glob);
static AS_CONFIG: Function = Function::new("AsConfig", &[&FILES], &types::STRING, as_config);
static AS_SECRETS: Function = Function::new("AsSecrets", &[&FILES], &types::STRING, as_secrets);
static LINES: Function = Function::new("Lines", &[&FILES, &types::STRING], &types::STRINGS, lines);

/// The files; contents are copied only when a template looks at them.
#[derive(Debug)]
pub(super) struct Files {
    files: Rc<BTreeMap<Arc<str>, Arc<[u8]>>>,
    map: OnceCell<Map>,
}

impl Files {
    pub(super) fn value<'a>(files: impl IntoIterator<Item = &'a File>) -> Value {
        Self::of(files.into_iter().map(|file| (file.name.clone(), file.data.clone())).collect())
    }

    fn of(files: BTreeMap<Arc<str>, Arc<[u8]>>) -> Value {
        Value::Object(Rc::new(Self { files: Rc::new(files), map: OnceCell::new() }))
    }

    fn map(&self) -> &Map {
        self.map.get_or_init(|| {
            Map::typed_from_entries(&FILES, self.files.iter().map(|(name, data)| (&**name, Value::bytes(data))))
        })
    }

    /// The files flattened to one map of base names, as YAML; the last of equal names wins.
    fn as_yaml(&self, text: impl Fn(&[u8]) -> String) -> Value {
        let flat: BTreeMap<String, yaml::Value> = self
            .files
            .iter()
            .map(|(name, data)| (base_name(name).to_owned(), yaml::Value::String(text(data))))
            .collect();
        let yaml = crate::yaml_text::emit(&yaml::Value::Mapping(flat));
        Value::string(yaml.strip_suffix('\n').unwrap_or(&yaml))
    }
}

impl Object for Files {
    fn go_type(&self) -> &'static Type {
        &FILES
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.files.get(name).map(|data| Value::bytes(data))
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::Map(self.map().clone()))
    }

    fn is_zero(&self) -> bool {
        self.files.is_empty()
    }
}

fn receiver(arguments: &[Value]) -> Result<&Files, FunctionError> {
    arguments.first().and_then(downcast).ok_or_else(|| FunctionError::new("not the files of a chart"))
}

fn text_argument(arguments: &[Value]) -> Str {
    arguments.get(1).and_then(Value::as_text).cloned().unwrap_or_default()
}

fn data(arguments: &[Value]) -> Result<Option<&Arc<[u8]>>, FunctionError> {
    Ok(text_argument(arguments).as_str().and_then(|name| receiver(arguments).ok()?.files.get(name)))
}

fn get(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::String(data(arguments)?.map_or_else(Str::default, |data| Str::copy_bytes(data))))
}

fn get_bytes(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::bytes(data(arguments)?.map_or(&[], |data| data)))
}

fn glob(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let files = receiver(arguments)?;
    let pattern = text_argument(arguments);
    let matched = match pattern.as_str().and_then(Glob::new) {
        Some(glob) => files
            .files
            .iter()
            .filter(|(name, _)| glob.matches(name))
            .map(|(name, data)| (name.clone(), data.clone()))
            .collect(),
        // Helm takes everything when the pattern is malformed.
        None => (*files.files).clone(),
    };
    Ok(Files::of(matched))
}

fn as_config(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(receiver(arguments)?.as_yaml(|data| String::from_utf8_lossy(data).into_owned()))
}

fn as_secrets(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(receiver(arguments)?.as_yaml(|data| STANDARD.encode(data)))
}

fn lines(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let Some(data) = data(arguments)?.filter(|data| !data.is_empty()) else {
        return Ok(Value::strings(Vec::<Str>::new()));
    };
    let text = data.strip_suffix(b"\n").unwrap_or(data);
    Ok(Value::strings(text.split(|byte| *byte == b'\n').map(Str::copy_bytes)))
}
