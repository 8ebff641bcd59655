//! For how long something is given: a save keeps the ends that are there, and nobody gives for longer than they have it (S2.26, S2.31).

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::suite::{Suite, id_of, save_access, suite_on, tree, update};
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person},
    people::{app_id, fields},
};

/// Grants a feature on an app, until then.
async fn grant(
    by: &Person,
    (to, app): (&Person, Uuid),
    (feature, level): (&str, Option<&str>),
    end: Option<DateTime<Utc>>,
) -> Answer {
    let kind = if feature == "contacts" { "crm" } else { "projects" };
    let gives = json!({ "feature": { "kind": kind, "feature": feature, "level": level } });
    let end = end.map(|end| end.to_rfc3339());
    let input = json!({ "grantee": { "member": id_of(to) }, "gives": gives, "app": app_id(app), "expiresAt": end });
    by.call("grantAccess", input, "grant { id }").await
}

/// The ends of a member's own grants, by feature.
async fn ends(gateway: &Gateway, member: &Person) -> Vec<(String, Option<DateTime<Utc>>)> {
    let sql =
        "SELECT feature, expires_at FROM access_grant WHERE grantee_id = $1 AND feature IS NOT NULL ORDER BY feature";
    let rows = gateway.database.rows(sql, [member.member.unwrap().into()]).await;
    let end =
        |row: &sea_orm::QueryResult| (row.try_get("", "feature").unwrap(), row.try_get("", "expires_at").unwrap());
    rows.iter().map(end).collect()
}

fn in_days(gateway: &Gateway, days: i64) -> DateTime<Utc> {
    let moment = gateway.service.now() + Duration::days(days);
    DateTime::from_timestamp(moment.timestamp(), 0).unwrap()
}

/// S2.26: the form has no ends, so a save of another level takes none away.
#[tokio::test]
async fn s2_26_another_level_ends_when_the_one_before_it_would() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, alice, bob, work, .. } = &suite;
        let end = in_days(gateway, 20);
        grant(alice, (bob, *work), ("boards", None), None).await.ok();
        grant(alice, (bob, *work), ("tasks", Some("plan")), Some(end)).await.ok();
        for level in ["work", "plan"] {
            let chosen = tree(&[(*work, &["boards", &format!("tasks:{level}")])]);
            save_access(alice, bob.member.unwrap(), chosen).await.ok();
            let expected = vec![("boards".to_owned(), None), ("tasks".to_owned(), Some(end))];
            assert_eq!(ends(gateway, bob).await, expected, "{engines:?} {level}");
        }
    }
}

/// S2.31: an admin who has something for a time gives it for no longer, in whatever way, and never to herself.
#[tokio::test]
async fn s2_31_nobody_gives_for_longer_than_they_have_it() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, alice, carol, bob, crm, .. } = &suite;
        let (sooner, end, later) = (in_days(gateway, 5), in_days(gateway, 20), in_days(gateway, 30));
        let contacts = ("contacts", None);
        grant(alice, (carol, *crm), contacts, Some(end)).await.ok();
        for (to, until) in [(bob, None), (bob, Some(later)), (carol, None)] {
            let answer = grant(carol, (to, *crm), contacts, until).await;
            assert_eq!(answer.refusals("grantAccess"), ["NOT_GRANTABLE"], "{engines:?} {until:?}");
            assert_eq!(fields(&answer, "grantAccess"), ["expiresAt"]);
            let told: &Value = &answer.at("grantAccess.userErrors")[0];
            assert!(told["message"].as_str().unwrap().starts_with("you have this yourself until "), "{told}");
        }
        grant(carol, (bob, *crm), contacts, Some(sooner)).await.ok();
        assert_eq!(ends(gateway, bob).await, [("contacts".to_owned(), Some(sooner))], "{engines:?}");
        save_access(carol, bob.member.unwrap(), json!([])).await.ok();
        // A form has no ends: what is ticked there ends with what its author has.
        for change in [json!({ "access": tree(&[(*crm, &["contacts"])]) }), json!({ "accessMode": "ALL" })] {
            update(carol, bob.member.unwrap(), change).await.ok();
            assert_eq!(ends(gateway, bob).await, [("contacts".to_owned(), Some(end))], "{engines:?}");
            save_access(carol, bob.member.unwrap(), json!([])).await.ok();
        }
        // The owner is bound to nothing.
        grant(alice, (bob, *crm), contacts, None).await.ok();
        assert_eq!(ends(gateway, bob).await, [("contacts".to_owned(), None)], "{engines:?}");
    }
}
