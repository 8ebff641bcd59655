//! What stands above an app: whose grants reach down to it, and whether all of it is enabled.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{App, AppState, AppVisibility, find_by_id};
use crate::{
    access::AppRef,
    store::{Reader, StoreError},
};

/// How many apps may stand above one. Nobody can close a circle of apps, but one made past the store must still end.
pub const DEEPEST: usize = 64;

/// The apps above one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// Their ids, the nearest first.
    pub ids: Vec<Uuid>,
    /// Whether all of them are enabled.
    pub enabled: bool,
}

impl Default for Above {
    fn default() -> Self {
        Self { ids: Vec::new(), enabled: true }
    }
}

impl App {
    /// The app as a question names it.
    #[must_use]
    pub fn place<'a>(&'a self, above: &'a Above) -> AppRef<'a> {
        let active = (self.state == AppState::Active && above.enabled) || crate::ablate::off("app_state");
        let public = self.visibility == AppVisibility::Public;
        AppRef { id: self.id, kind: &self.kind, ancestors: &above.ids, active, public }
    }
}

/// An app, and what stands above it.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_with_ancestors(
    reader: &impl Reader,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<(App, Above)>, StoreError> {
    let Some(app) = find_by_id(reader, organization, id).await? else { return Ok(None) };
    if app.parent_id.is_none() {
        return Ok(Some((app, Above::default())));
    }
    let above = ancestors_of(reader, organization, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(Some((app, above)))
}

/// What stands above each of these apps; those at the top are left out. One statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn ancestors_of(
    reader: &impl Reader,
    organization: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Above>, StoreError> {
    let mut above: HashMap<Uuid, Above> = HashMap::new();
    if ids.is_empty() {
        return Ok(above);
    }
    let marks = (2..ids.len() + 2).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH RECURSIVE above (app, id, depth) AS (
           SELECT a.id, a.parent_id, 1 FROM app a
           WHERE a.organization_id = $1 AND a.id IN ({marks}) AND a.parent_id IS NOT NULL
           UNION ALL
           SELECT b.app, a.parent_id, b.depth + 1 FROM above b JOIN app a ON a.id = b.id
           WHERE a.organization_id = $1 AND a.parent_id IS NOT NULL AND b.depth < {DEEPEST})
         SELECT b.app, b.id, p.state FROM above b JOIN app p ON p.id = b.id ORDER BY b.depth"
    );
    let connection = reader.connection();
    let values = std::iter::once(organization).chain(ids.iter().copied()).map(sea_orm::Value::from);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    for row in connection.query_all_raw(statement).await? {
        let above = above.entry(row.try_get("", "app")?).or_default();
        above.ids.push(row.try_get("", "id")?);
        above.enabled &= row.try_get::<AppState>("", "state")? == AppState::Active;
    }
    Ok(above)
}

/// The same for all apps of an organization that are at hand; those at the top are left out.
#[must_use]
pub fn ancestors_within(apps: &[App]) -> HashMap<Uuid, Above> {
    let by_id: HashMap<Uuid, &App> = apps.iter().map(|app| (app.id, app)).collect();
    let above = |app: &App| {
        let up = std::iter::successors(Some(app), |app| by_id.get(&app.parent_id?).copied());
        let up: Vec<&App> = up.skip(1).take(DEEPEST).collect();
        let enabled = up.iter().all(|app| app.state == AppState::Active);
        (app.id, Above { ids: up.iter().map(|app| app.id).collect(), enabled })
    };
    apps.iter().filter(|app| app.parent_id.is_some()).map(above).collect()
}
