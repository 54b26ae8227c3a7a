//! Functions that templates call: a Go signature, so that arguments are checked as Go checks them, and a Rust body.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::error::ExecuteError;
use crate::value::{Type, Value};

/// The body of a function. Arguments have been checked against the signature: a `string` parameter is always
/// [`Value::String`], an `int` always [`Value::Int`], a `map[string]interface {}` always [`Value::Map`], and so on.
pub type Body = fn(&mut Context<'_>, &[Value]) -> Result<Value, FunctionError>;

/// A function with its Go signature. Functions are statics.
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The types of the fixed parameters.
    pub parameters: &'static [&'static Type],
    /// The type of each further argument (`...T`), if it takes any.
    pub variadic: Option<&'static Type>,
    /// The result's type; `interface {}` when it differs from call to call.
    pub result: &'static Type,
    /// What it does.
    pub body: Body,
}

impl Function {
    /// A function of fixed parameters.
    #[must_use]
    pub const fn new(
        name: &'static str,
        parameters: &'static [&'static Type],
        result: &'static Type,
        body: Body,
    ) -> Self {
        Self { name, parameters, variadic: None, result, body }
    }

    /// The same function, taking any number of further arguments of this type.
    #[must_use]
    pub const fn variadic(mut self, element: &'static Type) -> Self {
        self.variadic = Some(element);
        self
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a function failed. Go's panics inside functions are errors too, with the panic's text.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The function's own message.
    #[error("{0}")]
    Message(String),
    /// A template that the function executed failed.
    #[error(transparent)]
    Template(Box<ExecuteError>),
    /// A failure that the caller of the template wants to recognise (see [`ExecuteError::find`]).
    #[error("{0}")]
    Custom(Box<dyn std::error::Error>),
}

impl FunctionError {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }
}

impl From<String> for FunctionError {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<&str> for FunctionError {
    fn from(message: &str) -> Self {
        Self::Message(message.to_owned())
    }
}

impl From<ExecuteError> for FunctionError {
    fn from(error: ExecuteError) -> Self {
        Self::Template(Box::new(error))
    }
}

/// The functions a template set knows, by name. Cheap to clone and to share between threads.
#[derive(Clone, Debug, Default)]
pub struct FunctionMap {
    functions: Arc<HashMap<&'static str, &'static Function>>,
}

impl FunctionMap {
    /// The functions of these tables; later tables replace earlier ones' functions of the same name.
    #[must_use]
    pub fn new(tables: &[&'static [Function]]) -> Self {
        let functions = tables.iter().flat_map(|table| table.iter()).map(|function| (function.name, function));
        Self { functions: Arc::new(functions.collect()) }
    }

    /// These functions with those of a further table, which win.
    #[must_use]
    pub fn with(&self, table: &'static [Function]) -> Self {
        let mut functions = HashMap::clone(&self.functions);
        functions.extend(table.iter().map(|function| (function.name, function)));
        Self { functions: Arc::new(functions) }
    }

    /// These functions without some.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut functions = HashMap::clone(&self.functions);
        functions.retain(|name, _| !names.contains(name));
        Self { functions: Arc::new(functions) }
    }

    /// The function of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.functions.get(name).copied()
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.functions.keys().copied()
    }

    /// Are both the same table?
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.functions, &other.functions)
    }
}
