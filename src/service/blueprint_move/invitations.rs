//! Whether the version would let people be invited whom the present one keeps out (`S3.19`, `S3.20`).
//!
//! An organization that has settings of its own keeps them; one that goes by its blueprint goes by another one after the move.

use super::compute::{Ground, Rules};
use crate::{
    ablate,
    identity::email::shown_domains,
    service::{ServiceError, UserError, UserErrorCode, settings::Settings},
};

/// Names the domains and kinds of addresses that come in by the move alone, until the organization says for itself what it wants.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) -> Result<(), ServiceError> {
    if ablate::off("move_invitations") {
        return Ok(());
    }
    let settings = Settings::read(&ground.row.settings)?;
    let (before, after) = (settings.allowed_domains(&rules.old.rules), settings.allowed_domains(&rules.new));
    let version = rules.new.version();
    let added: Vec<String> = after.iter().filter(|domain| !before.contains(domain)).cloned().collect();
    if !before.is_empty() && (after.is_empty() || !added.is_empty()) {
        let whom = if after.is_empty() { "every domain".to_owned() } else { shown_domains(&added) };
        let message = format!(
            "version {version} lets addresses at {whom} be invited, and now only {} may be",
            shown_domains(before)
        );
        problems.push(refusal("Set the organization's allowed domains first, to these or to others.", message));
    }
    if settings.block_subaddress(&rules.old.rules) && !settings.block_subaddress(&rules.new) {
        let message = format!("version {version} lets addresses with a `+` be invited, which may not be now");
        problems.push(refusal("Set first whether the organization refuses them.", message));
    }
    Ok(())
}

fn refusal(remedy: &str, message: String) -> UserError {
    UserError::new(UserErrorCode::Missing, "", message).remedy(remedy)
}
