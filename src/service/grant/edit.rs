//! Editing a member's access: the checkbox tree of apps and features (`S3.42` to `S3.45`).

use serde_json::json;
use uuid::Uuid;

use super::change::may_take;
use crate::{
    access::{Grantee, Held, Place, verb::GrantAccess},
    service::{
        Access, Change, Idempotency, Service, ServiceError, Work,
        access_choice::{self, AccessChoice, Chosen},
        access_tree::AppAccess,
        activity::{NewEntry, target},
        app::SeenApp,
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
    /// Makes a member's own feature grants on the apps that the caller sees exactly those of the tree; the member's id.
    /// Holders of `access.grant` may, within what they hold themselves. What the member has on other apps, in the whole
    /// organization, by teams and by roles stays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a member or an app that the caller does not see, [`ServiceError::Refused`] for features
    /// that the app's kind does not have (`Q8`) and what is not the caller's to give or take.
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
    let mut mistakes = Mistakes::default();
    let choice = AccessChoice::Custom(edit.access.clone());
    let planned = plan(work, (&member, &roles), &choice, Reach::Apps, &mut mistakes).await?;
    mistakes.settle()?;
    apply(work, &member, planned).await?;
    Ok(member.id)
}

/// How far an edit of access goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Reach {
    /// The grants on apps that the author sees.
    Apps,
    /// Those, and what the member has by its own grants in the whole organization.
    Everything,
}

/// A member's own feature grants as they are to be.
pub(in crate::service) struct Planned {
    grants: Vec<NewGrant>,
    seen: Vec<SeenApp>,
    /// What was ticked, for the fields of refusals.
    tree: Vec<AppAccess>,
}

/// What a choice makes of a member's own feature grants, every mistake told at its place. What the author does not see stays;
/// and of what holds in the whole organization, which no form shows, what is not the author's to take.
pub(in crate::service) async fn plan(
    work: &Work<'_>,
    (member, roles): (&Member, &[String]),
    choice: &AccessChoice,
    reach: Reach,
    mistakes: &mut Mistakes,
) -> Result<Planned, ServiceError> {
    let held = store::grant::of_grantees(work.tx, member.organization_id, &[member.id]).await?;
    let held: Vec<AccessGrant> = held.into_iter().filter(|grant| matches!(grant.held, Held::Feature { .. })).collect();
    let chosen = Chosen { member: member.id, roles, held: &held };
    let mut grants = access_choice::grants(work, chosen, choice, mistakes).await?;
    let seen = access_choice::seen_apps(work).await?;
    for grant in &held {
        if grants.iter().any(|new| new.held == grant.held && new.place == grant.place) {
            continue;
        }
        let app = match &grant.place {
            Place::Organization => None,
            Place::App { id, .. } => seen.iter().find(|app| app.app.id == *id),
        };
        let goes = match (&grant.place, app) {
            (Place::Organization, _) => reach == Reach::Everything && may_take(work, grant, &[]).is_ok(),
            // The tree is about the apps that the author sees; the rest is not its to edit.
            (Place::App { .. }, None) => false,
            (Place::App { .. }, Some(app)) => {
                mistakes.keep(may_take(work, grant, &app.above.ids));
                true
            }
        };
        if !goes {
            grants.retain(|new| new.place != grant.place || !is_same_feature(&new.held, &grant.held));
            grants.push(NewGrant {
                id: grant.id,
                grantee: Grantee::Member(member.id),
                held: grant.held.clone(),
                place: grant.place.clone(),
                expires_at: grant.expires_at,
            });
        }
    }
    Ok(Planned { grants, seen, tree: choice.tree().to_vec() })
}

fn is_same_feature(one: &Held, other: &Held) -> bool {
    match (one, other) {
        (Held::Feature { kind, feature, .. }, Held::Feature { kind: other_kind, feature: other, .. }) => {
            (kind, feature) == (other_kind, other)
        }
        _ => false,
    }
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
