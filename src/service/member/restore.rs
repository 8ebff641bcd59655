//! Bringing archived members back (`S2.43`, `Q21`): the place and its history are the old ones, roles and access are given anew.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::{Member, MemberNames, MemberState, already_member, is_place};
use crate::{
    ablate,
    access::{Grantee, verb::RestoreMember as Restore},
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        access_choice::{self, AccessChoice, Chosen},
        activity::{NewEntry, target},
        input::{self, Mistakes},
        invitation, prerequisite,
        role::RoleSet,
        seat,
    },
    store::{
        self,
        member::Restoration,
        user::{User, UserState},
    },
};

/// Who is to come back, to what.
#[derive(Debug, Clone, Default)]
pub struct RestoreMember {
    /// The archived member.
    pub member: Uuid,
    /// Other names than before.
    pub names: MemberNames,
    /// Its roles from now on; else the blueprint's default.
    pub roles: RoleSet,
    /// How its access is chosen.
    pub access: AccessChoice,
}

impl Service {
    /// Makes an archived member active again, at once; the member's id. Holders of `members.invite` may, under the rules of an
    /// invitation: they give only what is theirs to give, and a seat must be free (`Q21`).
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once; [`ServiceError::NotFound`] for a member the caller does not see.
    pub async fn restore_member(
        &self,
        access: &Access,
        restore: RestoreMember,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("restoreMember", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { bring_back(work, restore).await })).await?.value)
    }

    /// Of these archived members, those whose address has another place by now, with the refusal; for holders of
    /// `members.invite`, and for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members_here_again(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, UserError>, ServiceError> {
        let standing = access.standing()?;
        if !standing.rights.holds("members.invite") {
            return Ok(HashMap::new());
        }
        let gone = self.members_by_id(access, ids).await?;
        let emails: Vec<&str> = gone.values().filter_map(|member| member.email.as_deref()).collect();
        let others = store::member::of_emails(&self.store().read(), standing.place.id, &emails).await?;
        let again = |(id, member): (&Uuid, &Member)| {
            let other = others.iter().find(|other| other.id != *id && other.email == member.email)?;
            Some((*id, here_again(other)))
        };
        Ok(gone.iter().filter_map(again).collect())
    }
}

/// What in the member's state stands in the way.
pub(super) fn obstacle(member: &Member) -> Option<UserError> {
    let message = match member.state {
        MemberState::Archived => return None,
        MemberState::Pending => "this person is invited and has not joined yet",
        MemberState::Active => "this person is an active member",
        MemberState::Suspended => "this person is a suspended member",
    };
    Some(UserError::new(UserErrorCode::StateChanged, "member", message))
}

async fn bring_back(work: &Work<'_>, restore: RestoreMember) -> Result<Uuid, ServiceError> {
    let permit = work.authorize::<Restore>(Some(restore.member))?;
    let standing = work.standing()?;
    let organization = standing.place.id;
    if !standing.rights.visible_members().shows("", restore.member) {
        return Err(ServiceError::NotFound);
    }
    let found = store::member::find_by_id(work.tx, organization, restore.member).await?;
    let member = found.filter(is_place).ok_or(ServiceError::NotFound)?;
    if let Some(state) = obstacle(&member) {
        return Err(state.into());
    }
    let mut mistakes = Mistakes::default();
    let user = mistakes.keep(person(work, &member).await?);
    let RestoreMember { names, roles, access, .. } = restore;
    let (name, first_name, last_name) = names.checked(&mut mistakes);
    let name = name.or_else(|| member.renamed(first_name.as_ref(), last_name.as_ref()));
    let roles = invitation::roles(&standing.blueprint.rules, &roles, &mut mistakes);
    let mut grants = invitation::role_grants(work, (member.id, &[]), &roles, &mut mistakes).await?;
    let roles: Vec<String> = roles.into_iter().map(|(_, role)| role).collect();
    let chosen = Chosen { member: member.id, roles: &roles, held: &[] };
    grants.extend(access_choice::grants(work, chosen, &access, &mut mistakes).await?);
    match seat::require(work, seat::Within::of(standing), roles.iter().map(String::as_str)).await {
        Err(ServiceError::Refused(full)) => full.into_iter().for_each(|full| mistakes.push(full)),
        other => other?,
    }
    let Some(user) = user else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let features = grants.len().saturating_sub(roles.len());
    let restoration = Restoration {
        organization,
        member: member.id,
        user: user.id,
        name: name.unwrap_or(member.name),
        first_name: first_name.unwrap_or(member.first_name),
        last_name: last_name.unwrap_or(member.last_name),
        grants,
        now: work.now,
    };
    let restored = store::member::restore(work.tx, permit, restoration).await.map_err(already_member)?;
    let restored = restored.ok_or(ServiceError::NotFound)?;
    let newcomer = (Grantee::Member(restored.id), &BTreeSet::new());
    prerequisite::ensure_met(work, newcomer, |lack| prerequisite::field_of(access.tree(), lack)).await?;
    let entry = NewEntry::access("member.restored", target("member", restored.id, &restored.name));
    work.record(organization, entry.detail(json!({ "roles": roles, "features": features }))).await?;
    Ok(restored.id)
}

/// The person whose place it was: the account that has proven the address, unless it has another place here by now.
async fn person(work: &Work<'_>, member: &Member) -> Result<Result<User, UserError>, ServiceError> {
    let invite_again =
        |message| UserError::new(UserErrorCode::Missing, "member", message).remedy("Invite the person again.");
    let Some(email) = member.email.as_deref() else {
        return Ok(Err(invite_again("nothing is known of this person's account")));
    };
    if input::email("member", email).is_err() {
        return Ok(Err(invite_again("nothing is known of this person's account")));
    }
    let found = store::user::find_by_email(work.tx, email).await?;
    let proven = |user: &User| user.email_verified_at.is_some() || ablate::off("restored_account");
    let Some(user) = found.filter(|user| user.state == UserState::Active && proven(user)) else {
        return Ok(Err(invite_again("this person has no account that can be used")));
    };
    let organization = member.organization_id;
    let by_address = store::member::find_by_email(work.tx, organization, email).await?;
    let other = match by_address {
        Some(other) => Some(other),
        None => store::member::find_by_user(work.tx, organization, user.id).await?,
    };
    match other.filter(|other| other.id != member.id) {
        Some(other) => Ok(Err(here_again(&other))),
        None => Ok(Ok(user)),
    }
}

/// The refusal for a person who has another place by now.
fn here_again(other: &Member) -> UserError {
    let (message, remedy) = match other.state {
        MemberState::Pending => {
            ("this person has been invited again", "Send that invitation again, or take it back first.")
        }
        MemberState::Active | MemberState::Suspended | MemberState::Archived => {
            ("this person is a member again", "Change that member's access.")
        }
    };
    UserError::new(UserErrorCode::AlreadyMember, "member", message).remedy(remedy)
}
