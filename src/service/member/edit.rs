//! One form, one save: a member's names, address, roles and access, all at once or not at all (`S2.24` to `S2.26`).

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Member, MemberState, get_present};
use crate::{
    access::verb::{AssignRole, GrantAccess, UpdateMember},
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        access_choice::AccessChoice,
        activity::{NewEntry, target},
        grant,
        input::{self, Mistakes},
        invitation,
        prerequisite::{self, Circle},
        role::{self, RoleSet},
    },
    store::{self, member::MemberChanges},
};

/// Other names for a member; `None` leaves one, an empty first or last name takes it away.
#[derive(Debug, Clone, Default)]
pub struct MemberNames {
    /// The name as shown.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
}

/// What is to change of a member; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct MemberEdit {
    /// Whose.
    pub member: Uuid,
    /// Other names.
    pub names: MemberNames,
    /// Another address, for a member who is still invited.
    pub email: Option<String>,
    /// Other roles.
    pub roles: Option<RoleSet>,
    /// Other access, the whole of it.
    pub access: Option<AccessChoice>,
}

/// A member who was changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct EditedMember {
    /// The member.
    pub member: Uuid,
    /// Whether a mail has gone to another address.
    pub mail_sent: bool,
}

impl MemberEdit {
    /// The field of the input that a refusal of its roles as a whole is told at.
    fn role_field(&self) -> &'static str {
        self.roles.as_ref().map_or("role", RoleSet::field)
    }
}

impl Service {
    /// Changes a member: names and address by holders of `members.update`, roles by those of `roles.assign`, access by those
    /// of `access.grant`, each under its own rules and of nobody above the caller; nothing where any of it is refused.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once.
    pub async fn update_member(
        &self,
        access: &Access,
        edit: MemberEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<EditedMember, ServiceError> {
        let change = Change::in_organization("updateMember", access)?.repeatable(idempotency).about(edit.role_field());
        let secret = self.invitation_secret();
        let work = self.mutate(change, move |work| Box::pin(async move { update(work, edit, &secret).await }));
        let changed = work.await?;
        let left = changed.posted.left().await;
        Ok(EditedMember { mail_sent: left.unwrap_or(changed.value.mail_sent), ..changed.value })
    }
}

/// Asks for every permission that the edit needs, before anything of the member is told.
fn authorize(work: &Work<'_>, edit: &MemberEdit) -> Result<(), ServiceError> {
    let of_member = edit.names.is_some() || edit.email.is_some() || (edit.roles.is_none() && edit.access.is_none());
    if of_member {
        work.authorize::<UpdateMember>(Some(edit.member))?;
    }
    if edit.roles.is_some() {
        work.authorize::<AssignRole>(Some(edit.member))?;
    }
    if edit.access.is_some() {
        work.authorize::<GrantAccess>(Some(edit.member))?;
    }
    Ok(())
}

/// Refuses what is edited of somebody above the author: names and address as suspending is refused, access by its own rule.
fn may_edit(work: &Work<'_>, (member, roles): (&Member, &[String]), edit: &MemberEdit) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    if (edit.names.is_some() || edit.email.is_some()) && !role::is_author(work, member) {
        role::may_take(rules, &standing.rights, roles).map_err(|denial| role::not_below(rules, "member", &denial))?;
    }
    if edit.access.is_some() {
        role::not_above(work, (member, roles), "member")?;
    }
    Ok(())
}

async fn update(work: &Work<'_>, edit: MemberEdit, secret: &invitation::Secret) -> Result<EditedMember, ServiceError> {
    authorize(work, &edit)?;
    let role_field = edit.role_field();
    let standing = work.standing()?;
    let blueprint = &standing.blueprint.rules;
    let member = get_present(work, edit.member).await?;
    let mut roles = role::of_member(work.tx, member.organization_id, member.id, work.now).await?;
    may_edit(work, (&member, &roles), &edit)?;
    let mut mistakes = Mistakes::default();
    if edit.names.is_some() {
        rename(work, &member, edit.names, &mut mistakes).await?;
    }
    let moved = match edit.email {
        Some(email) => {
            let moved = readdress(work, &member, &email, secret).await;
            told(moved, &mut mistakes)?.unwrap_or_default()
        }
        None => false,
    };
    // Roles and access are one save: what a role gave may be ticked in the same form, and what needs it unticked (S0.27).
    let watch = prerequisite::watch(work, Circle::of_roles(member.id, edit.roles.is_some())).await?;
    if let Some(set) = &edit.roles
        && let Some((moves, then)) = mistakes.keep(role::moves_to(blueprint, set, &roles))
    {
        told(role::apply(work, &member, &moves).await, &mut mistakes)?;
        roles = then;
    }
    if let Some(choice) = &edit.access {
        let planned = grant::plan(work, (&member, &roles), choice, &mut mistakes).await?;
        if mistakes.is_empty() {
            grant::apply(work, &member, planned).await?;
        }
    }
    // What was written before a mistake was found is undone with it.
    mistakes.settle()?;
    watch.ensure_met(work, role_field).await?;
    Ok(EditedMember { member: member.id, mail_sent: moved })
}

/// A refusal that a person can act on is kept beside the others; any other error ends the change.
fn told<T>(result: Result<T, ServiceError>, mistakes: &mut Mistakes) -> Result<Option<T>, ServiceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ServiceError::Refused(refusals)) => {
            for refusal in refusals {
                mistakes.push(refusal);
            }
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

async fn rename(
    work: &Work<'_>,
    member: &Member,
    names: MemberNames,
    mistakes: &mut Mistakes,
) -> Result<(), ServiceError> {
    let permit = work.authorize::<UpdateMember>(Some(member.id))?;
    let (name, first_name, last_name) = names.checked(mistakes);
    let (organization, id) = (member.organization_id, member.id);
    // The name as shown follows the parts it was made of.
    let name = name.or_else(|| member.renamed(first_name.as_ref(), last_name.as_ref()));
    let changes = MemberChanges { name, first_name, last_name, ..MemberChanges::default() };
    let after = store::member::update(work.tx, permit, (organization, id), changes).await?;
    if (&after.name, &after.first_name, &after.last_name) != (&member.name, &member.first_name, &member.last_name) {
        let entry = NewEntry::access("member.renamed", target("member", id, &after.name));
        work.record(organization, entry.detail(json!({ "before": member.name }))).await?;
    }
    Ok(())
}

impl MemberNames {
    const fn is_some(&self) -> bool {
        self.name.is_some() || self.first_name.is_some() || self.last_name.is_some()
    }

    /// The names that were given, as they are stored.
    #[expect(clippy::option_option, reason = "left out, taken away and given are three things")]
    pub(super) fn checked(
        self,
        mistakes: &mut Mistakes,
    ) -> (Option<String>, Option<Option<String>>, Option<Option<String>>) {
        let name = mistakes.keep_given(self.name.as_deref(), |text| input::name("name", text));
        let part = |field, text: Option<String>| text.map(|text| input::optional_name(field, Some(&text))).transpose();
        let first_name = mistakes.keep(part("firstName", self.first_name)).flatten();
        let last_name = mistakes.keep(part("lastName", self.last_name)).flatten();
        (name, first_name, last_name)
    }
}

impl Member {
    /// The name as shown after a change of first or last name, where it was made of both.
    pub(super) fn renamed(&self, first: Option<&Option<String>>, last: Option<&Option<String>>) -> Option<String> {
        let joined = |first: Option<&String>, last: Option<&String>| {
            let parts: Vec<&str> = [first, last].into_iter().flatten().map(String::as_str).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        let before = joined(self.first_name.as_ref(), self.last_name.as_ref())?;
        let first = first.map_or(self.first_name.as_ref(), Option::as_ref);
        let last = last.map_or(self.last_name.as_ref(), Option::as_ref);
        if before == self.name { joined(first, last) } else { None }
    }
}

/// Sends the invitation to another address; whether it did. A login address is its owner's, so only who has none yet can be
/// given another.
async fn readdress(
    work: &Work<'_>,
    member: &Member,
    email: &str,
    secret: &invitation::Secret,
) -> Result<bool, ServiceError> {
    let email = input::email("email", email)?;
    if member.email.as_deref() == Some(email.as_str()) {
        return Ok(false);
    }
    if member.state != MemberState::Pending && !crate::ablate::off("own_address") {
        let message = "this is the address the person signs in with, and only the person can change it";
        let refusal = UserError::new(UserErrorCode::Invalid, "email", message);
        return Err(refusal.remedy("Ask the person to change it in their own account.").into());
    }
    invitation::readdress(work, member, &email, secret).await?;
    Ok(true)
}
