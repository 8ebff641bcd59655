//! The tree of apps and features that is ticked when somebody is invited or given access (`S3.23`, `S3.24`).

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use uuid::Uuid;

use super::{ServiceError, UserError, UserErrorCode, Work, input::Mistakes, role::judge};
use crate::{
    access::{
        Blueprint, Grantee, Held, Place,
        blueprint::document,
        delegation::{Gift, may_give},
    },
    id::new_id,
    store::{self, app::App, grant::NewGrant},
};

/// A ticked app, with its ticked features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAccess {
    /// The app.
    pub app: Uuid,
    /// Its features; at least one.
    pub features: Vec<FeatureAccess>,
}

/// A ticked feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureAccess {
    /// The feature's key.
    pub feature: String,
    /// The access level, where the feature has levels.
    pub level: Option<String>,
}

/// The apps of a tree as the author of a change sees them.
struct Seen {
    apps: HashMap<Uuid, App>,
    above: HashMap<Uuid, Vec<Uuid>>,
}

/// The grants of a tree for a member, every mistake in it told at its place.
///
/// # Errors
/// [`ServiceError::NotFound`] for an app that there is not, or that the author does not see.
pub(super) async fn grants(
    work: &Work<'_>,
    member: Uuid,
    tree: &[AppAccess],
    mistakes: &mut Mistakes,
) -> Result<Vec<NewGrant>, ServiceError> {
    let seen = seen(work, tree).await?;
    let rules = &work.standing()?.blueprint.rules;
    let (mut grants, mut met) = (Vec::new(), BTreeSet::new());
    for (index, ticked) in tree.iter().enumerate() {
        let place = format!("access.{index}");
        let app = seen.apps.get(&ticked.app).ok_or(ServiceError::NotFound)?;
        if !met.insert(ticked.app) {
            let twice = UserError::new(UserErrorCode::Invalid, &format!("{place}.app"), "this app is listed twice");
            mistakes.push(twice.remedy("List each app once, with all its features."));
            continue;
        }
        let Some(kind) = rules.document().app_kinds.get(&app.kind) else { return Err(ServiceError::NotFound) };
        for mistake in mistakes_of_app(kind, &place, ticked) {
            mistakes.push(mistake);
        }
        for (index, feature) in ticked.features.iter().enumerate() {
            let field = format!("{place}.features.{index}");
            let above = seen.above.get(&app.id).map(Vec::as_slice).unwrap_or_default();
            let checked = grant(work, rules, &Ticked { member, app, above, feature, kind, field: &field });
            grants.extend(mistakes.keep(checked));
        }
    }
    Ok(grants)
}

async fn seen(work: &Work<'_>, tree: &[AppAccess]) -> Result<Seen, ServiceError> {
    if tree.is_empty() {
        return Ok(Seen { apps: HashMap::new(), above: HashMap::new() });
    }
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let ids: Vec<Uuid> = tree.iter().map(|ticked| ticked.app).collect::<BTreeSet<_>>().into_iter().collect();
    let above =
        if rules.nests_apps() { store::app::ancestors_of(work.tx, organization, &ids).await? } else { HashMap::new() };
    let visible = standing.rights.visible_apps(rules);
    let apps = store::app::find_many(work.tx, organization, &ids).await?.into_iter();
    let shown = |app: &App| visible.shows(&app.kind, app.id, above.get(&app.id).map(Vec::as_slice).unwrap_or_default());
    let apps = apps.filter(shown).map(|app| (app.id, app)).collect();
    Ok(Seen { apps, above })
}

/// What is wrong with a ticked app as a whole: nothing in it, a feature twice, a feature without the one it needs.
fn mistakes_of_app(kind: &document::AppKind, place: &str, ticked: &AppAccess) -> Vec<UserError> {
    let mut mistakes = Vec::new();
    if ticked.features.is_empty() {
        let empty = UserError::new(UserErrorCode::Missing, &format!("{place}.features"), "no feature is picked");
        mistakes.push(empty.remedy("Pick at least one feature, or leave the app out."));
    }
    let mut picked: IndexMap<&str, usize> = IndexMap::new();
    for (index, feature) in ticked.features.iter().enumerate() {
        if picked.insert(&feature.feature, index).is_some() {
            let field = format!("{place}.features.{index}.feature");
            mistakes.push(UserError::new(UserErrorCode::Invalid, &field, "this feature is listed twice"));
        }
    }
    for (key, index) in &picked {
        let needs = kind.features.get(*key).map(|feature| feature.requires.as_slice()).unwrap_or_default();
        for needed in needs.iter().filter(|needed| !picked.contains_key(needed.as_str())) {
            let label = kind.features.get(needed).map_or(needed.as_str(), |feature| feature.label.as_str());
            let field = format!("{place}.features.{index}.feature");
            let missing = UserError::new(UserErrorCode::Missing, &field, format!("this needs `{needed}` too"));
            mistakes.push(missing.remedy(format!("Pick {label} as well.")));
        }
    }
    mistakes
}

#[derive(Clone, Copy)]
struct Ticked<'a> {
    member: Uuid,
    app: &'a App,
    above: &'a [Uuid],
    feature: &'a FeatureAccess,
    kind: &'a document::AppKind,
    field: &'a str,
}

/// The grant of one ticked feature.
fn grant(work: &Work<'_>, rules: &Blueprint, ticked: &Ticked<'_>) -> Result<NewGrant, UserError> {
    let Ticked { member, app, above, feature: FeatureAccess { feature, level }, kind, field } = *ticked;
    let unknown = |name: &str, message: String| {
        UserError::new(UserErrorCode::NotInBlueprint, &format!("{field}.{name}"), message)
    };
    let Some(rule) = kind.features.get(feature) else {
        let keys = kind.features.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
        let message = format!("apps of kind {} have no such feature", kind.label);
        return Err(unknown("feature", message).remedy(format!("Pick among `{keys}`.")));
    };
    if !rules.can_give(&app.kind, feature, level.as_deref()) {
        if rule.levels.is_empty() {
            return Err(unknown("level", format!("{} has no levels: it is ticked or not", rule.label)));
        }
        let keys = rule.levels.iter().map(|level| level.key.as_str()).collect::<Vec<_>>().join("`, `");
        return Err(
            unknown("level", format!("{} has other levels", rule.label)).remedy(format!("Pick among `{keys}`."))
        );
    }
    let held = Held::Feature { kind: app.kind.clone(), feature: feature.clone(), level: level.clone() };
    let place = Place::App { id: app.id, kind: app.kind.clone() };
    let grantee = Grantee::Member(member);
    let gift = Gift { grantee, held: &held, place: &place, ancestors: above };
    judge(may_give(rules, work.authority(), &gift))
        .map_err(|denial| UserError::not_given(&format!("{field}.feature"), &denial))?;
    Ok(NewGrant { id: new_id(), grantee, held, place, expires_at: None })
}
