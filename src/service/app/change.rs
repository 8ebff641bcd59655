//! Making, changing and deleting apps.

use serde_json::json;
use uuid::Uuid;

use super::{AppState, AppVisibility, SeenApp, get_seen, place};
use crate::{
    access::{
        blueprint::document::AppKind,
        verb::{CreateApp, DeleteApp, UpdateApp},
    },
    id::new_id,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        consequence,
        input::{self, Mistakes},
        prerequisite::{self, Circle},
    },
    store::{
        self, StoreError,
        app::{App, AppChanges},
    },
};

/// An app to be made.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Its kind, by its key in the blueprint.
    pub kind: String,
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// The app it is to stand under.
    pub parent: Option<Uuid>,
    /// Who sees it besides; else as its kind begins.
    pub visibility: Option<AppVisibility>,
}

/// What is to change of an app; `None` leaves it.
#[derive(Debug, Clone)]
pub struct AppEdit {
    /// Which.
    pub app: Uuid,
    /// Another lower-case name.
    pub slug: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// Enabled or disabled.
    pub state: Option<AppState>,
    /// Who sees it besides.
    pub visibility: Option<AppVisibility>,
    /// Another app to stand under; `Some(None)` is the organization itself.
    pub parent: Option<Option<Uuid>>,
}

impl Service {
    /// Makes an app; its id. Holders of `apps.create` may, in the organization or on an app above it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for a kind that the blueprint does not have, or does not have there, and for a taken slug.
    pub async fn create_app(
        &self,
        access: &Access,
        new: NewApp,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("createApp", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { create(work, &new).await })).await?.value)
    }

    /// Renames an app, enables, disables, opens or moves it; its id. Holders of `apps.update` who see it may, in the
    /// organization, on it or above it; enabling and disabling is decided above it where its kind says so. To move it, one must
    /// also hold `apps.create` where it goes, and all that those who sit above that place hold.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app that the caller does not see, [`ServiceError::Refused`] for a taken slug.
    pub async fn update_app(
        &self,
        access: &Access,
        edit: AppEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("updateApp", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, edit).await })).await?.value)
    }

    /// Deletes an app with every grant on it; its id. Holders of `apps.delete` who see it may (`S3.3`), in the organization, on it
    /// or above it. `confirm` is its
    /// slug.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app that the caller does not see, [`ServiceError::Refused`] without the right
    /// confirmation, while apps stand under it, and while somebody has features elsewhere that need what is held on it.
    pub async fn delete_app(
        &self,
        access: &Access,
        (app, confirm): (Uuid, String),
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("deleteApp", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { delete(work, app, &confirm).await })).await?.value)
    }
}

/// A slug that is in use, at its field; any other error as it is.
fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { .. } => UserError::new(UserErrorCode::Taken, "slug", "another app has this slug")
            .remedy("Choose another slug.")
            .into(),
        other => other.into(),
    }
}

async fn create(work: &Work<'_>, new: &NewApp) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let (parent, permit) = match new.parent {
        Some(parent) => {
            let parent = get_seen(work, parent).await?;
            let permit = work.authorize_on::<CreateApp>(&parent.place())?;
            if place::is_central(&standing.blueprint.rules, &new.kind) {
                work.authorize::<CreateApp>(None)?;
            }
            (Some(parent), permit)
        }
        None => (None, work.authorize::<CreateApp>(None)?),
    };
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let slug = mistakes.keep(input::slug("slug", &new.slug));
    let kind = place::kind_there(&standing.blueprint.rules, &new.kind, parent.as_ref(), &mut mistakes);
    let visibility = kind.and_then(|kind| mistakes.keep(place::visibility(kind, new.visibility)));
    let (Some(name), Some(slug), Some(visibility)) = (name, slug, visibility) else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let app = App {
        id: new_id(),
        organization_id: organization,
        kind: new.kind.clone(),
        slug,
        name,
        parent_id: new.parent,
        visibility,
        state: AppState::Active,
        created_at: work.now,
    };
    let app = store::app::insert(work.tx, permit, app).await.map_err(taken)?;
    let entry = NewEntry::account("app.created", target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "kind": app.kind, "slug": app.slug }))).await?;
    consequence::of_new_app(work, &standing.blueprint.rules, &app).await?;
    Ok(app.id)
}

async fn update(work: &Work<'_>, edit: AppEdit) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    let seen = get_seen(work, edit.app).await?;
    let permit = work.authorize_on::<UpdateApp>(&place::managed(&seen))?;
    let state = edit.state.filter(|state| *state != seen.app.state);
    if state.is_some() {
        place::authorize::<UpdateApp>(work, &seen)?;
    }
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep_given(edit.name, |name| input::name("name", &name));
    // One that was imported may have letters that a new one may not.
    let changed = edit.slug.filter(|slug| *slug != seen.app.slug);
    let slug = mistakes.keep_given(changed, |slug| input::slug("slug", &slug));
    let kinds = &work.standing()?.blueprint.rules.document().app_kinds;
    let kind = kinds.get(&seen.app.kind).ok_or(ServiceError::NotFound)?;
    let asked = edit.visibility.filter(|visibility| *visibility != seen.app.visibility);
    let visibility = mistakes.keep_given(asked, |asked| place::visibility(kind, Some(asked)));
    let parent = edit.parent.filter(|parent| *parent != seen.app.parent_id);
    if let Some(parent) = parent {
        relocate(work, (&seen, kind), parent, &mut mistakes).await?;
    }
    mistakes.settle()?;
    if visibility == Some(AppVisibility::Public) {
        place::may_be_public(work, &seen.app, kind).await?;
    }
    let name = name.filter(|name| *name != seen.app.name);
    let changes = AppChanges { slug, name, state, visibility, parent };
    let AppChanges { slug, name, .. } = &changes;
    let same = slug.is_none() && name.is_none() && state.is_none() && visibility.is_none() && parent.is_none();
    if same {
        return Ok(edit.app);
    }
    let before = told(&seen.app);
    let app = store::app::update(work.tx, permit, (organization, edit.app), changes).await.map_err(taken)?;
    let action = match (seen.app.state, app.state) {
        (AppState::Active, AppState::Disabled) => "app.disabled",
        (AppState::Disabled, AppState::Active) => "app.enabled",
        _ if parent.is_some() => "app.moved",
        (AppState::Active, AppState::Active) | (AppState::Disabled, AppState::Disabled) => "app.updated",
    };
    let entry = NewEntry::account(action, target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "before": before, "slug": app.slug, "after": told(&app) }))).await?;
    Ok(app.id)
}

/// What an entry tells of an app.
fn told(app: &App) -> serde_json::Value {
    let visibility = match app.visibility {
        AppVisibility::Private => "private",
        AppVisibility::Public => "public",
    };
    let state = match app.state {
        AppState::Active => "active",
        AppState::Disabled => "disabled",
    };
    let parent = app.parent_id.map(|id| json!({ "kind": "app", "id": id }));
    json!({ "slug": app.slug, "name": app.name, "parent": parent, "visibility": visibility, "state": state })
}

/// Whether the author may put the app there: whoever may take it from where it stands and make one where it is to stand.
async fn relocate(
    work: &Work<'_>,
    (seen, kind): (&SeenApp, &AppKind),
    parent: Option<Uuid>,
    mistakes: &mut Mistakes,
) -> Result<(), ServiceError> {
    place::authorize::<UpdateApp>(work, seen)?;
    if place::is_central(&work.standing()?.blueprint.rules, &seen.app.kind) {
        work.authorize::<CreateApp>(None)?;
    }
    match seen.app.parent_id {
        Some(from) => work.authorize_on::<UpdateApp>(&place::get(work, from).await?.place())?,
        None => work.authorize::<UpdateApp>(None)?,
    };
    let parent = match parent {
        Some(parent) => {
            let parent = get_seen(work, parent).await?;
            work.authorize_on::<CreateApp>(&parent.place())?;
            Some(parent)
        }
        None => {
            work.authorize::<CreateApp>(None)?;
            None
        }
    };
    place::may_move(work, seen, (parent.as_ref(), kind), mistakes).await?;
    match &parent {
        Some(parent) => place::may_share_with_those_above(work, seen, parent).await,
        None => Ok(()),
    }
}

async fn delete(work: &Work<'_>, id: Uuid, confirm: &str) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    let seen = get_seen(work, id).await?;
    let permit = place::authorize::<DeleteApp>(work, &seen)?;
    if confirm.trim() != seen.app.slug {
        let refusal = UserError::new(UserErrorCode::NotConfirmed, "confirm", "this is not the app's slug");
        return Err(refusal.remedy(format!("Write `{}` to delete the app.", seen.app.slug)).into());
    }
    let below = store::app::find_all(work.tx, organization).await?;
    if below.iter().any(|app| app.parent_id == Some(id)) {
        let refusal = UserError::new(UserErrorCode::StateChanged, "", "other apps stand under this one");
        return Err(refusal.remedy("Delete those first.").into());
    }
    // Everything on it goes, and with it what features on other apps may need (S0.27): roles on it open other kinds of apps too.
    let watch = prerequisite::watch(work, Circle::Organization).await?;
    let app = store::app::delete(work.tx, permit, organization, id).await?;
    watch.ensure_met(work, "app").await?;
    let entry = NewEntry::account("app.deleted", target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "kind": app.kind, "slug": app.slug }))).await?;
    Ok(id)
}
