//! Usage: counted once, exactly, up to the limit, and shown to those who may see it.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    events::Events,
    gateway::{Engines, scale},
    metered::{count, metered, usage},
};

#[tokio::test]
async fn a_use_is_counted_once_however_often_it_is_reported() {
    for engines in Engines::DATABASES {
        let place = metered(engines).await;
        let once = count(&place.program, &[("credits", json!(30), "a"), ("credits", json!("12"), "b")]).await.ok();
        assert_eq!((once.at("recordUsage.counted"), once.at("recordUsage.repeated")), (&json!(2), &json!(0)));
        let again = count(&place.program, &[("credits", json!(30), "a"), ("credits", json!(1), "c")]).await.ok();
        assert_eq!((again.at("recordUsage.counted"), again.at("recordUsage.repeated")), (&json!(1), &json!(1)));
        let credits = usage(&place.carol, "credits").await;
        assert_eq!((&credits["used"], &credits["remaining"]), (&json!("43"), &json!("57")), "{engines:?}");
        // The same key twice in one call is one use; of another amount it is a mistake, and nothing is counted.
        let twice = count(&place.program, &[("credits", json!(1), "d"), ("credits", json!(1), "d")]).await.ok();
        assert_eq!((twice.at("recordUsage.counted"), twice.at("recordUsage.repeated")), (&json!(1), &json!(1)));
        let other = count(&place.program, &[("credits", json!(1), "e"), ("credits", json!(2), "a")]).await;
        assert_eq!(other.refusals("recordUsage"), ["TAKEN"]);
        assert_eq!(other.at("recordUsage.userErrors.0.field"), &json!(["entries", "1", "key"]));
        assert_eq!(usage(&place.carol, "credits").await["used"], "44");
        // A key belongs to its meter.
        count(&place.program, &[("storage", json!(5), "a")]).await.ok();
        assert_eq!(usage(&place.carol, "storage").await["used"], "5");
    }
}

#[tokio::test]
async fn what_would_go_above_a_limit_is_refused_whole_or_warned_of() {
    let place = metered(Engines::Embedded).await;
    count(&place.program, &[("credits", json!(95), "a")]).await.ok();
    let over = count(&place.program, &[("credits", json!(5), "b"), ("credits", json!(1), "c")]).await;
    assert_eq!(over.refusals("recordUsage"), ["METER_LIMIT"]);
    let error = over.at("recordUsage.userErrors.0");
    assert_eq!(error["field"], json!(["entries", "1", "amount"]));
    assert_eq!(error["remedy"], "Wait for the next month, or change the plan to Large (1000 credits).");
    let credits = usage(&place.carol, "credits").await;
    assert_eq!(
        (&credits["used"], &credits["state"], &credits["onLimit"]),
        (&json!("95"), &json!("NEAR"), &json!("REFUSE"))
    );
    count(&place.program, &[("credits", json!(5), "b")]).await.ok();
    assert_eq!(usage(&place.carol, "credits").await["remaining"], "0");
    // A limit that warns.
    let warned = count(&place.program, &[("messages", json!(11), "a")]).await.ok();
    assert_eq!(warned.at("recordUsage.warnings.0.meter"), "messages");
    let messages = usage(&place.carol, "messages").await;
    assert_eq!(
        (&messages["used"], &messages["state"], &messages["onLimit"]),
        (&json!("11"), &json!("OVER"), &json!("WARN"))
    );
    // One without a limit.
    count(&place.program, &[("visits", json!("9223372036854775807"), "a")]).await.ok();
    let visits = usage(&place.carol, "visits").await;
    assert_eq!(
        (&visits["used"], &visits["limit"], &visits["state"]),
        (&json!("9223372036854775807"), &json!(null), &json!("OK"))
    );
    assert_eq!(count(&place.program, &[("visits", json!(1), "b")]).await.refusals("recordUsage"), ["INVALID"]);
    // A larger plan makes room (the meter that is above a limit may stay there, never grow).
    place.carol.call("changePlan", json!({ "plan": "large" }), "organization { id }").await.ok();
    count(&place.program, &[("credits", json!(900), "d")]).await.ok();
    place.carol.call("changePlan", json!({ "plan": "small" }), "organization { id }").await.ok();
    assert_eq!(usage(&place.carol, "credits").await["state"], "OVER");
    assert_eq!(count(&place.program, &[("credits", json!(1), "e")]).await.refusals("recordUsage"), ["METER_LIMIT"]);
}

#[tokio::test]
async fn amounts_and_meters_that_make_no_sense_are_refused() {
    let place = metered(Engines::Embedded).await;
    let refused = [
        (("credits", json!(0), "a"), "INVALID"),
        (("credits", json!(-5), "a"), "INVALID"),
        (("storage", json!(0), "a"), "INVALID"),
        (("storage", json!(-1), "a"), "INVALID"),
        (("storage", json!("-9223372036854775808"), "a"), "INVALID"),
        (("storage", json!(5_000_000_001_i64), "a"), "METER_LIMIT"),
        (("credits", json!(1), " "), "INVALID"),
        (("seats", json!(1), "a"), "NOT_IN_BLUEPRINT"),
    ];
    for (entry, code) in refused {
        assert_eq!(
            count(&place.program, std::slice::from_ref(&entry)).await.refusals("recordUsage"),
            [code],
            "{entry:?}"
        );
    }
    for bad in [json!("1.5"), json!(1.5), json!("9223372036854775808"), json!("01"), json!(true)] {
        let answer = count(&place.program, &[("credits", bad.clone(), "a")]).await;
        assert!(!answer.body["errors"].as_array().unwrap().is_empty(), "{bad}");
    }
    assert_eq!(
        place.program.call("recordUsage", json!({ "entries": [] }), "counted").await.refusals("recordUsage"),
        ["INVALID"]
    );
    // A gauge goes up and down, beyond 32 bits, and never below nothing.
    count(&place.program, &[("storage", json!(4_000_000_000_i64), "up")]).await.ok();
    count(&place.program, &[("storage", json!(-1_000_000_000), "down")]).await.ok();
    let storage = usage(&place.carol, "storage").await;
    assert_eq!(
        (&storage["used"], &storage["limit"], &storage["periodStart"]),
        (&json!("3000000000"), &json!("5000000000"), &json!(null))
    );
    assert_eq!(usage(&place.carol, "credits").await["used"], "0");
}

#[tokio::test]
async fn usage_is_exact_and_the_limit_holds_however_many_report_at_once() {
    for engines in Engines::DATABASES {
        let place = metered(engines).await;
        // Each reports three uses of 4: the limit of 100 holds exactly 8 of 16 such calls.
        let keys: Vec<String> = (0..16 * scale()).map(|n| format!("k{n}")).collect();
        let program = &place.program;
        let calls = keys.iter().map(|key| async move {
            let names: Vec<String> = (0..3).map(|n| format!("{key}-{n}")).collect();
            let uses: Vec<_> = names.iter().map(|name| ("credits", json!(4), name.as_str())).collect();
            count(program, &uses).await
        });
        let refused = join_all(calls).await.iter().filter(|answer| !answer.refusals("recordUsage").is_empty()).count();
        assert_eq!(refused, keys.len() - 8, "{engines:?}");
        assert_eq!(usage(&place.carol, "credits").await["used"], "96");
        // The same use reported by many at once is counted once.
        let use_ = [("credits", json!(2), "same")];
        let same = (0..8).map(|_| count(program, &use_));
        let counted: u64 =
            join_all(same).await.iter().filter_map(|answer| answer.at("recordUsage.counted").as_u64()).sum();
        assert_eq!((counted, usage(&place.carol, "credits").await["used"].clone()), (1, json!("98")), "{engines:?}");
    }
}

#[tokio::test]
async fn usage_is_seen_with_its_permission_and_counted_with_another() {
    let place = metered(Engines::Embedded).await;
    for who in [&place.alice, &place.bob, &place.program] {
        let answer = who.ask("{ viewer { organization { slug usage { used } } } }").await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(answer.at("viewer.organization.slug"), "acme");
    }
    assert_eq!(count(&place.alice, &[("credits", json!(1), "a")]).await.codes(), ["FORBIDDEN"]);
    assert_eq!(count(&place.gateway.stranger(), &[("credits", json!(1), "a")]).await.codes(), ["UNAUTHENTICATED"]);
    // Another organization has its own.
    let other = place.gateway.organization("other", "metered", "small").await;
    let dave = place.gateway.member(&other, "dave", "reader").await;
    place.gateway.grant_role(&other, "member", dave.member, "treasurer").await;
    place.gateway.settle().await;
    count(&place.program, &[("credits", json!(7), "a")]).await.ok();
    assert_eq!(usage(&dave, "credits").await["used"], "0");
}

#[tokio::test]
async fn usage_is_followed_as_it_changes_until_the_permission_is_lost() {
    for engines in Engines::ALL {
        let place = metered(engines).await;
        let follow = "subscription { usageChanged { meter used } }";
        let mut events = Events::open(&place.gateway, &place.carol, follow).await;
        assert_eq!(events.next().await.unwrap()["data"]["usageChanged"][0], json!({ "meter": "credits", "used": "0" }));
        count(&place.program, &[("credits", json!(7), "a")]).await.ok();
        assert_eq!(events.next().await.unwrap()["data"]["usageChanged"][0]["used"], "7", "{engines:?}");
        let id = gatehouse::graphql::node::NodeType::Member.id(place.carol.member.unwrap()).0;
        let take = json!({ "member": id, "role": "treasurer" });
        place.alice.call("removeMemberRole", take, "member { id }").await.ok();
        let last = events.next().await.unwrap();
        assert_eq!(last["errors"][0]["extensions"]["code"], "FORBIDDEN", "{engines:?}: {last}");
        assert_eq!(events.next().await, None);
        let mut none = Events::open(&place.gateway, &place.bob, follow).await;
        assert_eq!(none.next().await.unwrap()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}
