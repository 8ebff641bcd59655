//! Telling people that a program's secret is about to end (`S4.R8`): those who may manage it, at a proven address, each in the timezone
//! and the language that the person has chosen, else those of the organization's profile; on each of some days before the end, each time
//! once, whichever gateway comes first.
//!
//! A notice is taken in the transaction that posts its letters.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Change, Service, ServiceError,
    api_token::ApiToken,
    app::{self, SeenApp},
    profile,
    service_account::MANAGE,
    user::{User, chosen_reader},
};
use crate::{
    access::{Blueprint, Place, Rights, SystemTask, verb::NoteNotice},
    mail::SecretEndsMail,
    store::{
        self, WriteScope,
        facts::{self, Within},
        organization::{Organization, OrganizationState},
    },
};

/// How many tokens are looked at in one statement.
const BATCH: u64 = 200;

/// On which days before a secret's end people are told, the most first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeDays(Vec<u32>);

impl Default for NoticeDays {
    fn default() -> Self {
        Self(vec![30, 7, 1])
    }
}

impl NoticeDays {
    /// These days; at most a year, none twice, in any order. None at all: nobody is told.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn new(mut days: Vec<u32>) -> Result<Self, String> {
        if let Some(odd) = days.iter().find(|days| !(1..=365).contains(*days)) {
            return Err(format!("`{odd}` days before the end: write 1 to 365"));
        }
        days.sort_unstable_by(|a, b| b.cmp(a));
        days.dedup();
        Ok(Self(days))
    }

    /// The notice that is due so long before the end: the last one whose day has come.
    fn due(&self, left: TimeDelta) -> Option<u32> {
        self.0.iter().copied().filter(|days| left <= TimeDelta::days(i64::from(*days))).min()
    }

    fn longest(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.0.first().copied().unwrap_or_default()))
    }
}

impl std::str::FromStr for NoticeDays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let days = days.map(|part| part.parse::<u32>().map_err(|_| format!("`{part}` is no number of days")));
        Self::new(days.collect::<Result<_, _>>()?)
    }
}

impl std::fmt::Display for NoticeDays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&days.join(","))
    }
}

impl Service {
    /// Sends the notices that are due by now; how many letters were posted. For the system task [`SystemTask::Expiry`].
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn send_token_notices(&self, days: &NoticeDays) -> Result<u64, ServiceError> {
        let now = self.now();
        let (mut after, mut letters) = (None, 0);
        loop {
            let span = (now, now + days.longest());
            let tokens = store::api_token::ending(&self.store().read(), span, after, BATCH).await?;
            let Some(last) = tokens.last() else { return Ok(letters) };
            after = Some((last.expires_at, last.id));
            let ids: Vec<Uuid> = tokens.iter().map(|token| token.id).collect();
            let sent = store::token_notice::sent(&self.store().read(), &ids).await?;
            for token in tokens {
                let Some(due) = days.due(token.expires_at - now).and_then(|days| i32::try_from(days).ok()) else {
                    continue;
                };
                // Nobody is told of a day that was never further off: whoever made it so knows.
                if token.expires_at - token.created_at <= TimeDelta::days(i64::from(due)) {
                    continue;
                }
                // One that was told of a later day needs none of an earlier one.
                let told = sent.iter().any(|(id, days)| *id == token.id && *days <= due);
                if !told {
                    letters += self.notify(&token, due).await?;
                }
            }
        }
    }

    async fn notify(&self, token: &ApiToken, days: i32) -> Result<u64, ServiceError> {
        let (id, letters) = (token.id, self.letters_about(token).await?);
        let change = Change::by_system("noteNotice", SystemTask::Expiry, WriteScope::default());
        let noted = self.mutate(change, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<NoteNotice>(None)?;
                let is_first = store::token_notice::claim(work.tx, permit, (id, days), work.now).await?;
                if !is_first && !crate::ablate::off("notice_once") {
                    return Ok(0);
                }
                let mut posted = 0;
                for letter in letters {
                    work.post(letter.letter().until(letter.ends_at)).await?;
                    posted += 1;
                }
                Ok(posted)
            })
        });
        let noted = noted.await?;
        noted.posted.left().await;
        Ok(noted.value)
    }

    /// The letters about a token that ends: to whoever may manage the program it is for.
    async fn letters_about(&self, token: &ApiToken) -> Result<Vec<SecretEndsMail>, ServiceError> {
        let reader = self.store().read();
        let organization = store::organization::find_by_id(&reader, token.organization_id).await?;
        let Some(organization) = organization.filter(|found| found.state == OrganizationState::Active) else {
            return Ok(Vec::new());
        };
        let rules = &self.blueprint(&reader, organization.blueprint_id).await?.rules;
        let grants = store::grant::of_grantees(&reader, organization.id, &[token.principal.id]).await?;
        let apps = app::on(&reader, organization.id, &grants).await?;
        let grants: Vec<&Place> = grants.iter().map(|grant| &grant.place).collect();
        let everywhere = grants.is_empty() || grants.iter().any(|place| **place == Place::Organization);
        let recipients = self.recipients(&organization, (rules, &apps, everywhere)).await?;
        let usual = profile::reader(rules, &organization.profile)?;
        let letters = recipients.into_iter().map(|to| SecretEndsMail {
            reader: chosen_reader(&to, usual),
            to: to.email,
            name: to.name,
            organization: organization.name.clone(),
            secret: token.name.clone(),
            app: apps.first().map(|app| app.app.name.clone()),
            ends_at: token.expires_at,
        });
        Ok(letters.collect())
    }

    /// The active members with a proven address who may manage tokens in the organization, or on the apps of the program.
    async fn recipients(
        &self,
        organization: &Organization,
        (rules, apps, everywhere): (&Blueprint, &[SeenApp], bool),
    ) -> Result<Vec<User>, ServiceError> {
        let reader = self.store().read();
        let Some(crowd) = facts::load_all(&reader, organization.id).await? else { return Ok(Vec::new()) };
        let manages = |rights: &Rights| {
            rights.inactive().is_none()
                && (rights.holds(MANAGE)
                    || !everywhere && apps.iter().all(|app| rights.holds_on(rules, MANAGE, &app.place())))
        };
        let within = Within { organization: organization.id, active: true };
        let people = crowd.reach.principals().iter().filter(|principal| {
            let rights = || Rights::compile(rules, &crowd.reach.facts(principal, within, None), crowd.now);
            principal.active && principal.user_id.is_some() && manages(&rights())
        });
        let users: Vec<Uuid> = people.filter_map(|principal| principal.user_id).collect();
        let users = store::user::find_many(&reader, &users).await?;
        let proven =
            users.into_iter().filter(|user| user.email_verified_at.is_some() || crate::ablate::off("notice_verified"));
        Ok(proven.collect())
    }
}
