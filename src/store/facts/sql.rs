//! The statement behind the facts, in the words of either database.

use sea_orm::DbBackend;

/// What the statement starts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// `$1` session, `$2` user, `$3` organization or none.
    Session,
    /// `$1` token, `$2` organization.
    Token,
    /// `$1` principal, `$2` organization.
    Principal,
}

impl Shape {
    /// How many parameters the statement takes.
    pub(super) const fn parameters(self) -> usize {
        match self {
            Self::Session => 3,
            Self::Token | Self::Principal => 2,
        }
    }
}

/// Both kinds of principal, of which at most one is found.
const PRINCIPAL: &str = "
  SELECT m.id, 'member' AS kind, m.user_id, m.state, m.name, m.email, m.handle FROM member m
  WHERE m.organization_id = {organization} AND {member}
  UNION ALL
  SELECT a.id, 'service_account', {no_uuid}, a.state, a.name, {no_text}, {no_text} FROM service_account a
  WHERE a.organization_id = {organization} AND {account}";

const SESSION: &str = "
  session s JOIN user_account u ON u.id = s.user_id LEFT JOIN organization o ON o.id = $3
  LEFT JOIN blueprint b ON b.id = o.blueprint_id LEFT JOIN api_token t ON 1 = 0
  WHERE s.id = $1 AND s.user_id = $2";

const TOKEN: &str = "
  api_token t JOIN organization o ON o.id = t.organization_id JOIN blueprint b ON b.id = o.blueprint_id
  LEFT JOIN member m ON m.id = t.member_id LEFT JOIN user_account u ON u.id = m.user_id LEFT JOIN session s ON 1 = 0
  WHERE t.id = $1 AND t.organization_id = $2";

const ASKED: &str = "
  organization o JOIN blueprint b ON b.id = o.blueprint_id
  LEFT JOIN member m ON m.organization_id = o.id AND m.id = $1
  LEFT JOIN service_account a ON a.organization_id = o.id AND a.id = $1
  LEFT JOIN user_account u ON u.id = m.user_id LEFT JOIN session s ON 1 = 0 LEFT JOIN api_token t ON 1 = 0
  WHERE o.id = $2 AND (m.id IS NOT NULL OR a.id IS NOT NULL)";

const CROWD: &str = "
  organization o JOIN blueprint b ON b.id = o.blueprint_id
  LEFT JOIN user_account u ON 1 = 0 LEFT JOIN session s ON 1 = 0 LEFT JOIN api_token t ON 1 = 0
  WHERE o.id = $1";

/// The frame: `{head}` is where it starts, `{who}` the principals.
const FRAME: &str = "
WITH RECURSIVE
head AS MATERIALIZED (
  SELECT s.id AS session_id, s.expires_at AS session_expires_at, s.revoked_at AS session_revoked_at,
    s.second_factor_at IS NOT NULL AS session_proven,
    t.id AS token_id, t.name AS token_name, t.secret_hash AS token_secret_hash, t.scopes AS token_scopes,
    t.expires_at AS token_expires_at, t.revoked_at AS token_revoked_at,
    t.member_id AS token_member, t.service_account_id AS token_account, t.created_by AS token_author,
    u.id AS user_id, u.email AS user_email, u.name AS user_name, u.state AS user_state,
    o.id AS organization_id, o.slug AS organization_slug, o.name AS organization_name, o.state AS organization_state,
    o.plan AS organization_plan, o.settings AS organization_settings,
    b.id AS blueprint_id, b.name AS blueprint_name, b.version AS blueprint_version, b.hash AS blueprint_hash
  FROM {head}),
who AS MATERIALIZED ({who}),
reached (id) AS (
  SELECT m.team_id FROM who w JOIN team_member m ON m.member_id = w.id
  UNION
  SELECT t.parent_id FROM reached r JOIN team t ON t.id = r.id WHERE t.parent_id IS NOT NULL),
held AS (
  SELECT g.* FROM who w JOIN access_grant g ON g.grantee_id = w.id
  UNION ALL SELECT g.* FROM reached r {team_grants}
  UNION ALL SELECT g.* FROM head h JOIN access_grant g
    ON g.organization_id = h.organization_id AND g.grantee_kind = 'everyone')
SELECT h.*, {now} AS now,
  (SELECT {principals} FROM who w LEFT JOIN user_account u ON u.id = w.user_id) AS principals,
  (SELECT {memberships} FROM who w JOIN team_member m ON m.member_id = w.id) AS memberships,
  (SELECT {teams} FROM reached r JOIN team t ON t.id = r.id) AS teams,
  (SELECT {grants} FROM held g LEFT JOIN app p ON p.id = g.app_id) AS grants,
  (SELECT {roles} FROM custom_role x WHERE x.organization_id = h.organization_id) AS roles,
  {ver:1,h.session_id} AS session_ver, {ver:2,h.token_id} AS token_ver, {ver:3,h.user_id} AS user_ver,
  coalesce((SELECT max(v.ver) FROM who w JOIN grant_stamp v ON v.kind = 4 AND v.id = w.id
    WHERE h.token_id IS NULL OR w.id = h.token_member OR w.id = h.token_account), 0) AS principal_ver,
  {ver:5,h.organization_id} AS organization_ver, {ver:6,h.organization_id} AS content_ver
FROM head h";

/// The statement for one key.
pub(super) fn one(database: DbBackend, shape: Shape) -> String {
    let (head, member, account) = match shape {
        Shape::Session => (SESSION, "m.user_id = (SELECT user_id FROM head)", "1 = 0"),
        // The member too that made it: a token does no more than its maker could share.
        Shape::Token => (
            TOKEN,
            "m.id IN (SELECT token_member FROM head UNION SELECT token_author FROM head)",
            "a.id = (SELECT token_account FROM head)",
        ),
        Shape::Principal => (ASKED, "m.id = $1", "a.id = $1"),
    };
    frame(database, head, member, account)
}

/// The statement for principals of the organization `$1`: those of `$2` and on, or all.
pub(super) fn many(database: DbBackend, listed: Option<usize>) -> String {
    let condition = |id: &str| match listed {
        None => "1 = 1".to_owned(),
        Some(0) => "1 = 0".to_owned(),
        Some(count) => {
            let marks = (2..count + 2).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
            format!("{id} IN ({marks})")
        }
    };
    frame(database, CROWD, &condition("m.id"), &condition("a.id"))
}

fn frame(database: DbBackend, head: &str, member: &str, account: &str) -> String {
    let who = PRINCIPAL.replace("{member}", member).replace("{account}", account);
    let who = who.replace("{organization}", "(SELECT organization_id FROM head)");
    let words = Words(database == DbBackend::Postgres);
    let id = |column: &str| words.id(column);
    let ver = |kind: u8, id: &str| {
        format!("coalesce((SELECT v.ver FROM grant_stamp v WHERE v.kind = {kind} AND v.id = {id}), 0)")
    };
    let principals = [
        &id("w.id"),
        "w.kind",
        &id("w.user_id"),
        "w.state",
        "w.name",
        "w.email",
        "w.handle",
        "u.state",
        &ver(4, "w.id"),
        &ver(3, "w.user_id"),
    ];
    let memberships = [&id("m.team_id") as &str, &id("m.member_id"), "m.role"];
    let teams = [&id("t.id") as &str, "t.name", &id("t.parent_id")];
    let grants = [
        &id("g.id"),
        "g.grantee_kind",
        &id("g.grantee_id"),
        "g.role",
        "g.app_kind",
        "g.feature",
        "g.level",
        &id("g.app_id"),
        "p.kind",
        "g.expires_at",
        &id("g.granted_by"),
    ];
    let (permissions, access) = (words.json("x.permissions"), words.json("x.access"));
    let roles = ["x.key", "x.base", "x.label", "x.help", &permissions, &access, "x.state"];
    let mut sql = FRAME
        .replace("{head}", head)
        .replace("{who}", &who)
        .replace("{team_grants}", words.team_grants())
        .replace("{now}", words.now())
        .replace("{no_uuid}", words.no_uuid())
        .replace("{no_text}", words.no_text())
        .replace("{principals}", &words.array(&principals))
        .replace("{memberships}", &words.array(&memberships))
        .replace("{teams}", &words.array(&teams))
        .replace("{grants}", &words.array(&grants))
        .replace("{roles}", &words.array(&roles));
    for (kind, of) in
        [(1, "session_id"), (2, "token_id"), (3, "user_id"), (5, "organization_id"), (6, "organization_id")]
    {
        sql = sql.replace(&format!("{{ver:{kind},h.{of}}}"), &ver(kind, &format!("h.{of}")));
    }
    sql
}

/// The words in which the databases differ; true for PostgreSQL.
struct Words(bool);

impl Words {
    /// All rows as one JSON array of arrays.
    fn array(&self, columns: &[&str]) -> String {
        let columns = columns.join(", ");
        if self.0 {
            format!("coalesce(json_agg(json_build_array({columns})), '[]')::text")
        } else {
            format!("json_group_array(json_array({columns}))")
        }
    }

    /// An id as JSON text; in SQLite it is a blob.
    fn id(&self, column: &str) -> String {
        if self.0 { column.to_owned() } else { format!("nullif(hex({column}), '')") }
    }

    /// JSON within JSON; in SQLite it is text.
    fn json(&self, column: &str) -> String {
        if self.0 { column.to_owned() } else { format!("json({column})") }
    }

    const fn now(&self) -> &'static str {
        if self.0 { "statement_timestamp()" } else { "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00'" }
    }

    /// The grants of a team `r`. PostgreSQL takes the recursion for hundreds of teams where there are a few, and would read
    /// the whole table for them; `OFFSET 0` holds it to one look into the index for each.
    const fn team_grants(&self) -> &'static str {
        if self.0 {
            "CROSS JOIN LATERAL (SELECT a.* FROM access_grant a WHERE a.grantee_id = r.id OFFSET 0) g"
        } else {
            "JOIN access_grant g ON g.grantee_id = r.id"
        }
    }

    const fn no_uuid(&self) -> &'static str {
        if self.0 { "NULL::uuid" } else { "NULL" }
    }

    const fn no_text(&self) -> &'static str {
        if self.0 { "NULL::text" } else { "NULL" }
    }
}
