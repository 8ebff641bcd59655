//! The viewer: who is asking.

use async_graphql::{Context, ID, Object, Result};

use super::{
    app::{self, AppConnection},
    blueprint::Menu,
    context::InContext,
    error::error,
    external_identity::{self, ExternalIdentity},
    invitation::{self, PendingInvitation},
    membership::{OrganizationMembership, OrganizationMembershipConnection},
    node::NodeType,
    organization::Organization,
    page::PageArgs,
    second_factor::{self, SecondFactor},
    session_list::{self, SessionConnection},
    user::User,
};
use crate::{access::PrincipalKind, service::Access};

/// Who is asking: a signed-in person or a program.
#[derive(Debug, Clone)]
pub struct Viewer(Access);

/// Who is asking: a signed-in person or a program.
#[Object]
impl Viewer {
    /// Global id of the person's account, or of the program's service account; while viewing as a member, of that member.
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

    /// The person's account; null for a program.
    async fn user(&self) -> Option<User> {
        self.0.person.as_ref().map(User::from)
    }

    /// The organizations the caller has a place in, by name: what a switcher shows.
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front; at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back; at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<OrganizationMembershipConnection> {
        memberships(ctx, &self.0, PageArgs { first, after, last, before }).await
    }

    /// The invitations that wait for the person, told by its verified address (S3.74).
    async fn pending_invitations(&self, ctx: &Context<'_>) -> Result<Vec<PendingInvitation>> {
        invitation::pending(ctx).await
    }

    /// The person's sessions that can still be used, in the order of sign-in; null for a program.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<SessionConnection>> {
        if self.0.person.is_none() {
            return Ok(None);
        }
        session_list::own(ctx, PageArgs { first, after, last, before }).await.map(Some)
    }

    /// The person's second factor; null for a program.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<Option<SecondFactor>> {
        if self.0.person.is_none() {
            return Ok(None);
        }
        second_factor::own(ctx).await.map(Some)
    }

    /// The identities at providers by which the person can sign in, in the order of linking; null for a program.
    async fn external_identities(&self, ctx: &Context<'_>) -> Result<Option<Vec<ExternalIdentity>>> {
        if self.0.person.is_none() {
            return Ok(None);
        }
        external_identity::own(ctx).await.map(Some)
    }

    /// The organization the credential is bound to; null for a person who has chosen none.
    async fn organization(&self) -> Option<Organization> {
        self.0.standing.clone().map(Organization::new)
    }

    /// The app switcher: the apps that the viewer sees, by name (S3.29). Null for a person who has chosen no organization.
    async fn apps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<AppConnection>> {
        app::switcher(ctx, &self.0, PageArgs { first, after, last, before }).await
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

/// The caller's own places, as a page.
pub(super) async fn memberships(
    ctx: &Context<'_>,
    access: &Access,
    page: PageArgs,
) -> Result<OrganizationMembershipConnection> {
    let caller = access.user_id().or_else(|| access.principal().map(|principal| principal.id)).unwrap_or_default();
    let listing = page.listing(ctx, &format!("memberships:{caller}"))?;
    let page = ctx.service()?.own_memberships(access, &listing.request).await.map_err(error)?;
    listing.connection(ctx, page, OrganizationMembership::from)
}
