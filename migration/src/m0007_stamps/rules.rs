//! Which change moves which stamps: the catalogue that both databases' triggers are written from.
//!
//! A rule's `subjects` is a query of `(kind, id)` pairs about one changed row, named `{row}`. An update asks it about the old
//! row and the new one, so that both the side that lost and the side that gained move.
//!
//! Kinds: 1 session, 2 API token, 3 user, 4 principal, 5 organization, 6 content of an organization.

/// Which changes of a table move stamps, and whose.
pub(crate) struct Rule {
    /// Sets this rule's triggers apart from the table's others.
    pub(crate) name: &'static str,
    pub(crate) table: &'static str,
    pub(crate) insert: bool,
    pub(crate) update: Update,
    pub(crate) delete: bool,
    /// Query of the subjects, `NULL` ids left out.
    pub(crate) subjects: &'static str,
}

/// Which updates count.
pub(crate) enum Update {
    No,
    Any,
    /// Those that set one of these columns.
    Of(&'static str),
}

/// The person, and whatever acts as one of its members without naming the person: a suspended person's API tokens and the
/// answers about its members are read by keys that do not hold the user.
const USER: &str = "SELECT 3 AS kind, {row}.id AS id
  UNION SELECT 4, m.id FROM member m WHERE m.user_id = {row}.id
  UNION SELECT 2, t.id FROM api_token t JOIN member m ON t.member_id = m.id WHERE m.user_id = {row}.id
  UNION SELECT 2, t.id FROM api_token t JOIN member m ON t.created_by = m.id WHERE m.user_id = {row}.id";

/// A session's: nothing depends on it before it exists.
const SESSION: &str = "SELECT 1 AS kind, {row}.id AS id";
const API_TOKEN: &str = "SELECT 2 AS kind, {row}.id AS id";

/// The member, the person behind it, and the tokens that act for it or were issued by it.
const MEMBER: &str = "SELECT 4 AS kind, {row}.id AS id UNION SELECT 3, {row}.user_id
  UNION SELECT 2, t.id FROM api_token t WHERE t.member_id = {row}.id
  UNION SELECT 2, t.id FROM api_token t WHERE t.created_by = {row}.id";

const SERVICE_ACCOUNT: &str = "SELECT 4 AS kind, {row}.id AS id
  UNION SELECT 2, t.id FROM api_token t WHERE t.service_account_id = {row}.id";

/// The organization and all below it, because rights reach down.
const ORGANIZATION: &str = "SELECT 5 AS kind, x.id FROM (
    WITH RECURSIVE tree (id) AS (
      SELECT {row}.id UNION SELECT o.id FROM organization o JOIN tree t ON o.parent_id = t.id)
    SELECT id FROM tree) x";

const WHOLE: &str = "SELECT 5 AS kind, {row}.organization_id AS id";

const TEAM_MEMBER: &str = "SELECT 4 AS kind, {row}.member_id AS id
  UNION SELECT 2, t.id FROM api_token t WHERE t.member_id = {row}.member_id";

/// The grantee. A team is its members and those of the teams below it while they are at most 64, else the organization.
const ACCESS_GRANT: &str = "SELECT x.kind, x.id FROM (
    WITH RECURSIVE below (id) AS (
      SELECT {row}.grantee_id WHERE {row}.grantee_kind = 'team'
      UNION SELECT c.id FROM team c JOIN below b ON c.parent_id = b.id),
    reached (id) AS (SELECT DISTINCT m.member_id FROM team_member m JOIN below b ON m.team_id = b.id LIMIT 65),
    few (yes) AS (SELECT count(*) <= 64 FROM reached)
    SELECT 4 AS kind, r.id AS id FROM reached r, few WHERE few.yes
    UNION SELECT 2, t.id FROM reached r JOIN api_token t ON t.member_id = r.id, few WHERE few.yes
    UNION SELECT 5, {row}.organization_id FROM few WHERE NOT few.yes
    UNION SELECT 4, {row}.grantee_id WHERE {row}.grantee_kind IN ('member', 'service_account')
    UNION SELECT 2, t.id FROM api_token t WHERE t.member_id = {row}.grantee_id AND {row}.grantee_kind = 'member'
    UNION SELECT 2, t.id FROM api_token t
      WHERE t.service_account_id = {row}.grantee_id AND {row}.grantee_kind = 'service_account'
    UNION SELECT 5, {row}.organization_id WHERE {row}.grantee_kind = 'everyone') x";

const CONTENT: &str = "SELECT 6 AS kind, {row}.organization_id AS id";

/// Every rule; a table's rights first, then what is shown of it.
pub(super) const RULES: [Rule; 20] = [
    Rule {
        update: Update::Of("email, email_verified_at, name, password_hash, state, created_at, updated_at"),
        ..rule("user", "user_account", USER)
    },
    Rule { update: Update::Of("user_id, created_at, expires_at, revoked_at"), ..rule("session", "session", SESSION) },
    Rule {
        insert: true,
        update: Update::Of(
            "organization_id, service_account_id, member_id, name, secret_hash, scopes, created_by, created_at, \
             expires_at, revoked_at",
        ),
        ..rule("rights", "api_token", API_TOKEN)
    },
    Rule {
        insert: true,
        update: Update::Of(
            "organization_id, user_id, email, handle, name, first_name, last_name, state, invited_by, created_at, \
             joined_at, archived_at",
        ),
        ..rule("rights", "member", MEMBER)
    },
    Rule { insert: true, update: Update::Any, ..rule("rights", "service_account", SERVICE_ACCOUNT) },
    Rule { update: Update::Any, ..rule("rights", "organization", ORGANIZATION) },
    Rule { update: Update::Of("organization_id, parent_id, privacy"), ..rule("rights", "team", WHOLE) },
    Rule { insert: true, update: Update::Any, ..rule("rights", "team_member", TEAM_MEMBER) },
    Rule { insert: true, update: Update::Any, ..rule("rights", "access_grant", ACCESS_GRANT) },
    Rule { update: Update::Of("organization_id, kind, parent_id, visibility, state"), ..rule("rights", "app", WHOLE) },
    Rule { insert: true, update: Update::Any, ..rule("content", "organization", "SELECT 6 AS kind, {row}.id AS id") },
    Rule {
        insert: true,
        update: Update::Of(
            "organization_id, service_account_id, member_id, name, secret_hash, scopes, created_by, created_at, \
             expires_at, revoked_at",
        ),
        ..rule("content", "api_token", CONTENT)
    },
    Rule {
        insert: true,
        update: Update::Of(
            "organization_id, user_id, email, handle, name, first_name, last_name, state, invited_by, created_at, \
             joined_at, archived_at, last_login_at",
        ),
        ..rule("content", "member", CONTENT)
    },
    Rule { insert: true, update: Update::Any, ..rule("content", "invitation", CONTENT) },
    Rule { insert: true, update: Update::Any, ..rule("content", "service_account", CONTENT) },
    Rule { insert: true, update: Update::Any, ..rule("content", "team", CONTENT) },
    Rule { insert: true, update: Update::Any, ..rule("content", "team_member", CONTENT) },
    Rule { insert: true, update: Update::Any, ..rule("content", "app", CONTENT) },
    Rule { insert: true, update: Update::Any, ..rule("content", "access_grant", CONTENT) },
    Rule { insert: true, ..rule("content", "activity_entry", CONTENT) },
];

/// What is shown of a table whose rows are an organization's; a rule for deletions alone, to be widened.
pub(crate) const fn content(table: &'static str) -> Rule {
    rule("content", table, CONTENT)
}

/// A rule for deletions alone, to be widened.
const fn rule(name: &'static str, table: &'static str, subjects: &'static str) -> Rule {
    Rule { name, table, insert: false, update: Update::No, delete: true, subjects }
}
