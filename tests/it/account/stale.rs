//! What a session or an account could do before, by whatever it was given (A3, A6, A8).

use serde_json::json;

use super::words::{PASSWORD, address, give_passwords, is_known, refresh, sign_in, text};
use crate::support::{
    gateway::{Engines, Gateway, Person},
    people::{accept, invite, member_id, newest_token},
};

/// carol, a super admin of acme beside alice, signed in there by her password; her refresh token.
async fn signed_in(gateway: &Gateway) -> (Person, Person, String) {
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let carol = gateway.member(&acme, "carol", "super_admin").await;
    give_passwords(gateway).await;
    let answer = sign_in(gateway, &address("carol"), PASSWORD).await.ok();
    let carol = carol.with_token(text(&answer, "signIn.accessToken"));
    (alice, carol, text(&answer, "signIn.refreshToken").to_owned())
}

async fn may_invite(person: &Person) -> bool {
    let answer = person.ask("{ viewer { permissions } }").await;
    answer.at("viewer.permissions").as_array().is_some_and(|held| held.contains(&json!("members.invite")))
}

#[tokio::test]
async fn a3_a_refresh_makes_a_token_with_the_rights_of_now() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (alice, carol, token) = signed_in(&gateway).await;
        assert!(may_invite(&carol).await, "{engines:?}");
        let input = json!({ "member": member_id(carol.member.unwrap()), "role": "member" });
        alice.call("changeMemberRole", input, "member { id }").await.ok();
        let refreshed = refresh(&gateway, &token).await.ok();
        let later = carol.with_token(text(&refreshed, "refreshSession.accessToken"));
        assert!(is_known(&later).await && !may_invite(&later).await, "{engines:?}");
        assert!(!may_invite(&carol).await, "{engines:?}");
    }
}

/// However it asks: by its password, by its refresh token, by its session, by a token that it made.
#[tokio::test]
async fn a6_a_suspended_account_is_let_in_by_no_way() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (_, carol, token) = signed_in(&gateway).await;
        let made = json!({ "name": "Backend", "scopes": ["members.read"] });
        let made = carol.call("createApiToken", made, "secret").await.ok();
        let program = carol.with_token(text(&made, "createApiToken.secret"));
        let reads = "{ organization(slug: \"acme\") { members { totalCount } } }";
        assert_eq!(program.ask(reads).await.ok().at("organization.members.totalCount"), 2, "{engines:?}");

        gateway.database.run("UPDATE user_account SET state = 'suspended' WHERE name = 'carol'", []).await.unwrap();
        gateway.settle().await;
        let entered = sign_in(&gateway, &address("carol"), PASSWORD).await;
        assert!(entered.at("signIn.accessToken").is_null(), "{engines:?}: {}", entered.text);
        assert_eq!(refresh(&gateway, &token).await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        assert_eq!(carol.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        let seen = program.ask(reads).await;
        assert_ne!(seen.at("organization.members.totalCount"), 2, "{engines:?}: {}", seen.text);
    }
}

/// Refresh tokens, view-as, cursors and links of invitations end with what they were made by.
#[tokio::test]
async fn a8_nothing_made_beside_a_session_outlives_it() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (alice, carol, token) = signed_in(&gateway).await;
        invite(&carol, "dave@example.org").await.ok();
        let link = newest_token(&gateway);
        let first = "{ organization(slug: \"acme\") { members(first: 1) { pageInfo { endCursor } } } }";
        let page = carol.ask(first).await.ok();
        let cursor = page.at("organization.members.pageInfo.endCursor").clone();

        let input = json!({ "member": member_id(carol.member.unwrap()), "confirm": true });
        alice.call("removeMember", input, "__typename").await.ok();
        let next = "query($after: String) { organization(slug: \"acme\") { members(first: 1, after: $after) { edges { node { id } } } } }";
        let seen = carol.send(next, json!({ "after": cursor })).await;
        assert!(seen.at("organization.members.edges.0").is_null(), "{engines:?}: {}", seen.text);
        carol.call("signOut", json!({}), "__typename").await;
        assert_eq!(refresh(&gateway, &token).await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        assert_eq!(carol.ask("{ viewer { id } }").await.status, 401, "{engines:?}");

        let listed = "{ organization(slug: \"acme\") { invitations { edges { node { id } } } } }";
        let pending = alice.ask(listed).await.ok();
        let id = pending.at("organization.invitations.edges.0.node.id").clone();
        alice.call("revokeInvitation", json!({ "invitation": id }), "__typename").await.ok();
        let dave = gateway.person("dave").await;
        assert!(!accept(&dave, &link).await.refusals("acceptInvitation").is_empty(), "{engines:?}");
    }
}
