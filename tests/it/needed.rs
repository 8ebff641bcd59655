//! What roles give and features of other kinds of apps need (S0.27), on a blueprint (`cases/stalls.toml`) that has every way by
//! which a role can go: none of them leaves somebody's own features without what they need.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, fields, member_id},
};

const STALLS: &str = include_str!("cases/stalls.toml");

struct Market {
    gateway: Gateway,
    tenant: Tenant,
    alice: Person,
    hall: Uuid,
    stall: Uuid,
}

async fn market(engines: Engines) -> Market {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(STALLS).await.unwrap();
    let tenant = gateway.organization("acme", "stalls", "open").await;
    let alice = gateway.member(&tenant, "alice", "chief").await;
    let hall = gateway.app(&tenant, "hall", "hall").await;
    let stall = gateway.app(&tenant, "stall", "stall").await;
    gateway.settle().await;
    Market { gateway, tenant, alice, hall, stall }
}

impl Market {
    /// A member of this role.
    async fn person(&self, name: &str, role: &str) -> Person {
        let person = self.gateway.member(&self.tenant, name, role).await;
        self.gateway.settle().await;
        person
    }

    /// Gives somebody the goods, which need the entry; whatever is answered.
    async fn goods(&self, to: &Person) -> Answer {
        let gives = json!({ "feature": { "kind": "stall", "feature": "goods" } });
        let input = json!({ "grantee": { "member": id(to) }, "gives": gives, "app": app_id(self.stall) });
        self.alice.call("grantAccess", input, "grant { id }").await
    }

    async fn become_role(&self, who: &Person, role: &str) -> Answer {
        self.alice.call("changeMemberRole", json!({ "member": id(who), "role": role }), "member { id }").await
    }

    /// A role on the hall, for a member or a team.
    async fn at_hall(&self, grantee: Value, role: &str) -> Answer {
        let input = json!({ "grantee": grantee, "gives": { "role": role }, "app": app_id(self.hall) });
        self.alice.call("grantAccess", input, "grant { id }").await
    }
}

fn id(person: &Person) -> String {
    member_id(person.member.unwrap())
}

/// That a change was refused for what it would leave, at this field.
#[track_caller]
fn assert_missing(answer: &Answer, (mutation, field): (&str, &str)) {
    assert_eq!(answer.refusals(mutation), ["MISSING"], "{}", answer.text);
    assert_eq!(fields(answer, mutation), [field], "{}", answer.text);
    let message = answer.at(&format!("{mutation}.userErrors.0.message")).as_str().unwrap_or_default();
    let said = "bob would be left without Entry of Hall, which Goods of Stall needs";
    assert_eq!(message, said, "{}", answer.text);
}

/// S0.27: a role of the organization's own is not narrowed from below those whose features need what it gave; switched off and
/// deleted it is only where nobody holds it.
#[tokio::test]
async fn s0_27_a_tailored_role_keeps_what_its_holders_need() {
    for engines in Engines::DATABASES {
        let market = market(engines).await;
        let whole = json!([{ "kind": "hall", "feature": "entry" }]);
        let new = json!({ "key": "door", "base": "lead", "label": "Door", "permissions": [], "access": whole });
        market.alice.call("createRole", new, "role { key }").await.ok();
        let bob = market.person("bob", "custom:door").await;
        market.goods(&bob).await.ok();
        let narrow = |access: Value| json!({ "role": "custom:door", "access": access });
        let refused = market.alice.call("updateRole", narrow(json!([])), "role { key }").await;
        assert_missing(&refused, ("updateRole", "access"));
        // A part of the feature is enough, and so is another way to it.
        let part = json!([{ "kind": "hall", "feature": "entry", "actions": ["view"] }]);
        market.alice.call("updateRole", narrow(part), "role { key }").await.ok();
        market.at_hall(json!({ "member": id(&bob) }), "doorman").await.ok();
        market.alice.call("updateRole", narrow(json!([])), "role { key }").await.ok();
    }
}

/// S0.27: who hands a role over keeps what its own features need, else keeps the role.
#[tokio::test]
async fn s0_27_a_role_that_is_needed_is_not_handed_over() {
    let market = market(Engines::Embedded).await;
    let (bob, dora) = (market.person("bob", "lead").await, market.person("dora", "hand").await);
    market.goods(&bob).await.ok();
    let to = json!({ "role": "lead", "member": id(&dora), "confirm": true });
    assert_missing(&bob.call("transferRole", to.clone(), "to { id }").await, ("transferRole", "role"));
    market.at_hall(json!({ "member": id(&bob) }), "doorman").await.ok();
    bob.call("transferRole", to, "to { id }").await.ok();
}

/// S0.27, S1.34: what goes because a role goes that it was built upon is not needed either.
#[tokio::test]
async fn s0_27_s1_34_what_follows_from_a_lost_role_is_looked_at_too() {
    let market = market(Engines::Embedded).await;
    let bob = market.person("bob", "warden").await;
    market.at_hall(json!({ "member": id(&bob) }), "keeper").await.ok();
    market.goods(&bob).await.ok();
    assert_missing(&market.become_role(&bob, "hand").await, ("changeMemberRole", "role"));
    market.become_role(&bob, "lead").await.ok();
}

/// S0.27: a role that takes another's place on an app leaves nobody of a team without.
#[tokio::test]
async fn s0_27_a_team_role_is_not_displaced_from_below() {
    let market = market(Engines::Embedded).await;
    let bob = market.person("bob", "hand").await;
    let team = market.alice.call("createTeam", json!({ "slug": "door", "name": "Door" }), "team { id }").await.ok();
    let team = team.at("createTeam.team.id").clone();
    market.at_hall(json!({ "team": team }), "doorman").await.ok();
    let place = json!({ "team": team, "member": id(&bob) });
    market.alice.call("addTeamMember", place, "team { id }").await.ok();
    market.goods(&bob).await.ok();
    let refused = market.at_hall(json!({ "team": team }), "idler").await;
    assert_missing(&refused, ("grantAccess", "gives.role"));
    market.become_role(&bob, "lead").await.ok();
    market.at_hall(json!({ "team": team }), "idler").await.ok();
}

/// S0.27, S2.43: who comes back is given nothing without what it needs, as somebody invited.
#[tokio::test]
async fn s0_27_nobody_comes_back_to_features_without_what_they_need() {
    let market = market(Engines::Embedded).await;
    let bob = market.person("bob", "hand").await;
    market.alice.call("removeMember", json!({ "member": id(&bob), "confirm": true }), "removed").await.ok();
    let goods = json!({ "app": app_id(market.stall), "features": [{ "feature": "goods" }] });
    let entry = json!({ "app": app_id(market.hall), "features": [{ "feature": "entry" }] });
    let back = |access: Value| json!({ "member": id(&bob), "role": "hand", "access": access });
    let refused = market.alice.call("restoreMember", back(json!([goods])), "member { id }").await;
    assert_eq!(refused.refusals("restoreMember"), ["MISSING"], "{}", refused.text);
    assert_eq!(fields(&refused, "restoreMember"), ["access.0.features.0.feature"]);
    market.alice.call("restoreMember", back(json!([goods, entry])), "member { id }").await.ok();
}
