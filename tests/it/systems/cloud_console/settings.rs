//! How the console looks, its timezone and its language: an admin's to set, everyone's to see (S4.12, S4.15, S4.16).

use serde_json::{Value, json};

use super::console::{Console, console};
use crate::{
    operations::{run, send},
    support::gateway::{Answer, Engines, Person},
};

async fn save(by: &Person, section: &str, values: &[(&str, &str)]) -> Answer {
    let values: Vec<Value> = values.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    send(by, "cloud-console/save-settings", json!({ "input": { "section": section, "values": values } })).await
}

/// The sections as this person sees them: what each field says, and whether the person changes it.
async fn shown(person: &Person, section: &str) -> (bool, Vec<(String, Value)>) {
    let answer = run(person, "cloud-console/settings", json!({ "organization": "acme" })).await;
    let sections = answer.at("organization.profile").as_array().unwrap().clone();
    let section = sections.iter().find(|found| found["key"] == section).unwrap();
    let fields = section["fields"].as_array().unwrap().iter();
    let said = fields.map(|field| (field["key"].as_str().unwrap().to_owned(), field["value"].clone()));
    (section["viewerCanEdit"] == true, said.collect())
}

#[tokio::test]
async fn s4_15_an_admin_sets_display_icons_and_white_label() {
    for engines in Engines::DATABASES {
        let Console { gateway: _open, alice, bob, carol, .. } = console(engines).await;
        let look = [
            ("display_name", "Acme Cloud"),
            ("symbol_icon", "https://cdn.example.com/symbol.svg"),
            ("wordmark", "https://cdn.example.com/wordmark.svg"),
            ("favicon", "https://cdn.example.com/favicon.ico"),
            ("login_background", "https://cdn.example.com/sky.jpg"),
            ("brand_color", "#0a4fff"),
            ("white_label", "true"),
        ];
        for mallory in [&bob, &carol] {
            assert_eq!(save(mallory, "appearance", &look).await.codes(), ["FORBIDDEN"], "{}", mallory.name);
        }
        assert_eq!(shown(&bob, "appearance").await.1[6], ("white_label".to_owned(), json!("false")), "the default");
        assert!(save(&alice, "appearance", &look).await.ok().refusals("updateProfile").is_empty());
        let expected: Vec<(String, Value)> =
            look.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        for (person, edits) in [(&alice, true), (&bob, false), (&carol, false)] {
            assert_eq!(shown(person, "appearance").await, (edits, expected.clone()), "{engines:?} {}", person.name);
        }
        let odd =
            [("brand_color", "blue"), ("favicon", "http://cdn.example.com/favicon.ico"), ("white_label", "maybe")];
        assert_eq!(save(&alice, "appearance", &odd).await.refusals("updateProfile"), ["INVALID"; 3]);
        assert_eq!(shown(&bob, "appearance").await.1, expected, "all or nothing");
    }
}

#[tokio::test]
async fn s4_16_an_admin_sets_the_timezone_and_the_language() {
    let Console { gateway: _open, alice, bob, .. } = console(Engines::Embedded).await;
    let seoul = [("timezone", "Asia/Seoul"), ("language", "ko")];
    assert_eq!(save(&bob, "region", &seoul).await.codes(), ["FORBIDDEN"]);
    let said = |zone: &str, language: &str| {
        vec![("timezone".to_owned(), json!(zone)), ("language".to_owned(), json!(language))]
    };
    assert_eq!(shown(&bob, "region").await, (false, said("UTC", "en")), "the defaults");
    assert!(save(&alice, "region", &seoul).await.ok().refusals("updateProfile").is_empty());
    assert_eq!(shown(&bob, "region").await, (false, said("Asia/Seoul", "ko")));
    assert_eq!(shown(&alice, "region").await, (true, said("Asia/Seoul", "ko")));
    let odd = [("timezone", "Asia/Atlantis"), ("language", "klingon language")];
    assert_eq!(save(&alice, "region", &odd).await.refusals("updateProfile"), ["INVALID"; 2]);
}
