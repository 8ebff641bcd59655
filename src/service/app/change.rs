//! Making, changing and deleting apps.

use serde_json::json;
use uuid::Uuid;

use super::{AppState, get_seen};
use crate::{
    access::verb::{CreateApp, DeleteApp, UpdateApp},
    id::new_id,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        input::{self, Mistakes},
    },
    store::{
        self, StoreError,
        app::{App, AppChanges, AppVisibility},
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
}

impl Service {
    /// Makes an app; its id. Holders of `apps.create` may.
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

    /// Renames an app, enables or disables it; its id. Holders of `apps.update` who see it may.
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

    /// Deletes an app with every grant on it; its id. Holders of `apps.delete` who see it may (`S3.3`). `confirm` is its
    /// slug.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app that the caller does not see, [`ServiceError::Refused`] without the right
    /// confirmation and while apps stand under it.
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
    let permit = work.authorize::<CreateApp>(None)?;
    let parent = match new.parent {
        Some(parent) => Some(get_seen(work, parent).await?),
        None => None,
    };
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let slug = mistakes.keep(input::slug("slug", &new.slug));
    let kinds = &standing.blueprint.rules.document().app_kinds;
    match kinds.get(&new.kind) {
        None => {
            let keys = kinds.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
            let unknown = UserError::new(UserErrorCode::NotInBlueprint, "kind", "there is no such kind of app");
            mistakes.push(unknown.remedy(format!("Choose among `{keys}`.")));
        }
        Some(kind) => {
            let fits = match &parent {
                None => kind.is_root(),
                Some(parent) => kind.parents.contains(&parent.app.kind),
            };
            if !fits {
                let message = if kind.parents.is_empty() {
                    format!("an app of the kind {} stands in the organization itself", kind.label)
                } else {
                    format!("an app of the kind {} stands under one of `{}`", kind.label, kind.parents.join("`, `"))
                };
                mistakes.push(UserError::new(UserErrorCode::NotInBlueprint, "parent", message));
            }
        }
    }
    let (Some(name), Some(slug)) = (name, slug) else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let app = App {
        id: new_id(),
        organization_id: organization,
        kind: new.kind.clone(),
        slug,
        name,
        parent_id: new.parent,
        visibility: AppVisibility::Private,
        state: AppState::Active,
        created_at: work.now,
    };
    let app = store::app::insert(work.tx, permit, app).await.map_err(taken)?;
    let entry = NewEntry::account("app.created", target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "kind": app.kind, "slug": app.slug }))).await?;
    Ok(app.id)
}

async fn update(work: &Work<'_>, edit: AppEdit) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    let seen = get_seen(work, edit.app).await?;
    let permit = work.authorize::<UpdateApp>(Some(edit.app))?;
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep_given(edit.name, |name| input::name("name", &name));
    // One that was imported may have letters that a new one may not.
    let changed = edit.slug.filter(|slug| *slug != seen.app.slug);
    let slug = mistakes.keep_given(changed, |slug| input::slug("slug", &slug));
    mistakes.settle()?;
    let changes = AppChanges {
        slug,
        name: name.filter(|name| *name != seen.app.name),
        state: edit.state.filter(|state| *state != seen.app.state),
        visibility: None,
    };
    if changes.slug.is_none() && changes.name.is_none() && changes.state.is_none() {
        return Ok(edit.app);
    }
    let before = json!({ "slug": seen.app.slug, "name": seen.app.name });
    let app = store::app::update(work.tx, permit, (organization, edit.app), changes).await.map_err(taken)?;
    let action = match (seen.app.state, app.state) {
        (AppState::Active, AppState::Disabled) => "app.disabled",
        (AppState::Disabled, AppState::Active) => "app.enabled",
        (AppState::Active, AppState::Active) | (AppState::Disabled, AppState::Disabled) => "app.updated",
    };
    let entry = NewEntry::account(action, target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "before": before, "slug": app.slug }))).await?;
    Ok(app.id)
}

async fn delete(work: &Work<'_>, id: Uuid, confirm: &str) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    let seen = get_seen(work, id).await?;
    let permit = work.authorize::<DeleteApp>(Some(id))?;
    if confirm.trim() != seen.app.slug {
        let refusal = UserError::new(UserErrorCode::NotConfirmed, "confirm", "this is not the app's slug");
        return Err(refusal.remedy(format!("Write `{}` to delete the app.", seen.app.slug)).into());
    }
    let below = store::app::find_all(work.tx, organization).await?;
    if below.iter().any(|app| app.parent_id == Some(id)) {
        let refusal = UserError::new(UserErrorCode::StateChanged, "", "other apps stand under this one");
        return Err(refusal.remedy("Delete those first.").into());
    }
    let app = store::app::delete(work.tx, permit, organization, id).await?;
    let entry = NewEntry::account("app.deleted", target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "kind": app.kind, "slug": app.slug }))).await?;
    Ok(id)
}
