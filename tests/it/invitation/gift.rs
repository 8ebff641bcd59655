//! What an invitation may give: B6 to B11, and the seat that is asked for again.

use serde_json::{Value, json};

use super::{Hub, active, hub, invitation_of, refused, write};
use crate::support::{
    gateway::{Engines, Gateway, Person, Tenant},
    people::{accept, app_id, count, invite, invite_with, member_id, newest_token, remedies},
};

const AGENCY: &str = include_str!("../cases/agency.toml");

/// A program that invites, in the agency.
const ROBOT: &str = r#"
[roles.robot]
label = "Robot"
flag = true
holders = ["service_account"]
permissions = ["members.read", "members.invite", "members.remove", "roles.assign"]
assigns = ["owner", "lead", "member"]

[plans.open]
"#;

struct Agency {
    gateway: Gateway,
    tenant: Tenant,
    alice: Person,
}

async fn agency() -> Agency {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(&AGENCY.replace("[plans.open]\n", ROBOT)).await.unwrap();
    let tenant = gateway.organization("acme", "agency", "open").await;
    let alice = gateway.member(&tenant, "alice", "owner").await;
    gateway.settle().await;
    Agency { gateway, tenant, alice }
}

fn named(email: &str, role: &str) -> Value {
    json!({ "email": email, "firstName": "Carol", "lastName": "King", "role": role })
}

async fn is_not_given(by: &Person, input: Value) {
    let answer = invite_with(by, input).await;
    assert_eq!(answer.refusals("inviteMember"), ["NOT_GRANTABLE"], "{}", answer.text);
}

/// B6: nobody is invited to a role that the inviter's own does not assign.
#[tokio::test]
async fn b6_nobody_is_invited_to_a_role_above_the_inviters() {
    let Agency { gateway, tenant, .. } = agency().await;
    let bob = gateway.member(&tenant, "bob", "lead").await;
    gateway.settle().await;
    is_not_given(&bob, named("mallory@example.org", "owner")).await;
    is_not_given(&bob, named("mallory@example.org", "manager")).await;
    let mut auditor = named("mallory@example.org", "member");
    auditor["flags"] = json!(["auditor"]);
    is_not_given(&bob, auditor).await;
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (2, 0));
    invite_with(&bob, named("carol@example.org", "lead")).await.ok();
}

/// B7: what comes with the role is the inviter's to give as well.
#[tokio::test]
async fn b7_an_invitation_brings_no_access_beyond_the_inviters() {
    let Agency { gateway, tenant, .. } = agency().await;
    let bob = gateway.member(&tenant, "bob", "lead").await;
    let board = gateway.app(&tenant, "board", "board").await;
    gateway.tick(&tenant, &bob, board, "reports", None).await;
    let with = |features: &[&str]| {
        let features: Vec<Value> = features.iter().map(|feature| json!({ "feature": feature })).collect();
        let mut input = named("mallory@example.org", "member");
        input["access"] = json!([{ "app": app_id(board), "features": features }]);
        input
    };
    is_not_given(&bob, with(&["cards"])).await;
    is_not_given(&bob, with(&["reports", "cards"])).await;
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (2, 0));
    gateway.tick(&tenant, &bob, board, "cards", None).await;
    invite_with(&bob, with(&["reports", "cards"])).await.ok();
}

/// B8: a token invites to no more than its scopes hold, whatever its program's role could.
#[tokio::test]
async fn b8_a_narrow_token_invites_to_nothing_wide() {
    let Agency { gateway, alice, .. } = agency().await;
    let robot =
        alice.call("createServiceAccount", json!({ "name": "Robot", "role": "robot" }), "serviceAccount { id }");
    let robot = robot.await.ok().at("createServiceAccount.serviceAccount.id").clone();
    let token = async |name: &str, scopes: &[&str]| {
        let input = json!({ "name": name, "serviceAccount": robot, "scopes": scopes, "expiresInDays": 1 });
        let made = alice.call("createApiToken", input, "secret").await.ok();
        alice.with_token(made.at("createApiToken.secret").as_str().unwrap())
    };
    let wide = ["members.read", "members.invite", "members.remove", "roles.assign"];
    let (narrow, wide) = (token("narrow", &["members.invite"]).await, token("wide", &wide).await);
    is_not_given(&narrow, named("mallory@example.org", "owner")).await;
    is_not_given(&narrow, named("mallory@example.org", "lead")).await;
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
    is_not_given(&wide, named("mallory@example.org", "owner")).await;
    invite_with(&wide, named("carol@example.org", "lead")).await.ok();
}

/// B9: an invitation names no team, and nobody brings somebody invited into a team that holds more than they do.
#[tokio::test]
async fn b9_no_team_is_a_way_round_the_roles() {
    let gateway = Gateway::sqlite().await;
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/blueprints/code-hosting.toml")).unwrap();
    let leader = "[roles.leader]\nlabel = \"Leader\"\nassigns = [\"member\"]\n\
                  permissions = [\"members.read\", \"members.invite\", \"teams.read\", \"teams.manage\"]\n\n";
    let source = source.replace("name = \"code-hosting\"", "name = \"led-hosting\"");
    let source = source.replacen("[roles.member]", &format!("{leader}[roles.member]"), 1);
    gateway.service.install_blueprint(&source).await.unwrap();
    let code = gateway.organization("acme", "led-hosting", "free").await;
    let alice = gateway.member(&code, "alice", "owner").await;
    let mallory = gateway.member(&code, "mallory", "leader").await;
    let bob = gateway.member(&code, "bob", "member").await;
    let site = gateway.app(&code, "repository", "site").await;
    gateway.settle().await;
    let made = alice.call("createTeam", json!({ "slug": "strong", "name": "Strong" }), "team { id }").await.ok();
    let strong = made.at("createTeam.team.id").clone();
    let gives = json!({ "feature": { "kind": "repository", "feature": "code", "level": "admin" } });
    let give = json!({ "grantee": { "team": strong }, "gives": gives, "app": app_id(site) });
    alice.call("grantAccess", give, "grant { id }").await.ok();

    for stray in [json!({ "teams": [strong] }), json!({ "team": strong })] {
        let mut input = json!({ "email": "twin@example.org", "role": "member" });
        input.as_object_mut().unwrap().extend(stray.as_object().unwrap().clone());
        assert_eq!(invite_with(&mallory, input).await.codes().len(), 1);
    }
    let as_address = invite_with(&mallory, json!({ "email": strong, "role": "member" })).await;
    assert_eq!(as_address.refusals("inviteMember"), ["INVALID"]);
    let twin = invite_with(&mallory, json!({ "email": "twin@example.org", "role": "member" })).await.ok();
    for member in [twin.at("inviteMember.member.id"), &json!(member_id(bob.member.unwrap()))] {
        let place = json!({ "team": strong, "member": member });
        let added = mallory.call("addTeamMember", place, "team { id }").await;
        assert!(added.at("addTeamMember.team").is_null(), "{}", added.text);
    }
    assert_eq!(count(&gateway, "team_member").await, 0);
}

/// B10: a right that the inviter lost between the invitation and its acceptance gives nothing; somebody else may vouch for it.
#[tokio::test]
async fn b10_what_the_inviter_lost_meanwhile_is_not_given() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        for (number, loss) in ["demoted", "removed", "suspended"].into_iter().enumerate() {
            let carol = gateway.member(&acme, &format!("carol{number}"), "super_admin").await;
            gateway.settle().await;
            let bob = gateway.person(&format!("bob{number}")).await;
            let invited = invite_with(&carol, json!({ "email": bob.email, "role": "super_admin" })).await.ok();
            let token = newest_token(&gateway);
            let member = carol.member.unwrap();
            match loss {
                "demoted" => {
                    let input = json!({ "member": member_id(member), "role": "member" });
                    alice.call("changeMemberRole", input, "member { id }").await.ok();
                }
                "removed" => {
                    let input = json!({ "member": member_id(member), "confirm": true });
                    alice.call("removeMember", input, "removed").await.ok();
                }
                _ => write(&gateway, "UPDATE member SET state = 'suspended' WHERE id = $1", [member.into()]).await,
            }
            let before = active(&gateway, &acme).await;
            let answer = accept(&bob, &token).await;
            refused(&answer, "INVITATION_NOT_PENDING");
            assert_eq!(remedies(&answer, "acceptInvitation"), ["Ask for it to be sent again by somebody else."]);
            assert_eq!(active(&gateway, &acme).await, before, "{engines:?} {loss}");
            let again = json!({ "invitation": invitation_of(&invited) });
            alice.call("resendInvitation", again, "mailSent").await.ok();
            accept(&bob, &newest_token(&gateway)).await.ok();
        }
    }
}

/// B11: an organization that is not open takes nobody.
#[tokio::test]
async fn b11_an_organization_that_is_not_open_takes_nobody() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let bob = gateway.person("bob").await;
        invite(&alice, &bob.email).await.ok();
        let token = newest_token(&gateway);
        let state = async |state: &str| {
            write(&gateway, "UPDATE organization SET state = $1 WHERE id = $2", [state.into(), acme.id.into()]).await;
        };
        state("suspended").await;
        refused(&accept(&bob, &token).await, "INVITATION_NOT_PENDING");
        let offered = bob.ask("{ viewer { pendingInvitations { id } } }").await.ok();
        assert_eq!(offered.at("viewer.pendingInvitations"), &json!([]));
        assert_eq!(active(&gateway, &acme).await, 1, "{engines:?}");
        state("active").await;
        alice.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await.ok();
        let gone = accept(&bob, &token).await;
        refused(&gone, "INVITATION_NOT_PENDING");
        assert!(!gone.text.contains("acme"));
    }
}

/// The seat is asked for again: a plan that became smaller takes nobody beyond it, and keeps who is there.
#[tokio::test]
async fn a_plan_that_became_smaller_takes_nobody_beyond_it() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let (bob, carol) = (gateway.person("bob").await, gateway.person("carol").await);
        gateway.member(&acme, "dave", "member").await;
        gateway.settle().await;
        invite(&alice, &bob.email).await.ok();
        let first = newest_token(&gateway);
        invite(&alice, &carol.email).await.ok();
        let second = newest_token(&gateway);
        // Three seats: two are there already, and one of the two invited finds room.
        alice.call("changePlan", json!({ "plan": "growth" }), "organization { id }").await.ok();
        accept(&bob, &first).await.ok();
        let full = accept(&carol, &second).await;
        refused(&full, "SEAT_LIMIT");
        assert!(!full.text.contains("Growth"), "no word of the plan to who is not in: {}", full.text);
        assert_eq!(active(&gateway, &acme).await, 3, "{engines:?}");
        alice.call("changePlan", json!({ "plan": "business" }), "organization { id }").await.ok();
        accept(&carol, &second).await.ok();
    }
}
