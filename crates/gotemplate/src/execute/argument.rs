//! Arguments: constants, and checking values against parameter types.

use super::field::zero;
use super::walk::{At, Evaluated, Item, Walker};
use crate::parse::number::is_float_text;
use crate::parse::tree::{Literal, Number as Constant, Operand, OperandKind};
use crate::value::types::{self, Type};
use crate::value::{Kind, Number, Str, Value};

impl<'t> Walker<'t, '_> {
    /// Evaluates an operand as an argument for a parameter of the given type.
    pub(super) fn argument(&mut self, dot: &Item, parameter: &'static Type, operand: &'t Operand) -> Evaluated<Value> {
        self.at = At::Operand(operand);
        let item = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => {
                if can_be_nil(parameter) {
                    return Ok(zero(parameter));
                }
                return self.fail(format!("cannot assign nil to {}", parameter.name));
            }
            OperandKind::Field(fields) => self.fields(dot, dot.clone(), operand, fields, &[], None)?,
            OperandKind::Variable { variable, fields } => {
                let item = self.get(variable)?;
                self.fields(dot, item, operand, fields, &[], None)?
            }
            OperandKind::Pipeline(pipeline) => {
                self.check_stack()?;
                self.pipeline(dot, pipeline)?
            }
            OperandKind::Function { function, special } => self.bare_function(dot, operand, function, *special)?,
            OperandKind::Chain { operand: inner, fields } => self.chain(dot, operand, inner, fields, &[], None)?,
            OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::String { .. } => {
                return self.typed_constant(parameter, operand);
            }
        };
        self.validate(item, parameter)
    }

    /// A constant for a parameter of the given type.
    fn typed_constant(&self, parameter: &'static Type, operand: &'t Operand) -> Evaluated<Value> {
        let wanted = match (parameter.kind, &operand.kind) {
            (Kind::Interface, _) if parameter.is_any() => return self.constant(operand),
            (Kind::Struct, _) if *parameter == types::REFLECT_VALUE => return self.constant(operand),
            (Kind::Bool, OperandKind::Bool(value)) => return Ok(Value::Bool(*value)),
            (Kind::Bool, _) => "bool",
            (Kind::String, OperandKind::String { value, .. }) => return Ok(Value::String(literal(value))),
            (Kind::String, _) => "string",
            (Kind::Float64 | Kind::Float32, OperandKind::Number(number)) if number.float.is_some() => {
                let float = number.float.unwrap_or_default();
                #[expect(clippy::cast_possible_truncation, reason = "Go's conversion to float32")]
                return Ok(match parameter.kind {
                    Kind::Float32 => Value::Number(Number::Float32(float as f32)),
                    _ => Value::Float(float),
                });
            }
            (Kind::Float64 | Kind::Float32, _) => "float",
            (Kind::Complex128, OperandKind::Number(number)) if number.complex.is_some() => {
                return Ok(Value::Number(Number::Complex128(Box::new(number.complex.unwrap_or_default()))));
            }
            (Kind::Complex128, _) => "complex",
            (kind, OperandKind::Number(number)) if kind.is_signed() && number.int.is_some() => {
                return Ok(integer(kind, number.int.unwrap_or_default()));
            }
            (kind, _) if kind.is_signed() => "integer",
            (kind, OperandKind::Number(number)) if kind.is_unsigned() && number.uint.is_some() => {
                return Ok(integer(kind, number.uint.unwrap_or_default() as i64));
            }
            (kind, _) if kind.is_unsigned() => "unsigned integer",
            _ => return self.fail(format!("can't handle {operand} for arg of type {}", parameter.name)),
        };
        self.fail(format!("expected {wanted}; found {operand}"))
    }

    /// A constant without context.
    pub(super) fn constant(&self, operand: &Operand) -> Evaluated<Value> {
        match &operand.kind {
            OperandKind::Bool(value) => Ok(Value::Bool(*value)),
            OperandKind::String { value, .. } => Ok(Value::String(literal(value))),
            OperandKind::Number(number) => self.ideal(number),
            _ => self.fail(format!("can't handle assignment of {operand} to empty interface argument")),
        }
    }

    fn ideal(&self, number: &Constant) -> Evaluated<Value> {
        if let Some(parts) = number.complex {
            return Ok(Value::Number(Number::Complex128(Box::new(parts))));
        }
        if let Some(float) = number.float.filter(|_| is_float_text(&number.text)) {
            return Ok(Value::Float(float));
        }
        match number.int {
            Some(int) => Ok(Value::Int(int)),
            None => self.fail(format!("{} overflows int", number.text)),
        }
    }

    /// Checks a value against a parameter's type and converts it where Go does.
    pub(super) fn validate(&self, item: Item, parameter: &'static Type) -> Evaluated<Value> {
        let Item { value, interface } = item;
        let fits = match (&value, parameter.kind) {
            (_, Kind::Interface) if parameter.is_any() => true,
            (Value::String(_), Kind::String) | (Value::Int(_), Kind::Int) | (Value::Bool(_), Kind::Bool) => {
                std::ptr::eq(value.go_type(), parameter) || *value.go_type() == *parameter
            }
            (_, Kind::Struct) if *parameter == types::REFLECT_VALUE => true,
            _ => false,
        };
        if fits {
            return Ok(value);
        }
        match value {
            Value::Nil if !interface => {
                if can_be_nil(parameter) {
                    return Ok(zero(parameter));
                }
                self.fail(format!("invalid value; expected {}", parameter.name))
            }
            Value::Nil => self.fail(format!("wrong type for value; expected {}; got interface {{}}", parameter.name)),
            Value::Map(map) if map.go_type().assignable_to(parameter) => Ok(Value::Map(map.converted(parameter))),
            Value::List(list) if list.go_type().assignable_to(parameter) => Ok(Value::List(list.converted(parameter))),
            Value::Object(object) => {
                let go_type = object.go_type();
                if *go_type == *parameter || (*parameter == types::ERROR && object.is_error()) {
                    return Ok(Value::Object(object));
                }
                // A named slice or map passes for the unnamed type; a pointer for what it points to.
                match object.underlying() {
                    Some(underlying) if !parameter.named && underlying.go_type().assignable_to(parameter) => {
                        Ok(underlying)
                    }
                    _ if go_type.element.is_some_and(|element| element.assignable_to(parameter)) => {
                        Ok(Value::Object(object))
                    }
                    _ => self.wrong_type(parameter, go_type),
                }
            }
            value if value.go_type().assignable_to(parameter) => Ok(value),
            value => self.wrong_type(parameter, value.go_type()),
        }
    }

    fn wrong_type<T>(&self, parameter: &Type, got: &Type) -> Evaluated<T> {
        self.fail(format!("wrong type for value; expected {}; got {}", parameter.name, got.name))
    }
}

fn can_be_nil(go_type: &Type) -> bool {
    matches!(go_type.kind, Kind::Func | Kind::Interface | Kind::Map | Kind::Pointer | Kind::Slice)
        || *go_type == types::REFLECT_VALUE
}

fn literal(value: &Literal) -> Str {
    match value {
        Literal::Text(text) => Str::from(text.clone()),
        Literal::Raw(bytes) => Str::copy_bytes(bytes),
    }
}

/// An integer of the given kind; bits that do not fit are lost, as in Go.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "Go's integer conversions truncate")]
pub(crate) fn integer(kind: Kind, number: i64) -> Value {
    Value::Number(match kind {
        Kind::Int64 => return Value::Int64(number),
        Kind::Int8 => Number::Int8(number as i8),
        Kind::Int16 => Number::Int16(number as i16),
        Kind::Int32 => Number::Int32(number as i32),
        Kind::Uint => Number::Uint(number as u64),
        Kind::Uint8 => Number::Uint8(number as u8),
        Kind::Uint16 => Number::Uint16(number as u16),
        Kind::Uint32 => Number::Uint32(number as u32),
        Kind::Uint64 => Number::Uint64(number as u64),
        _ => return Value::Int(number),
    })
}
