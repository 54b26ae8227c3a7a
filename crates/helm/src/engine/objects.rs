//! `.Capabilities` and the named types of the other objects templates see.

use crate::capabilities::{Capabilities, HELM_GO_VERSION, HELM_KUBE_CLIENT_VERSION, HELM_VERSION, KubeVersion};
use gotemplate::context::Context;
use gotemplate::function::{Function, FunctionError};
use gotemplate::value::types::{self, Kind, Type};
use gotemplate::value::{List, Map, Object, Str, Value, downcast};
use std::any::Any;
use std::rc::Rc;

/// `common.Values`: the type of `.Values` and of the scope itself.
pub(super) static VALUES: Type = Type::map("map[string]interface {}", &types::ANY)
    .with_name("common.Values", &[&AS_MAP, &TABLE, &PATH_VALUE, &YAML]);
static AS_MAP: Function = Function::new("AsMap", &[&VALUES], &types::MAP, as_map);
static TABLE: Function = Function::new("Table", &[&VALUES, &types::STRING], &VALUES, table);
static PATH_VALUE: Function = Function::new("PathValue", &[&VALUES, &types::STRING], &types::ANY, path_value);
static YAML: Function = Function::new("YAML", &[&VALUES], &types::STRING, yaml);

fn map_argument(arguments: &[Value]) -> Result<Map, FunctionError> {
    match arguments.first().map(Value::plain) {
        Some(Value::Map(map)) => Ok(map),
        _ => Err(FunctionError::new("not a map")),
    }
}

fn name_argument(arguments: &[Value]) -> String {
    arguments.get(1).and_then(Value::as_text).map(|text| text.lossy().into_owned()).unwrap_or_default()
}

fn as_map(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Map(map_argument(arguments)?.converted(&types::MAP)))
}

fn find_table(values: Map, path: &str) -> Result<Map, FunctionError> {
    path.split('.').try_fold(values, |table, name| match table.get(name).map(|value| value.plain()) {
        Some(Value::Map(inner)) => Ok(inner),
        _ => Err(FunctionError::new(format!("{} is not a table", crate::go_text::quote(name)))),
    })
}

fn table(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let table = find_table(map_argument(arguments)?, &name_argument(arguments))?;
    Ok(Value::Map(table.converted(&VALUES)))
}

fn path_value(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let path = name_argument(arguments);
    if path.is_empty() {
        return Err(FunctionError::new("YAML path cannot be empty"));
    }
    let (table, key) = match path.rsplit_once('.') {
        Some((tables, key)) => (find_table(map_argument(arguments)?, tables).ok(), key),
        None => (Some(map_argument(arguments)?), path.as_str()),
    };
    table
        .and_then(|table| table.get(key))
        .filter(|value| !matches!(value, Value::Map(_)))
        .ok_or_else(|| FunctionError::new(format!("{} is not a value", crate::go_text::quote(key))))
}

fn yaml(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let values = crate::values::from_template(&Value::Map(map_argument(arguments)?));
    Ok(Value::string(crate::yaml_text::emit(&crate::values::to_yaml(&values))))
}

static CAPABILITIES_STRUCT: Type = Type::basic("common.Capabilities", Kind::Struct);
static CAPABILITIES: Type = Type::pointer("*common.Capabilities", Some(&CAPABILITIES_STRUCT)).with_methods(&[&COPY]);
static COPY: Function = Function::new("Copy", &[&CAPABILITIES], &CAPABILITIES, |_, arguments| {
    Ok(arguments.first().cloned().unwrap_or_default())
});

/// The `*common.Capabilities` of a render.
#[derive(Debug)]
pub(super) struct CapabilitiesObject {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl CapabilitiesObject {
    pub(super) fn value(capabilities: &Capabilities) -> Value {
        let names = capabilities.api_versions.iter().map(String::as_str);
        Value::Object(Rc::new(Self {
            kube_version: Value::Object(Rc::new(KubeVersionObject(capabilities.kube_version.clone()))),
            api_versions: Value::Object(Rc::new(VersionSet(List::strings(names).converted(&VERSION_SET)))),
            helm_version: Value::Object(Rc::new(BuildInfo)),
        }))
    }
}

impl Object for CapabilitiesObject {
    fn go_type(&self) -> &'static Type {
        &CAPABILITIES
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|field| field.0 == name).map(|field| field.1)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.kube_version.clone()),
            ("APIVersions", self.api_versions.clone()),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn json(&self) -> Option<Value> {
        let plain = |value: &Value| match value {
            Value::Object(object) => object.json().or_else(|| object.underlying()).unwrap_or_default(),
            other => other.clone(),
        };
        Some(Value::map(self.fields().into_iter().map(|(name, value)| (name, plain(&value)))))
    }
}

static KUBE_VERSION: Type =
    Type { methods: &[&STRING_METHOD, &GIT_VERSION], ..Type::basic("common.KubeVersion", Kind::Struct) };
static STRING_METHOD: Function = Function::new("String", &[&KUBE_VERSION], &types::STRING, |_, arguments| {
    Ok(Value::string(kube_version(arguments)?.as_str()))
});
static GIT_VERSION: Function = Function::new("GitVersion", &[&KUBE_VERSION], &types::STRING, |_, arguments| {
    Ok(Value::string(kube_version(arguments)?.version.as_str()))
});

fn kube_version(arguments: &[Value]) -> Result<&KubeVersion, FunctionError> {
    arguments
        .first()
        .and_then(downcast::<KubeVersionObject>)
        .map(|object| &object.0)
        .ok_or_else(|| FunctionError::new("not a Kubernetes version"))
}

#[derive(Debug)]
struct KubeVersionObject(KubeVersion);

impl Object for KubeVersionObject {
    fn go_type(&self) -> &'static Type {
        &KUBE_VERSION
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|field| field.0 == name && name != "normalizedVersion").map(|field| field.1)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let version = &self.0;
        vec![
            ("Version", version.version.as_str().into()),
            ("normalizedVersion", version.as_str().into()),
            ("Major", version.major.as_str().into()),
            ("Minor", version.minor.as_str().into()),
        ]
    }

    fn text(&self) -> Option<Str> {
        Some(self.0.as_str().into())
    }

    fn json(&self) -> Option<Value> {
        let fields = self.fields().into_iter().filter(|field| field.0 != "normalizedVersion");
        Some(Value::map(fields))
    }
}

static VERSION_SET: Type = Type::slice("[]string", &types::STRING).with_name("common.VersionSet", &[&HAS]);
static HAS: Function = Function::new("Has", &[&VERSION_SET, &types::STRING], &types::BOOL, |_, arguments| {
    let wanted = arguments.get(1).and_then(Value::as_text).cloned().unwrap_or_default();
    let list = match arguments.first() {
        Some(Value::List(list)) => Some(list),
        Some(value) => downcast::<VersionSet>(value).map(|set| &set.0),
        None => None,
    };
    let found = list.is_some_and(|list| list.items().iter().any(|known| known.as_text() == Some(&wanted)));
    Ok(Value::Bool(found))
});

#[derive(Debug)]
struct VersionSet(List);

impl Object for VersionSet {
    fn go_type(&self) -> &'static Type {
        &VERSION_SET
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::List(self.0.clone()))
    }

    fn json(&self) -> Option<Value> {
        self.underlying()
    }
}

static BUILD_INFO: Type = Type::basic("version.BuildInfo", Kind::Struct);

/// The version of the Helm we render like.
#[derive(Debug)]
struct BuildInfo;

impl Object for BuildInfo {
    fn go_type(&self) -> &'static Type {
        &BUILD_INFO
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|field| field.0 == name).map(|field| field.1)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", HELM_VERSION.into()),
            ("GitCommit", "".into()),
            ("GitTreeState", "".into()),
            ("GoVersion", HELM_GO_VERSION.into()),
            ("KubeClientVersion", HELM_KUBE_CLIENT_VERSION.into()),
        ]
    }

    fn json(&self) -> Option<Value> {
        Some(Value::map([
            ("version", Value::from(HELM_VERSION)),
            ("go_version", Value::from(HELM_GO_VERSION)),
            ("kube_client_version", Value::from(HELM_KUBE_CLIENT_VERSION)),
        ]))
    }
}
