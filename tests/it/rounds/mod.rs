//! Seats and last holders, sixteen changes at a time: whatever their order, no seat is given twice and nobody is left without
//! an owner (C4, C8, C11).
//!
//! The rounds are dealt among arenas, each an organization with little left to give: one pool of seats and two owners, two
//! pools between which a licence is switched, two roles that somebody must hold. At once sixteen changes are tried. What is then
//! in the database must be one of the states that some order of these changes leads to.

mod holders;
mod hub;
mod licences;

use futures_util::future::join_all;
use sea_orm::Value as Sql;
use serde_json::Value;

use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant, scale};

const ROUNDS: usize = 1_000;
/// How many changes are tried at once.
const AT_ONCE: usize = 16;
/// What changes roles: where they stand so already nothing is written, so these are not counted against the entries.
const ROLE_CHANGES: [&str; 3] = ["changeMemberRole", "removeMemberRole", "updateMember"];

/// A change: by whom, which, with what.
type Attempt = (Person, &'static str, Value);

/// What a round is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arena {
    /// One pool of seats, and the last owner.
    Hub,
    /// Two pools of seats, and a licence that is switched from one to the other.
    Licences,
    /// The last administrator, and the last who holds a role beside it.
    Holders,
}

impl Arena {
    const ALL: [Self; 3] = [Self::Hub, Self::Licences, Self::Holders];

    /// The organization with its people, and what they try.
    async fn begin(self, gateway: &Gateway, people: &[Person; 3], number: usize) -> (Tenant, Vec<Attempt>) {
        let slug = format!("round-{number}");
        let (tenant, attempts) = match self {
            Self::Hub => hub::begin(gateway, people, &slug).await,
            Self::Licences => licences::begin(gateway, people, &slug).await,
            Self::Holders => holders::begin(gateway, people, &slug).await,
        };
        gateway.settle().await;
        assert_eq!(attempts.len(), AT_ONCE);
        (tenant, attempts)
    }

    /// Looks at what a round has led to; whether it went to the limit.
    async fn judge(self, round: &Round<'_>) -> bool {
        match self {
            Self::Hub => hub::judge(round).await,
            Self::Licences => licences::judge(round).await,
            Self::Holders => holders::judge(round).await,
        }
    }
}

/// A round that is over.
struct Round<'g> {
    gateway: &'g Gateway,
    tenant: Tenant,
    /// Each change that was tried, and whether it was made.
    made: Vec<(&'static str, bool)>,
}

impl Round<'_> {
    async fn count(&self, sql: &str) -> i64 {
        let rows = self.gateway.database.rows(sql, [Sql::from(self.tenant.id)]).await;
        rows[0].try_get_by_index(0).unwrap()
    }

    /// How many active and pending members hold a role, by a grant of their own.
    async fn seated(&self, role: &str) -> i64 {
        self.holding(role, "'active', 'pending'").await
    }

    /// How many active members hold a role, by a grant of their own.
    async fn holders(&self, role: &str) -> i64 {
        self.holding(role, "'active'").await
    }

    async fn holding(&self, role: &str, states: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM member m JOIN access_grant g ON g.grantee_id = m.id
             WHERE m.organization_id = $1 AND m.state IN ({states}) AND g.role = '{role}'"
        );
        self.count(&sql).await
    }

    /// How many of these changes were made.
    fn made(&self, mutation: &str) -> i64 {
        let made = self.made.iter().filter(|(other, made)| *other == mutation && *made).count();
        i64::try_from(made).unwrap()
    }
}

/// Whether a change was made: neither an error nor a refusal.
fn is_made(answer: &Answer, mutation: &str) -> bool {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let known = ["FORBIDDEN", "NOT_FOUND", "UNAUTHENTICATED"];
    assert!(answer.codes().iter().all(|code| known.contains(code)), "{}", answer.text);
    answer.codes().is_empty() && answer.refusals(mutation).is_empty()
}

/// Tries it all at once.
async fn play(attempts: Vec<Attempt>) -> Vec<(&'static str, bool)> {
    let ask = attempts.into_iter().map(|(by, mutation, input)| {
        tokio::spawn(async move {
            let answer = by.call(mutation, input, "__typename").await;
            (mutation, is_made(&answer, mutation))
        })
    });
    join_all(ask).await.into_iter().map(Result::unwrap).collect()
}

async fn hold(engines: Engines) {
    let gateway = Gateway::on(engines).await;
    let people = [gateway.person("alice").await, gateway.person("bob").await, gateway.person("carol").await];
    let mut at_the_limit = [0; Arena::ALL.len()];
    let mut invited = 0;
    for number in 0..ROUNDS * scale() {
        let at = number % Arena::ALL.len();
        let arena = Arena::ALL[at];
        let (tenant, attempts) = arena.begin(&gateway, &people, number).await;
        let round = Round { gateway: &gateway, tenant, made: play(attempts).await };
        let is_told = |(mutation, made): &&(&str, bool)| *made && !ROLE_CHANGES.contains(mutation);
        let told = round.made.iter().filter(is_told).count();
        let entries =
            "SELECT count(*) FROM activity_entry WHERE organization_id = $1 AND action <> 'member.role_changed'";
        assert_eq!(round.count(entries).await, i64::try_from(told).unwrap(), "round {number}: {:?}", round.made);
        at_the_limit[at] += usize::from(arena.judge(&round).await);
        invited += if arena == Arena::Hub { round.made("inviteMember") } else { 0 };
    }
    // The rounds were about something: seats were taken to the last, and holders went down to the last.
    let hubs = i64::try_from((ROUNDS * scale()).div_ceil(Arena::ALL.len())).unwrap();
    assert!(invited >= hubs, "{invited} invitations in {hubs} rounds");
    assert!(at_the_limit.iter().all(|rounds| *rounds > 0), "{:?}: {at_the_limit:?} at the limit", Arena::ALL);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c4_c8_no_order_of_changes_breaks_seats_or_the_last_owner_on_sqlite() {
    hold(Engines::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c4_c8_no_order_of_changes_breaks_seats_or_the_last_owner_on_postgresql() {
    hold(Engines::Postgres).await;
}
