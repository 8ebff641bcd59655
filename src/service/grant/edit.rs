//! Editing a member's access: the checkbox tree of apps and features (`S3.42` to `S3.45`).

use serde_json::json;
use uuid::Uuid;

use super::{change::may_take, lasting::is_same_feature};
use crate::{
    access::{Blueprint, Grantee, Held, Place, verb::GrantAccess},
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, Work,
        access_choice::{self, AccessChoice, Chosen},
        access_tree::AppAccess,
        activity::{NewEntry, target},
        app::{self, SeenApp},
        input::Mistakes,
        member::{self, Member},
        prerequisite, role,
    },
    store::{
        self,
        grant::{AccessGrant, FeatureSet, NewGrant},
    },
};

/// A member and everything that is ticked for it.
#[derive(Debug, Clone)]
pub struct AccessEdit {
    /// Whose access.
    pub member: Uuid,
    /// The whole tree.
    pub access: Vec<AppAccess>,
}

impl Service {
    /// Makes a member's own feature grants on the apps that the caller sees exactly those of the tree; the member's id. What
    /// held in the whole organization goes, and stays on the apps where it is ticked. Holders of `access.grant` may, within what
    /// they hold themselves and for nobody above them. What the member has on other apps, by teams and by roles stays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a member or an app that the caller does not see, [`ServiceError::Refused`] for somebody
    /// above the caller, for features that the app's kind does not have (`Q8`) and what is not the caller's to give or take.
    pub async fn update_member_access(
        &self,
        access: &Access,
        edit: AccessEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("updateMemberAccess", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, &edit).await })).await?.value)
    }
}

async fn update(work: &Work<'_>, edit: &AccessEdit) -> Result<Uuid, ServiceError> {
    work.authorize::<GrantAccess>(Some(edit.member))?;
    let member = member::get_present(work, edit.member).await?;
    let roles = role::of_member(work.tx, member.organization_id, member.id, work.now).await?;
    role::not_above(work, (&member, &roles), "member")?;
    let mut mistakes = Mistakes::default();
    let choice = AccessChoice::Custom(edit.access.clone());
    let planned = plan(work, (&member, &roles), &choice, &mut mistakes).await?;
    mistakes.settle()?;
    apply(work, &member, planned).await?;
    Ok(member.id)
}

/// A member's own feature grants as they are to be.
pub(in crate::service) struct Planned {
    grants: Vec<NewGrant>,
    seen: Vec<SeenApp>,
    /// What was ticked, for the fields of refusals.
    tree: Vec<AppAccess>,
}

/// What a choice makes of a member's own feature grants, every mistake told at its place. On apps that the author does not see
/// they stay; what holds in the whole organization goes, where the choice does not have it just so.
pub(in crate::service) async fn plan(
    work: &Work<'_>,
    (member, roles): (&Member, &[String]),
    choice: &AccessChoice,
    mistakes: &mut Mistakes,
) -> Result<Planned, ServiceError> {
    let held = store::grant::of_grantees(work.tx, member.organization_id, &[member.id]).await?;
    let held: Vec<AccessGrant> = held.into_iter().filter(|grant| matches!(grant.held, Held::Feature { .. })).collect();
    let chosen = Chosen { member: member.id, roles, held: &held };
    let mut grants = access_choice::grants(work, chosen, choice, mistakes).await?;
    let seen = access_choice::seen_apps(work).await?;
    let mut refused: Vec<UserError> = Vec::new();
    for grant in &held {
        if grants.iter().any(|new| new.held == grant.held && new.place == grant.place) {
            continue;
        }
        let app = match &grant.place {
            Place::Organization => None,
            Place::App { id, .. } => seen.iter().find(|app| app.app.id == *id),
        };
        let goes = match (&grant.place, app) {
            (Place::Organization, _) => match taken_everywhere(work, grant, (&grants, &seen)) {
                Ok(goes) => goes,
                Err(refusal) => {
                    refused.push(refusal);
                    true
                }
            },
            // The tree is about the apps that the author sees; the rest is not its to edit.
            (Place::App { .. }, None) => false,
            (Place::App { .. }, Some(app)) => {
                refused.extend(may_take(work, grant, Some(app)).err());
                true
            }
        };
        if !goes {
            // What holds everywhere need not be given again on an app.
            let is_again =
                |new: &NewGrant| grant.place == Place::Organization && new.held == grant.held && is_new(&held, new);
            grants
                .retain(|new| !is_again(new) && (new.place != grant.place || !is_same_feature(&new.held, &grant.held)));
            grants.push(NewGrant {
                id: grant.id,
                grantee: Grantee::Member(member.id),
                held: grant.held.clone(),
                place: grant.place.clone(),
                expires_at: grant.expires_at,
            });
        }
    }
    // One word is enough for an author who does not see what the member holds.
    for (index, refusal) in refused.iter().enumerate() {
        if !refused.iter().take(index).any(|earlier| earlier == refusal) {
            mistakes.push(refusal.clone());
        }
    }
    Ok(Planned { grants, seen, tree: choice.tree().to_vec() })
}

/// Whether what a member holds in the whole organization goes. What is not the author's to take stays where the choice has as
/// much of it on every app that the author sees and people can be added to.
fn taken_everywhere(
    work: &Work<'_>,
    grant: &AccessGrant,
    (chosen, seen): (&[NewGrant], &[SeenApp]),
) -> Result<bool, UserError> {
    let Err(refusal) = may_take(work, grant, None) else { return Ok(true) };
    // What is over gives nothing, and is nobody's to keep.
    if grant.expires_at.is_some_and(|end| end <= work.now) {
        return Ok(true);
    }
    let (Ok(standing), Held::Feature { kind, .. }) = (work.standing(), &grant.held) else { return Err(refusal) };
    let rules = &standing.blueprint.rules;
    let mut apps = seen.iter().filter(|app| app.app.kind == *kind && !app::is_closed(rules, &app.app));
    let is_chosen = |app: &SeenApp| {
        let is_here = |new: &&NewGrant| matches!(&new.place, Place::App { id, .. } if *id == app.app.id);
        chosen.iter().filter(is_here).any(|new| is_as_much(rules, &new.held, &grant.held))
    };
    if apps.all(is_chosen) { Ok(false) } else { Err(refusal) }
}

/// Whether this gives a feature that was not held by just such a grant.
fn is_new(held: &[AccessGrant], new: &NewGrant) -> bool {
    !held.iter().any(|grant| grant.held == new.held && grant.place == new.place)
}

/// Whether one is the other's feature, at its level or a stronger one.
fn is_as_much(rules: &Blueprint, one: &Held, other: &Held) -> bool {
    let (Held::Feature { kind, feature, level }, Held::Feature { level: least, .. }) = (one, other) else {
        return false;
    };
    let rule = rules.document().app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
    let strength = |level: Option<&str>| rule?.levels.iter().position(|known| Some(known.key.as_str()) == level);
    let is_stronger = match (strength(level.as_deref()), strength(least.as_deref())) {
        (Some(strength), Some(least)) => strength > least,
        _ => false,
    };
    is_same_feature(one, other) && (level == least || is_stronger)
}

/// Makes it so; the author holds `access.grant`.
///
/// # Errors
/// When the database refuses.
pub(in crate::service) async fn apply(work: &Work<'_>, member: &Member, planned: Planned) -> Result<(), ServiceError> {
    let permit = work.authorize::<GrantAccess>(Some(member.id))?;
    let (organization, Planned { grants, seen, tree }) = (member.organization_id, planned);
    let grantee = Grantee::Member(member.id);
    let lacking = prerequisite::unmet(work, grantee).await?;
    let set = FeatureSet { organization, member: member.id, grants, now: work.now };
    let replaced = store::grant::replace_features(work.tx, permit, set).await?;
    prerequisite::ensure_met(work, (grantee, &lacking), |lack| prerequisite::field_of(&tree, lack)).await?;
    if !replaced.added.is_empty() || !replaced.removed.is_empty() {
        let told = |grants: &[AccessGrant]| grants.iter().map(|grant| tell(grant, &seen)).collect::<Vec<_>>();
        let detail = json!({ "given": told(&replaced.added), "taken": told(&replaced.removed) });
        let entry = NewEntry::access("member.access_changed", target("member", member.id, &member.name));
        work.record(organization, entry.detail(detail)).await?;
    }
    Ok(())
}

/// A grant as an entry tells it.
fn tell(grant: &AccessGrant, seen: &[SeenApp]) -> serde_json::Value {
    let app = match &grant.place {
        Place::Organization => None,
        Place::App { id, .. } => seen.iter().find(|app| app.app.id == *id).map(|app| app.app.slug.as_str()),
    };
    match &grant.held {
        Held::Role(role) => json!({ "app": app, "role": role }),
        Held::Feature { feature, level, .. } => json!({ "app": app, "feature": feature, "level": level }),
    }
}
