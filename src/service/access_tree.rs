//! The tree of apps and features that is ticked when somebody is invited or given access (`S3.23`, `S3.24`).

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use uuid::Uuid;

use super::{
    ServiceError, UserError, UserErrorCode, Work,
    access_choice::Chosen,
    app::{self, SeenApp},
    grant::chosen_end,
    input::Mistakes,
    remedy::{self, OfFeature},
    role::judge,
};
use crate::{
    ablate,
    access::{
        Blueprint, Grantee, Held, Place,
        blueprint::document::{self, Holder},
        delegation::{Gift, below_ceiling, may_give},
    },
    id::new_id,
    store::{self, grant::NewGrant},
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

/// The grants of a tree for a member who holds these, every mistake in it told at its place. What is held and stays ticked
/// stays as it is, whoever gave it.
///
/// # Errors
/// [`ServiceError::NotFound`] for an app that there is not, or that the author does not see.
pub(super) async fn grants(
    work: &Work<'_>,
    chosen: Chosen<'_>,
    tree: &[AppAccess],
    mistakes: &mut Mistakes,
) -> Result<Vec<NewGrant>, ServiceError> {
    let seen = seen(work, tree).await?;
    let rules = &work.standing()?.blueprint.rules;
    let (mut grants, mut met) = (Vec::new(), BTreeSet::new());
    for (index, ticked) in tree.iter().enumerate() {
        let place = format!("access.{index}");
        let app = seen.get(&ticked.app).ok_or(ServiceError::NotFound)?;
        if !met.insert(ticked.app) {
            let twice = UserError::new(UserErrorCode::Invalid, &format!("{place}.app"), "this app is listed twice");
            mistakes.push(twice.remedy("List each app once, with all its features."));
            continue;
        }
        let Some(kind) = rules.document().app_kinds.get(&app.app.kind) else { return Err(ServiceError::NotFound) };
        for mistake in mistakes_of_app(kind, &place, ticked) {
            mistakes.push(mistake);
        }
        for (index, feature) in ticked.features.iter().enumerate() {
            let field = format!("{place}.features.{index}");
            let checked = grant(work, rules, &Ticked { chosen, app, feature, kind, field: &field });
            grants.extend(mistakes.keep(checked));
        }
    }
    Ok(grants)
}

/// The apps of a tree, as far as the author of a change sees them.
async fn seen(work: &Work<'_>, tree: &[AppAccess]) -> Result<HashMap<Uuid, SeenApp>, ServiceError> {
    if tree.is_empty() {
        return Ok(HashMap::new());
    }
    let standing = work.standing()?;
    let organization = standing.place.id;
    let ids: Vec<Uuid> = tree.iter().map(|ticked| ticked.app).collect::<BTreeSet<_>>().into_iter().collect();
    let nests = standing.blueprint.rules.nests_apps();
    let nested: &[Uuid] = if nests { &ids } else { &[] };
    let mut above = store::app::ancestors_of(work.tx, organization, nested).await?;
    let apps = store::app::find_many(work.tx, organization, &ids).await?.into_iter();
    let apps = apps.map(|app| SeenApp { above: above.remove(&app.id).unwrap_or_default(), app });
    Ok(apps.filter(|app| app.is_seen_by(standing)).map(|app| (app.app.id, app)).collect())
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
        // What is needed of other kinds of apps is looked at when the change is made.
        let here = needs.iter().filter(|needed| !needed.contains('.'));
        for needed in here.filter(|needed| !picked.contains_key(needed.as_str())) {
            let label = kind.features.get(needed).map_or(needed.as_str(), |feature| feature.label.as_str());
            let field = format!("{place}.features.{index}.feature");
            let missing = UserError::new(UserErrorCode::Missing, &field, format!("this needs `{needed}` too"));
            mistakes.push(missing.remedy(format!("Pick {label} as well.")));
        }
    }
    mistakes
}

struct Ticked<'a> {
    chosen: Chosen<'a>,
    app: &'a SeenApp,
    feature: &'a FeatureAccess,
    kind: &'a document::AppKind,
    field: &'a str,
}

/// Whether apps of this kind have such a feature, and the feature such a level (`Q8`).
fn fits(rules: &Blueprint, ticked: &Ticked<'_>) -> Result<(), UserError> {
    let Ticked { app, feature: FeatureAccess { feature, level }, kind, field, .. } = ticked;
    let unknown = |name: &str, message: String| {
        UserError::new(UserErrorCode::NotInBlueprint, &format!("{field}.{name}"), message)
    };
    let Some(rule) = kind.features.get(feature) else {
        let keys = kind.features.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
        let message = format!("apps of kind {} have no such feature", kind.label);
        return Err(unknown("feature", message).remedy(format!("Pick among `{keys}`.")));
    };
    if rules.can_give(&app.app.kind, feature, level.as_deref()) {
        return Ok(());
    }
    if rule.levels.is_empty() {
        return Err(unknown("level", format!("{} has no levels: it is ticked or not", rule.label)));
    }
    let keys = rule.levels.iter().map(|level| level.key.as_str()).collect::<Vec<_>>().join("`, `");
    Err(unknown("level", format!("{} has other levels", rule.label)).remedy(format!("Pick among `{keys}`.")))
}

/// The grant of one ticked feature.
fn grant(work: &Work<'_>, rules: &Blueprint, ticked: &Ticked<'_>) -> Result<NewGrant, UserError> {
    if !ablate::off("feature_of_kind") {
        fits(rules, ticked)?;
    }
    let Ticked { chosen, app, feature: FeatureAccess { feature, level }, field, .. } = ticked;
    let kind = &app.app.kind;
    let held = Held::Feature { kind: kind.clone(), feature: feature.clone(), level: level.clone() };
    let place = Place::App { id: app.app.id, kind: kind.clone() };
    let grantee = Grantee::Member(chosen.member);
    let stays = chosen.held.iter().find(|grant| grant.held == held && grant.place == place);
    // What holds everywhere and stays ticked here stays as it is, until when it was given; only as a grant on this app.
    let whole = chosen.held.iter().find(|grant| grant.held == held && grant.place == Place::Organization);
    let whole = whole.filter(|grant| grant.expires_at.is_none_or(|end| end > work.now));
    let gift = Gift { grantee, held: &held, place: &place, ancestors: &app.above.ids };
    if stays.is_none() {
        let given = |gift: &Gift<'_>| match whole {
            Some(_) => Ok(()),
            None => judge(may_give(rules, work.authority(), gift)),
        };
        let reaches = || judge(below_ceiling(rules, &gift, chosen.roles.iter().map(String::as_str)));
        given(&gift)
            .and_then(|()| reaches())
            .and_then(|()| judge(app::ensure_grantable(work, &app.app, grantee)))
            .map_err(|denial| {
                let given = OfFeature {
                    kind,
                    feature,
                    level: level.as_deref(),
                    on: Some(kind.as_str()),
                    holder: Holder::Member,
                };
                let fields = (format!("{field}.feature"), format!("{field}.level"));
                remedy::feature_not_given(rules, (&fields.0, &fields.1), given, &denial)
            })?;
    }
    let expires_at = match stays.or(whole) {
        Some(grant) => grant.expires_at,
        None => chosen_end(work, chosen.held, &gift),
    };
    Ok(NewGrant { id: new_id(), grantee, held, place, expires_at })
}
