//! The rows of an organization, as the database has them.

use std::collections::BTreeMap;

use gatehouse::access::{Grantee, Held, Place};
use uuid::Uuid;

use super::{
    Machine,
    world::{Gift, Member, State},
};

/// The grants, and who gave each of those that somebody gave.
type Grants = (Vec<(Uuid, Gift)>, BTreeMap<Uuid, Uuid>);

impl Machine<'_> {
    pub(super) async fn members(&self) -> Vec<Member> {
        let sql = "SELECT m.id, m.state, m.email, i.id, i.invited_by,
                          CASE WHEN m.joined_at IS NULL THEN 0 ELSE 1 END
                   FROM member m LEFT JOIN invitation i ON i.member_id = m.id WHERE m.organization_id = $1 ORDER BY m.id";
        let rows = self.gateway.database.rows(sql, [self.tenant.id.into()]).await;
        let member = |row: &sea_orm::QueryResult| {
            let email: String = row.try_get_by_index(2).unwrap();
            let state: String = row.try_get_by_index(1).unwrap();
            let invitation: Option<Uuid> = row.try_get_by_index(3).unwrap();
            let by: Option<Uuid> = row.try_get_by_index(4).unwrap();
            Member {
                id: row.try_get_by_index(0).unwrap(),
                person: self.people.iter().position(|person| person.email == email).unwrap(),
                state: match state.as_str() {
                    "pending" => State::Pending,
                    "active" => State::Active,
                    "suspended" => State::Suspended,
                    _ => State::Archived,
                },
                invitation: by.zip(invitation),
                joined: row.try_get_by_index::<i32>(5).unwrap() == 1,
            }
        };
        rows.iter().map(member).collect()
    }

    pub(super) async fn grants(&self) -> Grants {
        let sql = "SELECT g.id, g.grantee_kind, g.grantee_id, g.role, g.app_kind, g.feature, g.level, g.app_id, a.kind,
                          g.granted_by
                   FROM access_grant g LEFT JOIN app a ON a.id = g.app_id WHERE g.organization_id = $1";
        let rows = self.gateway.database.rows(sql, [self.tenant.id.into()]).await;
        let text = |row: &sea_orm::QueryResult, index| row.try_get_by_index::<Option<String>>(index).unwrap();
        let grant = |row: &sea_orm::QueryResult| {
            let grantee: Option<Uuid> = row.try_get_by_index(2).unwrap();
            let app: Option<Uuid> = row.try_get_by_index(7).unwrap();
            let gift = Gift {
                grantee: match (text(row, 1).unwrap().as_str(), grantee) {
                    ("member", Some(id)) => Grantee::Member(id),
                    ("team", Some(id)) => Grantee::Team(id),
                    ("service_account", Some(id)) => Grantee::ServiceAccount(id),
                    _ => Grantee::Everyone,
                },
                held: match text(row, 3) {
                    Some(role) => Held::Role(role),
                    None => Held::Feature {
                        kind: text(row, 4).unwrap(),
                        feature: text(row, 5).unwrap(),
                        level: text(row, 6),
                    },
                },
                place: app.map_or(Place::Organization, |id| Place::App { id, kind: text(row, 8).unwrap() }),
            };
            (row.try_get_by_index(0).unwrap(), gift)
        };
        let giver = |row: &sea_orm::QueryResult| {
            let giver: Option<Uuid> = row.try_get_by_index(9).unwrap();
            Some((row.try_get_by_index(0).unwrap(), giver?))
        };
        (rows.iter().map(grant).collect(), rows.iter().filter_map(giver).collect())
    }

    pub(super) async fn entries(&self) -> i64 {
        let sql = "SELECT count(*) FROM activity_entry WHERE organization_id = $1";
        self.gateway.database.rows(sql, [self.tenant.id.into()]).await[0].try_get_by_index(0).unwrap()
    }
}
