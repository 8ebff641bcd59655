//! Whose things an app's people may manage: principals to whom things are given on apps alone.

use std::collections::HashSet;

use uuid::Uuid;

use crate::{
    access::{Grantee, Place},
    service::{Access, Service, ServiceError},
    store,
};

impl Service {
    /// Of these members and service accounts, those that a holder of this permission may manage: all for who holds it in the
    /// organization, else those to whom something is given on apps, and on no app where it is not held. A program that has
    /// something in the organization itself is not among them; every member has. One statement, and none for the former.
    pub(in crate::service) async fn within_reach(
        &self,
        access: &Access,
        permission: &str,
        principals: &[Uuid],
    ) -> Result<HashSet<Uuid>, ServiceError> {
        let (reached, beyond) = self.reach(access, permission, principals).await?;
        Ok(&reached - &beyond)
    }

    /// Of these members and service accounts, those to whom something is given where a holder of this permission holds it: all for
    /// who holds it in the organization, else those with something on one of its apps, whatever they have elsewhere. One
    /// statement, and none for the former.
    pub(in crate::service) async fn partly_within_reach(
        &self,
        access: &Access,
        permission: &str,
        principals: &[Uuid],
    ) -> Result<HashSet<Uuid>, ServiceError> {
        let (reached, _) = self.reach(access, permission, principals).await?;
        Ok(reached)
    }

    /// Those to whom something is given where the permission is held, and those to whom something is given where it is not.
    async fn reach(
        &self,
        access: &Access,
        permission: &str,
        principals: &[Uuid],
    ) -> Result<(HashSet<Uuid>, HashSet<Uuid>), ServiceError> {
        let standing = access.standing()?;
        let (rules, rights) = (&standing.blueprint.rules, &standing.rights);
        let (mut reached, mut beyond) = (HashSet::new(), HashSet::new());
        if rights.inactive().is_some() {
            return Ok((reached, beyond));
        }
        if rights.holds(permission) {
            return Ok((principals.iter().copied().collect(), beyond));
        }
        if principals.is_empty() || rights.apps_with(rules, permission).is_empty() {
            return Ok((reached, beyond));
        }
        let grants = store::grant::of_grantees(&self.store().read(), standing.place.id, principals).await?;
        let directory = self.directory(access).await?;
        for grant in grants {
            let Some(principal) = grant.grantee.row() else { continue };
            let within = match &grant.place {
                Place::App { id, .. } => {
                    directory.find(*id).is_some_and(|app| rights.holds_on(rules, permission, &app.place()))
                }
                Place::Organization if matches!(grant.grantee, Grantee::Member(_)) => continue,
                Place::Organization => false,
            };
            if within {
                reached.insert(principal)
            } else {
                beyond.insert(principal)
            };
        }
        Ok((reached, beyond))
    }
}
