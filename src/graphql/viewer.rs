//! The viewer: who is asking.

use async_graphql::{Context, ID, Object, Result};

use super::{blueprint::Menu, context::InContext, node::NodeType, organization::Organization};
use crate::{access::PrincipalKind, service::Access};

/// Who is asking: a signed-in person or a program.
#[derive(Debug, Clone)]
pub struct Viewer(Access);

/// Who is asking: a signed-in person or a program.
#[Object]
impl Viewer {
    /// Global id of the person's account, or of the program's service account.
    async fn id(&self) -> Result<ID> {
        if let Some(person) = &self.0.person {
            return Ok(NodeType::User.id(person.id));
        }
        let principal = self.0.principal().ok_or_else(|| super::error::bad_input("a caller without a place"))?;
        Ok(match principal.kind {
            PrincipalKind::Member => NodeType::Member.id(principal.id),
            PrincipalKind::ServiceAccount => NodeType::ServiceAccount.id(principal.id),
        })
    }

    /// The name as shown.
    async fn name(&self) -> String {
        match (&self.0.person, &self.0.standing) {
            (Some(person), _) => person.name.clone(),
            (None, Some(standing)) => standing.name.clone(),
            (None, None) => String::new(),
        }
    }

    /// The person's email address; null for a program.
    async fn email(&self) -> Option<&str> {
        self.0.person.as_ref().map(|person| person.email.as_str())
    }

    /// The organization the credential is bound to; null for a person who has chosen none.
    async fn organization(&self) -> Option<Organization> {
        self.0.standing.clone().map(Organization::new)
    }

    /// The organization permissions held there, sorted.
    async fn permissions(&self) -> Vec<String> {
        let standing = self.0.standing.iter();
        standing.flat_map(|standing| standing.rights.permissions().map(str::to_owned)).collect()
    }

    /// The navigation to draw, in order.
    async fn menus(&self) -> Vec<Menu> {
        self.0.standing.as_ref().map(|standing| Menu::visible(standing)).unwrap_or_default()
    }
}

/// Asking who one is.
#[derive(Debug, Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who is asking; null for a stranger.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Option<Viewer>> {
        let access = ctx.access()?;
        Ok(access.credential.is_some().then(|| Viewer(access.clone())))
    }
}
