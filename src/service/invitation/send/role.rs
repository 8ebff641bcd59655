//! The roles that an invitation gives: named, there, the author's to give, and with room for one more.

use uuid::Uuid;

use crate::{
    access::{
        Blueprint, Grantee, Held, Place,
        delegation::{DelegationDenial, Gift},
    },
    id::new_id,
    service::{
        ServiceError, UserError, UserErrorCode, Work,
        app::SeenApp,
        input::Mistakes,
        invitation::place,
        role::{self, RoleSet},
    },
    store::grant::NewGrant,
};

/// The roles asked for, each with its field, that there are: one for each slot (`S0.15`), else the blueprint's default, and
/// flags.
pub(in crate::service) fn roles(
    blueprint: &Blueprint,
    set: &RoleSet,
    mistakes: &mut Mistakes,
) -> Vec<(String, String)> {
    let slots = blueprint.slots();
    let single = slots.len() == 1;
    let mut named: Vec<(String, &str, bool)> = Vec::new();
    for (field, role) in set.mains() {
        let checked = role::organization_role(blueprint, &field, role);
        named.push((field, role, mistakes.keep(checked).is_some()));
    }
    // Where one slot is named wrongly, that it is empty need not be told besides.
    let told = single && named.iter().any(|(_, _, known)| !known);
    for (index, flag) in set.flags.iter().flatten().enumerate() {
        let field = format!("flags.{index}");
        let checked = role::flag_role(blueprint, &field, flag);
        named.push((field, flag, mistakes.keep(checked).is_some()));
    }
    let mut roles: Vec<(String, String)> = Vec::with_capacity(named.len());
    for (field, name, _) in named.into_iter().filter(|(_, _, known)| *known) {
        let key = blueprint.role_key(name).unwrap_or(name).to_owned();
        if let Some((_, other)) =
            roles.iter().find(|(_, other)| *other != key && role::is_same_slot(blueprint, other, &key))
        {
            let message = format!("`{key}` and `{other}` cannot both be held");
            mistakes.push(UserError::new(UserErrorCode::Invalid, &field, message).remedy("Choose one of them."));
        } else if !roles.iter().any(|(_, other)| *other == key) {
            roles.push((field, key));
        }
    }
    let default = blueprint.document().invitation.default_role.as_ref();
    for (slot, text) in slots.iter().filter(|_| !told) {
        let fills = |role: &str| blueprint.slot_of(role) == Some(slot.as_str());
        if roles.iter().any(|(_, role)| fills(role)) {
            continue;
        }
        let field = if single { "role" } else { "roles" };
        match default.filter(|role| fills(role)) {
            Some(role) => roles.push((field.to_owned(), role.clone())),
            None => mistakes.push(missing(blueprint, field, (slot, &text.label))),
        }
    }
    roles
}

/// The refusal of a slot without a role.
fn missing(blueprint: &Blueprint, field: &str, (slot, label): (&str, &str)) -> UserError {
    let of_slot = blueprint.main_roles().filter(|(key, _)| blueprint.slot_of(key) == Some(slot));
    let labels: Vec<&str> = of_slot.map(|(_, role)| role.label.as_str()).collect();
    let refusal = UserError::new(UserErrorCode::Missing, field, format!("{label}: none is chosen"));
    refusal.remedy(format!("Choose {}.", labels.join(" or ")))
}

/// The grants of these roles, as far as they are the author's to give and one more may hold them.
pub(in crate::service) async fn role_grants(
    work: &Work<'_>,
    (member, by): (Uuid, &[SeenApp]),
    roles: &[(String, String)],
    mistakes: &mut Mistakes,
) -> Result<Vec<NewGrant>, ServiceError> {
    let blueprint = &work.standing()?.blueprint.rules;
    let mut grants = Vec::with_capacity(roles.len());
    for (field, role) in roles {
        let all = roles.iter().map(|(_, role)| role.as_str());
        if let Err(denial) = role::reaches(blueprint, (Grantee::Member(member), role), all) {
            let refusal = role::not_given(blueprint, field, &denial);
            mistakes.push(match instead(work, (member, by), (role, &denial), roles) {
                Some(remedy) => refusal.remedy(remedy),
                None => refusal,
            });
        }
        grants.extend(mistakes.keep(role_grant(work, member, (field, role), by)));
        mistakes.keep(room(work, field, role).await?);
    }
    Ok(grants)
}

/// What to do about a role that is above the ceiling of another: the main roles with which it goes and that the author may give.
fn instead(
    work: &Work<'_>,
    (member, by): (Uuid, &[SeenApp]),
    (role, denial): (&str, &DelegationDenial),
    roles: &[(String, String)],
) -> Option<String> {
    let DelegationDenial::BeyondCeiling { .. } = denial else { return None };
    let blueprint = &work.standing().ok()?.blueprint.rules;
    let goes_with = |key: &str| {
        let others = roles.iter().map(|(_, other)| other.as_str());
        let held = others.filter(|other| !role::is_same_slot(blueprint, other, key)).chain([key]);
        !role::is_same_slot(blueprint, role, key)
            && role::reaches(blueprint, (Grantee::Member(member), role), held).is_ok()
            && role_grant(work, member, ("", key), by).is_ok()
    };
    let main = blueprint.main_roles().filter(|(key, _)| goes_with(key));
    let labels: Vec<&str> = main.map(|(_, role)| role.label.as_str()).collect();
    (!labels.is_empty()).then(|| format!("Choose {} with it, or leave it out.", labels.join(" or ")))
}

fn role_grant(
    work: &Work<'_>,
    member: Uuid,
    (field, role): (&str, &str),
    by: &[SeenApp],
) -> Result<NewGrant, UserError> {
    let (grantee, held, place) = (Grantee::Member(member), Held::Role(role.to_owned()), Place::Organization);
    let Ok(standing) = work.standing() else {
        return Err(UserError::new(UserErrorCode::NotGrantable, field, "only a member can give a role"));
    };
    let blueprint = &standing.blueprint.rules;
    let gift = Gift { grantee, held: &held, place: &place, ancestors: &[] };
    place::may_give_by(blueprint, work.authority(), &gift, by)
        .map_err(|denial| role::not_given(blueprint, field, &denial))?;
    Ok(NewGrant { id: new_id(), grantee, held, place, expires_at: None })
}

/// Whether one more may hold the role.
async fn room(work: &Work<'_>, field: &str, key: &str) -> Result<Result<(), UserError>, ServiceError> {
    let blueprint = &work.standing()?.blueprint.rules;
    let most = blueprint.document().roles.get(key).and_then(|role| Some((role, role.max_holders?)));
    match most {
        Some((role, most)) if role::reached(work, key, most).await? => {
            Ok(Err(role::too_many(blueprint, (key, role), most).at(field)))
        }
        Some(_) | None => Ok(Ok(())),
    }
}
