//! Identities of providers' that lead to the viewer's account: listed and unlinked.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
};
use crate::service::external_identity::LinkedIdentity;

/// An identity at a provider by which the viewer can sign in.
#[derive(Debug, Clone, SimpleObject)]
pub struct ExternalIdentity {
    /// Global id.
    id: ID,
    /// The provider's key; null where it is no longer set up, so that nobody signs in by it.
    provider: Option<String>,
    /// What people call the provider; its issuer where it is no longer set up.
    title: String,
    /// The provider's issuer.
    issuer: String,
    /// When it was linked.
    linked_at: DateTime<Utc>,
    /// When it was last signed in by.
    last_used_at: DateTime<Utc>,
}

impl From<LinkedIdentity> for ExternalIdentity {
    fn from(linked: LinkedIdentity) -> Self {
        let LinkedIdentity { identity, provider, title } = linked;
        Self {
            id: NodeType::ExternalIdentity.id(identity.id),
            provider,
            title,
            issuer: identity.issuer,
            linked_at: identity.created_at,
            last_used_at: identity.last_login_at,
        }
    }
}

/// The identities that lead to the viewer's account.
pub(super) async fn own(ctx: &Context<'_>) -> Result<Vec<ExternalIdentity>> {
    let linked = ctx.service()?.own_external_identities(ctx.access()?).await.map_err(error)?;
    Ok(linked.into_iter().map(ExternalIdentity::from).collect())
}

/// Which identity is unlinked.
#[derive(InputObject)]
pub struct UnlinkExternalIdentityInput {
    /// Its global id.
    external_identity: ID,
    /// The account's password, asked again; accounts without one leave it out.
    password: Option<String>,
}

/// The identities after one was unlinked.
#[derive(Debug, SimpleObject)]
pub struct UnlinkExternalIdentityPayload {
    /// Those that are left; null when refused.
    external_identities: Option<Vec<ExternalIdentity>>,
    /// Why it was refused; empty when it was done, and when it was done before.
    user_errors: Vec<UserError>,
}

/// Unlinking one's own identities. It takes no idempotency key: it may have been given a password, and can be repeated as it is.
#[derive(Debug, Default)]
pub struct ExternalIdentityMutation;

#[Object]
impl ExternalIdentityMutation {
    /// Unlinks an identity from the viewer's account, unless it is the last way to sign in. Sessions stay (`revokeSessions` ends them).
    /// Whoever comes by it again is dealt with as somebody who comes for the first time.
    async fn unlink_external_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and the password.")] input: UnlinkExternalIdentityInput,
    ) -> Result<UnlinkExternalIdentityPayload> {
        let UnlinkExternalIdentityInput { external_identity, password } = input;
        let id = NodeType::ExternalIdentity.parse(&external_identity)?;
        let unlinked = ctx.service()?.unlink_external_identity(ctx.access()?, id, password).await;
        Ok(match settle(unlinked)? {
            Ok(()) => {
                UnlinkExternalIdentityPayload { external_identities: Some(own(ctx).await?), user_errors: Vec::new() }
            }
            Err(user_errors) => UnlinkExternalIdentityPayload { external_identities: None, user_errors },
        })
    }
}
