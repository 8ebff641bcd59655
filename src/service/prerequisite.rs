//! Features that need a feature of another kind of app (`S0.27`), held as an invariant of what a change of grants leaves.
//!
//! What was so before may stay: only what a change itself leaves without its prerequisite is refused, or with one that ends
//! before it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{ServiceError, UserError, UserErrorCode, Work, team::is_seen};
use crate::{
    ablate,
    access::{
        Blueprint, Grant, Grantee,
        prerequisite::{self, Unmet},
    },
    service::access_tree::AppAccess,
    store::{self, facts::Within, grant::AccessGrant, team::Team},
};

/// How many principals are looked at in one statement.
const AT_ONCE: usize = 500;
/// How many of those concerned a refusal names.
const NAMED: usize = 3;

/// What a grantee lacks of what its features need on other kinds of apps.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn unmet(work: &Work<'_>, grantee: Grantee) -> Result<BTreeSet<Unmet>, ServiceError> {
    let rules = &work.standing()?.blueprint.rules;
    Ok(lacking(work, rules, &[grantee]).await?.remove(&grantee).unwrap_or_default())
}

/// What is lacked now that was not lacked before, or not as much.
fn added<'n>(now: &'n BTreeSet<Unmet>, before: Option<&BTreeSet<Unmet>>) -> impl Iterator<Item = &'n Unmet> {
    let was_so = move |lack: &Unmet| before.is_some_and(|before| before.iter().any(|other| lack.is_within(other)));
    now.iter().filter(move |lack| !was_so(lack))
}

/// A lack on whatever app: it is the feature that needs the other one.
fn anywhere(lack: &Unmet) -> Unmet {
    Unmet { app: None, ends: None, ..lack.clone() }
}

/// What these lack by these rules, each for itself.
async fn lacking(
    work: &Work<'_>,
    rules: &Blueprint,
    whom: &[Grantee],
) -> Result<BTreeMap<Grantee, BTreeSet<Unmet>>, ServiceError> {
    let organization = work.standing()?.place.id;
    let mut found = BTreeMap::new();
    if !prerequisite::crosses_kinds(rules) || ablate::off("feature_prerequisite") {
        return Ok(found);
    }
    let mut add = |grantee: Grantee, grants: &[Grant]| {
        let unmet = prerequisite::unmet(rules, grantee, grants, work.now);
        if !unmet.is_empty() {
            found.insert(grantee, unmet);
        }
    };
    let (mut principals, mut teams) = (Vec::new(), Vec::new());
    for grantee in whom {
        match grantee {
            Grantee::Member(id) | Grantee::ServiceAccount(id) => principals.push(*id),
            Grantee::Team(id) => teams.push(*id),
            Grantee::Everyone => {}
        }
    }
    for some in principals.chunks(AT_ONCE) {
        let Some(crowd) = store::facts::load_many(work.tx, organization, some).await? else { continue };
        let within = Within { organization, active: true };
        for principal in crowd.reach.principals() {
            let grantee = principal.id.as_member().map_or(Grantee::ServiceAccount(principal.id.id), Grantee::Member);
            add(grantee, &crowd.reach.facts(principal, within, None).grants);
        }
    }
    for some in teams.chunks(AT_ONCE) {
        let mut held: BTreeMap<Grantee, Vec<Grant>> = BTreeMap::new();
        for grant in store::grant::of_grantees(work.tx, organization, some).await? {
            held.entry(grant.grantee).or_default().push(fact(grant));
        }
        for (team, grants) in &held {
            add(*team, grants);
        }
    }
    Ok(found)
}

/// Whom a change can leave without what their features need, besides whom it names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Circle {
    /// Nobody.
    Nobody,
    /// One member.
    Member(Uuid),
    /// Everybody, and every team.
    Organization,
    /// The members of a team and of the teams below it.
    Team(Uuid),
}

impl Circle {
    /// Of a member whose roles change, where one of them goes.
    pub(super) const fn of_roles(member: Uuid, goes: bool) -> Self {
        if goes { Self::Member(member) } else { Self::Nobody }
    }

    /// Of those whom something reaches that is given to this grantee.
    pub(super) const fn of(grantee: Grantee) -> Self {
        match grantee {
            Grantee::Member(_) | Grantee::ServiceAccount(_) => Self::Nobody,
            Grantee::Team(id) => Self::Team(id),
            Grantee::Everyone => Self::Organization,
        }
    }
}

/// Those whom a change concerns, and what they lacked before it.
pub(super) struct Watch {
    whom: Vec<Grantee>,
    before: BTreeMap<Grantee, BTreeSet<Unmet>>,
}

/// Looks at a circle before a change. No statement where no feature needs one of another kind of app.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn watch(work: &Work<'_>, circle: Circle) -> Result<Watch, ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let dependents = prerequisite::dependents(rules);
    if dependents.is_empty() {
        return Ok(Watch { whom: Vec::new(), before: BTreeMap::new() });
    }
    let whom: Vec<Grantee> = match circle {
        Circle::Nobody => Vec::new(),
        Circle::Member(id) => vec![Grantee::Member(id)],
        Circle::Organization => {
            store::grant::holders_of_features(work.tx, organization, &dependents).await?.into_iter().collect()
        }
        Circle::Team(id) => {
            let teams = with_those_below(&store::team::find_all(work.tx, organization).await?, id);
            let members = store::team_member::members_of(work.tx, organization, &teams).await?;
            let is_in = |holder: &Grantee| matches!(holder, Grantee::Member(id) if members.contains(id));
            let holders = store::grant::holders_of_features(work.tx, organization, &dependents).await?;
            holders.into_iter().filter(is_in).collect()
        }
    };
    Ok(Watch { before: lacking(work, rules, &whom).await?, whom })
}

/// A team and all teams below it.
fn with_those_below(teams: &[Team], id: Uuid) -> Vec<Uuid> {
    let mut found = vec![id];
    let mut at = 0;
    while let Some(above) = found.get(at).copied() {
        let below = teams.iter().filter(|team| team.parent_id == Some(above)).map(|team| team.id);
        let new: Vec<Uuid> = below.filter(|team| !found.contains(team)).collect();
        found.extend(new);
        at += 1;
    }
    found
}

impl Watch {
    /// Whether there is nobody to look at.
    pub(super) const fn is_idle(&self) -> bool {
        self.whom.is_empty()
    }

    /// Refuses a change that has left somebody of the circle without what their features need, naming whom.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `MISSING`, at this field.
    pub(super) async fn ensure_met(self, work: &Work<'_>, field: &str) -> Result<(), ServiceError> {
        let rules = &work.standing()?.blueprint.rules;
        self.ensure_met_by(work, rules, field).await
    }

    /// The same by other rules: those that the change has made of the organization's own roles.
    ///
    /// # Errors
    /// As [`Self::ensure_met`].
    pub(super) async fn ensure_met_by(
        self,
        work: &Work<'_>,
        rules: &Blueprint,
        field: &str,
    ) -> Result<(), ServiceError> {
        let now = lacking(work, rules, &self.whom).await?;
        let mut left: BTreeMap<Unmet, BTreeSet<Grantee>> = BTreeMap::new();
        for (grantee, unmet) in &now {
            for lack in added(unmet, self.before.get(grantee)) {
                left.entry(anywhere(lack)).or_default().insert(*grantee);
            }
        }
        let mut refusals = Vec::new();
        for (lack, whom) in &left {
            let whom = named(work, whom).await?;
            let (needing, needed) = labels(work, lack);
            let (message, remedy) = match lack.held_until {
                None => (
                    format!("{whom} would be left without {needed}, which {needing} needs"),
                    format!("Take {needing} from them first, or give them {needed} in another way."),
                ),
                Some(end) => (
                    format!("{whom} would have {needed}, which {needing} needs, only until {}", moment(end)),
                    format!("Let {needing} end by then first, or give them {needed} for as long in another way."),
                ),
            };
            refusals.push(UserError::new(UserErrorCode::Missing, field, message).remedy(remedy));
        }
        if refusals.is_empty() { Ok(()) } else { Err(ServiceError::Refused(refusals)) }
    }
}

/// The first few by name, as far as the author sees them, and how many more.
async fn named(work: &Work<'_>, whom: &BTreeSet<Grantee>) -> Result<String, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let (mut members, mut teams, mut accounts) = (Vec::new(), Vec::new(), Vec::new());
    let (people, programs) = (standing.rights.visible_members(), standing.rights.visible_by("tokens.manage"));
    for grantee in whom {
        match grantee {
            Grantee::Member(id) if people.shows("", *id) && members.len() < NAMED => members.push(*id),
            Grantee::Team(id) if teams.len() < NAMED => teams.push(*id),
            Grantee::ServiceAccount(id) if programs.shows("", *id) && accounts.len() < NAMED => accounts.push(*id),
            Grantee::Member(_) | Grantee::Team(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => {}
        }
    }
    let teams = store::team::find_many(work.tx, organization, &teams).await?;
    let mut names: Vec<String> =
        teams.into_iter().filter(|team| is_seen(standing, team)).map(|team| team.name).collect();
    names
        .extend(store::member::find_many(work.tx, organization, &members).await?.into_iter().map(|member| member.name));
    let accounts = store::service_account::find_many(work.tx, organization, &accounts).await?;
    names.extend(accounts.into_iter().map(|account| account.name));
    names.sort_unstable();
    names.truncate(NAMED);
    let others = whom.len().saturating_sub(names.len());
    match others {
        0 => {}
        _ if names.is_empty() => names.push(format!("{others} whom you do not see")),
        _ => names.push(format!("{others} more")),
    }
    let last = names.pop().unwrap_or_default();
    Ok(if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) })
}

/// Refuses what a change has left without its prerequisite, or with one that ends before it.
///
/// # Errors
/// [`ServiceError::Refused`] with `MISSING`, each at the field that `field` names for it.
pub(super) async fn ensure_met(
    work: &Work<'_>,
    (grantee, before): (Grantee, &BTreeSet<Unmet>),
    field: impl Fn(&Unmet) -> String,
) -> Result<(), ServiceError> {
    let now = unmet(work, grantee).await?;
    let refusals: Vec<UserError> = added(&now, Some(before)).map(|lack| refusal(work, lack, &field(lack))).collect();
    if refusals.is_empty() { Ok(()) } else { Err(ServiceError::Refused(refusals)) }
}

/// Refuses to take what features of the grantee's own need that stay: of the two, they go first.
///
/// # Errors
/// [`ServiceError::Refused`] with `MISSING`, at this field.
pub(super) async fn ensure_spared(
    work: &Work<'_>,
    (grantee, before): (Grantee, &BTreeSet<Unmet>),
    field: &str,
) -> Result<(), ServiceError> {
    let now = unmet(work, grantee).await?;
    let left: BTreeSet<Unmet> = added(&now, Some(before)).map(anywhere).collect();
    let refusals: Vec<UserError> = left
        .iter()
        .map(|lack| {
            let (needing, needed) = labels(work, lack);
            let (message, remedy) = match lack.held_until {
                None => (
                    format!("{needing} needs {needed}"),
                    format!("Take {needing} away first, or give {needed} in another way."),
                ),
                Some(end) => (
                    format!("{needing} needs {needed}, which would end on {}", moment(end)),
                    format!("Let {needing} end by then first, or give {needed} for as long in another way."),
                ),
            };
            UserError::new(UserErrorCode::Missing, field, message).remedy(remedy)
        })
        .collect();
    if refusals.is_empty() { Ok(()) } else { Err(ServiceError::Refused(refusals)) }
}

/// The place of a feature in a ticked tree, as a field of the input.
pub(super) fn field_of(tree: &[AppAccess], lack: &Unmet) -> String {
    let app = tree.iter().position(|ticked| Some(ticked.app) == lack.app);
    let features = app.and_then(|at| tree.get(at)).map(|ticked| ticked.features.as_slice()).unwrap_or_default();
    match (app, features.iter().position(|ticked| ticked.feature == lack.feature)) {
        (Some(app), Some(feature)) => format!("access.{app}.features.{feature}.feature"),
        _ => "access".to_owned(),
    }
}

fn fact(grant: AccessGrant) -> Grant {
    let AccessGrant { id, grantee, held, place, expires_at, .. } = grant;
    Grant { id, grantee, path: Vec::new(), held, place, expires_at }
}

fn refusal(work: &Work<'_>, lack: &Unmet, field: &str) -> UserError {
    let (needing, needed) = labels(work, lack);
    let (message, remedy) = match lack.held_until {
        None => (format!("{needing} needs {needed} too"), format!("Give {needed} as well.")),
        Some(end) => (
            format!("{needing} needs {needed}, which ends on {}", moment(end)),
            format!("Let {needing} end by then, or give {needed} for as long first."),
        ),
    };
    UserError::new(UserErrorCode::Missing, field, message).remedy(remedy)
}

/// An end, as an input says it.
pub(super) fn moment(end: DateTime<Utc>) -> String {
    end.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The feature that needs another one, and that one, as people call them.
fn labels(work: &Work<'_>, lack: &Unmet) -> (String, String) {
    let Unmet { kind, feature, needed_kind, needed_feature, .. } = lack;
    let kinds = work.standing().ok().map(|standing| &standing.blueprint.rules.document().app_kinds);
    let label = |kind: &String, key: &String| {
        let rules = kinds.and_then(|kinds| kinds.get(kind));
        let feature = rules.and_then(|rules| rules.features.get(key)).map_or(key, |feature| &feature.label);
        format!("{feature} of {}", rules.map_or(kind, |rules| &rules.label))
    };
    (label(kind, feature), label(needed_kind, needed_feature))
}
