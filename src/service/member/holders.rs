//! Who holds the roles that somebody must hold, in the organization and on its apps.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    access::{Authority, blueprint::document::Role},
    service::{Access, Service, ServiceError, Standing, UserError, consequence, grant, role},
    store,
};

/// What is known of an organization's holders: what pages of members need once.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    /// The longest-standing holders of roles that have a primary one (`Q26`).
    pub primary: Vec<Uuid>,
    /// How many hold each role that somebody must hold.
    pub counts: HashMap<String, u64>,
    /// The refusals of whose going would leave an app with too few holders of a role (`S4.R5`).
    pub last_on_apps: HashMap<Uuid, Vec<UserError>>,
}

impl Service {
    /// Who are the primary holders, and how many hold the roles that somebody must hold: one statement a role, whatever the
    /// size of the page.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn holders(&self, access: &Access) -> Result<Holders, ServiceError> {
        let standing = access.standing()?;
        let (organization, reader) = (standing.place.id, self.store().read());
        let mut holders = Holders::default();
        for (key, role) in &standing.blueprint.rules.document().roles {
            if role.primary {
                let primary = store::member::primary_holder(&reader, organization, key, self.now()).await?;
                holders.primary.extend(primary);
            }
            if role.min_holders > 0 {
                let count = store::member::count_holders(&reader, organization, key, role::end_of_days()).await?;
                holders.counts.insert(key.clone(), count);
            }
        }
        holders.last_on_apps = self.last_on_apps(access).await?;
        Ok(holders)
    }

    /// Whose going would leave an app with too few holders of a role, and why: three statements where the blueprint has such a
    /// role, else none.
    async fn last_on_apps(&self, access: &Access) -> Result<HashMap<Uuid, Vec<UserError>>, ServiceError> {
        let standing = access.standing()?;
        let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
        let kept = rules.kept_on_apps();
        let mut last: HashMap<Uuid, Vec<UserError>> = HashMap::new();
        if kept.is_empty() {
            return Ok(last);
        }
        let held =
            store::grant::holders_on_apps(&self.store().read(), organization, &kept, role::end_of_days()).await?;
        let directory = self.directory(access).await?;
        for ((app, key), members) in &held {
            let Some(role) = rules.document().roles.get(key) else { continue };
            // Where there are too few already, nothing more is asked.
            if members.len() != role.min_holders as usize {
                continue;
            }
            let seen = directory.find(*app).filter(|app| app.is_seen_by(standing));
            let name = seen.map(|app| app.app.name.as_str());
            let is_giver = seen.is_some_and(|app| grant::gives_on(standing, app, key));
            let refusal = consequence::last_on_app(rules, (key, role), (name, is_giver));
            for member in members {
                last.entry(*member).or_default().push(refusal.clone());
            }
        }
        Ok(last)
    }
}

/// The roles of which a member is the last holder.
pub(super) fn last_of(standing: &Standing, roles: &[String], holders: &Holders, then: &str) -> Vec<UserError> {
    let rules = &standing.blueprint.rules;
    let known = roles
        .iter()
        .filter_map(|key| Some((key, rules.document().roles.get(key)?, holders.counts.get(key)?)))
        .filter(|(_, role, count)| **count <= u64::from(role.min_holders));
    let authority = Authority::Principal(&standing.rights);
    let refusal = |(key, role, _): (&String, &Role, &u64)| {
        role::last_holder(rules, (key, role), (then, role::gives_to_others(rules, authority, key)))
    };
    known.map(refusal).collect()
}
