//! Literals that upstream lets pass: an `Int` holds 32 bits, wherever it stands.

use async_graphql::{
    Pos,
    parser::types::{BaseType, Field, Type},
};
use async_graphql_value::Value;

use super::GateRefusal;
use crate::http::schema_map::{FieldEntry, SchemaMap, TypeEntry};

/// Checks the literals in a field's arguments, those inside input objects and lists too.
pub(super) fn check_arguments(field: &Field, entry: &FieldEntry, schema: &SchemaMap) -> Result<(), GateRefusal> {
    for (name, value) in &field.arguments {
        if let Some(ty) = entry.arguments.get(&name.node) {
            check(&value.node, ty, schema, value.pos)?;
        }
    }
    Ok(())
}

fn check(value: &Value, ty: &Type, schema: &SchemaMap, pos: Pos) -> Result<(), GateRefusal> {
    match (value, &ty.base) {
        (Value::List(items), BaseType::List(item)) => items.iter().try_for_each(|one| check(one, item, schema, pos)),
        (single, BaseType::List(item)) => check(single, item, schema, pos),
        (Value::Number(number), BaseType::Named(name)) if name == "Int" => {
            if fits_int(number) {
                Ok(())
            } else {
                Err(GateRefusal::invalid(format!("`{number}` is not a 32-bit `Int`"), Some(pos)))
            }
        }
        (Value::Object(fields), BaseType::Named(name)) => {
            let Some(TypeEntry::Input(input)) = schema.get(name) else { return Ok(()) };
            fields.iter().try_for_each(|(key, one)| match input.fields.get(key) {
                Some((ty, _)) => check(one, ty, schema, pos),
                None => Ok(()),
            })
        }
        _ => Ok(()),
    }
}

/// Whether a number is a whole one within 32 bits.
pub(super) fn fits_int(number: &async_graphql::Number) -> bool {
    number.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
}
