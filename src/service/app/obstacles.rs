//! What stands in the way of changing an app, told beforehand: so that a screen shows what can be done there.

use super::{SeenApp, place::managed};
use crate::{
    access::{
        AppRef, Denial, Verb,
        verb::{self, Rule},
    },
    service::{Standing, UserError},
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
    /// Of giving and taking access to it.
    pub grant: Vec<UserError>,
    /// Of making and changing its programs and their tokens.
    pub manage_tokens: Vec<UserError>,
}

/// What a permission is missing, on an app or, where that is `None`, in the organization.
fn lacking<V: Verb>(standing: &Standing, app: Option<&AppRef<'_>>) -> Vec<UserError> {
    let (Rule::Permission(key) | Rule::PermissionOrMaintainer(key)) = V::RULE else { return Vec::new() };
    let denial = standing.rights.inactive().or_else(|| {
        let holds = match app {
            Some(app) => standing.rights.holds_on(&standing.blueprint.rules, key, app),
            None => standing.rights.holds(key),
        };
        (!holds).then(|| Denial::MissingPermission { permission: key.to_owned() })
    });
    denial.map(UserError::from).into_iter().collect()
}

impl SeenApp {
    /// What stands in this principal's way of changing the app.
    #[must_use]
    pub fn obstacles_for(&self, standing: &Standing) -> AppObstacles {
        let kind = standing.blueprint.rules.document().app_kinds.get(&self.app.kind);
        let (place, managed) = (self.place(), managed(self));
        let central = kind.is_some_and(|kind| kind.central);
        let decided = if central { None } else { Some(&managed) };
        AppObstacles {
            create: lacking::<verb::CreateApp>(standing, Some(&place)),
            update: lacking::<verb::UpdateApp>(standing, Some(&managed)),
            switch: lacking::<verb::UpdateApp>(standing, decided),
            delete: lacking::<verb::DeleteApp>(standing, decided),
            invite: lacking::<verb::InviteMember>(standing, Some(&place)),
            grant: lacking::<verb::GrantAccess>(standing, Some(&place)),
            manage_tokens: lacking::<verb::CreateServiceAccount>(standing, Some(&place)),
        }
    }
}
