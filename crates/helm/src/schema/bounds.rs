//! How much work a schema can make: a schema of a few lines can multiply without end, at one value or on the way down.

use jsonschema::{Draft, Registry, uri};
use referencing::Resolver;
use serde_json::{Map, Value};

use super::{BASE, NoRetriever};

/// Most references that apply to one value; beyond it is a loop or a bomb.
const MOST_IN_PLACE: u32 = 100_000;
/// The same for all references of a schema together.
const MOST_FOLLOWED: u32 = 2_000_000;
/// Deepest nesting of references at one value.
const DEEPEST_IN_PLACE: u32 = 200;
/// Most times that a part of the schema meets a part of the values.
const MOST_STEPS: u32 = 1_000_000;
/// Deepest nesting of both; below it the validator's recursion fits every thread's stack.
const DEEPEST: u32 = 400;

const CIRCLE: &str = "values.schema.json: references lead in a circle or multiply without end";

/// What applies to the same value as the schema that holds it.
const LISTS_IN_PLACE: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SCHEMAS_IN_PLACE: [&str; 4] = ["not", "if", "then", "else"];

/// Refuses schemas whose references go round in circles or multiply without end at one and the same value.
pub(super) fn check_in_place(schema: &Value) -> Result<(), String> {
    check_nodes(schema, schema, &mut 0)
}

fn check_nodes(root: &Value, node: &Value, followed: &mut u32) -> Result<(), String> {
    match node {
        Value::Object(fields) => {
            if fields.contains_key("$ref") {
                let mut cost = 0;
                follow(root, node, 0, &mut cost)?;
                *followed = followed.saturating_add(cost);
                if *followed > MOST_FOLLOWED {
                    return Err(CIRCLE.into());
                }
            }
            fields.values().try_for_each(|child| check_nodes(root, child, followed))
        }
        Value::Array(items) => items.iter().try_for_each(|child| check_nodes(root, child, followed)),
        _ => Ok(()),
    }
}

/// Walks what applies to the same value as `node` and counts it.
fn follow(root: &Value, node: &Value, depth: u32, cost: &mut u32) -> Result<(), String> {
    *cost += 1;
    if depth > DEEPEST_IN_PLACE || *cost > MOST_IN_PLACE {
        return Err(CIRCLE.into());
    }
    let Value::Object(fields) = node else { return Ok(()) };
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
        && let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer))
    {
        follow(root, target, depth + 1, cost)?;
    }
    for keyword in LISTS_IN_PLACE {
        for item in fields.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            follow(root, item, depth + 1, cost)?;
        }
    }
    for keyword in SCHEMAS_IN_PLACE {
        if let Some(inner) = fields.get(keyword) {
            follow(root, inner, depth + 1, cost)?;
        }
    }
    Ok(())
}

/// Can the work be more than the size of the schema times the size of the values?
pub(super) fn can_multiply(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            ["$ref", "$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"]
                .contains(&name.as_str())
                || can_multiply(value)
        }),
        Value::Array(items) => items.iter().any(can_multiply),
        _ => false,
    }
}

/// Refuses values for which the schema makes too much work. The validator remembers what holds, but it lists every problem
/// as often as there are ways to reach it.
pub(super) fn check_steps(schema: &Value, draft: Draft, values: &Value) -> Result<(), String> {
    let Ok(base) = uri::from_str(BASE) else { return Ok(()) };
    let resource = draft.create_resource_ref(schema);
    // What cannot be resolved is the validator's to report.
    let Ok(builder) = Registry::new().retriever(NoRetriever).add(BASE, resource) else { return Ok(()) };
    let Ok(registry) = builder.prepare() else { return Ok(()) };
    Walk { steps: 0, draft }.visit(schema, &registry.resolver(base), values, 0, 0)
}

struct Walk {
    steps: u32,
    draft: Draft,
}

impl Walk {
    /// Counts what meets at this value and below it.
    fn visit(
        &mut self,
        schema: &Value,
        resolver: &Resolver<'_>,
        value: &Value,
        depth: u32,
        in_place: u32,
    ) -> Result<(), String> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(format!("values.schema.json: checking these values takes more than {MOST_STEPS} steps"));
        }
        if depth > DEEPEST {
            return Err(format!("values.schema.json: schema and values nest more than {DEEPEST} deep"));
        }
        if in_place > DEEPEST_IN_PLACE {
            return Err(CIRCLE.into());
        }
        let Value::Object(fields) = schema else { return Ok(()) };
        let inner = match fields.contains_key("$id") || fields.contains_key("id") {
            true => resolver.in_subresource(self.draft.create_resource_ref(schema)).ok(),
            false => None,
        };
        let resolver = inner.as_ref().unwrap_or(resolver);
        // To know what has been evaluated the validator applies everything once more.
        let rounds = 1 + u32::from(fields.keys().any(|name| name.starts_with("unevaluated")));
        for _ in 0..rounds {
            self.in_place(fields, resolver, value, depth, in_place + 1)?;
        }
        match value {
            Value::Object(entries) => self.properties(fields, resolver, entries, depth + 1),
            Value::Array(items) => self.items(fields, resolver, items, depth + 1),
            _ => Ok(()),
        }
    }

    fn in_place(
        &mut self,
        fields: &Map<String, Value>,
        resolver: &Resolver<'_>,
        value: &Value,
        depth: u32,
        in_place: u32,
    ) -> Result<(), String> {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(reference) = fields.get(keyword).and_then(Value::as_str)
                && let Ok(target) = resolver.lookup(reference)
            {
                self.visit(target.contents(), target.resolver(), value, depth + 1, in_place)?;
            }
        }
        for keyword in LISTS_IN_PLACE {
            for inner in fields.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.visit(inner, resolver, value, depth + 1, in_place)?;
            }
        }
        for keyword in SCHEMAS_IN_PLACE {
            if let Some(inner) = fields.get(keyword) {
                self.visit(inner, resolver, value, depth + 1, in_place)?;
            }
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for inner in fields.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::values) {
                self.visit(inner, resolver, value, depth + 1, in_place)?;
            }
        }
        Ok(())
    }

    fn properties(
        &mut self,
        fields: &Map<String, Value>,
        resolver: &Resolver<'_>,
        entries: &Map<String, Value>,
        depth: u32,
    ) -> Result<(), String> {
        let named = fields.get("properties").and_then(Value::as_object);
        let patterns = fields.get("patternProperties").and_then(Value::as_object);
        for (name, value) in entries {
            if let Some(schema) = named.and_then(|named| named.get(name)) {
                self.visit(schema, resolver, value, depth, 0)?;
            }
            // Whether a pattern fits is not looked at: more may be counted than is done.
            for schema in patterns.into_iter().flat_map(Map::values) {
                self.visit(schema, resolver, value, depth, 0)?;
            }
            for keyword in ["additionalProperties", "unevaluatedProperties"] {
                if let Some(schema) = fields.get(keyword) {
                    self.visit(schema, resolver, value, depth, 0)?;
                }
            }
            if let Some(schema) = fields.get("propertyNames") {
                self.visit(schema, resolver, &Value::Null, depth, 0)?;
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        fields: &Map<String, Value>,
        resolver: &Resolver<'_>,
        items: &[Value],
        depth: u32,
    ) -> Result<(), String> {
        for (index, value) in items.iter().enumerate() {
            for keyword in ["items", "prefixItems"] {
                match fields.get(keyword) {
                    Some(Value::Array(schemas)) => {
                        if let Some(schema) = schemas.get(index) {
                            self.visit(schema, resolver, value, depth, 0)?;
                        }
                    }
                    Some(schema) => self.visit(schema, resolver, value, depth, 0)?,
                    None => {}
                }
            }
            for keyword in ["additionalItems", "unevaluatedItems", "contains"] {
                if let Some(schema) = fields.get(keyword) {
                    self.visit(schema, resolver, value, depth, 0)?;
                }
            }
        }
        Ok(())
    }
}
