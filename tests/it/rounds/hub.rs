//! One pool of seats, and the last owner: three seats, two owners, and one seat left. At once, eight people are invited and the
//! owners leave, remove and demote each other.

use serde_json::json;

use super::{Attempt, Round};
use crate::support::{
    gateway::{Gateway, Person, Tenant},
    people::member_id,
};

const OWNER: &str = "super_admin";

pub(super) async fn begin(gateway: &Gateway, people: &[Person; 3], slug: &str) -> (Tenant, Vec<Attempt>) {
    let tenant = gateway.organization(slug, "support-hub", "growth").await;
    let [alice, bob, _] = people;
    let (alice, bob) = (gateway.joined(&tenant, alice, OWNER).await, gateway.joined(&tenant, bob, OWNER).await);
    let id = |person: &Person| member_id(person.member.unwrap());
    let mut attempts: Vec<Attempt> = Vec::new();
    for guest in 0..8 {
        let by = if guest % 2 == 0 { &alice } else { &bob };
        let input = json!({ "email": format!("guest{guest}@example.org"), "notify": false });
        attempts.push((by.clone(), "inviteMember", input));
    }
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        attempts.push((one.clone(), "leaveOrganization", json!({ "confirm": true })));
        attempts.push((one.clone(), "removeMember", json!({ "member": id(other), "confirm": true })));
        attempts.push((one.clone(), "changeMemberRole", json!({ "member": id(other), "role": "member" })));
        attempts.push((one.clone(), "changeMemberRole", json!({ "member": id(one), "role": "member" })));
    }
    (tenant, attempts)
}

pub(super) async fn judge(round: &Round<'_>) -> bool {
    let seats = "SELECT count(*) FROM member WHERE organization_id = $1 AND state IN ('active', 'pending')";
    let (seats, owners) = (round.count(seats).await, round.holders(OWNER).await);
    assert!(seats <= 3, "{}: {seats} of 3 seats", round.tenant.slug);
    assert!(owners >= 1, "{}: no owner is left", round.tenant.slug);
    owners == 1
}
