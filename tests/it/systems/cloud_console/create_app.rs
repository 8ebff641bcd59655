//! The button that makes an app, and what making one is answered (S4.11, S4.17, S4.22, S4.24).

use serde_json::{Value, json};
use uuid::Uuid;

use super::console::{Console, app_id, console, make};
use crate::support::gateway::{Answer, Engines, Gateway, Person};

const KINDS: [&str; 7] =
    ["workspace_group", "workspace", "project_group", "project", "data_collector", "budget", "no_such_kind"];

/// The codes of the reasons why somebody cannot make an app there; empty where the button is shown.
async fn told(person: &Person, kind: &str, parent: Option<Uuid>) -> Vec<String> {
    let ask = "query($kind: String!, $parent: ID) { organization(slug: \"acme\") {
        viewerCanCreateApp(kind: $kind, parent: $parent)
        viewerCannotCreateAppReasons(kind: $kind, parent: $parent) { code message } } }";
    let answer = person.send(ask, json!({ "kind": kind, "parent": parent.map(app_id) })).await.ok();
    let reasons = answer.at("organization.viewerCannotCreateAppReasons").as_array().unwrap().clone();
    let can = answer.at("organization.viewerCanCreateApp") == &Value::Bool(true);
    assert_eq!(can, reasons.is_empty(), "{}", answer.text);
    reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

/// The same, as the app above it tells it; `None` where that is not seen.
async fn told_there(person: &Person, kind: &str, parent: Uuid) -> Option<Vec<String>> {
    let ask = "query($id: ID!, $kind: String!) { node(id: $id) { ... on App {
        viewerCanCreateApp(kind: $kind) viewerCannotCreateAppReasons(kind: $kind) { code } } } }";
    let answer = person.send(ask, json!({ "id": app_id(parent), "kind": kind })).await.ok();
    let reasons = answer.at("node.viewerCannotCreateAppReasons").as_array()?.clone();
    assert_eq!(answer.at("node.viewerCanCreateApp"), reasons.is_empty(), "{}", answer.text);
    Some(reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect())
}

/// A program of the workspace with these scopes.
async fn program(gateway: &Gateway, owner: &Person, (shop, scopes): (Uuid, Value)) -> Person {
    let input = json!({ "name": "Builder", "role": "workspace_app", "app": app_id(shop) });
    let made = owner.call("createServiceAccount", input, "serviceAccount { id }").await.ok();
    let account = made.at("createServiceAccount.serviceAccount.id");
    let input = json!({ "name": "Secret", "serviceAccount": account, "scopes": scopes });
    let made = owner.call("createApiToken", input, "secret").await.ok();
    gateway.stranger().with_token(made.at("createApiToken.secret").as_str().unwrap())
}

async fn really(person: &Person, kind: &str, (slug, parent): (&str, Option<Uuid>)) -> Answer {
    let input = json!({ "kind": kind, "slug": slug, "name": slug, "parent": parent.map(app_id) });
    person.call("createApp", input, "__typename").await
}

/// S4.11, S4.17, S4.22, S4.24: whoever asks, of whatever kind and wherever: what the button says is what making the app is answered.
#[tokio::test]
async fn s4_11_s4_22_s4_24_the_button_agrees_with_what_making_an_app_is_answered() {
    let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let project = make(&bob, "project", "till", Some(shop)).await;
    let closed = make(&bob, "project_group", "old", Some(shop)).await;
    let off = json!({ "app": app_id(closed), "state": "DISABLED" });
    bob.call("updateApp", off, "app { id }").await.ok();
    let builder = program(&gateway, &bob, (shop, json!([]))).await;
    let reader = program(&gateway, &bob, (shop, json!(["*.*.view"]))).await;
    let places = [None, Some(shop), Some(bank), Some(group), Some(project), Some(closed), Some(Uuid::nil())];
    let people = [&alice, &bob, &carol, &dave, &builder, &reader];
    let (mut yes, mut no) = ([0; 6], 0);
    for (who, person) in people.into_iter().enumerate() {
        for (at, place) in places.into_iter().enumerate() {
            for (which, kind) in KINDS.into_iter().enumerate() {
                let told = told(person, kind, place).await;
                if let Some(place) = place
                    && let Some(there) = told_there(person, kind, place).await
                {
                    assert_eq!(there, told, "{who} {kind} {at}");
                }
                let made = really(person, kind, (&format!("new-{who}-{at}-{which}"), place)).await;
                let scene = format!("{} ({who}) {kind} in {at}: told {told:?}, answered {}", person.name, made.text);
                match made.codes().as_slice() {
                    [] => assert_eq!(told, made.refusals("createApp"), "{scene}"),
                    // One that is hidden is told as one that there is not.
                    ["FORBIDDEN" | "NOT_FOUND"] => assert_eq!(told, ["FORBIDDEN"], "{scene}"),
                    _ => panic!("{scene}"),
                }
                if told.is_empty() {
                    yes[who] += 1;
                } else {
                    no += 1;
                }
            }
        }
    }
    // An admin makes what there is wherever it stands; an owner and its program what stands in the workspace; a member nothing.
    assert!(yes[0] > yes[1] && yes[1] > 0 && yes[3] > 0, "{yes:?}");
    assert_eq!((yes[1], yes[2], yes[5]), (yes[4], 0, 0), "{yes:?}");
    assert!(no > 100, "{no}");
}

/// Who may not make an app there learns nothing of the kinds there are.
#[tokio::test]
async fn s4_24_who_makes_no_apps_is_told_that_and_no_more() {
    let Console { gateway: _open, alice, carol, shop, .. } = console(Engines::Embedded).await;
    for kind in KINDS {
        assert_eq!(told(&carol, kind, Some(shop)).await, ["FORBIDDEN"], "{kind}");
    }
    assert_eq!(told(&alice, "no_such_kind", Some(shop)).await, ["NOT_IN_BLUEPRINT"]);
}

/// S4.18, S4.22: an owner invites to its workspace, and so sees the seats; a member of it does not. The domain has no pools, so that
/// there is none to list.
#[tokio::test]
async fn s4_18_s4_22_who_invites_at_an_app_alone_is_shown_the_seats() {
    let Console { gateway: _open, alice, bob, carol, .. } = console(Engines::Embedded).await;
    let ask = "{ viewer { organization { seatUsage { pool used } } } }";
    for person in [&alice, &bob] {
        assert_eq!(person.ask(ask).await.ok().at("viewer.organization.seatUsage"), &json!([]), "{}", person.name);
    }
    assert_eq!(carol.ask(ask).await.codes(), ["FORBIDDEN"]);
    let plan = "{ viewer { organization { plan { key } } } }";
    assert_eq!(alice.ask(plan).await.ok().at("viewer.organization.plan.key"), "domain");
    assert_eq!(bob.ask(plan).await.codes(), ["FORBIDDEN"], "an owner of a workspace pays nothing");
}
