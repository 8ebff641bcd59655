//! Inviting many at once: `inviteMembers`, row by row (C16).

use serde_json::{Value, json};

use super::{Hub, active, hub};
use crate::{
    operations,
    support::{
        gateway::{Answer, Engines, Gateway, Person},
        people::{accept, count, token},
    },
};

async fn send(by: &Person, input: &Value) -> Answer {
    operations::send(by, "support-hub/invite-members", json!({ "input": input })).await
}

async fn invite_all(by: &Person, people: Value) -> Answer {
    send(by, &json!({ "people": people })).await
}

/// The codes of each row's refusals, joined.
fn codes(answer: &Answer) -> Vec<String> {
    let rows = answer.at("inviteMembers.rows").as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    let of_row = |row: &Value| {
        let errors = row["userErrors"].as_array().unwrap().iter();
        let codes: Vec<&str> = errors.map(|error| error["code"].as_str().unwrap()).collect();
        assert_eq!(codes.is_empty(), !row["member"].is_null(), "{row}");
        codes.join(" ")
    };
    rows.iter().map(of_row).collect()
}

/// C16: each of many is judged by itself; one that is refused loses no other, and the report is in order.
#[tokio::test]
async fn c16_each_of_many_is_judged_by_itself() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let foreign = gateway.organization("other", "support-hub", "enterprise").await;
        let hidden = gateway.app(&foreign, "help_center", "theirs").await;
        let tree = json!([{ "app": crate::support::people::app_id(hidden), "features": [{ "feature": "articles" }] }]);
        let people = json!([
            { "email": "bob@example.org", "role": "super_admin" },
            { "email": "no address" },
            { "email": "carol@example.org", "role": "king", "name": "a\nb" },
            { "email": "dave@example.org", "access": tree },
            { "email": "BOB@example.org " },
            { "email": alice.email },
            { "email": "erin@example.org", "notify": false },
            { "email": "frank@example.org", "accessMode": "ALL", "access": [] },
        ]);
        let answer = invite_all(&alice, people.clone()).await;
        assert_eq!(
            codes(&answer),
            ["", "INVALID", "INVALID NOT_IN_BLUEPRINT", "INVALID", "ALREADY_MEMBER", "ALREADY_MEMBER", "", "INVALID"],
            "{engines:?} {}",
            answer.text
        );
        assert_eq!(answer.at("inviteMembers.invited"), 2);
        let emails: Vec<&Value> =
            answer.at("inviteMembers.rows").as_array().unwrap().iter().map(|row| &row["email"]).collect();
        let given: Vec<&Value> = people.as_array().unwrap().iter().map(|row| &row["email"]).collect();
        assert_eq!(emails, given);
        assert!(answer.at("inviteMembers.rows.4.userErrors.0.message").as_str().unwrap().contains("number 1"));
        assert_eq!(answer.at("inviteMembers.rows.0.mailSent"), true);
        assert_eq!(answer.at("inviteMembers.rows.6.mailSent"), false);
        assert_eq!((count(&gateway, "invitation").await, gateway.mails().len()), (2, 1));
        assert_eq!(count(&gateway, "activity_entry WHERE action = 'member.invited'").await, 2);
        let bob = gateway.person("bob").await;
        accept(&bob, &token(&gateway.mails()[0])).await.ok();
        assert_eq!(active(&gateway, &acme).await, 2);
    }
}

/// C16: of many, none is given what the author may not give; who may invite nobody is refused as a whole.
#[tokio::test]
async fn c16_nobody_is_smuggled_in_among_many() {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(include_str!("../cases/agency.toml")).await.unwrap();
    let tenant = gateway.organization("acme", "agency", "open").await;
    let bob = gateway.member(&tenant, "bob", "lead").await;
    let carol = gateway.member(&tenant, "carol", "member").await;
    gateway.settle().await;
    let named = |email: &str, role: &str| json!({ "email": email, "firstName": "M", "lastName": "M", "role": role });
    let people = json!([
        named("m1@example.org", "member"),
        named("m2@example.org", "owner"),
        named("m3@example.org", "lead"),
        named("m4@example.org", "manager"),
    ]);
    let answer = invite_all(&bob, people.clone()).await;
    assert_eq!(codes(&answer), ["", "NOT_GRANTABLE", "", "NOT_GRANTABLE"]);
    let before = count(&gateway, "member").await;
    assert_eq!(invite_all(&carol, people.clone()).await.codes(), ["FORBIDDEN"]);
    assert_eq!(invite_all(&gateway.stranger(), people).await.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(count(&gateway, "member").await, before);
}

/// The seats of a batch end in the middle of it: who came first is in, the others are told.
#[tokio::test]
async fn seats_are_taken_in_the_order_of_the_batch() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    gateway.settle().await;
    let people: Vec<Value> = (0..4).map(|number| json!({ "email": format!("bob{number}@example.org") })).collect();
    let answer = invite_all(&alice, json!(people)).await;
    assert_eq!(codes(&answer), ["", "", "SEAT_LIMIT", "SEAT_LIMIT"]);
    assert_eq!(gateway.mails().len(), 2);
}

/// A batch has 1 to 100 people.
#[tokio::test]
async fn a_batch_is_neither_empty_nor_endless() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let people = |many: usize| -> Value {
        (0..many).map(|number| json!({ "email": format!("bob{number}@example.org"), "notify": false })).collect()
    };
    for (many, remedy) in [(0, "Name whom to invite."), (101, "Send several batches.")] {
        let answer = invite_all(&alice, people(many)).await;
        assert_eq!(answer.refusals("inviteMembers"), ["INVALID"], "{many}: {}", answer.text);
        assert_eq!(answer.at("inviteMembers.rows"), &json!([]));
        assert_eq!(answer.at("inviteMembers.userErrors.0.remedy"), remedy);
    }
    assert_eq!(count(&gateway, "invitation").await, 0);
}

/// The same key gives the first answers again, and finishes what was cut off; another batch under it is an error.
#[tokio::test]
async fn a_repeated_batch_sends_no_second_mail() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let people = json!([{ "email": "bob@example.org" }, { "email": "nobody" }, { "email": "carol@example.org" }]);
    let input = json!({ "people": people, "idempotencyKey": "one" });
    let first = send(&alice, &input).await;
    assert_eq!(codes(&first), ["", "INVALID", ""]);
    let again = send(&alice, &input).await;
    assert_eq!(first.body["data"], again.body["data"]);
    assert_eq!((count(&gateway, "invitation").await, gateway.mails().len()), (2, 2));
    let other = json!({ "people": [{ "email": "dave@example.org" }], "idempotencyKey": "one" });
    assert_eq!(send(&alice, &other).await.codes(), ["CONFLICT"]);
    // Without a key, who is invited already is told so.
    let people = json!([{ "email": "bob@example.org" }]);
    assert_eq!(codes(&invite_all(&alice, people).await), ["ALREADY_MEMBER"]);
}
