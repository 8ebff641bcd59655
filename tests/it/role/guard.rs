//! Nobody rises by a role of the organization's own.

use serde_json::json;

use super::{DESK, become_role, create, desk, may, permissions, role, update};
use crate::support::{
    gateway::{Engines, Gateway},
    people::{fields, member_id},
};

/// C17: a custom role never has more than its base, whatever its author holds.
#[tokio::test]
async fn c17_a_custom_role_stays_within_its_base() {
    let desk = desk().await;
    let beyond = json!([{ "kind": "board", "feature": "cards", "level": "admin" }]);
    let refused = create(&desk.alice, role("big", "lead", &["members.read", "billing.manage"], beyond)).await;
    assert_eq!(refused.refusals("createRole"), ["NOT_GRANTABLE", "NOT_GRANTABLE"]);
    create(&desk.alice, role("big", "lead", &["members.read"], json!([]))).await.ok();
    let widened = json!({ "role": "custom:big", "permissions": ["billing.manage"] });
    assert_eq!(update(&desk.alice, widened).await.refusals("updateRole"), ["NOT_GRANTABLE"]);
}

/// C17: a row that says more than its base, written past the gateway, gives no more than the base.
#[tokio::test]
async fn c17_a_row_that_says_more_gives_no_more() {
    let desk = desk().await;
    create(&desk.alice, role("big", "lead", &["members.read"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:big").await;
    let sql = "UPDATE custom_role SET permissions = $1, access = $1";
    desk.gateway.database.run(sql, [json!(["*"]).into()]).await.unwrap();
    desk.gateway.settle().await;
    let held = permissions(&bob).await;
    assert_eq!(held, ["blueprint.move", "members.invite", "members.read", "roles.assign", "roles.manage"]);
    assert!(may(&bob, desk.board, "cards", "edit").await && !may(&bob, desk.board, "cards", "purge").await);
}

/// C17: whoever holds a part of an unbounded role gives no more than that part, though the whole role could.
#[tokio::test]
async fn c17_less_than_an_unbounded_role_is_bounded() {
    let desk = desk().await;
    create(&desk.alice, role("deputy", "chief", &["members.read", "roles.assign"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:deputy").await;
    let carol = desk.gateway.member(&desk.tenant, "carol", "member").await;
    desk.gateway.settle().await;
    for stronger in ["chief", "lead"] {
        assert_eq!(become_role(&bob, &carol, stronger).await.refusals("changeMemberRole"), ["NOT_GRANTABLE"]);
    }
    become_role(&bob, &carol, "custom:deputy").await.ok();
    // A form offers what can be given, and nothing else.
    let form = bob.ask("{ organization(slug: \"acme\") { invitationForm { roles { key } } } }").await.ok();
    let offered: Vec<&str> = form
        .at("organization.invitationForm.roles")
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|role| role["key"].as_str())
        .collect();
    assert!(offered.contains(&"custom:deputy"), "{offered:?}");
    for key in ["chief", "lead", "member"] {
        assert!(!offered.contains(&key), "{offered:?}");
        assert_eq!(become_role(&bob, &carol, key).await.refusals("changeMemberRole"), ["NOT_GRANTABLE"]);
    }
    // Without the permission to change roles, its base's word on whom it names means nothing.
    create(&desk.alice, role("idle", "chief", &["members.read"], json!([]))).await.ok();
    become_role(&desk.alice, &bob, "custom:idle").await.ok();
    assert_eq!(become_role(&bob, &carol, "member").await.codes(), ["FORBIDDEN"]);
}

/// S2.31, C17: a bounded author makes no role beyond what it holds, and widens none so.
#[tokio::test]
async fn a_bounded_author_makes_no_role_beyond_itself() {
    let desk = desk().await;
    let bob = desk.gateway.member(&desk.tenant, "bob", "lead").await;
    let refused = create(&bob, role("money", "chief", &["billing.manage"], json!([]))).await;
    assert_eq!(refused.refusals("createRole"), ["NOT_GRANTABLE"]);
    assert_eq!(fields(&refused, "createRole"), ["permissions.0"]);
    let message = "you cannot give what you do not hold: `billing.manage`";
    assert_eq!(refused.at("createRole.userErrors.0.message"), message);
    let purge = json!([{ "kind": "board", "feature": "cards" }]);
    let refused = create(&bob, role("cleaner", "chief", &["members.read"], purge)).await;
    assert_eq!(fields(&refused, "createRole"), ["access.0"], "{}", refused.text);
    create(&bob, role("small", "chief", &["members.read"], json!([]))).await.ok();
    let widened = json!({ "role": "custom:small", "permissions": ["members.read", "billing.manage"] });
    assert_eq!(update(&bob, widened.clone()).await.refusals("updateRole"), ["NOT_GRANTABLE"]);
    update(&desk.alice, widened).await.ok();
    // What is in it already is not given by narrowing the rest.
    update(&bob, json!({ "role": "custom:small", "permissions": ["billing.manage"] })).await.ok();
}

/// C1: nobody, bounded or not, widens a role of their own beyond what they hold.
#[tokio::test]
async fn c1_nobody_widens_a_role_of_their_own() {
    let desk = desk().await;
    create(&desk.alice, role("warden", "chief", &["members.read", "roles.manage"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:warden").await;
    desk.gateway.grant_role(&desk.tenant, "member", bob.member, "free_hand").await;
    desk.gateway.settle().await;
    let widened = json!({ "role": "custom:warden", "permissions": ["members.read", "roles.manage", "billing.manage"] });
    assert_eq!(update(&bob, widened).await.refusals("updateRole"), ["NOT_GRANTABLE"]);
    assert_eq!(permissions(&bob).await, ["members.read", "roles.manage"]);
    // A role that does not reach its author is its unbounded author's to make.
    create(&bob, role("money", "chief", &["billing.manage"], json!([]))).await.ok();
}

/// C1: nor does anybody put a flag down that bounds what they may hold, and what is told beforehand says so.
#[tokio::test]
async fn c1_nobody_puts_down_a_flag_that_bounds_them() {
    let leash =
        "[roles.leash]\nlabel = \"Leash\"\nflag = true\nceiling = [\"members.*\", \"roles.*\"]\n\n[roles.keeper]";
    let gateway = Gateway::on(Engines::Embedded).await;
    gateway.service.install_blueprint(&DESK.replace("[roles.keeper]", leash)).await.unwrap();
    let tenant = gateway.organization("acme", "desk", "free").await;
    let alice = gateway.member(&tenant, "alice", "owner").await;
    let bob = gateway.member(&tenant, "bob", "chief").await;
    gateway.grant_role(&tenant, "member", bob.member, "leash").await;
    gateway.settle().await;
    let bobs = member_id(bob.member.unwrap());
    let off = json!({ "member": bobs, "role": "leash" });
    let refused = bob.call("removeMemberRole", off.clone(), "member { id }").await;
    assert_eq!(refused.refusals("removeMemberRole"), ["NOT_GRANTABLE"], "{}", refused.text);
    let ask = "query($id: ID!) { node(id: $id) { ... on Member {
        viewerCannotRemoveRoleReasons(role: \"leash\") { code message } } } }";
    let told = bob.send(ask, json!({ "id": bobs })).await.ok();
    let reasons = json!([{ "code": "NOT_GRANTABLE", "message": "nobody raises themselves" }]);
    assert_eq!(told.at("node.viewerCannotRemoveRoleReasons"), &reasons);
    alice.call("removeMemberRole", off, "member { id }").await.ok();
}

/// C13: a role that names nothing gives nothing.
#[tokio::test]
async fn c13_an_empty_role_gives_nothing() {
    let desk = desk().await;
    let made = create(&desk.alice, role("empty", "chief", &[], json!([]))).await.ok();
    assert_eq!(made.at("createRole.role.permissions"), &json!([]));
    assert_eq!(made.at("createRole.role.access"), &json!([]));
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:empty").await;
    desk.gateway.settle().await;
    assert!(permissions(&bob).await.is_empty());
    let seen = bob.ask("{ organization(slug: \"acme\") { apps { totalCount } } }").await.ok();
    assert_eq!(seen.at("organization.apps.totalCount"), 0);
    for action in ["view", "edit", "purge"] {
        assert!(!may(&bob, desk.board, "cards", action).await);
    }
    assert_eq!(create(&bob, role("more", "chief", &[], json!([]))).await.codes(), ["FORBIDDEN"]);
}

/// A12: a role that is deleted and made again under its key gives nothing to those who held the first: it is not deleted while
/// somebody does.
#[tokio::test]
async fn a12_a_role_made_again_has_no_holders() {
    let desk = desk().await;
    create(&desk.alice, role("small", "chief", &["billing.read"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:small").await;
    let held = super::delete(&desk.alice, "custom:small").await;
    assert_eq!(held.refusals("deleteRole"), ["ROLE_IN_USE"]);
    become_role(&desk.alice, &bob, "member").await.ok();
    super::delete(&desk.alice, "custom:small").await.ok();
    create(&desk.alice, role("small", "chief", &["billing.read"], json!([]))).await.ok();
    assert_eq!(permissions(&bob).await, ["members.read"]);
}
