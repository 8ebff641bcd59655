//! The visible second fence: a guard that asks for an organization permission, and the directive that prints it into the SDL.
//!
//! Both stand on the field, with the same text; `tests/it/schema` holds that no field has one without the other and that every
//! field so marked refuses a caller without the permission. (In async-graphql a field's own guard *replaces* its object's, and
//! `a.or(b)` reports only the second error: guards are put on fields, one each.)

use async_graphql::{Context, Guard, Result, TypeDirective};

use super::{context::RequestContext, error::coded};

/// Asks for an organization permission in the caller's organization.
#[TypeDirective(location = "FieldDefinition")]
pub fn permission(name: String) {}

/// The guard beside the directive.
#[derive(Debug, Clone, Copy)]
pub struct Needs(pub &'static str);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        let request = ctx.data::<RequestContext>()?;
        let holds = request.access.standing.as_ref().is_some_and(|standing| standing.rights.holds(self.0));
        if holds || crate::ablate::off("field_guard") {
            Ok(())
        } else {
            Err(coded("FORBIDDEN", format!("the permission `{}` is missing", self.0)))
        }
    }
}
