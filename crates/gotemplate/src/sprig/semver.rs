//! Semantic versions: comparing, and version objects with their methods.

use std::any::Any;
use std::rc::Rc;

use version::{Constraints, Error, Version};

use super::arguments::{text, value};
use crate::format::quote::quoted;
use crate::function::{Function, FunctionError};
use crate::value::types::{BOOL, INT, STRING, UINT64};
use crate::value::{Kind, Object, Str, Type, Value, downcast};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("semver", &[&STRING], &VERSION_POINTER, |_, arguments| parse(text(arguments, 0)?).map(pointer)),
    Function::new("semverCompare", &[&STRING, &STRING], &BOOL, |_, arguments| {
        let constraints = constraints(text(arguments, 0)?)?;
        Ok(constraints.check(&parse(text(arguments, 1)?)?).into())
    }),
];

fn constraints(text: &Str) -> Result<Constraints, FunctionError> {
    if let Some(text) = text.as_str() {
        return Constraints::parse(text).map_err(message);
    }
    // The first alternative that is none is named; bytes that are no text are quoted as they are.
    let mut left = text.as_bytes();
    loop {
        let end = memchr::memmem::find(left, b"||");
        let (part, rest) = left.split_at(end.unwrap_or(left.len()));
        let Ok(part) = std::str::from_utf8(part) else {
            return Err(FunctionError::Message(format!("improper constraint: {}", quoted(part))));
        };
        Constraints::parse(part).map_err(message)?;
        left = rest.get(2..).unwrap_or_default();
    }
}

static VERSION: Type = Type::basic("semver.Version", Kind::Struct).with_methods(&[
    &STRING_METHOD,
    &MAJOR,
    &MINOR,
    &PATCH,
    &PRERELEASE,
    &METADATA,
    &INCREMENT_MAJOR,
    &INCREMENT_MINOR,
    &INCREMENT_PATCH,
    &SET_PRERELEASE,
    &SET_METADATA,
]);

static VERSION_POINTER: Type = Type::pointer("*semver.Version", Some(&VERSION)).with_methods(&[
    &STRING_METHOD,
    &MAJOR,
    &MINOR,
    &PATCH,
    &PRERELEASE,
    &METADATA,
    &ORIGINAL,
    &INCREMENT_MAJOR,
    &INCREMENT_MINOR,
    &INCREMENT_PATCH,
    &SET_PRERELEASE,
    &SET_METADATA,
    &COMPARE,
    &EQUAL,
    &LESS_THAN,
    &LESS_THAN_EQUAL,
    &GREATER_THAN,
    &GREATER_THAN_EQUAL,
]);

/// A `semver.Version` or a pointer to one.
#[derive(Debug)]
struct VersionObject {
    version: Version,
    go_type: &'static Type,
}

impl Object for VersionObject {
    fn go_type(&self) -> &'static Type {
        self.go_type
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn text(&self) -> Option<Str> {
        Some(self.version.to_string().into())
    }

    fn json(&self) -> Option<Value> {
        Some(self.version.to_string().into())
    }

    /// Field by field, unlike `Equal`.
    fn equals(&self, other: &dyn Object) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| {
            self.version.to_string() == other.version.to_string() && self.version.original() == other.version.original()
        })
    }
}

fn pointer(version: Version) -> Value {
    Value::Object(Rc::new(VersionObject { version, go_type: &VERSION_POINTER }))
}

fn plain(version: Version) -> Value {
    Value::Object(Rc::new(VersionObject { version, go_type: &VERSION }))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn message(error: Error) -> FunctionError {
    FunctionError::Message(error.to_string())
}

fn parse(text: &Str) -> Result<Version, FunctionError> {
    Version::parse(&text.lossy()).map_err(message)
}

/// The receiver (or other version) at this place.
fn version(arguments: &[Value], index: usize) -> Result<&Version, FunctionError> {
    match downcast::<VersionObject>(value(arguments, index)?) {
        Some(object) => Ok(&object.version),
        None => Err(super::arguments::NIL_DEREFERENCE.into()),
    }
}

static STRING_METHOD: Function =
    Function::new("String", &[&VERSION_POINTER], &STRING, |_, arguments| Ok(version(arguments, 0)?.to_string().into()));
static MAJOR: Function = Function::new("Major", &[&VERSION_POINTER], &UINT64, |_, arguments| {
    Ok(Value::uint64(version(arguments, 0)?.major()))
});
static MINOR: Function = Function::new("Minor", &[&VERSION_POINTER], &UINT64, |_, arguments| {
    Ok(Value::uint64(version(arguments, 0)?.minor()))
});
static PATCH: Function = Function::new("Patch", &[&VERSION_POINTER], &UINT64, |_, arguments| {
    Ok(Value::uint64(version(arguments, 0)?.patch()))
});
static PRERELEASE: Function = Function::new("Prerelease", &[&VERSION_POINTER], &STRING, |_, arguments| {
    Ok(version(arguments, 0)?.prerelease().into())
});
static METADATA: Function = Function::new("Metadata", &[&VERSION_POINTER], &STRING, |_, arguments| {
    Ok(version(arguments, 0)?.metadata().into())
});
static ORIGINAL: Function = Function::new("Original", &[&VERSION_POINTER], &STRING, |_, arguments| {
    Ok(version(arguments, 0)?.original().into())
});
static INCREMENT_MAJOR: Function = Function::new("IncMajor", &[&VERSION_POINTER], &VERSION, |_, arguments| {
    version(arguments, 0)?.increment_major().map(plain).map_err(message)
});
static INCREMENT_MINOR: Function = Function::new("IncMinor", &[&VERSION_POINTER], &VERSION, |_, arguments| {
    version(arguments, 0)?.increment_minor().map(plain).map_err(message)
});
static INCREMENT_PATCH: Function = Function::new("IncPatch", &[&VERSION_POINTER], &VERSION, |_, arguments| {
    version(arguments, 0)?.increment_patch().map(plain).map_err(message)
});
static SET_PRERELEASE: Function =
    Function::new("SetPrerelease", &[&VERSION_POINTER, &STRING], &VERSION, |_, arguments| {
        version(arguments, 0)?.with_prerelease(&text(arguments, 1)?.lossy()).map(plain).map_err(message)
    });
static SET_METADATA: Function = Function::new("SetMetadata", &[&VERSION_POINTER, &STRING], &VERSION, |_, arguments| {
    version(arguments, 0)?.with_metadata(&text(arguments, 1)?.lossy()).map(plain).map_err(message)
});
static COMPARE: Function = Function::new("Compare", &[&VERSION_POINTER, &VERSION_POINTER], &INT, |_, arguments| {
    Ok(Value::Int(version(arguments, 0)?.cmp(version(arguments, 1)?) as i64))
});
static EQUAL: Function = Function::new("Equal", &[&VERSION_POINTER, &VERSION_POINTER], &BOOL, |_, arguments| {
    Ok((version(arguments, 0)? == version(arguments, 1)?).into())
});
static LESS_THAN: Function = Function::new("LessThan", &[&VERSION_POINTER, &VERSION_POINTER], &BOOL, |_, arguments| {
    Ok((version(arguments, 0)? < version(arguments, 1)?).into())
});
static LESS_THAN_EQUAL: Function =
    Function::new("LessThanEqual", &[&VERSION_POINTER, &VERSION_POINTER], &BOOL, |_, arguments| {
        Ok((version(arguments, 0)? <= version(arguments, 1)?).into())
    });
static GREATER_THAN: Function =
    Function::new("GreaterThan", &[&VERSION_POINTER, &VERSION_POINTER], &BOOL, |_, arguments| {
        Ok((version(arguments, 0)? > version(arguments, 1)?).into())
    });
static GREATER_THAN_EQUAL: Function =
    Function::new("GreaterThanEqual", &[&VERSION_POINTER, &VERSION_POINTER], &BOOL, |_, arguments| {
        Ok((version(arguments, 0)? >= version(arguments, 1)?).into())
    });
