//! The eight kinds of revocation: how the right is held, how it is shown, how it is taken away.

use gatehouse::{graphql::node::NodeType, id::new_id};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    company::{Company, Worker, id},
    fleet::Fleet,
};
use crate::support::gateway::Answer;

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    MemberRemoved,
    MemberSuspended,
    RoleLowered,
    GrantRevoked,
    TeamLeft,
    CustomRoleNarrowed,
    SessionRevoked,
    TokenRevoked,
}

/// A right that somebody holds, and how it ends.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) kind: Kind,
    /// The credential of whoever holds it.
    pub(super) token: String,
    /// A question whose answer shows the right.
    pub(super) probe: Value,
    /// The credential of whoever takes it away, and by what request.
    pub(super) by: String,
    pub(super) revoke: Value,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::MemberRemoved,
        Self::MemberSuspended,
        Self::RoleLowered,
        Self::GrantRevoked,
        Self::TeamLeft,
        Self::CustomRoleNarrowed,
        Self::SessionRevoked,
        Self::TokenRevoked,
    ];

    /// Somebody new in a new company who holds the right.
    pub(super) async fn held(self, fleet: &Fleet, blueprint: Uuid) -> Held {
        let mut company = Company::new(fleet, blueprint);
        let role = match self {
            Self::GrantRevoked | Self::TeamLeft => "member",
            Self::CustomRoleNarrowed => "custom:clerk",
            _ => "chief",
        };
        if self == Self::CustomRoleNarrowed {
            company.clerk();
        }
        let bob = company.worker(fleet, "bob", role);
        let member = id(NodeType::Member, bob.member);
        let (mut token, mut by) = (bob.token, company.alice.token.clone());
        let mut probe = json!({ "query": "{ viewer { permissions } }" });
        let (mutation, input) = match self {
            Self::MemberRemoved => ("removeMember", json!({ "member": member, "confirm": true })),
            Self::MemberSuspended => ("suspendMember", json!({ "member": member })),
            Self::RoleLowered => ("changeMemberRole", json!({ "member": member, "role": "member" })),
            Self::GrantRevoked => {
                let (app, grant) = company.board_for(bob.member);
                probe = json!({
                    "query": "query($member: ID!, $app: ID!) {
                        check(member: $member, app: $app, feature: \"cards\", action: \"view\") { allowed } }",
                    "variables": { "member": member, "app": id(NodeType::App, app) },
                });
                ("revokeAccess", json!({ "grant": id(NodeType::Grant, grant) }))
            }
            Self::TeamLeft => {
                let team = company.team_of(bob.member, "chief");
                ("removeTeamMember", json!({ "team": id(NodeType::Team, team), "member": member }))
            }
            Self::CustomRoleNarrowed => {
                ("updateRole", json!({ "role": "custom:clerk", "permissions": ["members.read"] }))
            }
            Self::SessionRevoked => {
                by = company.sign_in(fleet, bob.user, None).1;
                ("revokeSessions", json!({ "session": id(NodeType::Session, bob.session) }))
            }
            Self::TokenRevoked => {
                let (row, text) = company.program();
                token = text;
                ("revokeApiToken", json!({ "token": id(NodeType::ApiToken, row) }))
            }
        };
        company.write(fleet).await;
        Held { kind: self, token, probe, by, revoke: mutation_of(mutation, input) }
    }
}

impl Kind {
    /// By whose credential (`alice`'s, or bob's other session) and by which request what bob or the program may hear ends.
    pub(super) fn ending<'c>(self, bob: &Worker, token: Uuid, (alice, second): (&'c str, &'c str)) -> (&'c str, Value) {
        let member = id(NodeType::Member, bob.member);
        let (by, name, input) = match self {
            Self::MemberRemoved => (alice, "removeMember", json!({ "member": member, "confirm": true })),
            Self::MemberSuspended => (alice, "suspendMember", json!({ "member": member })),
            Self::SessionRevoked => {
                (second, "revokeSessions", json!({ "session": id(NodeType::Session, bob.session) }))
            }
            Self::TokenRevoked => (alice, "revokeApiToken", json!({ "token": id(NodeType::ApiToken, token) })),
            Self::RoleLowered | Self::GrantRevoked | Self::TeamLeft | Self::CustomRoleNarrowed => {
                (alice, "changeMemberRole", json!({ "member": member, "role": "member" }))
            }
        };
        (by, mutation(name, &input, ""))
    }
}

/// A mutation with one input, which may be sent again without being made again where it takes a key.
fn mutation_of(name: &str, mut input: Value) -> Value {
    if name != "revokeSessions" {
        input["idempotencyKey"] = json!(new_id().to_string());
    }
    mutation(name, &input, if name == "revokeSessions" { "endedSessions" } else { "" })
}

/// The request of a mutation with one input.
pub(super) fn mutation(name: &str, input: &Value, selection: &str) -> Value {
    let type_name = format!("{}{}", name[..1].to_ascii_uppercase(), &name[1..]);
    let query = format!(
        "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    json!({ "query": query, "variables": { "input": input } })
}

impl Held {
    /// Whether an answer to the probe shows the right.
    pub(super) fn shows(answer: &Answer) -> bool {
        let permissions = answer.at("viewer.permissions").as_array();
        permissions.is_some_and(|all| all.contains(&json!("billing.read")))
            || answer.at("check.allowed") == &json!(true)
    }
}

/// Whether a mutation was made: neither an error nor a refusal.
pub(super) fn is_made(answer: &Answer) -> bool {
    let refused = |field: &Value| field["userErrors"].as_array().is_none_or(|errors| !errors.is_empty());
    let fields = answer.body["data"].as_object();
    answer.status == 200
        && answer.body.get("errors").is_none()
        && fields.is_some_and(|fields| !fields.is_empty() && !fields.values().any(refused))
}
