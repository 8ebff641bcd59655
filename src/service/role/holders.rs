//! How many hold a role: that it is not too few where somebody must, nor too many where not everyone may.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::judge;
use crate::{
    ablate,
    access::{
        Authority, Blueprint, Grantee, Held, Place, authorize,
        blueprint::document::Role,
        delegation::{Gift, may_give},
        verb::AssignRole,
    },
    service::{
        Actor, ServiceError, UserError, UserErrorCode, Work,
        remedy::{self, Passing},
    },
    store::{
        self,
        member::{Member, MemberState},
    },
};

/// Roles that were taken away, and what to do after mending a refusal.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Remaining<'a> {
    /// Where.
    pub organization: Uuid,
    /// Its rules.
    pub blueprint: &'a Blueprint,
    /// What somebody has just lost.
    pub lost: &'a [String],
    /// How the remedy goes on.
    pub then: &'a str,
    /// The field of the input that takes it away.
    pub field: &'a str,
}

/// Refuses, after a write that took roles away, when too few hold one that must be held (`S3.63`, `Q13`).
///
/// # Errors
/// [`ServiceError::Refused`] with `LAST_HOLDER` and what to do; the change is then undone.
pub(in crate::service) async fn ensure_held(work: &Work<'_>, remaining: Remaining<'_>) -> Result<(), ServiceError> {
    for key in remaining.lost {
        let Some(role) = remaining.blueprint.document().roles.get(key) else { continue };
        if role.min_holders == 0 {
            continue;
        }
        let count = store::member::count_holders(work.tx, remaining.organization, key, end_of_days()).await?;
        if count < u64::from(role.min_holders) && !ablate::off("last_holder") {
            let is_giver = gives(work, remaining, key);
            let refusal = last_holder(remaining.blueprint, (key, role), (remaining.then, is_giver));
            return Err(refusal.at(remaining.field).into());
        }
    }
    Ok(())
}

/// Whether the author of a change gives this role to others. Whoever goes as an account, not as a member, gives what the roles
/// it leaves let it give.
fn gives(work: &Work<'_>, remaining: Remaining<'_>, key: &str) -> bool {
    match &work.actor {
        Actor::Principal(_) => gives_to_others(remaining.blueprint, work.authority(), key),
        Actor::User { .. } => {
            let givers = remedy::givers(remaining.blueprint, key);
            givers.iter().any(|(giver, _)| remaining.lost.iter().any(|lost| lost == giver))
        }
        Actor::System(..) => true,
    }
}

/// Whether this authority gives a role of the organization to members other than itself.
pub(in crate::service) fn gives_to_others(blueprint: &Blueprint, authority: Authority<'_>, key: &str) -> bool {
    let held = Held::Role(key.to_owned());
    let gift = Gift { grantee: Grantee::Member(Uuid::nil()), held: &held, place: &Place::Organization, ancestors: &[] };
    authorize::<AssignRole>(authority, None).is_ok() && judge(may_give(blueprint, authority, &gift)).is_ok()
}

/// The refusal of the last holder's going (`S3.63`, `S3.64`), in words for who gives the role and for who has to have it given;
/// where the role goes to nobody else, with nothing to do about it.
pub(in crate::service) fn last_holder(
    blueprint: &Blueprint,
    (key, role): (&str, &Role),
    (then, is_giver): (&str, bool),
) -> UserError {
    let (label, least) = (&role.label, role.min_holders);
    let message = match least {
        1 => format!("this is the only {label}, and there must be one"),
        least => format!("there must be at least {least} of the role {label}"),
    };
    let given = if is_giver {
        format!("Make someone else {label} first, {then}.")
    } else {
        let givers: Vec<&str> = remedy::givers(blueprint, key).into_iter().map(|(_, label)| label).collect();
        let ask = if givers.is_empty() {
            String::new()
        } else {
            format!(" Ask somebody with the role {}.", givers.join(" or "))
        };
        format!("Have someone else made {label} first, {then}.{ask}")
    };
    let handed_over = format!("Have the role {label} handed over to someone else first, {then}.");
    let refused = (UserErrorCode::LastHolder, message);
    Passing::of(blueprint, (key, role)).refused(refused, [&given, &handed_over]).at("")
}

/// Who holds a role for a time does not count: when the time is over, nobody would be asked.
pub(in crate::service) fn end_of_days() -> DateTime<Utc> {
    // INVARIANT: the seconds of 9999-12-31, which both databases can hold.
    DateTime::from_timestamp(253_402_214_400, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Refuses a role that as many hold as may, at the field that gives it.
pub(in crate::service) async fn ensure_not_too_many<'f>(
    work: &Work<'_>,
    blueprint: &Blueprint,
    (member, give): (&Member, &[String]),
    field: impl Fn(&str) -> &'f str,
) -> Result<(), ServiceError> {
    for key in give {
        let most = blueprint.document().roles.get(key).and_then(|role| Some((role, role.max_holders?)));
        let Some((role, most)) = most else { continue };
        if member.state == MemberState::Active && reached(work, key, most).await? {
            return Err(too_many(blueprint, (key, role), most).at(field(key)).into());
        }
    }
    Ok(())
}

/// Whether so many active members of the author's organization hold a role.
pub(in crate::service) async fn reached(work: &Work<'_>, role: &str, most: u32) -> Result<bool, ServiceError> {
    let organization = work.standing()?.place.id;
    Ok(store::member::count_holders(work.tx, organization, role, work.now).await? >= u64::from(most))
}

/// The refusal of one holder too many.
pub(in crate::service) fn too_many(blueprint: &Blueprint, (key, role): (&str, &Role), most: u32) -> UserError {
    let refused = (UserErrorCode::TooManyHolders, format!("at most {most} may be {}", role.label));
    let handed_over = "Choose another role: its holder hands this one over.";
    Passing::of(blueprint, (key, role)).refused(refused, ["Change somebody else's role first.", handed_over])
}
