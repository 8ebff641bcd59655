//! What becomes of a program's token when whoever made it is demoted, suspended, leaves or is locked out (A7), and that it never does
//! more than its maker could share at that moment (D3).

use serde_json::{Value, json};

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::member_id,
};

const TOKENS: &str = "{ organization(slug: \"acme\") { apiTokens { edges { node { id state } } } } }";

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    carol: Person,
}

/// alice and carol are both super admins.
async fn hub(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let carol = gateway.member(&acme, "carol", "super_admin").await;
    gateway.settle().await;
    Hub { gateway, acme, alice, carol }
}

/// A token that carol makes, warm in every cache.
async fn token(by: &Person) -> (Value, Person) {
    let input = json!({ "name": "Backend", "scopes": ["members.read"] });
    let made = by.call("createApiToken", input, "secret token { id }").await.ok();
    let program = by.with_token(made.at("createApiToken.secret").as_str().unwrap());
    for _ in 0..2 {
        assert!(reads(&program).await.at("organization.members.totalCount").is_u64());
    }
    (made.at("createApiToken.token.id").clone(), program)
}

async fn reads(program: &Person) -> Answer {
    program.ask("{ organization(slug: \"acme\") { members { totalCount } } }").await
}

#[track_caller]
fn refused(answer: &Answer) {
    let count = answer.at("organization.members.totalCount").as_u64();
    assert_eq!(count.unwrap_or_default(), 0, "{}", answer.text);
}

async fn state(by: &Person) -> Value {
    by.ask(TOKENS).await.ok().at("organization.apiTokens.edges.0.node.state").clone()
}

#[tokio::test]
async fn a7_d3_a_demoted_makers_token_does_no_more_than_its_maker_could_share_now() {
    for engines in Engines::ALL {
        let Hub { alice, carol, gateway: _gateway, .. } = hub(engines).await;
        let (_, program) = token(&carol).await;
        let role = |role: &str| json!({ "member": member_id(carol.member.unwrap()), "role": role });
        alice.call("changeMemberRole", role("member"), "member { id }").await.ok();
        refused(&reads(&program).await);
        alice.call("changeMemberRole", role("super_admin"), "member { id }").await.ok();
        assert_eq!(reads(&program).await.ok().at("organization.members.totalCount"), 2, "{engines:?}");
    }
}

#[tokio::test]
async fn a7_a_token_does_nothing_once_its_maker_is_no_active_member() {
    for engines in Engines::ALL {
        let Hub { alice, carol, gateway, .. } = hub(engines).await;
        let (id, program) = token(&carol).await;
        let input = json!({ "member": member_id(carol.member.unwrap()), "confirm": true });
        alice.call("removeMember", input, "__typename").await.ok();
        refused(&reads(&program).await);
        assert_eq!(state(&alice).await, "DISABLED", "{engines:?}");
        // Somebody who holds as much takes it over, with a new secret.
        let again = alice.call("regenerateApiToken", json!({ "token": id }), "secret").await.ok();
        let program = alice.with_token(again.at("regenerateApiToken.secret").as_str().unwrap());
        assert_eq!(reads(&program).await.ok().at("organization.members.totalCount"), 1, "{engines:?}");
        drop(gateway);
    }
}

#[tokio::test]
async fn a7_a_token_does_nothing_while_its_makers_account_or_place_is_suspended() {
    for engines in Engines::DATABASES {
        let Hub { alice, carol, gateway, .. } = hub(engines).await;
        let (_, program) = token(&carol).await;
        for (off, on) in [
            (
                "UPDATE user_account SET state = 'suspended' WHERE name = 'carol'",
                "UPDATE user_account SET state = 'active' WHERE name = 'carol'",
            ),
            (
                "UPDATE member SET state = 'suspended' WHERE name = 'carol'",
                "UPDATE member SET state = 'active' WHERE name = 'carol'",
            ),
        ] {
            gateway.database.run(off, []).await.unwrap();
            gateway.settle().await;
            refused(&reads(&program).await);
            assert_eq!(state(&alice).await, "DISABLED", "{engines:?}");
            gateway.database.run(on, []).await.unwrap();
            gateway.settle().await;
            assert_eq!(reads(&program).await.ok().at("organization.members.totalCount"), 2);
        }
    }
}

#[tokio::test]
async fn a7_what_a_maker_held_through_a_team_ends_with_the_team() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "code-hosting", "free").await;
        let alice = gateway.member(&acme, "alice", "owner").await;
        let carol = gateway.member(&acme, "carol", "owner").await;
        gateway.settle().await;
        let (_, program) = token(&carol).await;
        // The operator's statement: carol is an owner no more.
        let sql = "DELETE FROM access_grant WHERE grantee_id = $1 AND role = 'owner'";
        gateway.database.run(sql, [carol.member.into()]).await.unwrap();
        gateway.settle().await;
        refused(&reads(&program).await);
        alice.ask("{ viewer { id } }").await.ok();
    }
}

#[tokio::test]
async fn a_program_of_the_operators_has_no_maker_to_lose() {
    let Hub { alice, gateway, acme, .. } = hub(Engines::Embedded).await;
    let new = gatehouse::service::api_token::NewToken {
        name: "Backend".to_owned(),
        scopes: vec!["members.read".to_owned()],
        expires_in_days: 1,
        account: None,
    };
    let made = gateway.service.create_api_token_as_operator(&acme.slug, new).await.unwrap();
    let program = alice.with_token(&made.secret.unwrap());
    assert_eq!(reads(&program).await.ok().at("organization.members.totalCount"), 2);
    assert_eq!(state(&alice).await, "ACTIVE");
}
