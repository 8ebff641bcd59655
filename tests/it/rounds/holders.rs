//! Two roles that somebody must hold (`S0.24`, `S0.42`): two people are administrators and billing admins. At once, they leave,
//! and remove, suspend and demote each other and themselves, one role at a time and both in one form.

use serde_json::json;

use super::{Attempt, Round};
use crate::support::{
    gateway::{Gateway, Person, Tenant},
    people::member_id,
};

const ADMINISTRATOR: &str = "administrator";
const BILLING: &str = "billing_admin";

pub(super) async fn begin(gateway: &Gateway, people: &[Person; 3], slug: &str) -> (Tenant, Vec<Attempt>) {
    let tenant = gateway.organization(slug, "workspace", "growth").await;
    let mut here = Vec::new();
    for person in &people[..2] {
        let person = gateway.joined(&tenant, person, "app_builder").await;
        for role in [ADMINISTRATOR, BILLING] {
            gateway.grant_role(&tenant, "member", person.member, role).await;
        }
        here.push(person);
    }
    let id = |person: &Person| member_id(person.member.unwrap());
    let mut attempts: Vec<Attempt> = Vec::new();
    for (one, other) in [(&here[0], &here[1]), (&here[1], &here[0])] {
        let (own, others) = (id(one), id(other));
        for (mutation, input) in [
            ("leaveOrganization", json!({ "confirm": true })),
            ("removeMember", json!({ "member": others, "confirm": true })),
            ("suspendMember", json!({ "member": others })),
            ("changeMemberRole", json!({ "member": others, "role": "non_admin" })),
            ("changeMemberRole", json!({ "member": own, "role": "non_admin" })),
            ("removeMemberRole", json!({ "member": others, "role": BILLING })),
            ("removeMemberRole", json!({ "member": own, "role": BILLING })),
            ("updateMember", json!({ "member": others, "roles": ["non_admin"], "flags": [] })),
        ] {
            attempts.push((one.clone(), mutation, input));
        }
    }
    (tenant, attempts)
}

pub(super) async fn judge(round: &Round<'_>) -> bool {
    let (administrators, billing) = (round.holders(ADMINISTRATOR).await, round.holders(BILLING).await);
    assert!(administrators >= 1, "{}: no administrator is left", round.tenant.slug);
    assert!(billing >= 1, "{}: nobody is left who sees to the bills", round.tenant.slug);
    administrators == 1 && billing == 1
}
