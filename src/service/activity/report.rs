//! Recording what happened in products, as their backends report it (S3.65 to S3.68).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ActivityCategory, ActivityEntry, AppName, Target};
use crate::{
    access::{Visibility, blueprint::document::ActivityRules, verb::RecordActivity},
    id::new_id,
    service::{Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work, input},
    store::{
        self,
        activity::{Actor, ActorKind},
        app::{App, AppState},
        member::Member,
    },
};

/// The most entries of one report.
pub const MOST_ENTRIES: usize = 100;
/// The longest id of a target, in characters.
const TARGET_ID_LENGTH: usize = 200;
/// How far a product's clock may be ahead of ours.
const CLOCKS: TimeDelta = TimeDelta::seconds(5);

/// Who did it, where that is not the caller itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    /// The member of this id.
    Member(Uuid),
    /// The member with this email address.
    Email(String),
    /// The member with this handle.
    Handle(String),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// In which app.
    pub app: Uuid,
    /// To what kind of thing, by its key in the blueprint.
    pub target_kind: String,
    /// To which thing, in the product's own terms.
    pub target_id: Option<String>,
    /// What the thing is called.
    pub target_name: String,
    /// What was done, by its key in the blueprint.
    pub action: String,
    /// By whom; absent: by the caller.
    pub actor: Option<Doer>,
    /// When; absent: now.
    pub at: Option<DateTime<Utc>>,
}

/// What a report came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// How many entries were recorded.
    pub recorded: u32,
    /// How many were left out, because the blueprint does not record their kind (S3.68).
    pub ignored: u32,
}

impl Service {
    /// Records what happened in a product. For holders of `activity.record`, most of them product backends with an API token.
    ///
    /// All of it is recorded, or nothing: words that the blueprint does not know are refused, those that it deliberately does
    /// not record are counted and left out.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with the mistakes of each entry, [`ServiceError::NotFound`] for an app that the caller does not
    /// see, [`ServiceError::Forbidden`].
    pub async fn record_activity(
        &self,
        access: &Access,
        happenings: Vec<Happening>,
        idempotency: Option<Idempotency>,
    ) -> Result<Reported, ServiceError> {
        let change = Change::in_organization("recordActivity", access)?.repeatable(idempotency);
        let changed = self.mutate(change, move |work| Box::pin(record(work, happenings)));
        Ok(changed.await?.value)
    }
}

async fn record(work: &Work<'_>, happenings: Vec<Happening>) -> Result<Reported, ServiceError> {
    let permit = work.authorize::<RecordActivity>(None)?;
    if happenings.is_empty() || happenings.len() > MOST_ENTRIES {
        let message = format!("a report has 1 to {MOST_ENTRIES} entries, this one has {}", happenings.len());
        return Err(UserError::new(UserErrorCode::Invalid, "entries", message).remedy("Send several reports.").into());
    }
    let standing = work.standing()?;
    let organization = standing.place.id;
    let rules = &standing.blueprint.rules;
    let apps = Apps::load(work, &happenings, &standing.rights.visible_apps(rules)).await?;
    let doers = Doers::load(work, &happenings, &standing.rights.visible_members()).await?;
    let reading = Reading { rules: &rules.document().activity, apps, doers, now: work.now, caller: work.author() };

    let mut mistakes = input::Mistakes::default();
    let (mut entries, mut ignored) = (Vec::with_capacity(happenings.len()), 0);
    for (index, happening) in happenings.into_iter().enumerate() {
        match reading.entry(organization, index, happening, &mut mistakes)? {
            Read::Entry(entry) => entries.push(*entry),
            Read::Ignored => ignored += 1,
            Read::Mistaken => {}
        }
    }
    mistakes.settle()?;
    let recorded = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    if !entries.is_empty() {
        store::activity::record(work.tx, permit, entries).await?;
    }
    Ok(Reported { recorded, ignored })
}

/// What one happening comes to.
enum Read {
    Entry(Box<ActivityEntry>),
    Ignored,
    Mistaken,
}

/// Everything that happenings are read with.
struct Reading<'a> {
    rules: &'a ActivityRules,
    apps: Apps,
    doers: Doers,
    now: DateTime<Utc>,
    caller: Actor,
}

impl Reading<'_> {
    fn entry(
        &self,
        organization: Uuid,
        index: usize,
        happening: Happening,
        mistakes: &mut input::Mistakes,
    ) -> Result<Read, ServiceError> {
        let Happening { app, target_kind, target_id, target_name, action, actor, at } = happening;
        let field = |name: &str| format!("entries.{index}.{name}");
        // Hidden or absent: the answer is one.
        let app = self.apps.0.get(&app).ok_or(ServiceError::NotFound)?;
        if not_recorded(self.rules, &target_kind, &action) {
            return Ok(Read::Ignored);
        }
        if app.state != AppState::Active {
            let mistake = UserError::new(UserErrorCode::Invalid, &field("app"), "the app is disabled");
            mistakes.push(mistake.remedy("Enable it first."));
        }
        let known = self.known(&app.kind, &target_kind, &action, &field);
        let name = mistakes.keep(input::name(&field("target.name"), &target_name));
        let id = match target_id {
            None => Some(None),
            Some(id) => mistakes.keep(own_id(&field("target.id"), &id)).map(Some),
        };
        let at = mistakes.keep(self.moment(at, &field("at")));
        let actor = match actor {
            None => Some(self.caller.clone()),
            Some(doer) => mistakes.keep(self.doers.find(&doer, &field("actor"))),
        };
        let known = mistakes.keep(known);
        let (Some(()), Some(name), Some(id), Some(at), Some(actor)) = (known, name, id, at, actor) else {
            return Ok(Read::Mistaken);
        };
        let kept = self.rules.retention_days.and_then(|days| at.checked_add_signed(TimeDelta::days(i64::from(days))));
        Ok(Read::Entry(Box::new(ActivityEntry {
            id: new_id(),
            organization_id: organization,
            at,
            category: ActivityCategory::Content,
            actor,
            action,
            app: Some(AppName { id: app.id, name: app.name.clone() }),
            target: Target { kind: target_kind, id, name },
            detail: serde_json::Value::Object(serde_json::Map::new()),
            expires_at: kept,
        })))
    }

    /// Whether the blueprint records this action on such a target in such an app.
    fn known(
        &self,
        app_kind: &str,
        target_kind: &str,
        action: &str,
        field: &dyn Fn(&str) -> String,
    ) -> Result<(), UserError> {
        let list = |words: &mut dyn Iterator<Item = &String>| {
            format!("Name one of: {}.", words.map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        let unknown = |name: &str, message: String, remedy: String| {
            Err(UserError::new(UserErrorCode::NotInBlueprint, &field(name), message).remedy(remedy))
        };
        let Some(target) = self.rules.targets.get(target_kind) else {
            let message = format!("activity of `{}` is not recorded here", shown(target_kind));
            return unknown("target.kind", message, list(&mut self.rules.targets.keys()));
        };
        if !target.app_kinds.iter().any(|kind| kind == app_kind) {
            let message = format!("apps of kind `{app_kind}` have no `{target_kind}`");
            return unknown("target.kind", message, "Name the app it happened in.".to_owned());
        }
        if !target.actions.iter().any(|known| known == action) {
            let message = format!("`{}` is no action on `{target_kind}`", shown(action));
            return unknown("action", message, list(&mut target.actions.iter()));
        }
        Ok(())
    }

    /// When it happened: not in the future, and not so long ago that it would be removed at once.
    fn moment(&self, at: Option<DateTime<Utc>>, field: &str) -> Result<DateTime<Utc>, UserError> {
        let Some(at) = at else { return Ok(self.now) };
        let invalid = |message: &str| Err(UserError::new(UserErrorCode::Invalid, field, message));
        if at > self.now + CLOCKS {
            return invalid("this is in the future");
        }
        let kept = self.rules.retention_days.map(|days| self.now - TimeDelta::days(i64::from(days)));
        if kept.is_some_and(|kept| at <= kept) {
            return invalid("this is longer ago than activity is kept");
        }
        Ok(at.min(self.now))
    }
}

/// Whether the blueprint deliberately does not record this (S3.68): its words name an action, or a target and an action.
fn not_recorded(rules: &ActivityRules, target_kind: &str, action: &str) -> bool {
    let both = format!("{target_kind}_{action}");
    rules.not_recorded.iter().any(|word| word == action || *word == both)
}

/// A thing's id in the product's own terms: one line, nothing invisible.
fn own_id(field: &str, id: &str) -> Result<String, UserError> {
    let fits = id.chars().count() <= TARGET_ID_LENGTH && !id.is_empty() && !id.chars().any(char::is_control);
    if fits {
        return Ok(id.to_owned());
    }
    Err(UserError::new(
        UserErrorCode::Invalid,
        field,
        format!("an id has 1 to {TARGET_ID_LENGTH} characters, none of them invisible"),
    ))
}

/// A word of the caller's, short enough to be shown back.
fn shown(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

/// The apps of a report that the caller sees.
struct Apps(HashMap<Uuid, App>);

impl Apps {
    /// In two statements at most.
    async fn load(work: &Work<'_>, happenings: &[Happening], visible: &Visibility) -> Result<Self, ServiceError> {
        let organization = visible.organization();
        let mut ids: Vec<Uuid> = happenings.iter().map(|happening| happening.app).collect();
        ids.sort_unstable();
        ids.dedup();
        let apps = store::app::find_many(work.tx, organization, &ids).await?;
        let nested: Vec<Uuid> = apps.iter().filter(|app| app.parent_id.is_some()).map(|app| app.id).collect();
        let above = store::app::ancestors_of(work.tx, organization, &nested).await?;
        let top = store::app::Above::default();
        let shown = |app: &App| visible.shows_app(&app.place(above.get(&app.id).unwrap_or(&top)));
        Ok(Self(apps.into_iter().filter(shown).map(|app| (app.id, app)).collect()))
    }
}

/// The members that a report names and the caller sees.
#[derive(Default)]
struct Doers {
    ids: HashMap<Uuid, String>,
    emails: HashMap<String, (Uuid, String)>,
    handles: HashMap<String, (Uuid, String)>,
}

impl Doers {
    async fn load(work: &Work<'_>, happenings: &[Happening], visible: &Visibility) -> Result<Self, ServiceError> {
        let organization = visible.organization();
        let shown = |member: &Member| visible.shows("", member.id);
        let mut found = Self::default();
        let mut ids = Vec::new();
        for doer in happenings.iter().filter_map(|happening| happening.actor.as_ref()) {
            match doer {
                Doer::Member(id) if !ids.contains(id) => ids.push(*id),
                Doer::Email(email) if !found.emails.contains_key(email) => {
                    let Ok(address) = input::email("", email) else { continue };
                    let member = store::member::find_by_email(work.tx, organization, address.as_str()).await?;
                    if let Some(member) = member.filter(shown) {
                        found.emails.insert(email.clone(), (member.id, member.name));
                    }
                }
                Doer::Handle(handle) if !found.handles.contains_key(handle) => {
                    let member = store::member::find_by_handle(work.tx, organization, handle).await?;
                    if let Some(member) = member.filter(shown) {
                        found.handles.insert(handle.clone(), (member.id, member.name));
                    }
                }
                Doer::Member(_) | Doer::Email(_) | Doer::Handle(_) => {}
            }
        }
        let members = store::member::find_many(work.tx, organization, &ids).await?;
        found.ids = members.into_iter().filter(shown).map(|member| (member.id, member.name)).collect();
        Ok(found)
    }

    fn find(&self, doer: &Doer, field: &str) -> Result<Actor, UserError> {
        let member =
            |(id, name): (&Uuid, &String)| Actor { kind: ActorKind::Member, id: Some(*id), name: name.clone() };
        let found = match doer {
            Doer::Member(id) => self.ids.get_key_value(id).map(member),
            Doer::Email(email) => self.emails.get(email).map(|(id, name)| member((id, name))),
            Doer::Handle(handle) => self.handles.get(handle).map(|(id, name)| member((id, name))),
        };
        let unknown = || UserError::new(UserErrorCode::Missing, field, "there is no such member here");
        found.ok_or_else(|| unknown().remedy("Name a member of this organization, or leave the actor out."))
    }
}
