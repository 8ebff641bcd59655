//! A person's own sessions: listed and ended.

use async_graphql::{Context, ID, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{UserError, bad_input, error, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
};
use crate::service::{ServiceError, page::Position, session_list::ListedSession};

/// A sign-in of the viewer's.
#[derive(Debug, Clone, SimpleObject)]
pub struct Session {
    /// Global id.
    id: ID,
    /// What it is used on, such as `Firefox on Windows 10`, as far as the browser says so.
    device: Option<String>,
    /// What the client called itself, whole.
    user_agent: Option<String>,
    /// The network address it was last used from.
    address: Option<String>,
    /// When it was opened.
    created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    expires_at: DateTime<Utc>,
    /// When a second factor was proven in it.
    second_factor_at: Option<DateTime<Utc>>,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl From<ListedSession> for Session {
    fn from(listed: ListedSession) -> Self {
        let device = listed.device();
        let ListedSession { session, is_current } = listed;
        Self {
            id: NodeType::Session.id(session.id),
            device,
            user_agent: session.user_agent,
            address: session.address,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            second_factor_at: session.second_factor_at,
            is_current,
        }
    }
}

impl Listed for ListedSession {
    fn position(&self) -> Position {
        Self::position(self)
    }
}

connection!(SessionConnection, SessionEdge, Session);

/// One page of the viewer's sessions.
pub(super) async fn own(ctx: &Context<'_>, page: PageArgs) -> Result<SessionConnection> {
    let access = ctx.access()?;
    let listing = page.listing(ctx, &format!("sessions:{}", access.user_id().unwrap_or_default()))?;
    let page = ctx.service()?.own_sessions(access, &listing.request).await.map_err(error)?;
    listing.connection(ctx, page, Session::from)
}

/// Which sessions end.
#[derive(Debug, OneofObject)]
pub enum RevokeSessionsInput {
    /// One, by its global id; the present one too.
    Session(ID),
    /// Every one but the present one; always true.
    Others(bool),
}

/// Sessions that ended.
#[derive(Debug, SimpleObject)]
pub struct RevokeSessionsPayload {
    /// How many ended by this.
    ended_sessions: i32,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

impl RevokeSessionsPayload {
    fn after(ended: std::result::Result<u64, ServiceError>) -> Result<Self> {
        Ok(match settle(ended)? {
            Ok(ended) => Self { ended_sessions: i32::try_from(ended).unwrap_or(i32::MAX), user_errors: Vec::new() },
            Err(user_errors) => Self { ended_sessions: 0, user_errors },
        })
    }
}

/// Ending sessions of one's own.
#[derive(Debug, Default)]
pub struct SessionListMutation;

#[Object]
impl SessionListMutation {
    /// Ends sessions of the viewer. Their tokens answer no further request.
    async fn revoke_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: RevokeSessionsInput,
    ) -> Result<RevokeSessionsPayload> {
        let (service, access) = (ctx.service()?, ctx.access()?);
        RevokeSessionsPayload::after(match input {
            RevokeSessionsInput::Session(id) => service.revoke_session(access, NodeType::Session.parse(&id)?).await,
            RevokeSessionsInput::Others(true) => service.revoke_other_sessions(access).await,
            RevokeSessionsInput::Others(false) => {
                return Err(bad_input("`others` is true, or a session is named"));
            }
        })
    }
}
