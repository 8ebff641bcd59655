//! What roles give and features of other kinds of apps need (S0.27), on a blueprint (`cases/stalls.toml`) that has every way by
//! which a role can go: none of them leaves somebody's own features without what they need.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, fields, member_id, remedies},
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
    market_by(engines, STALLS).await
}

async fn market_by(engines: Engines, rules: &str) -> Market {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(rules).await.unwrap();
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

    /// Gives goods or entry, on the stall or on the hall, until a moment; whatever is answered.
    async fn until(&self, grantee: Value, feature: &str, end: Option<DateTime<Utc>>) -> Answer {
        let (kind, app) = if feature == "goods" { ("stall", self.stall) } else { ("hall", self.hall) };
        let gives = json!({ "feature": { "kind": kind, "feature": feature } });
        let end = end.map(|end| end.to_rfc3339());
        let input = json!({ "grantee": grantee, "gives": gives, "app": app_id(app), "expiresAt": end });
        self.alice.call("grantAccess", input, "grant { id }").await
    }

    /// So many days from now, and as a refusal says it.
    fn in_days(&self, days: i64) -> (DateTime<Utc>, String) {
        let end = self.gateway.service.now() + TimeDelta::days(days);
        (end, end.to_rfc3339_opts(SecondsFormat::Secs, true))
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

/// That a grant was refused for its end, in these words.
#[track_caller]
fn assert_too_short(answer: &Answer, message: &str) {
    assert_eq!(answer.refusals("grantAccess"), ["MISSING"], "{}", answer.text);
    assert_eq!(fields(answer, "grantAccess"), ["expiresAt"], "{}", answer.text);
    assert_eq!(answer.at("grantAccess.userErrors.0.message"), message);
}

/// S0.27: what a feature needs lasts as long as the feature itself; of several grants that give it, the one that ends last counts.
#[tokio::test]
async fn s0_27_what_is_needed_lasts_as_long() {
    for engines in Engines::DATABASES {
        let market = market(engines).await;
        let bob = market.person("bob", "hand").await;
        let to = || json!({ "member": id(&bob) });
        let ((soon, said_soon), (late, said_late)) = (market.in_days(10), market.in_days(20));
        market.until(to(), "entry", Some(soon)).await.ok();
        let refused = market.until(to(), "goods", None).await;
        assert_too_short(&refused, &format!("Goods of Stall needs Entry of Hall, which ends on {said_soon}"));
        let remedy = "Let Goods of Stall end by then, or give Entry of Hall for as long first.";
        assert_eq!(remedies(&refused, "grantAccess"), [remedy], "{engines:?}");
        // To the moment it may, and not past it.
        market.until(to(), "goods", Some(soon)).await.ok();
        let refused = market.until(to(), "goods", Some(soon + TimeDelta::seconds(1))).await;
        assert_too_short(&refused, &format!("Goods of Stall needs Entry of Hall, which ends on {said_soon}"));
        // Another way to it that ends later counts.
        let gives = json!({ "role": "doorman" });
        let role =
            json!({ "grantee": to(), "gives": gives, "app": app_id(market.hall), "expiresAt": late.to_rfc3339() });
        market.alice.call("grantAccess", role, "grant { id }").await.ok();
        market.until(to(), "goods", Some(late)).await.ok();
        let refused = market.until(to(), "goods", None).await;
        assert_too_short(&refused, &format!("Goods of Stall needs Entry of Hall, which ends on {said_late}"));
        // The form of ticks says it at the tick.
        let dora = market.person("dora", "hand").await;
        market.until(json!({ "member": id(&dora) }), "entry", Some(soon)).await.ok();
        let tick = |app: Uuid, feature: &str| json!({ "app": app_id(app), "features": [{ "feature": feature }] });
        let tree = json!([tick(market.hall, "entry"), tick(market.stall, "goods")]);
        let edit = json!({ "member": id(&dora), "access": tree });
        let refused = market.alice.call("updateMemberAccess", edit, "member { id }").await;
        assert_eq!(refused.refusals("updateMemberAccess"), ["MISSING"], "{engines:?} {}", refused.text);
        assert_eq!(fields(&refused, "updateMemberAccess"), ["access.1.features.0.feature"]);
        // Without an end it carries everything.
        market.until(to(), "entry", None).await.ok();
        market.until(to(), "goods", None).await.ok();
    }
}

/// S0.27: an earlier end is a taking: of what is needed longer it is refused, whomever the grant reaches.
#[tokio::test]
async fn s0_27_what_is_needed_is_given_no_earlier_end() {
    for engines in Engines::DATABASES {
        let market = market(engines).await;
        let bob = market.person("bob", "hand").await;
        let to = || json!({ "member": id(&bob) });
        let ((soon, said), (late, _)) = (market.in_days(10), market.in_days(20));
        let entry = market.until(to(), "entry", None).await.ok().at("grantAccess.grant.id").clone();
        market.until(to(), "goods", Some(late)).await.ok();
        let refused = market.until(to(), "entry", Some(soon)).await;
        assert_too_short(&refused, &format!("Goods of Stall needs Entry of Hall, which ends on {said}"));
        market.until(to(), "entry", Some(late)).await.ok();
        // Taking the longer one of two leaves the shorter one.
        let gives = json!({ "role": "doorman" });
        let role =
            json!({ "grantee": to(), "gives": gives, "app": app_id(market.hall), "expiresAt": soon.to_rfc3339() });
        market.alice.call("grantAccess", role, "grant { id }").await.ok();
        let refused = market.alice.call("revokeAccess", json!({ "grant": entry }), "revokedGrant").await;
        assert_eq!(refused.refusals("revokeAccess"), ["MISSING"], "{engines:?} {}", refused.text);
        let message = format!("Goods of Stall needs Entry of Hall, which would end on {said}");
        assert_eq!(refused.at("revokeAccess.userErrors.0.message"), &json!(message));
        // What reaches a member by its team counts, and is kept for as long.
        let team = market.alice.call("createTeam", json!({ "slug": "door", "name": "Door" }), "team { id }").await.ok();
        let team = json!({ "team": team.at("createTeam.team.id") });
        market.until(team.clone(), "entry", None).await.ok();
        let dora = market.person("dora", "hand").await;
        let place = json!({ "team": team["team"], "member": id(&dora) });
        market.alice.call("addTeamMember", place, "team { id }").await.ok();
        market.until(json!({ "member": id(&dora) }), "goods", None).await.ok();
        let refused = market.until(team.clone(), "entry", Some(soon)).await;
        assert_too_short(
            &refused,
            &format!("dora would have Entry of Hall, which Goods of Stall needs, only until {said}"),
        );
        let remedy = "Let Goods of Stall end by then first, or give them Entry of Hall for as long in another way.";
        assert_eq!(remedies(&refused, "grantAccess"), [remedy], "{engines:?}");
        market.until(json!({ "member": id(&dora) }), "entry", None).await.ok();
        market.until(team, "entry", Some(soon)).await.ok();
    }
}

/// S0.27: the rule is about grants. An app that is disabled takes none: what needs it stays, and can be given meanwhile.
#[tokio::test]
async fn s0_27_a_disabled_app_asks_for_nothing() {
    let market = market(Engines::Embedded).await;
    let (bob, dora) = (market.person("bob", "hand").await, market.person("dora", "hand").await);
    let erin = market.person("erin", "hand").await;
    for person in [&bob, &dora] {
        market.until(json!({ "member": id(person) }), "entry", None).await.ok();
    }
    market.goods(&bob).await.ok();
    let off = json!({ "app": app_id(market.hall), "state": "DISABLED" });
    market.alice.call("updateApp", off, "app { state }").await.ok();
    let can = async |feature: &str, app: Uuid| {
        let ask = "query($id: ID!, $feature: String!) { node(id: $id) { ... on App { viewerCan(feature: $feature, action: \"view\") } } }";
        let seen = bob.send(ask, json!({ "id": app_id(app), "feature": feature })).await.ok();
        seen.at("node.viewerCan") == true
    };
    assert!(can("goods", market.stall).await, "the stall is open beside the hall");
    assert!(!can("entry", market.hall).await, "the hall is closed");
    market.goods(&dora).await.ok();
    assert_eq!(market.goods(&erin).await.refusals("grantAccess"), ["MISSING"], "she has no entry at all");
}

/// S0.27: an app goes with the roles on it, also with one that opens another kind of app, which features elsewhere need.
#[tokio::test]
async fn s0_27_an_app_whose_roles_open_what_is_needed_is_not_deleted_from_below() {
    let rules = STALLS
        .replace("[app_kinds.hall]\nlabel = \"Hall\"", "[app_kinds.hall]\nlabel = \"Hall\"\nparents = [\"organization\", \"mall\"]")
        .replace(
            "[app_kinds.stall]\n",
            "[app_kinds.mall]\nlabel = \"Mall\"\n\n[app_kinds.mall.features.map]\nlabel = \"Map\"\nactions = { view = { label = \"See the map\" } }\n\n[app_kinds.stall]\n",
        )
        .replace(
            "[roles.idler]\n",
            "[roles.porter]\nlabel = \"Porter\"\nlevel = \"app\"\nkinds = [\"mall\"]\naccess = [\"mall.map\", \"hall.entry\"]\n\n[roles.idler]\n",
        );
    let market = market_by(Engines::Embedded, &rules).await;
    let mall = market.gateway.app(&market.tenant, "mall", "mall").await;
    let bob = market.person("bob", "hand").await;
    let role = json!({ "grantee": { "member": id(&bob) }, "gives": { "role": "porter" }, "app": app_id(mall) });
    market.alice.call("grantAccess", role, "grant { id }").await.ok();
    market.goods(&bob).await.ok();
    let gone = json!({ "app": app_id(mall), "confirm": "mall" });
    assert_missing(&market.alice.call("deleteApp", gone.clone(), "deletedApp").await, ("deleteApp", "app"));
    market.until(json!({ "member": id(&bob) }), "entry", None).await.ok();
    market.alice.call("deleteApp", gone, "deletedApp").await.ok();
}

/// S0.27: a move to a version in which a feature needs another one is in the way of those who would be without it, and names how
/// many of what.
#[tokio::test]
async fn s0_27_a_move_leaves_nobody_without_what_features_need() {
    let free = STALLS.replace("requires = [\"hall.entry\"]\n", "");
    let market = market_by(Engines::Embedded, &free).await;
    market.gateway.service.install_blueprint(&STALLS.replacen("version = 1", "version = 2", 1)).await.unwrap();
    let bob = market.person("bob", "hand").await;
    market.goods(&bob).await.ok();
    let preview =
        "{ organization(slug: \"acme\") { blueprintMove(version: 2) { token problems { code message remedy } } } }";
    let shown = market.alice.ask(preview).await.ok();
    let lack = json!([{
        "code": "MISSING",
        "message": "one holder of Goods of Stall would be without Entry of Hall, which the version needs with it",
        "remedy": "Take Goods of Stall from them first, or give them Entry of Hall too.",
    }]);
    assert_eq!(shown.at("organization.blueprintMove.problems"), &lack);
    let order = |shown: &Answer| {
        let token = shown.at("organization.blueprintMove.token").clone();
        json!({ "version": 2, "token": token, "acceptGains": true })
    };
    let refused = market.alice.call("moveBlueprint", order(&shown), "blueprint { version }").await;
    assert_eq!(refused.refusals("moveBlueprint"), ["MISSING"]);
    // For as long as the goods, not for a while.
    let (soon, _) = market.in_days(1);
    market.until(json!({ "member": id(&bob) }), "entry", Some(soon)).await.ok();
    let shown = market.alice.ask(preview).await.ok();
    let short =
        "one holder of Goods of Stall would have Entry of Hall, which the version needs with it, for a shorter time";
    assert_eq!(shown.at("organization.blueprintMove.problems.0.message"), &json!(short));
    market.until(json!({ "member": id(&bob) }), "entry", None).await.ok();
    let shown = market.alice.ask(preview).await.ok();
    assert_eq!(shown.at("organization.blueprintMove.problems"), &json!([]));
    market.alice.call("moveBlueprint", order(&shown), "blueprint { version }").await.ok();
}
