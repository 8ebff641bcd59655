//! Variables: their values fit their declared types, whether or not anything reads them.
//!
//! Upstream checks a variable where it is used, so that null for `Int!` passes when nothing reads it.

use std::collections::HashMap;

use async_graphql::{
    Name, Value, Variables,
    parser::types::{BaseType, Directive, Field, OperationDefinition, Type},
};

use super::{GateRefusal, code, literal, refusal::shown};
use crate::http::schema_map::{InputEntry, SchemaMap, TypeEntry};

/// The values that an operation's variables have, defaults filled in.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Values(HashMap<Name, Value>);

impl Values {
    pub(super) fn new(operation: &OperationDefinition, given: &Variables) -> Self {
        let values = operation.variable_definitions.iter().filter_map(|definition| {
            let name = &definition.node.name.node;
            let default = definition.node.default_value.as_ref().map(|value| &value.node);
            given.get(name).or(default).map(|value| (name.clone(), value.clone()))
        });
        Self(values.collect())
    }

    /// Gives the variables that were left out their defaults: where it reads `@skip` and `@include`, upstream takes them for null.
    pub(super) fn complete(&self, given: &mut Variables) {
        for (name, value) in &self.0 {
            given.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    fn resolve(&self, value: &async_graphql_value::Value) -> Option<Value> {
        match value {
            async_graphql_value::Value::Variable(name) => self.0.get(name).cloned(),
            other => other.clone().into_const(),
        }
    }

    /// Rows of a page: the larger of `first` and `last`, or `default` where neither is given.
    pub(super) fn page(&self, field: &Field, default: Option<u64>) -> Option<u64> {
        let asked = ["first", "last"].iter().filter_map(|argument| {
            match self.resolve(&field.get_argument(argument)?.node)? {
                // A negative page is the resolver's to refuse; here it is a small one.
                Value::Number(number) => Some(number.as_u64().unwrap_or(1)),
                _ => None,
            }
        });
        asked.max().or(default)
    }

    /// Whether `@skip` and `@include` leave a selection in.
    pub(in crate::http) fn includes<'d>(&self, directives: impl IntoIterator<Item = &'d Directive>) -> bool {
        directives.into_iter().all(|directive| {
            let condition = directive.get_argument("if").and_then(|value| self.resolve(&value.node));
            match (directive.name.node.as_str(), condition) {
                ("skip", Some(Value::Boolean(skip))) => !skip,
                ("include", Some(Value::Boolean(include))) => include,
                _ => true,
            }
        })
    }
}

/// Checks every value given against the type declared for it.
pub(super) fn check(operation: &OperationDefinition, given: &Variables, schema: &SchemaMap) -> Result<(), GateRefusal> {
    for definition in &operation.variable_definitions {
        let name = definition.node.name.node.as_str();
        let ty = &definition.node.var_type.node;
        let problem = match given.get(name) {
            None if ty.nullable || definition.node.default_value.is_some() => continue,
            None => Some("must be given".to_owned()),
            Some(value) => fits(value, ty, schema).err(),
        };
        if let Some(problem) = problem {
            let message = format!("variable `${name}` of type `{ty}` {problem}");
            return Err(GateRefusal::bad(code::BAD_USER_INPUT, message, Some(definition.pos)));
        }
    }
    Ok(())
}

/// What must not be done with a field that an input does not have: to take it for none.
pub(super) fn forget_unknown_fields(operation: &OperationDefinition, given: &mut Variables, schema: &SchemaMap) {
    for definition in &operation.variable_definitions {
        let BaseType::Named(name) = &definition.node.var_type.node.base else { continue };
        if let Some(TypeEntry::Input(input)) = schema.get(name)
            && let Some(Value::Object(fields)) = given.get_mut(&definition.node.name.node)
        {
            fields.retain(|field, _| input.fields.contains_key(field));
        }
    }
}

fn fits(value: &Value, ty: &Type, schema: &SchemaMap) -> Result<(), String> {
    if matches!(value, Value::Null) {
        return if ty.nullable { Ok(()) } else { Err("must not be null".to_owned()) };
    }
    match (&ty.base, value) {
        (BaseType::List(item), Value::List(values)) => {
            for (index, value) in values.iter().enumerate() {
                fits(value, item, schema).map_err(|problem| format!("{problem}, at index {index}"))?;
            }
            Ok(())
        }
        (BaseType::List(item), single) => fits(single, item, schema),
        (BaseType::Named(name), value) => fits_named(value, name, schema),
    }
}

fn fits_named(value: &Value, name: &str, schema: &SchemaMap) -> Result<(), String> {
    let fine = match (name, value) {
        ("Int", Value::Number(number)) => literal::fits_int(number),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => match (schema.get(name), value) {
            (Some(TypeEntry::Leaf(Some(values))), Value::String(text)) => values.contains(text.as_str()),
            (Some(TypeEntry::Leaf(Some(values))), Value::Enum(text)) => values.contains(text),
            (Some(TypeEntry::Leaf(Some(_))), _) => false,
            (Some(TypeEntry::Input(input)), Value::Object(fields)) => return fits_input(fields, name, input, schema),
            (Some(TypeEntry::Input(_)), _) => return Err(format!("must be an object of type `{name}`")),
            // Custom scalars are their own judges, and a type that is not in the schema is the validator's to refuse.
            _ => true,
        },
    };
    if fine { Ok(()) } else { Err(format!("does not hold a valid `{name}`")) }
}

fn fits_input(
    fields: &async_graphql::indexmap::IndexMap<Name, Value>,
    name: &str,
    input: &InputEntry,
    schema: &SchemaMap,
) -> Result<(), String> {
    if let Some(unknown) = fields.keys().find(|key| !input.fields.contains_key(*key)) {
        return Err(format!("has an unknown field `{}` in `{name}`", shown(unknown)));
    }
    if input.one_of && (fields.len() != 1 || fields.values().any(|value| matches!(value, Value::Null))) {
        return Err(format!("must have exactly one field of `{name}`"));
    }
    let mut known: Vec<_> = input.fields.iter().collect();
    known.sort_by_key(|(key, _)| *key);
    for (key, (ty, has_default)) in known {
        match fields.get(key) {
            None if ty.nullable || *has_default => {}
            None => return Err(format!("lacks the field `{key}` of `{name}`")),
            Some(value) => fits(value, ty, schema).map_err(|problem| format!("{problem}, at `{name}.{key}`"))?,
        }
    }
    Ok(())
}
