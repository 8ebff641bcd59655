//! What an invitation to apps gives to somebody who is a member already (`S4.18`, `S4.22`).

use super::{app_role, change};
use crate::{
    access::{
        Grantee, Held,
        delegation::Gift,
        verb::{GrantAccess, InviteMember},
    },
    service::{
        ServiceError, UserError, UserErrorCode, Work,
        activity::target,
        app::SeenApp,
        member::Member,
        prerequisite::{ensure_met, unmet},
        seat,
    },
    store::{
        self,
        grant::{NewGrant, NewGrants},
    },
};

/// A grant on an app, and the field of the invitation that asks for it.
pub(in crate::service) struct Asked<'a> {
    /// The grant; its grantee is the member.
    pub(in crate::service) grant: NewGrant,
    /// The app.
    pub(in crate::service) app: &'a SeenApp,
    /// The field.
    pub(in crate::service) field: String,
}

/// Gives it: the author may invite to each of these apps, and gives what is its to give.
///
/// # Errors
/// [`ServiceError::Refused`] for what the member cannot hold.
pub(in crate::service) async fn give_invited(
    work: &Work<'_>,
    member: &Member,
    asked: Vec<Asked<'_>>,
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let grantee = Grantee::Member(member.id);
    let lacking = unmet(work, grantee).await?;
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let mut fields = Vec::new();
    for Asked { grant, app, field } in asked {
        let before = change::held_by(work, grantee).await?;
        let gift = Gift { grantee, held: &grant.held, place: &grant.place, ancestors: &app.above.ids };
        match app_role::may_hold(work, (&gift, &field), Some(app), &before).await {
            Err(ServiceError::Refused(_)) => return Err(not_for_them(&field).into()),
            other => other?,
        }
        for displaced in app_role::displaced(rules, &gift, &before) {
            change::may_take_at(work, (displaced, Some(app)), &field)?;
            let permit = work.authorize_on::<GrantAccess>(&app.place())?;
            store::grant::delete(work.tx, permit, organization, displaced.id).await?;
        }
        let permit = work.authorize_on::<InviteMember>(&app.place())?;
        let held = grant.held.clone();
        let new = NewGrants { organization, grants: vec![grant], now: work.now };
        let given = store::grant::insert_invited(work.tx, permit, new).await?;
        if !given.added.is_empty() || !given.changed.is_empty() {
            let to = target("member", member.id, &member.name);
            work.record(organization, change::entry("access.granted", to, (&held, Some(app)))).await?;
        }
        if let Held::Feature { feature, .. } = held {
            fields.push((app.app.id, feature, field));
        }
    }
    seat::ensure_not_over(work, within, &seats).await?;
    let field = |lack: &crate::access::prerequisite::Unmet| {
        let asked = fields.iter().find(|(app, feature, _)| Some(*app) == lack.app && *feature == lack.feature);
        asked.map_or_else(|| "access".to_owned(), |(.., field)| field.clone())
    };
    ensure_met(work, (grantee, &lacking), field).await
}

/// Nothing is told of what the member is in the organization: the author has but typed an address.
fn not_for_them(field: &str) -> UserError {
    UserError::new(UserErrorCode::NotGrantable, field, "this cannot be given to this person")
        .remedy("Ask an administrator of the organization.")
}
