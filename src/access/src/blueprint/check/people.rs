//! What is wrong with how people come, and with what is recorded of them.

use super::{Check, one_of, root};
use crate::blueprint::{
    document::{EveryoneAccess, Role},
    error::Location,
};

/// Whether this is a domain as addresses are kept with it: lower case, in its ASCII form, without a dot at the end. The domains
/// of addresses are compared with it as it stands.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let top = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(is_label)
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

impl Check<'_> {
    pub(super) fn people(&mut self) {
        let document = &self.blueprint.document;
        let invitation = root("invitation");
        if let Some(role) = &document.invitation.default_role {
            let place = invitation.at("default_role");
            let blueprint = self.blueprint;
            let is_main = |role: &str, _: &Role| blueprint.main_roles().any(|(key, _)| key == role);
            if self.known_role_among(&place, role, is_main) && !blueprint.main_roles().any(|(key, _)| key == role) {
                let fix =
                    self.one_role_of(is_main).unwrap_or_else(|| "declare an organization role of members".to_owned());
                self.report(&place, format!("`{role}` is no main role of members"), &fix);
            }
        }
        if document.invitation.expires_days == 0 || document.invitation.expires_days > 365 {
            self.report(&invitation.at("expires_days"), "not between 1 and 365 days".to_owned(), "write 7");
        }
        if !document.invitation.landing.starts_with('/') || document.invitation.landing.starts_with("//") {
            self.report(&invitation.at("landing"), "not a path".to_owned(), "start it with a single `/`");
        }
        for (index, domain) in
            document.invitation.allowed_domains.iter().enumerate().filter(|(_, text)| !is_domain(text))
        {
            let plain = domain.rsplit('@').next().unwrap_or_default().trim().trim_matches('.').to_ascii_lowercase();
            let meant = if is_domain(&plain) { plain } else { "example.com".to_owned() };
            let problem = format!("`{domain}` is no domain that an address can have, letter by letter");
            let fix = format!("write it as `{meant}`: lower case, in its ASCII form");
            self.report(&invitation.at("allowed_domains").at(index), problem, &fix);
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
            self.initial(&place, access);
        }
    }

    /// Whether the level that a new organization starts with is one that it may choose.
    fn initial(&mut self, place: &Location, access: &EveryoneAccess) {
        let EveryoneAccess { app_kind, feature, levels, initial } = access;
        let Some(initial) = initial.as_ref().filter(|initial| !levels.contains(initial)) else { return };
        if !self.blueprint.can_give(app_kind, feature, Some(initial)) {
            return;
        }
        let problem = format!("`{initial}` is none of the levels that may be chosen");
        let fix = one_of(levels.iter().map(String::as_str))
            .map_or_else(|| "name it in `levels` too".to_owned(), |one| format!("{one}, or add it to `levels`"));
        self.report(&place.at("initial"), problem, &fix);
    }

    /// What is said of teams where there are none.
    pub(super) fn teams(&mut self) {
        let teams = &self.blueprint.document.teams;
        let said =
            [("nested", teams.nested), ("maintainers", teams.maintainers), ("privacies", !teams.privacies.is_empty())];
        for (key, _) in said.into_iter().filter(|(_, said)| *said && !teams.enabled) {
            let problem = "there are no teams".to_owned();
            self.report_of_whole(&root("teams").at(key), problem, "write `enabled = true` too, or leave it out");
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
            let actions = location.at("actions");
            if target.actions.is_empty() {
                self.report(&actions, format!("nothing can happen to a `{key}`"), "name at least one, as `created`");
            }
            for (index, action) in target.actions.iter().enumerate() {
                if target.actions.iter().take(index).any(|earlier| earlier == action) {
                    self.report(&actions.at(index), format!("a second action `{action}`"), "name each action once");
                }
            }
        }
    }
}
