//! What is wrong with how people come, and with what is recorded of them.

use super::{Check, root};

impl Check<'_> {
    pub(super) fn people(&mut self) {
        let document = &self.blueprint.document;
        let invitation = root("invitation");
        if let Some(role) = &document.invitation.default_role {
            let place = invitation.at("default_role");
            if self.known_role(&place, role) && !self.blueprint.main_roles().any(|(key, _)| key == role) {
                self.report(&place, format!("`{role}` is no main role of members"), "name a role that is not a flag");
            }
        }
        if document.invitation.expires_days == 0 || document.invitation.expires_days > 365 {
            self.report(&invitation.at("expires_days"), "not between 1 and 365 days".to_owned(), "write 7");
        }
        if !document.invitation.landing.starts_with('/') || document.invitation.landing.starts_with("//") {
            self.report(&invitation.at("landing"), "not a path".to_owned(), "start it with a single `/`");
        }
        for (index, access) in document.everyone.access.iter().enumerate() {
            let place = root("everyone").at("access").at(index);
            if !self.known_kind(&place.at("app_kind"), &access.app_kind) {
                continue;
            }
            for level in access.levels.iter().chain(&access.initial) {
                if !self.blueprint.can_give(&access.app_kind, &access.feature, Some(level)) {
                    let problem = format!("`{}.{}` has no level `{level}`", access.app_kind, access.feature);
                    self.report(&place, problem, "name a feature with levels, and its levels");
                }
            }
        }
    }

    pub(super) fn activity(&mut self) {
        let document = &self.blueprint.document;
        if document.activity.retention_days == Some(0) {
            self.report(
                &root("activity").at("retention_days"),
                "entries would be gone at once".to_owned(),
                "write at least 1, or leave it out to keep them",
            );
        }
        for (key, target) in &document.activity.targets {
            let location = root("activity").at("targets").at(key);
            self.key(&location, key);
            for (index, kind) in target.app_kinds.iter().enumerate() {
                self.known_kind(&location.at("app_kinds").at(index), kind);
            }
        }
    }
}
