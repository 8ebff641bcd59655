//! The permission table: every root field asked for over HTTP as everyone, and what each was answered.
//!
//! A change of rights shows as a change of `tests/permission_table.txt`, which people review. Nothing in it is read from the
//! table of root fields or from a verb's rule: each cell is an answer, of the door or of the core.

use std::{fmt::Write, fs, path::PathBuf};

use gatehouse::{
    access::{Authority, SystemTask, Verb, authorize, verb},
    graphql::{
        node::NodeType,
        root::{FIELDS, Root},
    },
    id::new_id,
    service::api_token::NewToken,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Gateway, Person, Tenant};

/// The command that accepts a changed table.
const ACCEPT: &str = "GATEHOUSE_ACCEPT=1 cargo test --test it permission_table";

/// The words of a blueprint that samples need.
struct Words {
    blueprint: &'static str,
    plan: &'static str,
    owner: &'static str,
    member: &'static str,
    kind: &'static str,
    feature: &'static str,
    level: Option<&'static str>,
    action: &'static str,
    target: &'static str,
}

const SUPPORT_HUB: Words = Words {
    blueprint: "support-hub",
    plan: "enterprise",
    owner: "super_admin",
    member: "member",
    kind: "help_center",
    feature: "articles",
    level: None,
    action: "view",
    target: "article",
};
const CODE_HOSTING: Words = Words {
    blueprint: "code-hosting",
    plan: "free",
    owner: "owner",
    member: "member",
    kind: "repository",
    feature: "code",
    level: Some("read"),
    action: "view",
    target: "release",
};

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Stranger,
    /// Signed in, and a member of nothing.
    Outsider,
    /// Holding these roles.
    Holder(&'static [&'static str]),
    /// A program whose token is as wide as can be.
    Program,
}

const COLUMNS: [(&str, &Words, Who); 9] = [
    ("stranger", &SUPPORT_HUB, Who::Stranger),
    ("outsider", &SUPPORT_HUB, Who::Outsider),
    ("hub super_admin", &SUPPORT_HUB, Who::Holder(&["super_admin"])),
    ("hub member", &SUPPORT_HUB, Who::Holder(&["member"])),
    ("hub token", &SUPPORT_HUB, Who::Program),
    ("code owner", &CODE_HOSTING, Who::Holder(&["owner"])),
    ("code member", &CODE_HOSTING, Who::Holder(&["member"])),
    ("code creator", &CODE_HOSTING, Who::Holder(&["member", "repository_creator"])),
    ("code token", &CODE_HOSTING, Who::Program),
];

/// An organization with one of everything, of which one cell may do what it likes.
struct Scene {
    words: &'static Words,
    tenant: Tenant,
    caller: Person,
    target: Uuid,
    app: Uuid,
    team: Uuid,
    grant: Uuid,
    token: String,
    account: String,
    invitation: Uuid,
    offered: Uuid,
    archived: Uuid,
    suspended: Uuid,
}

async fn team(gateway: &Gateway, tenant: &Tenant) -> Uuid {
    let id = new_id();
    let sql = "INSERT INTO team (id, organization_id, slug, name, description, privacy, created_at)
               VALUES ($1, $2, 'crew', 'Crew', '', 'closed', $3)";
    let row = [id.into(), tenant.id.into(), gateway.service.now().into()];
    gateway.database.run(sql, row).await.unwrap();
    id
}

/// A pending member of this address with its invitation.
async fn invitation(gateway: &Gateway, tenant: &Tenant, email: &str, role: &str) -> Uuid {
    let (id, member, now) = (new_id(), new_id(), gateway.service.now());
    let sql = "INSERT INTO member (id, organization_id, email, name, state, created_at) VALUES ($1, $2, $3, 'Guest', 'pending', $4)";
    gateway.database.run(sql, [member.into(), tenant.id.into(), email.into(), now.into()]).await.unwrap();
    gateway.grant_role(tenant, "member", Some(member), role).await;
    let sql = "INSERT INTO invitation (id, organization_id, member_id, email, token_hash, state, expires_at, sent_at, sends, created_at)
               VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, 1, $7)";
    let end = now + chrono::TimeDelta::days(7);
    let hash = id.as_bytes().to_vec();
    let row = [id.into(), tenant.id.into(), member.into(), email.into(), hash.into(), end.into(), now.into()];
    gateway.database.run(sql, row).await.unwrap();
    id
}

/// Somebody who was a member and is in another state by now.
async fn put_away(gateway: &Gateway, tenant: &Tenant, name: &str, (state, role): (&str, &str)) -> Uuid {
    let member = gateway.member(tenant, name, role).await.member.unwrap();
    let now = gateway.service.now();
    match state {
        "archived" => {
            let sql = "UPDATE member SET state = 'archived', user_id = NULL, archived_at = $1 WHERE id = $2";
            gateway.database.run(sql, [now.into(), member.into()]).await.unwrap();
            let sql = "DELETE FROM access_grant WHERE grantee_id = $1";
            gateway.database.run(sql, [member.into()]).await.unwrap();
        }
        state => {
            let sql = "UPDATE member SET state = $1 WHERE id = $2";
            gateway.database.run(sql, [state.into(), member.into()]).await.unwrap();
        }
    }
    member
}

async fn scene(gateway: &Gateway, words: &'static Words, who: Who, number: usize) -> Scene {
    let slug = format!("place-{number}");
    let name = |role: &str| format!("{role}-{number}");
    let tenant = gateway.organization(&slug, words.blueprint, words.plan).await;
    gateway.member(&tenant, &name("carol"), words.owner).await;
    let target = gateway.member(&tenant, &name("bob"), words.member).await;
    let app = gateway.app(&tenant, words.kind, "app").await;
    let grant = gateway.tick(&tenant, &target, app, words.feature, words.level).await;
    let team = team(gateway, &tenant).await;
    let scopes = vec!["*".to_owned()];
    let new = NewToken { name: "Program".to_owned(), scopes, expires_in_days: 1, account: None };
    let created = gateway.service.create_api_token_as_operator(&slug, new).await.unwrap();
    let caller = match who {
        Who::Stranger => gateway.stranger(),
        Who::Outsider => gateway.person(&name("mallory")).await,
        Who::Holder(roles) => {
            let caller = gateway.member(&tenant, &name("alice"), roles[0]).await;
            for role in &roles[1..] {
                gateway.grant_role(&tenant, "member", caller.member, role).await;
            }
            // A member sees the app it is asked about.
            gateway.tick(&tenant, &caller, app, words.feature, words.level).await;
            caller
        }
        Who::Program => gateway.stranger().with_token(created.secret.as_deref().unwrap()),
    };
    let invited = invitation(gateway, &tenant, &format!("guest-{number}@example.org"), words.member).await;
    let other = gateway.organization(&format!("other-{number}"), words.blueprint, words.plan).await;
    let offered = invitation(gateway, &other, &caller.email, words.member).await;
    let archived = put_away(gateway, &tenant, &name("dave"), ("archived", words.member)).await;
    let suspended = put_away(gateway, &tenant, &name("erin"), ("suspended", words.member)).await;
    gateway.settle().await;
    let token = NodeType::ApiToken.id(created.token.id).to_string();
    let account = NodeType::ServiceAccount.id(created.token.principal.id).to_string();
    let target = target.member.unwrap();
    let invitation = invited;
    Scene { words, tenant, caller, target, app, team, grant, token, account, invitation, offered, archived, suspended }
}

/// What is asked of accounts by who knows neither a password nor a code.
fn account_sample(field: &str, number: usize) -> Option<Value> {
    Some(match field {
        "signUp" => {
            let email = format!("new-{number}@example.org");
            json!({ "email": email, "password": "correct horse battery", "name": "New" })
        }
        "signIn" => json!({ "email": format!("nobody-{number}@example.org"), "password": "wrong" }),
        "refreshSession" => json!({ "refreshToken": "grt_none" }),
        "deleteAccount" => json!({ "password": "wrong" }),
        "revokeSessions" => json!({ "others": true }),
        "startSecondFactor" => json!({}),
        // One that is gone: unlinking it again is answered as the first time.
        "unlinkExternalIdentity" => {
            json!({ "externalIdentity": NodeType::ExternalIdentity.id(Uuid::nil()).to_string() })
        }
        "confirmSecondFactor" | "proveSecondFactor" | "renewRecoveryCodes" | "removeSecondFactor" => {
            json!({ "code": "000000" })
        }
        "requestEmailVerification" => Value::Null,
        "verifyEmail" | "confirmEmailChange" => json!({ "code": format!("none-{number}") }),
        "requestEmailChange" => json!({ "email": format!("moved-{number}@example.org"), "password": "wrong" }),
        "changePassword" => json!({ "password": "wrong", "newPassword": "correct horse battery" }),
        "requestPasswordReset" => json!({ "email": format!("nobody-{number}@example.org") }),
        "resetPassword" => json!({ "code": format!("none-{number}"), "newPassword": "correct horse battery" }),
        _ => return None,
    })
}

/// What is sent: the arguments of a query, or the input of a mutation, and what is selected.
fn sample(field: &str, scene: &Scene, number: usize) -> (Value, &'static str) {
    if let Some(input) = account_sample(field, number) {
        return (input, "");
    }
    let Scene { words, tenant, .. } = scene;
    let member = NodeType::Member.id(scene.target).to_string();
    let app = NodeType::App.id(scene.app).to_string();
    let team = NodeType::Team.id(scene.team).to_string();
    let grant = NodeType::Grant.id(scene.grant).to_string();
    let invitation = NodeType::Invitation.id(scene.invitation).to_string();
    let offered = NodeType::Invitation.id(scene.offered).to_string();
    let feature = json!({ "kind": words.kind, "feature": words.feature, "level": words.level });
    let archived = NodeType::Member.id(scene.archived).to_string();
    let suspended = NodeType::Member.id(scene.suspended).to_string();
    let ticked = json!([{ "app": app, "features": [{ "feature": words.feature, "level": words.level }] }]);
    match field {
        "viewer" | "seatUsageChanged" | "usageChanged" | "activityAdded" | "accessChanged" => {
            (json!({}), "{ __typename }")
        }
        "organization" => (json!({ "slug": tenant.slug }), "{ id }"),
        "organizations" => (json!({}), "{ totalCount }"),
        "node" => (json!({ "id": member }), "{ id }"),
        "nodes" => (json!({ "ids": [member] }), "{ id }"),
        "check" => {
            let question = json!({ "member": member, "app": app, "feature": words.feature, "action": words.action });
            (question, "{ allowed }")
        }
        "signOut" => (json!({}), ""),
        "signInProviders" => (json!({}), "{ key }"),
        "signInWithProvider" => (json!({ "provider": "acme", "token": "none" }), ""),
        "switchOrganization" => (json!({ "organization": tenant.slug }), ""),
        "createOrganization" => {
            (json!({ "name": "New", "slug": format!("new-{number}"), "blueprint": words.blueprint }), "")
        }
        "updateOrganization" | "updateUser" => (json!({ "name": "Other" }), ""),
        "changePlan" => (json!({ "plan": words.plan }), ""),
        "deleteOrganization" => (json!({ "confirm": tenant.slug }), ""),
        "inviteMember" => {
            let email = format!("friend-{number}@example.org");
            (json!({ "email": email, "name": "Friend", "role": words.member, "access": [] }), "")
        }
        "inviteMembers" => {
            let email = format!("friends-{number}@example.org");
            (json!({ "people": [{ "email": email, "name": "Friend", "role": words.member, "access": [] }] }), "")
        }
        "resendInvitation" | "revokeInvitation" => (json!({ "invitation": invitation }), ""),
        "acceptInvitation" | "declineInvitation" => (json!({ "proof": { "invitation": offered } }), ""),
        "changeMemberRole" => (json!({ "member": member, "role": words.owner }), ""),
        "addMemberRole" | "removeMemberRole" => (json!({ "member": member, "role": "repository_creator" }), ""),
        "updateMember" => (json!({ "member": member, "name": "Robert" }), ""),
        "removeMember" => (json!({ "member": member, "confirm": true }), ""),
        "restoreMember" => (json!({ "member": archived, "role": words.member, "access": [] }), ""),
        "suspendMember" => (json!({ "member": member }), ""),
        "reactivateMember" => (json!({ "member": suspended }), ""),
        "transferRole" => (json!({ "role": words.owner, "member": member, "confirm": true }), ""),
        "leaveOrganization" => (json!({ "confirm": true }), ""),
        "updateMemberAccess" => (json!({ "member": member, "access": ticked }), ""),
        "createApp" => (json!({ "kind": words.kind, "slug": "second", "name": "Second" }), ""),
        "updateApp" => (json!({ "app": app, "name": "Other" }), ""),
        "deleteApp" => (json!({ "app": app, "confirm": "app" }), ""),
        "createTeam" => (json!({ "slug": "second", "name": "Second" }), ""),
        "updateTeam" => (json!({ "team": team, "name": "Other" }), ""),
        "deleteTeam" => (json!({ "team": team }), ""),
        "addTeamMember" | "removeTeamMember" => (json!({ "team": team, "member": member }), ""),
        "setAppRole" => (json!({ "app": app, "member": member, "role": "none", "on": true }), ""),
        "grantAccess" => (json!({ "grantee": { "team": team }, "gives": { "feature": feature }, "app": app }), ""),
        "revokeAccess" => (json!({ "grant": grant }), ""),
        "setDefaultAccess" => (json!({ "appKind": words.kind, "feature": words.feature, "level": words.level }), ""),
        "recordActivity" => {
            let entry = json!({ "app": app, "action": "created", "target": { "kind": words.target, "name": "X" } });
            (json!({ "entries": [entry] }), "")
        }
        // Blueprints without a profile and meters have nothing to name.
        "updateProfile" => (json!({ "section": "register", "values": [] }), ""),
        "recordUsage" => (json!({ "entries": [{ "meter": "storage", "amount": 1, "key": "k" }] }), ""),
        "recordInvoice" => {
            let (issued, due) = ("2026-11-01", "2026-11-30");
            let invoice = json!({ "number": "1", "issuedOn": issued, "dueOn": due, "amountMinor": 100,
                "currency": "EUR", "state": "enum:OPEN" });
            (invoice, "")
        }
        "recordPaymentMethod" => (json!({ "reference": "pm_1", "kind": "enum:CARD", "last4": "4242" }), ""),
        "removePaymentMethod" => (json!({ "reference": "pm_1" }), ""),
        "createApiToken" => (json!({ "name": "Second", "scopes": ["members.read"], "expiresInDays": 1 }), ""),
        "createRole" => {
            let role = json!({ "key": "own", "base": words.owner, "label": "Own", "permissions": [], "access": [] });
            (role, "")
        }
        "updateRole" => (json!({ "role": words.member, "label": "Other" }), ""),
        "deleteRole" => (json!({ "role": words.member }), ""),
        "moveBlueprint" => (json!({ "version": 2, "token": "none" }), ""),
        "revokeApiToken" | "regenerateApiToken" => (json!({ "token": scene.token }), ""),
        "createServiceAccount" => (json!({ "name": "Second" }), ""),
        "updateServiceAccount" => (json!({ "serviceAccount": scene.account, "name": "Other" }), ""),
        "deleteServiceAccount" => (json!({ "serviceAccount": scene.account }), ""),
        other => panic!("`{other}` is new: write a sample of its input here, so that the table shows who may use it"),
    }
}

/// A JSON value as it is written in a document.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let fields = object.iter().map(|(key, value)| format!("{key}: {}", literal(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::String(text) if text.starts_with("enum:") => text["enum:".len()..].to_owned(),
        other => other.to_string(),
    }
}

/// What one caller is answered: `allowed`, `null`, the code of an error, or `~` and the code of a refusal that is data.
async fn cell(
    gateway: &Gateway,
    (root, field): (Root, &str),
    (words, who): (&'static Words, Who),
    number: usize,
) -> String {
    let scene = scene(gateway, words, who, number).await;
    let (input, selection) = sample(field, &scene, number);
    let body = match root {
        Root::Mutation => {
            let arguments = if input.is_null() { String::new() } else { format!("(input: {})", literal(&input)) };
            let document = format!("mutation {{ {field}{arguments} {{ __typename userErrors {{ code }} }} }}");
            scene.caller.ask(&document).await.body
        }
        Root::Query => {
            let arguments = input.as_object().unwrap().iter().map(|(key, value)| format!("{key}: {}", literal(value)));
            let arguments = arguments.collect::<Vec<_>>().join(", ");
            let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
            scene.caller.ask(&format!("{{ {field}{arguments} {selection} }}")).await.body
        }
        Root::Subscription => first_event(gateway, &scene.caller, field).await,
    };
    let code = &body["errors"][0]["extensions"]["code"];
    if let Some(code) = code.as_str() {
        assert!(!matches!(code, "INTERNAL" | "GRAPHQL_VALIDATION_FAILED"), "{field}: {body}");
        return code.to_owned();
    }
    assert!(body.get("errors").is_none(), "{field}: {body}");
    let data = &body["data"][field];
    match (&data["userErrors"][0]["code"], data) {
        (Value::String(code), _) => format!("~{code}"),
        (_, Value::Null) => "null".to_owned(),
        (_, Value::Array(values)) if !values.is_empty() && values.iter().all(Value::is_null) => "null".to_owned(),
        (_, _) => "allowed".to_owned(),
    }
}

/// The first event of a subscription, which yields the present state at once.
async fn first_event(gateway: &Gateway, caller: &Person, field: &str) -> Value {
    let document = format!("subscription {{ {field}(take: 1) {{ __typename }} }}");
    let client = reqwest::Client::new();
    let mut request = client.post(format!("{}/graphql", gateway.url)).header("accept", "text/event-stream");
    if let Some(token) = &caller.token {
        request = request.bearer_auth(token);
    }
    let mut response = request.json(&json!({ "query": document })).send().await.unwrap();
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(&String::from_utf8_lossy(&chunk));
        if text.contains("\n\n") && text.contains("data: {") {
            break;
        }
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data: ").filter(|data| data.starts_with('{')));
    serde_json::from_str(data.unwrap_or(&text)).unwrap()
}

/// Lines of cells, each column as wide as its widest.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let widths: Vec<usize> = (0..columns).map(|at| lines.iter().map(|line| line[at].len()).max().unwrap()).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end()).unwrap();
    }
    text
}

async fn root_fields() -> String {
    let gateway = Gateway::sqlite().await;
    let mut fields: Vec<(Root, &str)> = FIELDS.iter().map(|(root, field, _)| (*root, *field)).collect();
    fields.sort_unstable();
    let mut lines =
        vec![std::iter::once("root field").chain(COLUMNS.map(|(name, _, _)| name)).map(str::to_owned).collect()];
    let mut number = 0;
    for field in fields {
        let mut line = vec![field.1.to_owned()];
        for (_, words, who) in COLUMNS {
            number += 1;
            line.push(cell(&gateway, field, (words, who), number).await);
        }
        lines.push(line);
    }
    table(&lines)
}

/// Asks the core for a permit as each system task.
fn asked<V: Verb>() -> (&'static str, Vec<bool>) {
    let place = Some(Uuid::from_u128(1));
    let allowed = |task| authorize::<V>(Authority::System(task, place), None).is_ok();
    (V::NAME, SystemTask::ALL.into_iter().map(allowed).collect())
}

macro_rules! ask_all {
    ($($verb:ident)+) => { vec![$(asked::<verb::$verb>()),+] };
}

fn system_tasks() -> String {
    let verbs = ask_all![
        CreateUser UpdateUser SuspendUser DeleteUser ErasePerson ManageSession LinkIdentity UnlinkIdentity ManageCode ManageSecondFactor InstallBlueprint CreateOrganization UpdateOrganization DeleteOrganization ChangePlan
        InviteMember RevokeInvitation SettleInvitation CreateMember UpdateMember RestoreMember RemoveMember
        LeaveOrganization AssignRole StepDown TransferRole ManageRole GrantAccess CreateTeam UpdateTeam DeleteTeam ManageTeamMember ManageTeamMaintainer CreateApp UpdateApp DeleteApp
        RecordActivity UpdateProfile MoveBlueprint CreateChild RecordBilling RecordUsage CreateServiceAccount
        UpdateServiceAccount DeleteServiceAccount NoteNotice CreateApiToken RevokeApiToken DeliverMail ViewAs RotateSigningKey Purge
    ];
    let names: Vec<&str> = verbs.iter().map(|(name, _)| *name).collect();
    let known: Vec<&str> = verb::ALL.iter().map(|row| row.name).collect();
    assert_eq!(names, known, "ask for every verb here, in the core's order");
    let heads = std::iter::once("verb").chain(SystemTask::ALL.map(SystemTask::name)).map(str::to_owned).collect();
    let line = |(name, allowed): (&str, Vec<bool>)| {
        let marks = allowed.into_iter().map(|allowed| if allowed { "yes" } else { "-" }.to_owned());
        std::iter::once(name.to_owned()).chain(marks).collect()
    };
    table(&std::iter::once(heads).chain(verbs.into_iter().map(line)).collect::<Vec<_>>())
}

#[tokio::test]
async fn who_may_ask_for_what_is_as_it_was_reviewed() {
    let head = "Who may ask for what: every root field, asked over HTTP with a good input in a fresh organization that has one of\n\
                everything, as everyone. `allowed`; `null`: hidden or absent; a code: refused; `~` and a code: refused as data, by a\n\
                rule about the state. The columns are roles of the blueprints support-hub and code-hosting.\n";
    let middle = "\nWhat the gateway does without a caller: every verb, asked of the core as every system task.\n";
    let found = format!("{head}\n{}{middle}\n{}", root_fields().await, system_tasks());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/permission_table.txt");
    if std::env::var_os("GATEHOUSE_ACCEPT").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<String> = found
        .lines()
        .filter(|line| !reviewed.lines().any(|known| known == *line))
        .map(|line| format!("+ {line}"))
        .chain(reviewed.lines().filter(|line| !found.lines().any(|new| new == *line)).map(|line| format!("- {line}")))
        .collect();
    assert!(
        found == reviewed,
        "Somebody may now do what they could not, or the other way round:\n{}\nIf that is meant, accept it and have the \
         difference of tests/permission_table.txt reviewed:\n  {ACCEPT}",
        changed.join("\n")
    );
}
