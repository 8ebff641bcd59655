//! Editing a member's access: the checkbox tree of apps and features (`S3.42` to `S3.45`).

use serde_json::json;
use uuid::Uuid;

use super::change::may_take;
use crate::{
    access::{Grantee, Held, Place, verb::GrantAccess},
    service::{
        Access, Change, Idempotency, Service, ServiceError, Work,
        access_tree::{self, AppAccess},
        activity::{NewEntry, target},
        app::SeenApp,
        input::Mistakes,
        member, prerequisite,
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
    let permit = work.authorize::<GrantAccess>(Some(edit.member))?;
    let standing = work.standing()?;
    let organization = standing.place.id;
    let member = member::get_present(work, edit.member).await?;
    let held = store::grant::of_grantees(work.tx, organization, &[member.id]).await?;
    let held: Vec<AccessGrant> = held.into_iter().filter(|grant| matches!(grant.held, Held::Feature { .. })).collect();
    let mut mistakes = Mistakes::default();
    let mut grants = access_tree::grants(work, (member.id, &held), &edit.access, &mut mistakes).await?;
    let apps = store::app::find_all(work.tx, organization).await?;
    let mut above = store::app::ancestors_within(&apps);
    let seen: Vec<SeenApp> = apps
        .into_iter()
        .map(|app| SeenApp { above: above.remove(&app.id).unwrap_or_default(), app })
        .filter(|app| app.is_seen_by(standing))
        .collect();
    for grant in &held {
        let app = match &grant.place {
            Place::Organization => None,
            Place::App { id, .. } => seen.iter().find(|app| app.app.id == *id),
        };
        match app {
            // The tree is about the apps that the author sees; the rest is not its to edit.
            None => grants.push(NewGrant {
                id: grant.id,
                grantee: Grantee::Member(member.id),
                held: grant.held.clone(),
                place: grant.place.clone(),
                expires_at: grant.expires_at,
            }),
            Some(app) => {
                let stays = grants.iter().any(|new| new.held == grant.held && new.place == grant.place);
                if !stays {
                    mistakes.keep(may_take(work, grant, &app.above.ids));
                }
            }
        }
    }
    mistakes.settle()?;
    let grantee = Grantee::Member(member.id);
    let lacking = prerequisite::unmet(work, grantee).await?;
    let set = FeatureSet { organization, member: member.id, grants, now: work.now };
    let replaced = store::grant::replace_features(work.tx, permit, set).await?;
    prerequisite::ensure_met(work, (grantee, &lacking), |lack| prerequisite::field_of(&edit.access, lack)).await?;
    if !replaced.added.is_empty() || !replaced.removed.is_empty() {
        let told = |grants: &[AccessGrant]| grants.iter().map(|grant| tell(grant, &seen)).collect::<Vec<_>>();
        let detail = json!({ "given": told(&replaced.added), "taken": told(&replaced.removed) });
        let entry = NewEntry::access("member.access_changed", target("member", member.id, &member.name));
        work.record(organization, entry.detail(detail)).await?;
    }
    Ok(member.id)
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
