//! Go types as values carry them: what `%T`, `typeOf` and `kindOf` print and what argument checks compare.

use crate::function::Function;

/// Go's `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No value at all (the zero `reflect.Value`).
    Invalid,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `uint`.
    Uint,
    /// `uint8`.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// `complex128`.
    Complex128,
    /// A function.
    Func,
    /// An interface.
    Interface,
    /// A map.
    Map,
    /// A pointer.
    Pointer,
    /// A slice.
    Slice,
    /// A string.
    String,
    /// A struct.
    Struct,
}

impl Kind {
    /// The name `reflect.Kind.String` and sprig's `kindOf` print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::Func => "func",
            Self::Interface => "interface",
            Self::Map => "map",
            Self::Pointer => "ptr",
            Self::Slice => "slice",
            Self::String => "string",
            Self::Struct => "struct",
        }
    }

    /// Is this one of Go's signed integer kinds?
    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::Int | Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Is this one of Go's unsigned integer kinds?
    #[must_use]
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::Uint | Self::Uint8 | Self::Uint16 | Self::Uint32 | Self::Uint64)
    }

    /// Is this a floating point kind?
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }
}

/// A Go type. Types are statics; every crate can declare its own.
#[derive(Debug)]
pub struct Type {
    /// What `%T` prints, such as `map[string]interface {}` or `*common.Capabilities`.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The element type of a slice, map or pointer.
    pub element: Option<&'static Self>,
    /// Whether the type has a name of its own (then it is only assignable to itself and to unnamed types of the same shape).
    pub named: bool,
    /// The methods templates may call; the receiver is the first argument of each function.
    pub methods: &'static [&'static Function],
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.kind == other.kind && self.name == other.name)
    }
}

impl Eq for Type {}

impl Type {
    /// A type without element and methods.
    #[must_use]
    pub const fn basic(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, element: None, named: true, methods: &[] }
    }

    /// An unnamed slice type, `[]element`.
    #[must_use]
    pub const fn slice(name: &'static str, element: &'static Self) -> Self {
        Self { name, kind: Kind::Slice, element: Some(element), named: false, methods: &[] }
    }

    /// An unnamed map type, `map[string]element`.
    #[must_use]
    pub const fn map(name: &'static str, element: &'static Self) -> Self {
        Self { name, kind: Kind::Map, element: Some(element), named: false, methods: &[] }
    }

    /// An unnamed pointer type, `*element`.
    #[must_use]
    pub const fn pointer(name: &'static str, element: Option<&'static Self>) -> Self {
        Self { name, kind: Kind::Pointer, element, named: false, methods: &[] }
    }

    /// The same type as a named one, with methods.
    #[must_use]
    pub const fn with_name(mut self, name: &'static str, methods: &'static [&'static Function]) -> Self {
        self.name = name;
        self.named = true;
        self.methods = methods;
        self
    }

    /// The same type with methods.
    #[must_use]
    pub const fn with_methods(mut self, methods: &'static [&'static Function]) -> Self {
        self.methods = methods;
        self
    }

    /// The method of this name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&'static Function> {
        self.methods.iter().find(|method| method.name == name).copied()
    }

    /// Go's assignability of a value of this type to a variable of type `target`.
    #[must_use]
    pub fn assignable_to(&self, target: &Self) -> bool {
        self == target || target.is_any() || (!(self.named && target.named) && self.same_shape(target))
    }

    /// Is this `interface {}`?
    #[must_use]
    pub fn is_any(&self) -> bool {
        std::ptr::eq(self, &ANY) || (self.kind == Kind::Interface && self.name == ANY.name)
    }

    fn same_shape(&self, other: &Self) -> bool {
        self.kind == other.kind
            && matches!(self.kind, Kind::Map | Kind::Slice)
            && match (self.element, other.element) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            }
    }
}

/// `interface {}`.
pub static ANY: Type = Type { name: "interface {}", kind: Kind::Interface, element: None, named: false, methods: &[] };
/// `error`.
pub static ERROR: Type = Type::basic("error", Kind::Interface);
/// `reflect.Value`: a parameter of this type takes anything, also no value at all.
pub static REFLECT_VALUE: Type = Type::basic("reflect.Value", Kind::Struct);
/// `bool`.
pub static BOOL: Type = Type::basic("bool", Kind::Bool);
/// `int`.
pub static INT: Type = Type::basic("int", Kind::Int);
/// `int8`.
pub static INT8: Type = Type::basic("int8", Kind::Int8);
/// `int16`.
pub static INT16: Type = Type::basic("int16", Kind::Int16);
/// `int32`.
pub static INT32: Type = Type::basic("int32", Kind::Int32);
/// `int64`.
pub static INT64: Type = Type::basic("int64", Kind::Int64);
/// `uint`.
pub static UINT: Type = Type::basic("uint", Kind::Uint);
/// `uint8`.
pub static UINT8: Type = Type::basic("uint8", Kind::Uint8);
/// `uint16`.
pub static UINT16: Type = Type::basic("uint16", Kind::Uint16);
/// `uint32`.
pub static UINT32: Type = Type::basic("uint32", Kind::Uint32);
/// `uint64`.
pub static UINT64: Type = Type::basic("uint64", Kind::Uint64);
/// `float32`.
pub static FLOAT32: Type = Type::basic("float32", Kind::Float32);
/// `float64`.
pub static FLOAT64: Type = Type::basic("float64", Kind::Float64);
/// `complex128`.
pub static COMPLEX128: Type = Type::basic("complex128", Kind::Complex128);
/// `string`.
pub static STRING: Type = Type::basic("string", Kind::String);
/// `[]uint8`.
pub static BYTES: Type = Type::slice("[]uint8", &UINT8);
/// `[]interface {}`.
pub static LIST: Type = Type::slice("[]interface {}", &ANY);
/// `[][]interface {}`.
pub static LISTS: Type = Type::slice("[][]interface {}", &LIST);
/// `[]string`.
pub static STRINGS: Type = Type::slice("[]string", &STRING);
/// `[]int`.
pub static INTS: Type = Type::slice("[]int", &INT);
/// `[]float64`.
pub static FLOATS: Type = Type::slice("[]float64", &FLOAT64);
/// `map[string]interface {}`.
pub static MAP: Type = Type::map("map[string]interface {}", &ANY);
/// `map[string]string`.
pub static STRING_MAP: Type = Type::map("map[string]string", &STRING);
/// `[]map[string]interface {}`.
pub static MAPS: Type = Type::slice("[]map[string]interface {}", &MAP);
/// The type of functions.
pub static FUNCTION: Type = Type::basic("func()", Kind::Func);
/// The type of no value at all (`<nil>`).
pub static NIL: Type = Type::basic("<nil>", Kind::Invalid);
