//! Owner, Admin, User: what each may, and the sections that are the owner's alone (S2.27 to S2.29, S2.33 to S2.41).

use serde_json::json;

use super::suite::{Suite, id_of, invited, keys, suite, update};
use crate::{
    operations::{run, send},
    support::{
        gateway::{Gateway, Person},
        people::{remedies, switch},
    },
};

const CODES: [&str; 6] =
    ["children.create", "children.read", "billing.read", "billing.manage", "branding.manage", "domains.manage"];

async fn menus(person: &Person) -> Vec<String> {
    keys(person.ask("{ viewer { menus { key } } }").await.ok().at("viewer.menus"))
}

/// S2.27, S2.41: whoever creates the account is its owner, and there is exactly one.
#[tokio::test]
async fn s2_27_s2_41_the_creator_is_the_one_owner() {
    let gateway = Gateway::sqlite().await;
    let dave = gateway.person("dave").await;
    let input = json!({ "name": "New", "slug": "new", "blueprint": "business-suite", "plan": "agency" });
    dave.call("createOrganization", input, "organization { slug }").await.ok();
    let dave = switch(&dave, "new").await;
    let own = dave.ask("{ organization(slug: \"new\") { viewerMember { id roles { key } isPrimary } } }").await.ok();
    assert_eq!(own.at("organization.viewerMember.roles.0.key"), "owner");
    let suite = suite().await;
    let Suite { alice, carol, bob, .. } = &suite;
    for (by, who) in [(alice, bob), (alice, carol), (carol, bob), (carol, carol)] {
        let second = update(by, who.member.unwrap(), json!({ "role": "owner" })).await;
        assert_eq!(second.refusals("updateMember"), ["NOT_GRANTABLE"]);
    }
    let down = update(alice, alice.member.unwrap(), json!({ "role": "admin" })).await;
    assert_eq!(down.refusals("updateMember").len(), 1, "the only owner stays: {}", down.text);
    let left = alice.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(left.refusals("leaveOrganization"), ["LAST_HOLDER"]);
}

/// S2.28, Q12: ownership cannot be handed over.
#[tokio::test]
async fn s2_28_q12_ownership_cannot_be_handed_over() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let to = json!({ "role": "owner", "member": id_of(&carol), "confirm": true });
    let refused = alice.call("transferRole", to, "to { id }").await;
    assert_eq!(refused.refusals("transferRole"), ["NOT_GRANTABLE"]);
    let grab = json!({ "role": "owner", "member": id_of(&bob), "confirm": true });
    assert_eq!(carol.call("transferRole", grab, "to { id }").await.refusals("transferRole")[0], "NOT_GRANTABLE");
    let roles = alice.ask("{ organization(slug: \"acme\") { roles { key transferable } } }").await.ok();
    assert!(roles.at("organization.roles").as_array().unwrap().iter().all(|role| role["transferable"] == false));
}

/// Q12: where the blueprint says what the holder takes instead, a role is handed over in one step, by its holder alone.
#[tokio::test]
async fn q12_a_role_is_handed_over_where_the_blueprint_lets_it() {
    let gateway = Gateway::sqlite().await;
    let source = include_str!("../../../../blueprints/business-suite.toml")
        .replace("name = \"business-suite\"", "name = \"handed-over\"")
        .replace("step_down = false", "step_down = false\ntransfer = \"admin\"");
    gateway.service.install_blueprint(&source).await.unwrap();
    let acme = gateway.organization("acme", "handed-over", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    gateway.settle().await;
    let left = alice.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(
        remedies(&left, "leaveOrganization"),
        ["Have the role Owner handed over to someone else first, then leave."]
    );
    let down = update(&alice, alice.member.unwrap(), json!({ "role": "admin" })).await;
    assert_eq!(remedies(&down, "updateMember"), ["Hand it over instead."]);
    let give = |to: &Person, confirm: bool| json!({ "role": "owner", "member": id_of(to), "confirm": confirm });
    let shown = "from { roles { key } } to { roles { key } }";
    assert_eq!(alice.call("transferRole", give(&bob, false), shown).await.refusals("transferRole"), ["NOT_CONFIRMED"]);
    assert_eq!(alice.call("transferRole", give(&alice, true), shown).await.refusals("transferRole"), ["INVALID"]);
    assert_eq!(carol.call("transferRole", give(&bob, true), shown).await.refusals("transferRole"), ["NOT_GRANTABLE"]);
    let invited = invited(&alice, "dave", json!({})).await;
    let pending = json!({ "role": "owner", "member": crate::support::people::member_id(invited), "confirm": true });
    assert_eq!(alice.call("transferRole", pending, shown).await.refusals("transferRole"), ["STATE_CHANGED"]);
    let done = alice.call("transferRole", give(&bob, true), shown).await.ok();
    assert_eq!(keys(done.at("transferRole.from.roles")), ["admin"]);
    assert_eq!(keys(done.at("transferRole.to.roles")), ["owner"]);
    assert!(menus(&bob).await.contains(&"subscriptions".to_owned()));
    assert!(!menus(&alice).await.contains(&"subscriptions".to_owned()));
    let again = alice.call("transferRole", give(&carol, true), shown).await;
    assert_eq!(again.refusals("transferRole"), ["NOT_GRANTABLE"], "it is somebody else's now");
}

/// S2.29: the owner creates admins and users, and gives them what it likes.
#[tokio::test]
async fn s2_29_the_owner_creates_admins_and_users_freely() {
    let suite = suite().await;
    for role in ["admin", "user"] {
        let member = invited(&suite.alice, &format!("new-{role}"), json!({ "role": role, "access": [] })).await;
        let ticks = super::suite::tree(&[(suite.billing, &["payments"])]);
        update(&suite.alice, member, json!({ "access": ticks })).await.ok();
        assert_eq!(super::suite::held(&suite.gateway, member).await, ["billing invoicing.payments"]);
    }
}

/// S2.33, S2.34, S2.35, S2.38: sub-accounts, subscriptions and the other reserved sections are the owner's alone.
#[tokio::test]
async fn s2_33_s2_34_s2_35_s2_38_reserved_sections_are_the_owners_alone() {
    let suite = suite().await;
    let Suite { alice, carol, bob, .. } = &suite;
    update(alice, carol.member.unwrap(), json!({ "accessMode": "ALL" })).await.ok();
    update(alice, bob.member.unwrap(), json!({ "accessMode": "ALL" })).await.ok();
    let sections = ["sub_accounts", "subscriptions", "white_label", "domains", "api"];
    let owners = menus(alice).await;
    assert!(sections.iter().all(|section| owners.iter().any(|menu| menu == section)), "{owners:?}");
    let ask = "{ viewer { permissions } organization(slug: \"acme\") { children { totalCount } viewerCanCreateChild
        viewerCannotCreateChildReasons { code } viewerCanChangePlan } }";
    assert_eq!(alice.ask(ask).await.ok().at("organization.children.totalCount"), 0);
    for person in [carol, bob] {
        let menus = menus(person).await;
        assert!(!sections.iter().any(|section| menus.iter().any(|menu| menu == section)), "{menus:?}");
        let seen = person.ask(ask).await;
        assert_eq!(seen.codes(), ["FORBIDDEN"]);
        assert!(seen.at("organization.children").is_null());
        assert_eq!(seen.at("organization.viewerCanCreateChild"), false);
        assert_eq!(seen.at("organization.viewerCannotCreateChildReasons.0.code"), "FORBIDDEN");
        assert_eq!(seen.at("organization.viewerCanChangePlan"), false);
        let permissions = seen.at("viewer.permissions").to_string();
        assert!(!CODES.iter().any(|code| permissions.contains(code)), "{permissions}");
        assert_eq!(
            person.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.codes(),
            ["FORBIDDEN"]
        );
        let child = json!({ "name": "Sub", "slug": "sub", "blueprint": "business-suite", "parent": "acme" });
        assert_eq!(person.call("createOrganization", child, "organization { id }").await.codes(), ["FORBIDDEN"]);
    }
}

/// S2.34, S2.38: neither an Admin nor a User sees the plan or what else there is; the seats an Admin sees, who invites.
#[tokio::test]
async fn s2_34_s2_38_the_subscription_is_shown_to_the_owner_alone() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let here = json!({ "organization": "acme" });
    let owners = run(&alice, "business-suite/subscriptions", here.clone()).await;
    assert_eq!(owners.at("organization.plan.key"), "agency");
    assert_eq!(owners.at("organization.plans").as_array().unwrap().len(), 3);
    for (person, refused) in [(&carol, 2), (&bob, 3)] {
        let seen = send(person, "business-suite/subscriptions", here.clone()).await;
        assert_eq!(seen.codes(), vec!["FORBIDDEN"; refused], "{}", seen.text);
        let organization = seen.at("organization");
        assert!(organization["plan"].is_null() && organization["plans"].is_null(), "{organization}");
        assert_eq!(organization["seatUsage"].is_array(), person.name == "carol", "{organization}");
        assert_eq!(organization["viewerCanChangePlan"], false);
    }
}

/// S2.36: user is the role that is preselected, being the most common one.
#[tokio::test]
async fn s2_36_user_is_preselected() {
    let suite = suite().await;
    let form = "{ organization(slug: \"acme\") { invitationForm { defaultRole { key label } } } }";
    assert_eq!(suite.carol.ask(form).await.ok().at("organization.invitationForm.defaultRole.key"), "user");
    let made = super::suite::try_invite(&suite.alice, "dave", json!({})).await.ok();
    assert_eq!(keys(made.at("inviteMember.member.roles")), ["user"]);
}

/// S2.39, S2.40: a section per application, and a label and help text for every single permission.
#[tokio::test]
async fn s2_39_s2_40_every_permission_has_a_label_and_help() {
    let suite = suite().await;
    let form =
        crate::operations::run(&suite.alice, "business-suite/invite-form", json!({ "organization": "acme" })).await;
    let kinds = form.at("organization.appKinds").as_array().unwrap().clone();
    assert_eq!(kinds.len(), 5);
    let mut permissions = 0;
    for kind in &kinds {
        for feature in kind["features"].as_array().unwrap() {
            for action in feature["actions"].as_array().unwrap() {
                permissions += 1;
                for text in ["label", "help"] {
                    assert!(action[text].as_str().is_some_and(|text| text.len() > 3), "{kind} {action}");
                }
            }
        }
    }
    assert_eq!(permissions, 40);
    assert_eq!(form.at("organization.apps.edges").as_array().unwrap().len(), 3);
}
