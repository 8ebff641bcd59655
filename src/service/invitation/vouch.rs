//! Who vouches for what an invitation gives: with the rights it has at that moment (abuse case B10).

use uuid::Uuid;

use super::{place::may_give_by, send::app_of};
use crate::{
    access::{Authority, Blueprint, Rights, authorize, authorize_on, delegation::Gift, verb::InviteMember as Invite},
    service::{ServiceError, Work, app::SeenApp},
    store::facts::{self, LoadKey, Within},
};

/// Somebody who vouches for what an invitation gives: with the rights it has now, as far as it may invite.
#[derive(Debug)]
pub(super) struct Voucher {
    rights: Rights,
    /// Whether it invites in the organization.
    everywhere: bool,
    /// Else the apps at which it invites.
    by: Vec<SeenApp>,
}

impl Voucher {
    /// This principal of an organization, where it may invite now to any of these apps at all.
    ///
    /// # Errors
    /// When the database cannot say.
    pub(super) async fn find(
        work: &Work<'_>,
        rules: &Blueprint,
        principal: (Uuid, Uuid),
        apps: &[SeenApp],
    ) -> Result<Option<Self>, ServiceError> {
        let rights = rights_of(work, rules, principal).await?;
        Ok(rights.and_then(|rights| Self::of(rules, rights, apps)))
    }

    fn of(rules: &Blueprint, rights: Rights, apps: &[SeenApp]) -> Option<Self> {
        let authority = Authority::Principal(&rights);
        let everywhere = authorize::<Invite>(authority, None).is_ok();
        let invites = |app: &&SeenApp| authorize_on::<Invite>(authority, rules, &app.place()).is_ok();
        let by: Vec<SeenApp> = if everywhere { Vec::new() } else { apps.iter().filter(invites).cloned().collect() };
        (everywhere || !by.is_empty()).then_some(Self { rights, everywhere, by })
    }

    /// Whether it may still invite there and give this.
    pub(super) fn vouches(&self, rules: &Blueprint, gift: &Gift<'_>) -> bool {
        let there = |id| self.by.iter().any(|app| app.app.id == id);
        let invites = self.everywhere || app_of(gift.place).is_none_or(there);
        invites && may_give_by(rules, Authority::Principal(&self.rights), gift, &self.by).is_ok()
    }
}

/// The rights of another principal as this transaction sees them; `None` when there is no such principal any more.
pub(in crate::service) async fn rights_of(
    work: &Work<'_>,
    rules: &Blueprint,
    (organization, principal): (Uuid, Uuid),
) -> Result<Option<Rights>, ServiceError> {
    let key = LoadKey::Principal { organization, principal };
    let Some(loaded) = facts::load_principal(work.tx, key).await? else { return Ok(None) };
    let Some(fact) = loaded.reach.principals().first() else { return Ok(None) };
    let facts = loaded.reach.facts(fact, Within { organization, active: true }, None);
    Ok(Some(Rights::compile(rules, &facts, work.now)))
}
