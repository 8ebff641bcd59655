//! From where somebody invites: in the organization, or at apps on which it may invite (`S4.18`, `S4.22`).
//!
//! Who may invite at apps alone names at least one, may invite at each of them, and gives of the organization's roles only what
//! its roles there assign (`S4.19`).

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;

use super::send::app_of;
use crate::{
    ablate,
    access::{
        Authority, Blueprint, Grantee, Held, Permit, Place, Rights, Verb, authorize, authorize_on,
        blueprint::document::RoleLevel,
        delegation::{DelegationDenial, Gift, below_ceiling, may_assign_at, may_give, may_share, meets_prerequisite},
        verb::{InviteMember as Invite, Rule},
    },
    id::new_id,
    service::{
        Access, Service, ServiceError, Standing, UserError, UserErrorCode, Work, access_choice,
        app::{self, SeenApp},
        input::Mistakes,
        remedy,
        role::{self, judge},
    },
    store::grant::NewGrant,
};

/// The most roles on apps of one invitation.
const MOST_APP_ROLES: usize = 50;

/// A role on an app that an invitation gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRole {
    /// The app.
    pub app: Uuid,
    /// The role's key.
    pub role: String,
}

/// From where somebody invites.
#[derive(Debug)]
pub(super) struct Inviting {
    /// The apps the invitation is to.
    pub(super) apps: Vec<SeenApp>,
    /// Whether by what is held on those apps alone.
    pub(super) there: bool,
}

/// The permission a verb asks for.
const fn key<V: Verb>() -> &'static str {
    match V::RULE {
        Rule::Permission(key) | Rule::PermissionOrMaintainer(key) => key,
        Rule::OwnMembership | Rule::AnyUser | Rule::SystemOnly => "",
    }
}

impl Inviting {
    /// Whether the author may invite in the organization, or else to these apps, all of which it sees.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission, [`ServiceError::NotFound`] for an app that the author does not see.
    pub(super) async fn to(work: &Work<'_>, apps: impl IntoIterator<Item = Uuid>) -> Result<Self, ServiceError> {
        let standing = work.standing()?;
        let everywhere = work.authorize::<Invite>(None);
        if let Err(denial) = everywhere.as_ref().map(|_| ())
            && standing.rights.apps_with(&standing.blueprint.rules, key::<Invite>()).is_empty()
        {
            // Who may invite nowhere learns of no app.
            return match denial {
                ServiceError::Forbidden(denial) => Err(denial.clone().into()),
                _ => Err(ServiceError::NotFound),
            };
        }
        let ids: BTreeSet<Uuid> = apps.into_iter().collect();
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            seen.push(app::get_seen(work, id).await?);
        }
        let inviting = Self { apps: seen, there: everywhere.is_err() };
        if inviting.there && !ablate::off("invite_at_app") {
            if inviting.apps.is_empty() {
                everywhere?;
            }
            for app in &inviting.apps {
                work.authorize_on::<Invite>(&app.place())?;
            }
        }
        Ok(inviting)
    }

    /// From where somebody invites to these apps, which are what an invitation is to, and those of them at which it may not;
    /// `None` where it may at none.
    pub(super) fn from(rules: &Blueprint, rights: &Rights, apps: Vec<SeenApp>) -> Option<(Self, Vec<SeenApp>)> {
        let authority = Authority::Principal(rights);
        if authorize::<Invite>(authority, None).is_ok() {
            return Some((Self { apps, there: false }, Vec::new()));
        }
        let invites = |app: &SeenApp| authorize_on::<Invite>(authority, rules, &app.place()).is_ok();
        let (here, beyond): (Vec<_>, Vec<_>) = apps.into_iter().partition(invites);
        (!here.is_empty()).then_some((Self { apps: here, there: true }, beyond))
    }

    /// The permit: for the organization, or for one of the apps.
    pub(super) fn permit<V: Verb>(&self, work: &Work<'_>, subject: Option<Uuid>) -> Result<Permit<V>, ServiceError> {
        match self.apps.first().filter(|_| self.there) {
            Some(app) => work.authorize_on::<V>(&app.place()),
            None => work.authorize::<V>(subject),
        }
    }

    /// The app of this place, where the invitation is to it.
    pub(super) fn app(&self, place: &Place) -> Option<&SeenApp> {
        app_of(place).and_then(|id| self.apps.iter().find(|app| app.app.id == id))
    }

    /// The apps above the place of a grant.
    pub(super) fn ancestors(&self, place: &Place) -> &[Uuid] {
        self.app(place).map(|app| app.above.ids.as_slice()).unwrap_or_default()
    }

    /// The apps by which organization roles are given; none for who invites in the organization.
    pub(super) fn by(&self) -> &[SeenApp] {
        if self.there { &self.apps } else { &[] }
    }
}

/// Whether somebody may invite anywhere at all.
pub(super) fn may_invite_somewhere(standing: &Standing) -> bool {
    let active = standing.rights.inactive().is_none();
    active && !standing.rights.apps_with(&standing.blueprint.rules, key::<Invite>()).is_empty()
}

/// Whether an inviter may give this: as ever, and a role in the organization also by what it holds at the apps by which it
/// invites.
pub(super) fn may_give_by(
    rules: &Blueprint,
    authority: Authority<'_>,
    gift: &Gift<'_>,
    by: &[SeenApp],
) -> Result<(), DelegationDenial> {
    let judged = judge(may_give(rules, authority, gift));
    match (&judged, gift.held, gift.place, authority) {
        (
            Err(DelegationDenial::NotAssignable { .. }),
            Held::Role(role),
            Place::Organization,
            Authority::Principal(rights),
        ) if !by.is_empty() => {
            for app in by {
                let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
                may_assign_at(rules, rights, role, (&place, &app.above.ids))?;
            }
            judge(may_share(rules, authority, gift))
        }
        _ => judged,
    }
}

/// The roles on apps that somebody is invited to.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnApps<'a> {
    /// Who is to hold them.
    pub(super) member: Uuid,
    /// The roles of the organization that are given with them, by their keys.
    pub(super) held: &'a [String],
    /// The roles.
    pub(super) roles: &'a [AppRole],
}

/// The grants of an invitation's roles on apps: each one the author's to give, and on what it builds on, given with it (`S1.29`).
pub(super) fn grants(
    work: &Work<'_>,
    inviting: &Inviting,
    OnApps { member, held: with, roles }: OnApps<'_>,
    mistakes: &mut Mistakes,
) -> Result<Vec<NewGrant>, ServiceError> {
    let blueprint = &work.standing()?.blueprint.rules;
    if roles.len() > MOST_APP_ROLES {
        let message = format!("at most {MOST_APP_ROLES} roles on apps");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "appRoles", message));
        return Ok(Vec::new());
    }
    let mut grants: Vec<NewGrant> = Vec::with_capacity(roles.len());
    let mut slots: HashSet<(Uuid, &str)> = HashSet::new();
    for (index, AppRole { app, role }) in roles.iter().enumerate() {
        let seen = inviting.apps.iter().find(|seen| seen.app.id == *app).ok_or(ServiceError::NotFound)?;
        let field = format!("appRoles.{index}.role");
        let role = blueprint.role_key(role).unwrap_or(role);
        let slot = blueprint.document().roles.get(role).and_then(|role| role.slot.as_deref());
        if slot.is_some_and(|slot| !slots.insert((*app, slot))) {
            let message = "a second role of this kind on the same app";
            mistakes.push(UserError::new(UserErrorCode::Invalid, &field, message).remedy("Choose one of them."));
            continue;
        }
        let held = Held::Role(role.to_owned());
        let place = Place::App { id: seen.app.id, kind: seen.app.kind.clone() };
        let grantee = Grantee::Member(member);
        let with = || with.iter().map(String::as_str);
        let gift = Gift { grantee, held: &held, place: &place, ancestors: &seen.above.ids };
        let given = judge(may_give(blueprint, work.authority(), &gift))
            .and_then(|()| app::ensure_grantable(work, &seen.app, grantee))
            .and_then(|()| judge(meets_prerequisite(blueprint, role, with())))
            .and_then(|()| judge(below_ceiling(blueprint, &gift, with())))
            .map_err(|denial| not_given(blueprint, (&field, &seen.app.kind), &denial));
        let is_given = mistakes.keep(given).is_some();
        if is_given && !grants.iter().any(|grant| grant.held == held && grant.place == place) {
            grants.push(NewGrant { id: new_id(), grantee, held, place, expires_at: None });
        }
    }
    Ok(grants)
}

/// The refusal of a role on an app, with the way out for who invites.
fn not_given(blueprint: &Blueprint, (field, kind): (&str, &str), denial: &DelegationDenial) -> UserError {
    let refusal = role::not_given_on(blueprint, (field, kind), denial);
    match denial {
        DelegationDenial::Prerequisite { requires, .. } => {
            refusal.remedy(format!("Invite the person as {}, or leave this role out.", requires.join(" or ")))
        }
        DelegationDenial::WrongLevel { level: RoleLevel::Organization, .. } => {
            refusal.remedy(remedy::on_app_instead(blueprint, kind))
        }
        _ => refusal,
    }
}

/// Of grants on apps, those where the author may invite: for who invites at apps alone, not where it merely sees one.
pub(super) async fn only_there(
    work: &Work<'_>,
    inviting: &Inviting,
    mut grants: Vec<NewGrant>,
) -> Result<Vec<NewGrant>, ServiceError> {
    if !inviting.there || grants.is_empty() || ablate::off("invite_at_app") {
        return Ok(grants);
    }
    let seen = access_choice::seen_apps(work).await?;
    grants.retain(|grant| {
        let app = app_of(&grant.place).and_then(|id| seen.iter().find(|app| app.app.id == id));
        app.is_some_and(|app| work.authorize_on::<Invite>(&app.place()).is_ok())
    });
    Ok(grants)
}

impl Service {
    /// Of these members, those whose invitation the caller may see: all for who may invite in the organization, else those to
    /// whom something is given on an app at which it may invite, whoever invited them to others.
    pub(in crate::service) async fn invited_by_right(
        &self,
        access: &Access,
        members: &[Uuid],
    ) -> Result<Vec<Uuid>, ServiceError> {
        Ok(self.partly_within_reach(access, key::<Invite>(), members).await?.into_iter().collect())
    }
}
