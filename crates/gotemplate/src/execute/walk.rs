//! Walking through a template's nodes.

use std::ops::ControlFlow;

use super::Core;
use crate::context::Environment;
use crate::error::{ExecuteError, Location};
use crate::format;
use crate::function::FunctionError;
use crate::parse::show;
use crate::parse::tree::{Branch, Command, List, Node, Operand, Pipeline, Tree, Variable};
use crate::value::{Kind, Number, Value};

pub(super) type Evaluated<T> = Result<T, Box<ExecuteError>>;

/// A value as Go's `reflect.Value` holds it: `interface` says that its static type is `interface {}`.
/// `Value::Nil` without it is no value at all.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) interface: bool,
}

impl Item {
    pub(super) const NONE: Self = Self { value: Value::Nil, interface: false };

    pub(super) fn new(value: Value) -> Self {
        Self { value, interface: false }
    }

    pub(super) fn type_name(&self) -> &'static str {
        if self.interface { "interface {}" } else { self.value.type_name() }
    }
}

/// What is being evaluated, for error messages.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Start,
    Node(&'t Node),
    Pipeline(&'t Pipeline),
    Command(&'t Command),
    Operand(&'t Operand),
}

/// How the walk through a list ended.
enum Jump {
    Break,
    Continue,
}

type Flow = ControlFlow<Jump>;

/// One execution of one template.
pub(super) struct Walker<'t, 'r> {
    pub(super) core: &'r mut Core,
    pub(super) environment: &'r mut Environment,
    output: &'r mut Vec<u8>,
    tree: &'t Tree,
    pub(super) at: At<'t>,
    slots: Vec<Option<Item>>,
}

impl<'t, 'r> Walker<'t, 'r> {
    pub(super) fn new(
        core: &'r mut Core,
        environment: &'r mut Environment,
        output: &'r mut Vec<u8>,
        tree: &'t Tree,
        data: Value,
    ) -> Self {
        let mut slots = vec![None; tree.slots];
        if let Some(first) = slots.first_mut() {
            *first = Some(Item::new(data));
        }
        Self { core, environment, output, tree, at: At::Start, slots }
    }

    pub(super) fn run(mut self) -> Evaluated<()> {
        let dot = self.slots.first().cloned().flatten().unwrap_or(Item::NONE);
        let tree = self.tree;
        if self.core.depth > self.environment.limits.depth || self.core.stack.is_exhausted() {
            return self.too_deep();
        }
        // The parser lets no jump out of its loop.
        self.list(&dot, &tree.root).map(|_| ())
    }

    // Errors and limits.

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Evaluated<T> {
        self.fail_with(None, FunctionError::Message(message.into()))
    }

    pub(super) fn fail_with<T>(&self, calling: Option<&str>, cause: FunctionError) -> Evaluated<T> {
        let (position, node) = match self.at {
            At::Start => (0, String::new()),
            At::Node(Node::Template { position, name, pipeline }) => {
                (*position, show::template(name, pipeline.as_ref()))
            }
            At::Node(Node::Action { position, pipeline }) => (*position, format!("{{{{{pipeline}}}}}")),
            At::Node(Node::Text { start, end }) => {
                let text = self.tree.source.text.get(*start..*end).unwrap_or_default();
                (*start, String::from_utf8_lossy(text).into_owned())
            }
            At::Node(Node::Break { position }) => (*position, "{{break}}".to_owned()),
            At::Node(Node::Continue { position }) => (*position, "{{continue}}".to_owned()),
            At::Node(Node::If(branch) | Node::With(branch) | Node::Range(branch)) => {
                (branch.pipeline.position, branch.pipeline.to_string())
            }
            At::Pipeline(pipeline) => (pipeline.position, pipeline.to_string()),
            At::Command(command) => (command.position, command.to_string()),
            At::Operand(operand) => (operand.position, operand.to_string()),
        };
        let (line, column) = self.tree.source.position(position);
        let location = Location {
            file: self.tree.source.name.to_string(),
            line,
            column,
            template: self.tree.name.to_string(),
            node,
        };
        Err(Box::new(ExecuteError { location: Some(location), calling: calling.map(Into::into), cause }))
    }

    fn too_deep<T>(&self) -> Evaluated<T> {
        let depth = self.core.depth;
        if depth >= self.environment.limits.depth {
            return self.fail(format!("exceeded maximum template depth ({depth})"));
        }
        self.fail(format!("exceeded maximum template depth ({depth}): no more stack, run on a thread with more"))
    }

    /// Counts a step; every recursion passes here.
    pub(super) fn step(&mut self) -> Evaluated<()> {
        self.core.steps += 1;
        if self.core.steps > self.environment.limits.steps {
            return self.fail(format!("exceeded the limit of {} steps", self.environment.limits.steps));
        }
        Ok(())
    }

    pub(super) fn check_stack(&self) -> Evaluated<()> {
        if self.core.stack.is_exhausted() { self.too_deep() } else { Ok(()) }
    }

    fn check_output(&self) -> Evaluated<()> {
        let limit = self.environment.limits.bytes;
        if self.output.len() > limit {
            return self.fail(format!("output is larger than the limit of {limit} bytes"));
        }
        Ok(())
    }

    // Nodes.

    fn list(&mut self, dot: &Item, list: &'t List) -> Evaluated<Flow> {
        for node in &list.nodes {
            if let ControlFlow::Break(jump) = self.node(dot, node)? {
                return Ok(ControlFlow::Break(jump));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn node(&mut self, dot: &Item, node: &'t Node) -> Evaluated<Flow> {
        self.at = At::Node(node);
        self.step()?;
        match node {
            Node::Text { start, end } => {
                self.output.extend_from_slice(self.tree.source.text.get(*start..*end).unwrap_or_default());
                self.check_output()?;
            }
            Node::Action { pipeline, .. } => {
                let item = self.pipeline(dot, pipeline)?;
                if pipeline.declarations.is_empty() {
                    self.print(node, &item.value)?;
                }
            }
            Node::If(branch) => {
                self.check_stack()?;
                let item = self.pipeline(dot, &branch.pipeline)?;
                if item.value.is_true() {
                    return self.list(dot, &branch.list);
                }
                if let Some(list) = &branch.otherwise {
                    return self.list(dot, list);
                }
            }
            Node::With(branch) => {
                self.check_stack()?;
                let item = self.pipeline(dot, &branch.pipeline)?;
                if item.value.is_true() {
                    return self.list(&item, &branch.list);
                }
                if let Some(list) = &branch.otherwise {
                    return self.list(dot, list);
                }
            }
            Node::Range(branch) => {
                self.check_stack()?;
                return self.range(dot, branch);
            }
            Node::Template { name, pipeline, .. } => self.template(dot, name, pipeline.as_ref())?,
            Node::Break { .. } => return Ok(ControlFlow::Break(Jump::Break)),
            Node::Continue { .. } => return Ok(ControlFlow::Break(Jump::Continue)),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn print(&mut self, node: &'t Node, value: &Value) -> Evaluated<()> {
        match value {
            Value::String(text) => self.output.extend_from_slice(text.as_bytes()),
            Value::Nil => self.output.extend_from_slice(b"<no value>"),
            Value::Function(_) => {
                self.at = At::Node(node);
                let Node::Action { pipeline, .. } = node else { return Ok(()) };
                return self.fail(format!("can't print {{{{{pipeline}}}}} of type {}", value.type_name()));
            }
            _ => format::append_printable(self.output, value),
        }
        if self.output.len() > self.environment.limits.bytes {
            self.at = At::Node(node);
            self.check_output()?;
        }
        Ok(())
    }

    fn template(&mut self, dot: &Item, name: &str, pipeline: Option<&'t Pipeline>) -> Evaluated<()> {
        let Some(tree) = self.core.templates.get(name).cloned() else {
            let name = format::quote::quoted(name.as_bytes());
            return self.fail(format!("template {name} not defined"));
        };
        if self.core.depth >= self.environment.limits.depth || self.core.stack.is_exhausted() {
            return self.too_deep();
        }
        let data = match pipeline {
            Some(pipeline) => self.pipeline(dot, pipeline)?.value,
            None => Value::Nil,
        };
        self.core.depth += 1;
        let result = Walker::new(self.core, self.environment, self.output, &tree, data).run();
        self.core.depth -= 1;
        result
    }

    // Loops.

    fn range(&mut self, dot: &Item, branch: &'t Branch) -> Evaluated<Flow> {
        let value = self.pipeline(dot, &branch.pipeline)?.value.plain();
        let some = match &value {
            Value::List(list) => {
                let interface = list.element_type().is_any();
                self.each(
                    branch,
                    list.items().iter().enumerate().map(|(index, item)| {
                        (Item::new(Value::Int(index as i64)), Item { value: item.clone(), interface })
                    }),
                )?
            }
            Value::Bytes(bytes) => self.each(
                branch,
                bytes.iter().enumerate().map(|(index, byte)| {
                    (Item::new(Value::Int(index as i64)), Item::new(Value::Number(Number::Uint8(*byte))))
                }),
            )?,
            Value::Map(map) => {
                let interface = map.element_type().is_any();
                self.each(
                    branch,
                    map.snapshot()
                        .into_iter()
                        .map(|(key, value)| (Item::new(Value::String(key)), Item { value, interface })),
                )?
            }
            Value::Nil => false,
            _ => match (value.as_signed(), value.as_unsigned()) {
                (None, None) => {
                    return self.fail(format!("range can't iterate over {}", format::display(&value)));
                }
                _ if branch.pipeline.declarations.len() > 1 => {
                    let shown = format::display(&value);
                    return self.fail(format!("can't use {shown} to iterate over more than one variable"));
                }
                (Some(end), _) => {
                    let kind = value.kind();
                    self.each(branch, (0..end).map(|number| number_pair(kind, number)))?
                }
                (None, Some(end)) => {
                    let kind = value.kind();
                    let end = i64::try_from(end).unwrap_or(i64::MAX);
                    self.each(branch, (0..end).map(|number| number_pair(kind, number)))?
                }
            },
        };
        match &branch.otherwise {
            Some(list) if !some => match self.list(dot, list)? {
                // As in Go, where the loop around the else clause catches it although it is over.
                ControlFlow::Break(Jump::Break) => Ok(ControlFlow::Continue(())),
                flow => Ok(flow),
            },
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Executes the body for each pair; false when there was none.
    fn each(&mut self, branch: &'t Branch, pairs: impl Iterator<Item = (Item, Item)>) -> Evaluated<bool> {
        let variables = branch.pipeline.declarations.as_slice();
        let assign = branch.pipeline.assign;
        let mut some = false;
        for (index, element) in pairs {
            some = true;
            self.step()?;
            match variables {
                [] => {}
                [only] => self.set(only, element.clone(), assign)?,
                [first, second, ..] => {
                    self.set(first, index, assign)?;
                    self.set(second, element.clone(), assign)?;
                }
            }
            for slot in &branch.conditional {
                if let Some(slot) = self.slots.get_mut(*slot) {
                    *slot = None;
                }
            }
            if let ControlFlow::Break(Jump::Break) = self.list(&element, &branch.list)? {
                break;
            }
        }
        Ok(some)
    }

    // Variables.

    pub(super) fn set(&mut self, variable: &Variable, item: Item, assign: bool) -> Evaluated<()> {
        for slot in variable.slots.as_slice() {
            if let Some(place) = self.slots.get_mut(*slot)
                && (!assign || place.is_some())
            {
                *place = Some(item);
                return Ok(());
            }
        }
        self.fail(format!("undefined variable: {}", variable.name))
    }

    pub(super) fn get(&self, variable: &Variable) -> Evaluated<Item> {
        for slot in variable.slots.as_slice() {
            if let Some(Some(item)) = self.slots.get(*slot) {
                return Ok(item.clone());
            }
        }
        self.fail(format!("undefined variable: {}", variable.name))
    }
}

fn number_pair(kind: Kind, number: i64) -> (Item, Item) {
    let item = Item::new(super::argument::integer(kind, number));
    (item.clone(), item)
}
