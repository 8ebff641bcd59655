//! Directives: `@skip` and `@include`, once each, with their argument; anything else is refused.
//!
//! Upstream validates no directive on `__typename`, so that unknown, repeated and argument-less ones pass there.

use async_graphql::{
    Positioned,
    parser::types::{Directive, ExecutableDocument},
};
use async_graphql_value::Value;

use super::GateRefusal;

/// Checks the directives of one field, spread or inline fragment, and gives their number.
pub(super) fn check(directives: &[Positioned<Directive>]) -> Result<u64, GateRefusal> {
    for (index, directive) in directives.iter().enumerate() {
        let name = directive.node.name.node.as_str();
        if !matches!(name, "skip" | "include") {
            return Err(GateRefusal::invalid(format!("unknown directive `@{name}`"), Some(directive.pos)));
        }
        if directives.iter().take(index).any(|other| other.node.name.node == name) {
            return Err(GateRefusal::invalid(format!("`@{name}` is repeated"), Some(directive.pos)));
        }
        let argument = match directive.node.arguments.as_slice() {
            [(argument, value)] if argument.node == "if" => &value.node,
            _ => {
                return Err(GateRefusal::invalid(
                    format!("`@{name}` takes exactly one argument, `if`"),
                    Some(directive.pos),
                ));
            }
        };
        if !matches!(argument, Value::Boolean(_) | Value::Variable(_)) {
            let message = format!("`if` of `@{name}` must be true, false or a variable");
            return Err(GateRefusal::invalid(message, Some(directive.pos)));
        }
    }
    Ok(u64::try_from(directives.len()).unwrap_or(u64::MAX))
}

/// Operations, their variables and fragment definitions take no directive in this schema.
pub(super) fn check_definitions(document: &ExecutableDocument) -> Result<(), GateRefusal> {
    let operations = document.operations.iter().flat_map(|(_, operation)| {
        let variables = operation.node.variable_definitions.iter().flat_map(|variable| &variable.node.directives);
        operation.node.directives.iter().chain(variables)
    });
    let fragments = document.fragments.values().flat_map(|fragment| &fragment.node.directives);
    match operations.chain(fragments).next() {
        None => Ok(()),
        Some(directive) => {
            let message = format!("`@{}` may not stand here", directive.node.name.node);
            Err(GateRefusal::invalid(message, Some(directive.pos)))
        }
    }
}
