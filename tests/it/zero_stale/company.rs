//! An organization of a race's own: alice owns it, bob is about to lose something. Rows are written past the gateways, all at
//! once, so that thousands of them take no time.

use gatehouse::{
    graphql::node::NodeType,
    id::new_id,
    identity::{ApiTokenText, SessionIdentity},
};
use uuid::Uuid;

use super::fleet::Fleet;

/// Somebody in a company.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) member: Uuid,
    pub(super) user: Uuid,
    pub(super) session: Uuid,
    pub(super) token: String,
}

/// The rows of a company, until they are written.
pub(super) struct Company {
    pub(super) organization: Uuid,
    pub(super) alice: Worker,
    statements: String,
}

impl Company {
    /// With its owner.
    pub(super) fn new(fleet: &Fleet, blueprint: Uuid) -> Self {
        let organization = new_id();
        let statements = format!(
            "INSERT INTO organization (id, slug, name, blueprint_id, plan, state, settings, created_at, updated_at)
             VALUES ('{organization}', 'o{}', 'Company', '{blueprint}', 'free', 'active', '{{}}', now(), now());",
            organization.simple()
        );
        let nobody = Worker { member: Uuid::nil(), user: Uuid::nil(), session: Uuid::nil(), token: String::new() };
        let mut company = Self { organization, alice: nobody, statements };
        company.alice = company.worker(fleet, "alice", "owner");
        company
    }

    /// An active member with this role, signed in here.
    pub(super) fn worker(&mut self, fleet: &Fleet, name: &str, role: &str) -> Worker {
        let (user, member, organization) = (new_id(), new_id(), self.organization);
        let email = format!("{name}-{}@example.org", user.simple());
        self.add(&format!(
            "INSERT INTO user_account (id, email, email_verified_at, name, state, created_at, updated_at)
             VALUES ('{user}', '{email}', now(), '{name}', 'active', now(), now());
             INSERT INTO member (id, organization_id, user_id, email, name, state, created_at, joined_at)
             VALUES ('{member}', '{organization}', '{user}', '{email}', '{name}', 'active', now(), now());"
        ));
        self.grant_role("member", member, role);
        let (session, token) = self.sign_in(fleet, user, Some(member));
        Worker { member, user, session, token }
    }

    /// One more session of a person, in the company or in none; its id and an access token.
    pub(super) fn sign_in(&mut self, fleet: &Fleet, user: Uuid, member: Option<Uuid>) -> (Uuid, String) {
        let session = new_id();
        self.add(&format!(
            "INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at)
             VALUES ('{session}', '{user}', now(), now(), now() + interval '1 day');"
        ));
        let identity = SessionIdentity { session, user, organization: member.map(|_| self.organization), member };
        let service = &fleet.office.service;
        (session, service.tokens().mint(&identity, new_id(), service.now()).unwrap().text)
    }

    /// An organization role for a member, a team or a service account.
    pub(super) fn grant_role(&mut self, kind: &str, grantee: Uuid, role: &str) {
        let organization = self.organization;
        self.add(&format!(
            "INSERT INTO access_grant (id, organization_id, grantee_kind, grantee_id, role, created_at)
             VALUES ('{}', '{organization}', '{kind}', '{grantee}', '{role}', now());",
            new_id()
        ));
    }

    /// An app, and a grant of its cards for a member: the ids of both.
    pub(super) fn board_for(&mut self, member: Uuid) -> (Uuid, Uuid) {
        let (app, grant, organization) = (new_id(), new_id(), self.organization);
        self.add(&format!(
            "INSERT INTO app (id, organization_id, kind, slug, name, visibility, state, created_at)
             VALUES ('{app}', '{organization}', 'board', 'board', 'Board', 'private', 'active', now());
             INSERT INTO access_grant
               (id, organization_id, grantee_kind, grantee_id, app_kind, feature, level, app_id, created_at)
             VALUES ('{grant}', '{organization}', 'member', '{member}', 'board', 'cards', 'read', '{app}', now());"
        ));
        (app, grant)
    }

    /// A team with this role, and this member in it.
    pub(super) fn team_of(&mut self, member: Uuid, role: &str) -> Uuid {
        let (team, organization) = (new_id(), self.organization);
        self.add(&format!(
            "INSERT INTO team (id, organization_id, slug, name, description, privacy, created_at)
             VALUES ('{team}', '{organization}', 'team', 'Team', '', 'closed', now());
             INSERT INTO team_member (team_id, member_id, organization_id, role, added_at)
             VALUES ('{team}', '{member}', '{organization}', 'member', now());"
        ));
        self.grant_role("team", team, role);
        team
    }

    /// The role `custom:clerk`, with what a chief may see of bills.
    pub(super) fn clerk(&mut self) {
        let (role, organization) = (new_id(), self.organization);
        self.add(&format!(
            "INSERT INTO custom_role
               (id, organization_id, key, base, label, help, permissions, access, state, created_at, updated_at)
             VALUES ('{role}', '{organization}', 'custom:clerk', 'chief', 'Clerk', '',
               '[\"members.read\", \"billing.read\"]', '[]', 'enabled', now(), now());"
        ));
    }

    /// A program: its token's id and text.
    pub(super) fn program(&mut self) -> (Uuid, String) {
        let (account, token, organization) = (new_id(), new_id(), self.organization);
        let text = ApiTokenText::mint(token, organization, &mut rand::rng());
        let hash = text.secret_hash().iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
        self.add(&format!(
            "INSERT INTO service_account (id, organization_id, name, state, created_at)
             VALUES ('{account}', '{organization}', 'Program', 'active', now());
             INSERT INTO api_token
               (id, organization_id, service_account_id, name, secret_hash, scopes, created_by, created_at, expires_at)
             VALUES ('{token}', '{organization}', '{account}', 'Token', '\\x{hash}', '[\"*\"]', '{}', now(),
               now() + interval '1 day');",
            self.alice.member
        ));
        self.grant_role("service_account", account, "program");
        (token, text.to_text().to_string())
    }

    fn add(&mut self, statements: &str) {
        self.statements.push_str(statements);
    }

    /// Writes everything that was added since the last time.
    pub(super) async fn write(&mut self, fleet: &Fleet) {
        fleet.insert(&std::mem::take(&mut self.statements)).await;
    }
}

/// A global id.
pub(super) fn id(kind: NodeType, row: Uuid) -> String {
    kind.id(row).to_string()
}
