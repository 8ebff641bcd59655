//! What can never come to anything, although each part of it is right by itself.

use super::{Check, root};
use crate::blueprint::{document::AppKind, error::Location};

impl Check<'_> {
    /// Seats that nobody takes: a plan would limit nothing by them.
    pub(super) fn unused(&mut self) {
        let document = &self.blueprint.document;
        for pool in document.seat_pools.keys() {
            if !document.roles.values().any(|role| role.seats.contains(pool)) {
                let problem = format!("no role takes a seat of `{pool}`");
                self.report_of_whole(
                    &root("seat_pools").at(pool),
                    problem,
                    "name it in a role's `seats`, or leave it out",
                );
            }
        }
    }

    /// A kind whose public apps are open to nobody besides gives nothing to single people by itself: who makes an app, or
    /// holds a role that brings one with it, would be in the way of its becoming public (`S4.R10`).
    pub(super) fn public_grants(&mut self, location: &Location, key: &str, kind: &AppKind) {
        if kind.public.as_ref().is_none_or(|public| public.grants) {
            return;
        }
        let roles = &self.blueprint.document.roles;
        let bringing =
            roles.iter().filter(|(_, role)| role.automatic.iter().any(|automatic| automatic.app_kind == *key));
        let mut givers: Vec<String> = Vec::new();
        givers.extend(kind.creator_role.is_some().then(|| "`creator_role`".to_owned()));
        givers.extend((!kind.creator_access.is_empty()).then(|| "`creator_access`".to_owned()));
        givers.extend(bringing.map(|(role, _)| format!("`automatic` of `{role}`")));
        for giver in givers {
            let problem =
                format!("nobody is given anything on a public `{key}`, and {giver} gives something on every one");
            let fix = format!("leave out {giver}, or `grants = false`");
            self.report(&location.at("public").at("grants"), problem, &fix);
        }
    }
}
