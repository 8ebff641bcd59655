//! What stands in the way of changing an app, told beforehand: so that a screen shows what can be done there.

use uuid::Uuid;

use super::{
    SeenApp,
    place::{grantable, is_central, kind_there, managed},
};
use crate::{
    access::{
        AppRef, Authority, Denial, Grantee, Held, Place, Verb,
        blueprint::document::Holder,
        delegation::{Gift, may_give},
        verb::{self, Rule},
    },
    service::{
        Access, Service, ServiceError, Standing, UserError, UserErrorCode,
        input::Mistakes,
        invitation,
        role::{judge, not_given},
    },
};

/// What stands in the way of changing an app; nothing in a list: it can be done.
#[derive(Debug, Clone, Default)]
pub struct AppObstacles {
    /// Of making an app under it.
    pub create: Vec<UserError>,
    /// Of renaming it.
    pub update: Vec<UserError>,
    /// Of enabling, disabling and moving it.
    pub switch: Vec<UserError>,
    /// Of deleting it.
    pub delete: Vec<UserError>,
    /// Of inviting people to it.
    pub invite: Vec<UserError>,
    /// Of giving people access to it.
    pub grant: Vec<UserError>,
    /// Of making and changing its programs and their tokens.
    pub manage_tokens: Vec<UserError>,
}

/// Why the permission of a verb is missing, on an app or, where that is `None`, in the organization.
fn denied<V: Verb>(standing: &Standing, app: Option<&AppRef<'_>>) -> Option<Denial> {
    let (Rule::Permission(key) | Rule::PermissionOrMaintainer(key)) = V::RULE else { return None };
    match app {
        Some(app) => standing.rights.denied_on(&standing.blueprint.rules, key, app),
        None => standing.rights.inactive().or_else(|| {
            let missing = || Denial::MissingPermission { permission: key.to_owned() };
            (!standing.rights.holds(key)).then(missing)
        }),
    }
}

/// What is missing, on an app that is seen as it stands at this place; or, where that is `None`, in the organization.
fn lacking<V: Verb>(standing: &Standing, app: Option<(&SeenApp, &AppRef<'_>)>) -> Vec<UserError> {
    let refusal = |denial| match (app, denial) {
        (Some((app, _)), Denial::AppInactive) => UserError::from(Denial::AppInactive).remedy(reopening(standing, app)),
        (_, denial) => UserError::from(denial),
    };
    denied::<V>(standing, app.map(|(_, place)| place)).map(refusal).into_iter().collect()
}

/// What is done about an app that is disabled, itself or by one above it.
fn reopening(standing: &Standing, app: &SeenApp) -> &'static str {
    let managed = managed(app);
    let decided = if is_central(&standing.blueprint.rules, &app.app.kind) { None } else { Some(&managed) };
    match (app.above.enabled, denied::<verb::UpdateApp>(standing, decided).is_none()) {
        (true, true) => "Enable it first.",
        (true, false) => "Ask somebody who may enable it.",
        (false, _) => "Ask somebody who may enable the app above it.",
    }
}

/// What stands in a principal's way of making an app of this kind, in the organization itself or under an app that it sees; empty: it
/// is made, where its name and its slug are right. By the rules of [`Service::create_app`], in the same order: who may not make one
/// there is told nothing about kinds.
#[must_use]
pub fn obstacles_to_making(standing: &Standing, kind: &str, parent: Option<&SeenApp>) -> Vec<UserError> {
    let rules = &standing.blueprint.rules;
    let place = parent.map(SeenApp::place);
    let mut missing = lacking::<verb::CreateApp>(standing, parent.zip(place.as_ref()));
    if missing.is_empty() && place.is_some() && is_central(rules, kind) {
        missing = lacking::<verb::CreateApp>(standing, None);
    }
    if !missing.is_empty() && !crate::ablate::off("create_app_beforehand") {
        return missing;
    }
    let mut mistakes = Mistakes::default();
    kind_there(rules, kind, parent, &mut mistakes);
    mistakes.into_inner()
}

impl Service {
    /// As [`obstacles_to_making`], for the caller and an app of this id. One that is hidden is told as one that there is not.
    ///
    /// # Errors
    /// For a caller without a place in an organization.
    pub async fn obstacles_to_making(
        &self,
        access: &Access,
        (kind, parent): (&str, Option<Uuid>),
    ) -> Result<Vec<UserError>, ServiceError> {
        let standing = access.standing()?;
        let Some(parent) = parent else { return Ok(obstacles_to_making(standing, kind, None)) };
        let Some(parent) = self.find_app(access, parent).await? else {
            let message = "you see no such app for it to stand under";
            return Ok(vec![UserError::new(UserErrorCode::Forbidden, "parent", message)]);
        };
        Ok(obstacles_to_making(standing, kind, Some(&parent)))
    }
}

impl SeenApp {
    /// The keys of the roles that this principal can give on the app to members, or to programs; in the blueprint's order
    /// (`S4.19`, `S4.21`).
    #[must_use]
    pub fn roles_to_give(&self, standing: &Standing, to: Holder) -> Vec<String> {
        let rules = &standing.blueprint.rules;
        let place = Place::App { id: self.app.id, kind: self.app.kind.clone() };
        let grantee = match to {
            Holder::Member => Grantee::Member(Uuid::nil()),
            Holder::Team => Grantee::Team(Uuid::nil()),
            Holder::ServiceAccount => Grantee::ServiceAccount(Uuid::nil()),
            Holder::Everyone => Grantee::Everyone,
        };
        let gives = |key: &&String| {
            let held = Held::Role((*key).clone());
            let gift = Gift { grantee, held: &held, place: &place, ancestors: &self.above.ids };
            let open = self.place().active && grantable(rules, &self.app, grantee).is_ok();
            open && may_give(rules, Authority::Principal(&standing.rights), &gift).is_ok()
        };
        rules.document().roles.keys().filter(gives).cloned().collect()
    }

    /// What stands in this principal's way of changing the app.
    #[must_use]
    pub fn obstacles_for(&self, standing: &Standing) -> AppObstacles {
        let rules = &standing.blueprint.rules;
        let kind = rules.document().app_kinds.get(&self.app.kind);
        let (place, managed) = (self.place(), managed(self));
        let central = kind.is_some_and(|kind| kind.central);
        let (here, there) = (Some((self, &place)), Some((self, &managed)));
        let decided = if central { None } else { there };
        // Nobody is added to some public apps, whoever asks (`S4.R10`).
        let closed = judge(grantable(rules, &self.app, Grantee::Member(Uuid::nil()))).err();
        let closed = closed.map(|denial| not_given(rules, "app", &denial));
        let to_people = |mut lacking: Vec<UserError>| {
            lacking.extend(closed.clone());
            lacking
        };
        let mut invite = to_people(lacking::<verb::InviteMember>(standing, here));
        if invite.is_empty() {
            invite.extend(invitation::nothing_to_give(standing, self));
        }
        AppObstacles {
            create: lacking::<verb::CreateApp>(standing, here),
            update: lacking::<verb::UpdateApp>(standing, there),
            switch: lacking::<verb::UpdateApp>(standing, decided),
            delete: lacking::<verb::DeleteApp>(standing, decided),
            invite,
            grant: to_people(lacking::<verb::GrantAccess>(standing, here)),
            manage_tokens: lacking::<verb::CreateServiceAccount>(standing, here),
        }
    }
}
