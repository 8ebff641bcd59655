//! Who sees the plan and the seats: billing and usage are for those they are handed to (S0.10), and whoever invites sees whether there
//! is room.

use std::net::Ipv4Addr;

use gatehouse::{
    identity::{Credential, SessionIdentity},
    service::{Access, Client, ServiceError, api_token::NewToken, plan},
};
use serde_json::{Value, json};

use crate::support::{
    events::Events,
    gateway::{Engines, Gateway, Person, Tenant},
    metered::{Metered, metered, program},
    people::member_id,
};

const RULES: &str = include_str!("cases/metered.toml");
const PLAN: &str = "{ viewer { organization { slug plan { key } } } }";
const PLANS: &str = "{ viewer { organization { slug plans { key } } } }";
const SEATS: &str =
    "{ viewer { organization { slug seatUsage { pool used limit upgradeHint { key label limit } } } } }";
const FOLLOW: &str = "subscription { seatUsageChanged { used } }";

/// The treasurer of the metered organization, who may do this and nothing else.
async fn treasurer(permissions: &str) -> (Gateway, Tenant, Person) {
    let gateway = Gateway::sqlite().await;
    let rules =
        RULES.replace("\npermissions = [\"billing.*\", \"usage.*\"]\n", &format!("\npermissions = {permissions}\n"));
    assert_ne!(rules, RULES);
    gateway.service.install_blueprint(&rules).await.unwrap();
    let tenant = gateway.organization("acme", "metered", "small").await;
    let carol = gateway.member(&tenant, "carol", "treasurer").await;
    gateway.settle().await;
    (gateway, tenant, carol)
}

/// What a question is answered: the codes of its errors, and whether there is anything.
async fn seen(person: &Person, document: &str) -> (Vec<String>, bool) {
    let answer = person.ask(document).await;
    assert_eq!(answer.at("viewer.organization.slug"), "acme", "its neighbours stay: {}", answer.text);
    let organization = answer.at("viewer.organization").as_object().unwrap();
    let told = organization.iter().any(|(key, value)| key != "slug" && !value.is_null());
    (answer.codes().into_iter().map(str::to_owned).collect(), told)
}

async fn sees(person: &Person, document: &str) -> bool {
    match seen(person, document).await {
        (codes, true) if codes.is_empty() => true,
        (codes, false) if codes == ["FORBIDDEN"] => false,
        other => panic!("{}: {other:?}", person.name),
    }
}

/// Whether somebody is let follow the seats: the first event says so, and a refusal is the last.
async fn follows(gateway: &Gateway, person: &Person) -> bool {
    let mut events = Events::open(gateway, person, FOLLOW).await;
    let first = events.next().await.unwrap();
    if first["data"]["seatUsageChanged"].is_array() {
        return true;
    }
    assert_eq!(first["errors"][0]["extensions"]["code"], "FORBIDDEN", "{first}");
    assert_eq!(events.next().await, None);
    false
}

/// S0.10, S0.11, S0.13: the plan for who may see billing; the seats for them, for who may see usage, and for who invites. The head
/// invites and has no billing, carol keeps the books, bob reads, and a program counts.
#[tokio::test]
async fn s0_10_s0_11_s0_13_the_plan_is_shown_with_billing_and_the_seats_to_who_invites_too() {
    for engines in Engines::ALL {
        let Metered { gateway, alice, bob, carol, program } = metered(engines).await;
        for (person, plan, seats) in
            [(&alice, false, true), (&carol, true, true), (&bob, false, false), (&program, false, false)]
        {
            let who = &person.name;
            assert_eq!(sees(person, PLAN).await, plan, "{engines:?} {who}");
            assert_eq!(sees(person, PLANS).await, plan, "{engines:?} {who}");
            assert_eq!(sees(person, SEATS).await, seats, "{engines:?} {who}");
            assert_eq!(follows(&gateway, person).await, seats, "{engines:?} {who}");
        }
        // What would do is named whole.
        let refused = bob.ask(SEATS).await;
        let message = "one of the permissions `billing.read`, `usage.read`, `members.invite` is needed";
        assert_eq!(refused.body["errors"][0]["message"], message, "{engines:?}");
        assert_eq!(
            carol.ask(PLANS).await.ok().at("viewer.organization.plans"),
            &json!([{ "key": "small" }, { "key": "large" }])
        );
    }
}

/// S0.10, S0.13: each of the permissions opens what is its own.
#[tokio::test]
async fn s0_10_s0_13_billing_opens_plan_and_seats_and_usage_the_seats_alone() {
    let each = [
        ("[\"billing.read\"]", true, true),
        ("[\"usage.read\"]", false, true),
        ("[\"members.invite\"]", false, true),
        // Changing the plan, or recording invoices, is not seeing them.
        ("[\"billing.manage\", \"billing.record\", \"usage.record\", \"members.read\"]", false, false),
    ];
    for (permissions, plan, seats) in each {
        let (gateway, _, carol) = treasurer(permissions).await;
        assert_eq!((sees(&carol, PLAN).await, sees(&carol, PLANS).await), (plan, plan), "{permissions}");
        assert_eq!(sees(&carol, SEATS).await, seats, "{permissions}");
        assert_eq!(follows(&gateway, &carol).await, seats, "{permissions}");
    }
}

/// A program sees by its rights, and of them what its token's scopes leave.
#[tokio::test]
async fn s0_10_a_program_sees_the_plan_by_its_rights() {
    let gateway = Gateway::sqlite().await;
    let rules = RULES.replace("[\"usage.record\", \"billing.record\"]", "[\"billing.*\"]");
    assert_ne!(rules, RULES);
    gateway.service.install_blueprint(&rules).await.unwrap();
    gateway.organization("acme", "metered", "small").await;
    gateway.settle().await;
    let whole = program(&gateway, "acme").await;
    assert!(sees(&whole, PLAN).await && sees(&whole, PLANS).await && sees(&whole, SEATS).await);
    let scopes = vec!["billing.record".to_owned()];
    let new = NewToken { name: "Recorder".to_owned(), scopes, expires_in_days: 1, account: None };
    let created = gateway.service.create_api_token_as_operator("acme", new).await.unwrap();
    let narrow = gateway.stranger().with_token(created.secret.as_deref().unwrap());
    assert!(!sees(&narrow, PLAN).await && !sees(&narrow, PLANS).await && !sees(&narrow, SEATS).await);
}

/// What the service itself knows of somebody, without the guards of the API.
async fn access(gateway: &Gateway, tenant: &Tenant, person: &Person) -> Access {
    let (session, user) = (person.session, person.user);
    let identity = SessionIdentity { session, user, organization: Some(tenant.id), member: person.member };
    let client = Client { address: Ipv4Addr::LOCALHOST.into(), user_agent: None };
    gateway.service.access(Credential::Session(identity), client).await.unwrap().unwrap()
}

/// S0.10: the rule is the service's, whoever asks it.
#[tokio::test]
async fn s0_10_the_service_itself_shows_no_plan_without_billing() {
    let (gateway, tenant, carol) = treasurer("[\"billing.read\"]").await;
    let bob = gateway.member(&tenant, "bob", "reader").await;
    gateway.settle().await;
    let (carol, bob) = (access(&gateway, &tenant, &carol).await, access(&gateway, &tenant, &bob).await);
    let (carol, bob) = (carol.standing().unwrap(), bob.standing().unwrap());
    assert_eq!(plan::present(carol).unwrap(), "small");
    assert_eq!(plan::all(carol).unwrap().collect::<Vec<_>>(), ["small", "large"]);
    assert!(matches!(plan::present(bob), Err(ServiceError::Forbidden(_))));
    assert!(matches!(plan::all(bob).map(|_| ()), Err(ServiceError::Forbidden(_))));
    assert!(matches!(gateway.service.seat_usage(bob).await, Err(ServiceError::Forbidden(_))));
}

/// Who may no more hears no more: the next look is refused, and is the last.
#[tokio::test]
async fn s0_10_who_may_see_the_seats_no_more_follows_them_no_more() {
    for engines in Engines::ALL {
        let Metered { gateway, alice, carol, .. } = metered(engines).await;
        let mut events = Events::open(&gateway, &carol, FOLLOW).await;
        assert!(events.next().await.unwrap()["data"]["seatUsageChanged"].is_array(), "{engines:?}");
        let take = json!({ "member": member_id(carol.member.unwrap()), "role": "treasurer" });
        alice.call("removeMemberRole", take, "member { id }").await.ok();
        let last = events.next().await.unwrap();
        assert_eq!(last["errors"][0]["extensions"]["code"], "FORBIDDEN", "{engines:?}: {last}");
        assert_eq!(events.next().await, None, "{engines:?}");
        assert!(!sees(&carol, SEATS).await && !sees(&carol, PLAN).await, "{engines:?}");
    }
}

/// Q28: whoever lets people in again without inviting any is told beforehand that no seat is free, as the refusal tells it, and is
/// shown no count.
#[tokio::test]
async fn q28_who_brings_people_back_is_told_that_no_seat_is_free() {
    let (gateway, tenant, carol) = treasurer("[\"members.read\", \"members.update\"]").await;
    let bob = gateway.member(&tenant, "bob", "reader").await;
    let sql = "UPDATE member SET state = 'suspended' WHERE id = $1";
    gateway.database.run(sql, [bob.member.unwrap().into()]).await.unwrap();
    gateway.settle().await;
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { viewerCannotReactivateReasons { code } } } }";
    let full = async || {
        let told = carol.send(ask, json!({ "id": member_id(bob.member.unwrap()) })).await.ok();
        told.at("node.viewerCannotReactivateReasons").to_string().contains("SEAT_LIMIT")
    };
    assert!(!full().await);
    for number in 0..5 {
        gateway.member(&tenant, &format!("reader{number}"), "reader").await;
    }
    gateway.settle().await;
    assert!(full().await && !sees(&carol, SEATS).await);
}

/// S0.11, S0.44: a plan says what it includes of each meter and what happens beyond, and that beside its seats.
#[tokio::test]
async fn s0_11_s0_44_a_plan_tells_its_meters_and_their_limits() {
    let place = metered(Engines::Embedded).await;
    let asked = "{ viewer { organization { plan { key seats { pool limit } meters { meter label help unit kind limit onLimit } }
                   plans { key meters { meter limit onLimit } } } } }";
    let told = place.carol.ask(asked).await.ok();
    let plan = told.at("viewer.organization.plan");
    assert_eq!((&plan["key"], &plan["seats"]), (&json!("small"), &json!([{ "pool": "readers", "limit": 5 }])));
    let of = |plan: &Value, meter: &str| {
        let meters = plan["meters"].as_array().unwrap();
        let found = meters.iter().find(|row| row["meter"] == meter).unwrap_or_else(|| panic!("{meter}: {plan}"));
        (found["limit"].clone(), found["onLimit"].clone())
    };
    let limited = |limit: &str, beyond: &str| (json!(limit), json!(beyond));
    let unlimited = (Value::Null, Value::Null);
    assert_eq!(of(plan, "credits"), limited("100", "REFUSE"));
    assert_eq!(of(plan, "messages"), limited("10", "WARN"));
    assert_eq!(of(plan, "storage"), limited("5000000000", "REFUSE"), "beyond 32 bits");
    assert_eq!((of(plan, "visits"), of(plan, "wallet")), (unlimited.clone(), unlimited.clone()));
    // In the blueprint's order, with its words.
    let keys: Vec<&Value> = plan["meters"].as_array().unwrap().iter().map(|row| &row["meter"]).collect();
    assert_eq!(keys, ["credits", "messages", "storage", "visits", "wallet"]);
    let wallet = &plan["meters"][4];
    assert_eq!((&wallet["label"], &wallet["unit"]), (&json!("Credit wallet"), &json!("credits")));
    assert_eq!(
        (&wallet["help"], &wallet["kind"]),
        (&json!("Bought beside the plan: what is left of it."), &json!("GAUGE"))
    );
    let large = &told.at("viewer.organization.plans")[1];
    assert_eq!((of(large, "credits"), of(large, "messages")), (limited("1000", "REFUSE"), unlimited));
}
