//! Activity: who did what to which target, where and when.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use futures_util::stream::{Stream, StreamExt};

use super::{
    context::InContext,
    error::{UserError, bad_input, error, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::service::{
    self, Idempotency, Standing,
    activity::{self, ActivityQuery, Doer, Happening},
    page::{Position, SortKey},
};

/// The most events a subscription can be asked to end after.
const MOST_EVENTS: i32 = 1_000_000;

/// Which log an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "activity::ActivityCategory")]
pub enum ActivityCategory {
    /// People, roles, grants.
    Access,
    /// Work in the apps.
    Content,
    /// Plan, settings, tokens, the organization itself.
    Account,
}

/// What kind of actor it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "activity::ActorKind")]
pub enum ActorKind {
    /// A member.
    Member,
    /// A program.
    ServiceAccount,
    /// A person outside the organization.
    User,
    /// The gateway itself, or its operator.
    System,
}

/// Who did it, by the name of the time.
#[derive(Debug, Clone, SimpleObject)]
pub struct ActivityActor {
    /// What kind of actor.
    kind: ActorKind,
    /// Its global id, whether or not it still exists; null for the gateway itself.
    id: Option<ID>,
    /// Its name at the time.
    name: String,
}

/// The app it was done in, by the name of the time.
#[derive(Debug, Clone, SimpleObject)]
pub struct ActivityApp {
    /// Its global id, whether or not it still exists.
    id: ID,
    /// Its name at the time.
    name: String,
}

/// What it was done to, by the name of the time.
#[derive(Debug, Clone, SimpleObject)]
pub struct ActivityTarget {
    /// What kind of thing.
    kind: String,
    /// Its global id if it is the gateway's own, else its id in the product.
    id: Option<String>,
    /// Its name at the time.
    name: String,
}

/// A record of what happened. Entries never change; they end with the blueprint's retention.
#[derive(Debug, Clone)]
pub struct ActivityEntry(pub activity::ActivityEntry);

impl ActivityEntry {
    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::ActivityEntry.id(self.0.id))
    }

    /// Whether the gateway wrote it of its own things, not a product of its.
    fn is_ours(&self) -> bool {
        match self.0.category {
            activity::ActivityCategory::Content => false,
            activity::ActivityCategory::Access | activity::ActivityCategory::Account => true,
        }
    }
}

/// Puts global ids in the place of rows: of an object with an `id` whose `kind`, or else whose key in the object around it, is the
/// word for one of our types.
fn with_global_ids(value: &mut serde_json::Value, key: Option<&str>) {
    use serde_json::Value;

    match value {
        Value::Object(object) => {
            let node = object.get("kind").and_then(Value::as_str).or(key).and_then(NodeType::of_noun);
            let row = object.get("id").and_then(Value::as_str).and_then(|id| uuid::Uuid::try_parse(id).ok());
            if let (Some(node), Some(row)) = (node, row) {
                object.insert("id".to_owned(), Value::String(node.id(row).0));
            }
            for (key, inner) in object.iter_mut() {
                with_global_ids(inner, Some(key));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| with_global_ids(item, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A record of what happened. Entries never change; they end with the blueprint's retention.
#[Object]
impl ActivityEntry {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::ActivityEntry.id(self.0.id)
    }

    /// When it happened.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Which log it belongs to.
    async fn category(&self) -> ActivityCategory {
        self.0.category.into()
    }

    /// Who did it.
    async fn actor(&self) -> ActivityActor {
        let actor = &self.0.actor;
        let node = match actor.kind {
            activity::ActorKind::Member => Some(NodeType::Member),
            activity::ActorKind::ServiceAccount => Some(NodeType::ServiceAccount),
            activity::ActorKind::User => Some(NodeType::User),
            activity::ActorKind::System => None,
        };
        let id = node.zip(actor.id).map(|(node, id)| node.id(id));
        ActivityActor { kind: actor.kind.into(), id, name: actor.name.clone() }
    }

    /// What was done: a word of the blueprint, or `noun.verb` for what the gateway itself did.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The app it was done in; null where it concerns the organization.
    async fn app(&self) -> Option<ActivityApp> {
        self.0.app.as_ref().map(|app| ActivityApp { id: NodeType::App.id(app.id), name: app.name.clone() })
    }

    /// What it was done to.
    async fn target(&self) -> ActivityTarget {
        let target = &self.0.target;
        let own = self.is_ours().then(|| NodeType::of_noun(&target.kind)).flatten();
        let row = target.id.as_deref().and_then(|id| uuid::Uuid::try_parse(id).ok());
        let id = match (own, row) {
            (Some(node), Some(row)) => Some(node.id(row).0),
            // A row of ours that nothing else is asked for by: entries once named roles so.
            (None, Some(_)) if self.is_ours() => None,
            _ => target.id.clone(),
        };
        ActivityTarget { kind: target.kind.clone(), id, name: target.name.clone() }
    }

    /// What else is known of it, one object; what it names of the gateway's own has its global id.
    async fn detail(&self) -> async_graphql::Json<serde_json::Value> {
        let mut detail = self.0.detail.clone();
        if self.is_ours() {
            with_global_ids(&mut detail, None);
        }
        async_graphql::Json(detail)
    }
}

impl Listed for activity::ActivityEntry {
    fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.id }
    }
}

connection!(ActivityEntryConnection, ActivityEntryEdge, ActivityEntry);

/// The actor that a filter names.
fn actor_of(id: &ID) -> Result<uuid::Uuid> {
    match super::node::parse(id) {
        Some((NodeType::Member | NodeType::ServiceAccount | NodeType::User, row)) => Ok(row),
        _ => Err(bad_input("not the id of a `Member`, `ServiceAccount` or `User`")),
    }
}

/// What an organization shows of its activity.
#[derive(Debug, Clone)]
pub struct OrganizationActivity {
    standing: Arc<Standing>,
}

impl OrganizationActivity {
    /// As this principal sees it.
    #[must_use]
    pub(super) const fn new(standing: Arc<Standing>) -> Self {
        Self { standing }
    }
}

#[Object]
impl OrganizationActivity {
    /// What happened, the newest first. Null, with an error beside it, without the permission (S3.70).
    #[graphql(guard = "Needs(\"activity.read\")", directive = permission::permission::apply("activity.read".to_owned()))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only of one log.")] category: Option<ActivityCategory>,
        #[graphql(desc = "Only in one app.")] app: Option<ID>,
        #[graphql(desc = "Only by one member, service account or user.")] actor: Option<ID>,
        #[graphql(desc = "Only to things of one kind, by its key in the blueprint.")] target_kind: Option<String>,
        #[graphql(desc = "Only at this moment or later.")] since: Option<DateTime<Utc>>,
        #[graphql(desc = "Only before this moment.")] until: Option<DateTime<Utc>>,
    ) -> Result<Option<ActivityEntryConnection>> {
        let query = ActivityQuery {
            category: category.map(Into::into),
            app: app.map(|id| NodeType::App.parse(&id)).transpose()?,
            actor: actor.map(|id| actor_of(&id)).transpose()?,
            target_kind,
            since,
            until,
        };
        let name = format!("activity:{}:{query:?}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.list_activity(ctx.access()?, query, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, ActivityEntry).map(Some)
    }
}

/// Who did it, where that is not the caller itself.
#[derive(Debug, Clone, OneofObject)]
pub enum ActivityActorInput {
    /// A member, by its global id.
    Member(ID),
    /// A member, by its email address.
    Email(String),
    /// A member, by its handle.
    Handle(String),
}

/// What it was done to.
#[derive(Debug, Clone, InputObject)]
pub struct ActivityTargetInput {
    /// What kind of thing, by its key in the blueprint.
    kind: String,
    /// Its id in the product, at most 200 characters.
    id: Option<String>,
    /// What it is called, at most 200 characters.
    name: String,
}

/// One thing that happened in a product.
#[derive(Debug, Clone, InputObject)]
pub struct ActivityEntryInput {
    /// The app it happened in.
    app: ID,
    /// What it was done to.
    target: ActivityTargetInput,
    /// What was done, by its key in the blueprint.
    action: String,
    /// Who did it; absent: the caller.
    actor: Option<ActivityActorInput>,
    /// When; absent: now. Not in the future, and not longer ago than activity is kept.
    at: Option<DateTime<Utc>>,
}

/// What happened in a product.
#[derive(Debug, Clone, InputObject)]
pub struct RecordActivityInput {
    /// 1 to 100 entries: all of them are recorded, or none.
    entries: Vec<ActivityEntryInput>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What a report came to.
#[derive(Debug, Clone, SimpleObject)]
pub struct RecordActivityPayload {
    /// How many entries were recorded.
    recorded: i32,
    /// How many were left out, because the blueprint deliberately does not record their kind (S3.68).
    ignored: i32,
    /// Why nothing was recorded, entry by entry.
    user_errors: Vec<UserError>,
}

impl ActivityEntryInput {
    fn happening(self) -> Result<Happening> {
        let actor = match self.actor {
            None => None,
            Some(ActivityActorInput::Member(id)) => Some(Doer::Member(NodeType::Member.parse(&id)?)),
            Some(ActivityActorInput::Email(email)) => Some(Doer::Email(email)),
            Some(ActivityActorInput::Handle(handle)) => Some(Doer::Handle(handle)),
        };
        Ok(Happening {
            app: NodeType::App.parse(&self.app)?,
            target_kind: self.target.kind,
            target_id: self.target.id,
            target_name: self.target.name,
            action: self.action,
            actor,
            at: self.at,
        })
    }
}

/// Changes of activity.
#[derive(Debug, Default)]
pub struct ActivityMutation;

#[Object]
impl ActivityMutation {
    /// Records what happened in a product: for its backend, with an API token that has the scope `activity.record`.
    async fn record_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What happened.")] input: RecordActivityInput,
    ) -> Result<RecordActivityPayload> {
        let happenings = input.entries.into_iter().map(ActivityEntryInput::happening).collect::<Result<Vec<_>>>()?;
        let idempotency = Idempotency::of(input.idempotency_key, &happenings).map_err(error)?;
        let reported = ctx.service()?.record_activity(ctx.access()?, happenings, idempotency).await;
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Ok(match settle(reported)? {
            Ok(service::activity::Reported { recorded, ignored }) => {
                RecordActivityPayload { recorded: count(recorded), ignored: count(ignored), user_errors: Vec::new() }
            }
            Err(user_errors) => RecordActivityPayload { recorded: 0, ignored: 0, user_errors },
        })
    }
}

/// Following activity.
#[derive(Debug, Default)]
pub struct ActivitySubscription;

#[Subscription]
impl ActivitySubscription {
    /// What happens in the caller's organization: the newest entry at once, then each new one in order. Ends with an error when
    /// the permission `activity.read` is lost.
    async fn activity_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "End after this many entries.")] take: Option<i32>,
    ) -> Result<impl Stream<Item = Result<ActivityEntry>>> {
        let take = match take {
            None => usize::MAX,
            Some(take @ 1..=MOST_EVENTS) => usize::try_from(take).unwrap_or(usize::MAX),
            Some(_) => return Err(bad_input("`take` is between 1 and 1000000")),
        };
        let entries = ctx.service()?.follow_activity(ctx.access()?).map_err(error)?;
        Ok(entries.map(|entry| entry.map(ActivityEntry).map_err(error)).take(take))
    }
}
