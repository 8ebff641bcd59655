//! Limits that are no numbers, or too many: C9.

use gatehouse::access::Blueprint;
use serde_json::json;

use crate::support::gateway::Gateway;

const RULES: &str = include_str!("../../../blueprints/business-suite.toml");

/// C9: what is no count of seats is no limit that can be written; it never comes to mean «unlimited».
#[test]
fn c9_a_seat_limit_is_a_number_or_the_blueprint_is_refused() {
    let written = "seats = { user = 3 }";
    assert!(RULES.contains(written));
    let read = |limit: &str| Blueprint::parse(&RULES.replacen(written, &format!("seats = {{ user = {limit} }}"), 1));
    for limit in ["1", "2147483647"] {
        assert!(read(limit).is_ok(), "{limit}");
    }
    for limit in [
        "nan",
        "+nan",
        "inf",
        "-inf",
        "-1",
        "-2147483648",
        "0",
        "-0",
        "3.0",
        "1e3",
        "2147483648",
        "4294967295",
        "4294967296",
        "4294967299",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        "\"3\"",
        "\"\"",
        "\"unlimited\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "",
    ] {
        assert!(read(limit).is_err(), "{limit}");
    }
    // A pool of another name would leave the one that is meant without a limit.
    assert!(Blueprint::parse(&RULES.replacen(written, "seats = { users = 3 }", 1)).is_err());
}

/// C9: clients name plans and never a number of seats, and a plan that the rules do not have has none.
#[tokio::test]
async fn c9_a_plan_that_there_is_not_has_no_seats() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "business").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    gateway.settle().await;
    for plan in ["", "NaN", "-1", "null", "unlimited", "AGENCY"] {
        let answer = alice.call("changePlan", json!({ "plan": plan }), "__typename").await;
        assert_eq!(answer.refusals("changePlan"), ["NOT_IN_BLUEPRINT"], "{plan}: {}", answer.text);
    }
    for plan in [json!(null), json!(-1), json!(1e308), json!(true), json!(["agency", "starter"]), json!({})] {
        let answer = alice.call("changePlan", json!({ "plan": plan }), "__typename").await;
        assert!(!answer.codes().is_empty(), "{plan}: {}", answer.text);
    }
    let usage = "{ organization(slug: \"acme\") { seatUsage { limit free full } } }";
    assert_eq!(alice.ask(usage).await.ok().at("organization.seatUsage.0.limit"), 25);

    // A row that names a plan of no rules, however it came there.
    gateway.database.run("UPDATE organization SET plan = 'NaN'", []).await.unwrap();
    gateway.settle().await;
    let seats = alice.ask(usage).await.ok();
    assert_eq!(seats.at("organization.seatUsage.0"), &json!({ "limit": 0, "free": 0, "full": true }));
    let invite = json!({ "email": "dave@example.org", "firstName": "D", "lastName": "E" });
    let refused = alice.call("inviteMember", invite, "__typename").await;
    assert_eq!(refused.refusals("inviteMember"), ["SEAT_LIMIT"], "{}", refused.text);
    assert_eq!(gateway.database.count("SELECT count(*) FROM member").await, 1);
}
