//! Two pools of seats, and a licence that is switched from one to the other (`S0.18` to `S0.22`): two builders' seats with one
//! left, five users' with three. At once, people are invited for either, and those who are there change their licence, back and
//! forth: a switch takes a seat of one pool and frees one of the other.

use serde_json::json;

use super::{Attempt, Round};
use crate::support::{
    gateway::{Gateway, Person, Tenant},
    people::member_id,
};

const BUILDER: &str = "app_builder";
const USER: &str = "app_user";
/// The seats of the plan.
const BUILDERS: i64 = 2;
const USERS: i64 = 5;

pub(super) async fn begin(gateway: &Gateway, people: &[Person; 3], slug: &str) -> (Tenant, Vec<Attempt>) {
    let tenant = gateway.organization(slug, "workspace", "starter").await;
    let mut here = Vec::new();
    for (person, licence, level) in
        [(&people[0], BUILDER, "administrator"), (&people[1], USER, "administrator"), (&people[2], USER, "non_admin")]
    {
        let person = gateway.joined(&tenant, person, licence).await;
        gateway.grant_role(&tenant, "member", person.member, level).await;
        here.push(person);
    }
    let (alice, bob, carol) = (&here[0], &here[1], &here[2]);
    let mut attempts: Vec<Attempt> = Vec::new();
    for guest in 0..10 {
        let by = if guest % 2 == 0 { alice } else { bob };
        let licence = if guest < 4 { BUILDER } else { USER };
        let email = format!("guest{guest}@example.org");
        let input = json!({ "email": email, "roles": [licence, "non_admin"], "notify": false });
        attempts.push((by.clone(), "inviteMember", input));
    }
    for (by, who, licence) in [
        (alice, bob, BUILDER),
        (bob, carol, BUILDER),
        (bob, alice, USER),
        (alice, alice, USER),
        (alice, bob, USER),
        (alice, carol, USER),
    ] {
        let input = json!({ "member": member_id(who.member.unwrap()), "role": licence });
        attempts.push((by.clone(), "changeMemberRole", input));
    }
    (tenant, attempts)
}

pub(super) async fn judge(round: &Round<'_>) -> bool {
    let (builders, users) = (round.seated(BUILDER).await, round.seated(USER).await);
    assert!(builders <= BUILDERS, "{}: {builders} of {BUILDERS} builders' seats", round.tenant.slug);
    assert!(users <= USERS, "{}: {users} of {USERS} users' seats", round.tenant.slug);
    // Everybody has one licence, whichever: nobody lost it between the pools, and nobody sits in both.
    let people = 3 + round.made("inviteMember");
    assert_eq!(builders + users, people, "{}: {builders} and {users} for {people} people", round.tenant.slug);
    let both = "SELECT count(*) FROM member m JOIN access_grant a ON a.grantee_id = m.id AND a.role = 'app_builder'
                JOIN access_grant b ON b.grantee_id = m.id AND b.role = 'app_user' WHERE m.organization_id = $1";
    assert_eq!(round.count(both).await, 0, "{}: somebody has both licences", round.tenant.slug);
    builders == BUILDERS && users == USERS
}
