//! Pipelines, commands and field access.

use super::MissingKey;
use super::walk::{At, Evaluated, Item, Walker};
use crate::parse::tree::{Command, Operand, OperandKind, Pipeline, Special};
use crate::value::{Kind, Map, Type, Value};

impl<'t> Walker<'t, '_> {
    /// The value of a pipeline; declares or sets its variables.
    pub(super) fn pipeline(&mut self, dot: &Item, pipeline: &'t Pipeline) -> Evaluated<Item> {
        self.at = At::Pipeline(pipeline);
        let mut last = None;
        for command in &pipeline.commands {
            let mut item = self.command(dot, command, last)?;
            item.interface = false;
            last = Some(item);
        }
        let item = last.unwrap_or(Item::NONE);
        for variable in &pipeline.declarations {
            self.set(variable, item.clone(), pipeline.assign)?;
        }
        Ok(item)
    }

    fn command(&mut self, dot: &Item, command: &'t Command, last: Option<Item>) -> Evaluated<Item> {
        let Some((first, arguments)) = command.operands.split_first() else {
            return self.fail("empty command");
        };
        match &first.kind {
            OperandKind::Field(fields) => {
                self.at = At::Operand(first);
                self.fields(dot, dot.clone(), first, fields, arguments, last)
            }
            OperandKind::Chain { operand, fields } => self.chain(dot, first, operand, fields, arguments, last),
            OperandKind::Function { function, special } => {
                self.at = At::Operand(first);
                self.call(dot, function, *special, At::Command(command), arguments, last)
            }
            OperandKind::Pipeline(pipeline) => {
                self.not_a_function(first, arguments, last.as_ref())?;
                self.check_stack()?;
                self.pipeline(dot, pipeline)
            }
            OperandKind::Variable { variable, fields } => {
                self.at = At::Operand(first);
                let item = self.get(variable)?;
                if fields.is_empty() {
                    self.not_a_function(first, arguments, last.as_ref())?;
                    return Ok(item);
                }
                self.fields(dot, item, first, fields, arguments, last)
            }
            OperandKind::Dot
            | OperandKind::Nil
            | OperandKind::Bool(_)
            | OperandKind::Number(_)
            | OperandKind::String { .. } => {
                self.at = At::Operand(first);
                self.not_a_function(first, arguments, last.as_ref())?;
                match &first.kind {
                    OperandKind::Dot => Ok(dot.clone()),
                    OperandKind::Nil => self.fail("nil is not a command"),
                    _ => self.constant(first).map(Item::new),
                }
            }
        }
    }

    fn not_a_function(&self, first: &Operand, arguments: &[Operand], last: Option<&Item>) -> Evaluated<()> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        self.fail(format!("can't give argument to non-function {first}"))
    }

    /// `(pipeline).Field.Field` and `function.Field`.
    pub(super) fn chain(
        &mut self,
        dot: &Item,
        node: &'t Operand,
        operand: &'t Operand,
        fields: &'t [Box<str>],
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Item> {
        self.at = At::Operand(node);
        let receiver = match &operand.kind {
            OperandKind::Nil => return self.fail(format!("indirection through explicit nil in {node}")),
            OperandKind::Pipeline(pipeline) => {
                self.at = At::Operand(operand);
                self.check_stack()?;
                self.pipeline(dot, pipeline)?
            }
            OperandKind::Function { function, special } => {
                self.at = At::Operand(operand);
                self.call(dot, function, *special, At::Operand(operand), &[], None)?
            }
            _ => Item::new(self.argument(dot, &crate::value::types::REFLECT_VALUE, operand)?),
        };
        self.fields(dot, receiver, node, fields, arguments, last)
    }

    /// Field after field; the last one may be a method and gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Item,
        mut receiver: Item,
        node: &'t Operand,
        fields: &'t [Box<str>],
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Item> {
        let Some((final_field, before)) = fields.split_last() else { return Ok(receiver) };
        for field in before {
            receiver = self.field(dot, &receiver, node, field, &[], None)?;
        }
        self.field(dot, &receiver, node, final_field, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Item,
        receiver: &Item,
        node: &'t Operand,
        name: &str,
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Item> {
        let has_arguments = !arguments.is_empty() || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if let Some(method) = map.go_type().method(name) {
                    return self.method(dot, receiver.value.clone(), method, At::Operand(node), arguments, last);
                }
                if has_arguments {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                return self.entry(map, name);
            }
            Value::Nil if receiver.interface => {
                return self.fail(format!("nil pointer evaluating interface {{}}.{name}"));
            }
            Value::Nil => {
                if self.core.missing_key == MissingKey::Error {
                    let name = crate::format::quote::quoted(name.as_bytes());
                    return self.fail(format!("nil data; no entry for key {name}"));
                }
                return Ok(Item::NONE);
            }
            Value::Object(object) => {
                if let Some(method) = object.go_type().method(name) {
                    return self.method(dot, receiver.value.clone(), method, At::Operand(node), arguments, last);
                }
                if let Some(value) = object.field(name) {
                    if has_arguments {
                        return self.fail(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    let interface = value.is_nil();
                    return Ok(Item { value, interface });
                }
                if let Some(Value::Map(map)) = object.underlying() {
                    if has_arguments {
                        return self.fail(format!("{name} is not a method but has arguments"));
                    }
                    return self.entry(&map, name);
                }
            }
            Value::NilPointer(_) => {
                return self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name()));
            }
            other => {
                if let Some(method) = other.go_type().method(name) {
                    return self.method(dot, receiver.value.clone(), method, At::Operand(node), arguments, last);
                }
            }
        }
        self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }

    fn entry(&self, map: &Map, name: &str) -> Evaluated<Item> {
        let element = map.element_type();
        if let Some(value) = map.get(name) {
            return Ok(Item { value, interface: element.is_any() });
        }
        match self.core.missing_key {
            MissingKey::Default => Ok(Item::NONE),
            MissingKey::Zero => Ok(Item { value: zero(element), interface: element.is_any() }),
            MissingKey::Error => {
                let name = crate::format::quote::quoted(name.as_bytes());
                self.fail(format!("map has no entry for key {name}"))
            }
        }
    }

    /// A function named where a value is wanted.
    pub(super) fn bare_function(
        &mut self,
        dot: &Item,
        operand: &'t Operand,
        function: &'static crate::function::Function,
        special: Special,
    ) -> Evaluated<Item> {
        self.at = At::Operand(operand);
        self.call(dot, function, special, At::Operand(operand), &[], None)
    }
}

/// Go's zero value of a type.
pub(crate) fn zero(go_type: &'static Type) -> Value {
    use crate::value::{List, Number, Str};
    match go_type.kind {
        Kind::Bool => Value::Bool(false),
        Kind::String => Value::String(Str::default()),
        Kind::Float64 => Value::Float(0.0),
        Kind::Float32 => Value::Number(Number::Float32(0.0)),
        Kind::Map => Value::Map(Map::nil(go_type)),
        Kind::Slice if *go_type == crate::value::types::BYTES => Value::bytes(&[]),
        Kind::Slice => Value::List(List::nil(go_type)),
        Kind::Pointer => Value::NilPointer(go_type),
        kind if kind.is_signed() || kind.is_unsigned() => super::argument::integer(kind, 0),
        _ => Value::Nil,
    }
}
