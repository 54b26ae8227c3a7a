//! Calling functions and methods.

use smallvec::SmallVec;

use super::walk::{At, Evaluated, Item, Walker};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::parse::tree::{Operand, Special};
use crate::value::Value;
use crate::value::types;

type Arguments = SmallVec<[Value; 4]>;

impl<'t> Walker<'t, '_> {
    pub(super) fn call(
        &mut self,
        dot: &Item,
        function: &'static Function,
        special: Special,
        node: At<'t>,
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Item> {
        match special {
            Special::And | Special::Or => {
                self.check_count(function, 0, arguments.len(), last.is_some())?;
                let decisive = special == Special::Or;
                let mut value = Value::Nil;
                for argument in arguments {
                    value = self.argument(dot, &types::REFLECT_VALUE, argument)?;
                    if value.is_true() == decisive {
                        return Ok(Item::new(value));
                    }
                }
                Ok(last.unwrap_or(Item::new(value)))
            }
            Special::Len => {
                // Whether nil is an interface or nothing at all shows in the error.
                self.check_count(function, 0, arguments.len(), last.is_some())?;
                let item = match (arguments.first(), last) {
                    (Some(argument), _) => self.item_operand(dot, argument)?,
                    (None, last) => last.unwrap_or(Item::NONE),
                };
                if item.value.is_nil() {
                    let message = if item.interface {
                        "len of nil pointer"
                    } else {
                        "reflect: call of reflect.Value.Type on zero Value"
                    };
                    self.at = node;
                    return self.fail_with(Some(function.name), message.into());
                }
                self.invoke(function, function.name, node, &[item.value])
            }
            Special::Slice => {
                // Go's slice does not look into interfaces for its indexes.
                self.check_count(function, 0, arguments.len(), last.is_some())?;
                let mut values = Arguments::new();
                for argument in arguments {
                    let item = self.item_operand(dot, argument)?;
                    let opaque = item.interface && !values.is_empty();
                    values.push(if opaque { Value::NilPointer(&types::ANY) } else { item.value });
                }
                values.extend(last.map(|last| last.value));
                self.invoke(function, function.name, node, &values)
            }
            Special::Call => {
                let mut values = self.arguments(dot, function, 0, None, arguments, last)?;
                let name = match (arguments.first(), values.first()) {
                    (Some(argument), _) => argument.to_string(),
                    (None, Some(Value::String(text))) => text.to_string(),
                    (None, value) => format!("<{} Value>", value.map_or("<nil>", Value::type_name)),
                };
                values.insert(0, Value::from(name));
                self.invoke(function, function.name, node, &values)
            }
            Special::Ordinary => {
                let values = self.arguments(dot, function, 0, None, arguments, last)?;
                self.invoke(function, function.name, node, &values)
            }
        }
    }

    pub(super) fn method(
        &mut self,
        dot: &Item,
        receiver: Value,
        method: &'static Function,
        node: At<'t>,
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Item> {
        let values = self.arguments(dot, method, 1, Some(receiver), arguments, last)?;
        self.invoke(method, method.name, node, &values)
    }

    fn item_operand(&mut self, dot: &Item, argument: &'t Operand) -> Evaluated<Item> {
        use crate::parse::tree::OperandKind;
        self.at = At::Operand(argument);
        match &argument.kind {
            OperandKind::Field(fields) => self.fields(dot, dot.clone(), argument, fields, &[], None),
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Variable { variable, fields } => {
                let item = self.get(variable)?;
                self.fields(dot, item, argument, fields, &[], None)
            }
            OperandKind::Chain { operand, fields } => self.chain(dot, argument, operand, fields, &[], None),
            OperandKind::Function { function, special } => self.bare_function(dot, argument, function, *special),
            _ => self.argument(dot, &types::REFLECT_VALUE, argument).map(Item::new),
        }
    }

    fn check_count(&self, function: &Function, skip: usize, given: usize, has_last: bool) -> Evaluated<()> {
        let fixed = function.parameters.len().saturating_sub(skip);
        let count = given + usize::from(has_last);
        let name = function.name;
        if function.variadic.is_some() {
            if count < fixed {
                return self.fail(format!("wrong number of args for {name}: want at least {fixed} got {given}"));
            }
        } else if count != fixed {
            return self.fail(format!("wrong number of args for {name}: want {fixed} got {count}"));
        }
        Ok(())
    }

    fn arguments(
        &mut self,
        dot: &Item,
        function: &'static Function,
        skip: usize,
        receiver: Option<Value>,
        arguments: &'t [Operand],
        last: Option<Item>,
    ) -> Evaluated<Arguments> {
        self.check_count(function, skip, arguments.len(), last.is_some())?;
        let parameters = function.parameters.get(skip..).unwrap_or_default();
        let parameter = |index: usize| parameters.get(index).copied().or(function.variadic).unwrap_or(&types::ANY);
        let mut values: Arguments = receiver.into_iter().collect();
        for (index, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, parameter(index), argument)?);
        }
        if let Some(last) = last {
            values.push(self.validate(last, parameter(arguments.len()))?);
        }
        Ok(values)
    }

    fn invoke(&mut self, function: &'static Function, name: &str, node: At<'t>, values: &[Value]) -> Evaluated<Item> {
        self.step()?;
        self.core.steps += values.iter().map(weight).sum::<u64>();
        let mut context = Context { environment: self.environment, core: Some(self.core) };
        match (function.body)(&mut context, values) {
            Ok(Value::String(text)) if text.len() > self.environment.limits.bytes => {
                let limit = self.environment.limits.bytes;
                let message = format!("result is larger than the limit of {limit} bytes");
                self.calling(name, node, FunctionError::Message(message))
            }
            Ok(value) => {
                let made = Context { environment: self.environment, core: Some(self.core) };
                if let Err(error) = made.check_memory() {
                    return self.calling(name, node, error);
                }
                if let Value::String(text) = &value {
                    self.core.made = self.core.made.saturating_add(text.len());
                    if self.core.made > self.environment.limits.total_bytes {
                        let limit = self.environment.limits.total_bytes;
                        let message = format!("all results together are larger than the limit of {limit} bytes");
                        return self.calling(name, node, FunctionError::Message(message));
                    }
                }
                Ok(Item { value, interface: function.result.is_any() })
            }
            Err(error) => self.calling(name, node, error),
        }
    }

    fn calling(&mut self, name: &str, node: At<'t>, error: FunctionError) -> Evaluated<Item> {
        self.at = node;
        self.fail_with(Some(name), error)
    }
}

/// What reading an argument costs in steps, beyond the one of the call.
fn weight(value: &Value) -> u64 {
    (match value {
        Value::String(text) => text.len() >> 6,
        Value::Bytes(bytes) => bytes.len() >> 6,
        Value::List(list) => list.len() >> 4,
        _ => 0,
    }) as u64
}
