//! The profile: who sees which section, who changes it, and what each field takes.

use serde_json::{Value, json};

use crate::support::{
    gateway::{Answer, Engines, Person},
    metered::metered,
};

async fn sections(person: &Person) -> Vec<Value> {
    let fields = "key label help viewerCanEdit fields { key label help kind required options value }";
    let answer = person.ask(&format!("{{ viewer {{ organization {{ profile {{ {fields} }} }} }} }}")).await.ok();
    answer.at("viewer.organization.profile").as_array().unwrap().clone()
}

async fn value(person: &Person, section: &str, field: &str) -> Value {
    let sections = sections(person).await;
    let section = sections.iter().find(|found| found["key"] == section).unwrap();
    section["fields"].as_array().unwrap().iter().find(|found| found["key"] == field).unwrap()["value"].clone()
}

async fn set(person: &Person, section: &str, values: &[(&str, Value)]) -> Answer {
    let values: Vec<Value> = values.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    person.call("updateProfile", json!({ "section": section, "values": values }), "organization { id }").await
}

#[tokio::test]
async fn an_open_section_is_everyones_to_see_and_the_others_of_those_who_may() {
    for engines in Engines::DATABASES {
        let place = metered(engines).await;
        let keys = |sections: Vec<Value>| sections.iter().map(|section| section["key"].clone()).collect::<Vec<_>>();
        assert_eq!(keys(sections(&place.alice).await), ["register", "look"]);
        assert_eq!(keys(sections(&place.bob).await), ["look"]);
        let (mine, his) = (sections(&place.alice).await, sections(&place.bob).await);
        assert_eq!((&mine[1]["viewerCanEdit"], &his[0]["viewerCanEdit"]), (&json!(true), &json!(false)));
        // What nobody has filled in says its default, else nothing.
        assert_eq!(value(&place.bob, "look", "accent").await, "#336699");
        assert!(value(&place.bob, "look", "logo").await.is_null());
        let values =
            [("company_name", json!("Acme GmbH")), ("company_size", json!("11-50")), ("employees", json!("007"))];
        set(&place.alice, "register", &values).await.ok();
        assert_eq!(value(&place.alice, "register", "company_name").await, "Acme GmbH", "{engines:?}");
        assert_eq!(value(&place.alice, "register", "employees").await, "7");
        assert_eq!(set(&place.bob, "look", &[("accent", json!("#000000"))]).await.codes(), ["FORBIDDEN"]);
        // Another organization says its own.
        let other = place.gateway.organization("other", "metered", "small").await;
        let dave = place.gateway.member(&other, "dave", "head").await;
        assert!(value(&dave, "register", "company_name").await.is_null());
    }
}

#[tokio::test]
async fn each_field_takes_its_kind_and_every_mistake_is_told_at_once() {
    let place = metered(Engines::Embedded).await;
    let good = [
        ("logo", "https://example.com/logo.svg"),
        ("accent", "#FF0000"),
        ("branded", "true"),
        ("timezone", "Europe/Rome"),
        ("language", "de-AT"),
        ("spoken", "pt-BR"),
    ];
    let good: Vec<(&str, Value)> = good.into_iter().map(|(key, value)| (key, json!(value))).collect();
    set(&place.alice, "look", &good).await.ok();
    assert_eq!(value(&place.bob, "look", "accent").await, "#ff0000");
    let bad = [
        ("logo", json!("http://example.com")),
        ("accent", json!("red")),
        ("branded", json!("yes")),
        ("timezone", json!("Europe/Atlantis")),
        ("language", json!("english language")),
    ];
    let answer = set(&place.alice, "look", &bad).await;
    assert_eq!(answer.refusals("updateProfile"), ["INVALID"; 5]);
    assert_eq!(answer.at("updateProfile.userErrors.3.field"), &json!(["values", "3", "value"]));
    assert!(answer.at("updateProfile.userErrors.3.remedy").as_str().unwrap().contains("Europe/Rome"));
    // Letters follow the first language, which is one of theirs; another one is for the organization's own use.
    let answer = set(&place.alice, "look", &[("language", json!("fr")), ("spoken", json!("fr"))]).await;
    assert_eq!(answer.refusals("updateProfile"), ["INVALID"]);
    let refusal = answer.at("updateProfile.userErrors.0");
    assert_eq!(refusal["field"], json!(["values", "0", "value"]));
    assert_eq!(refusal["message"], "letters are written in `en`, `it`, `de`, `ko`, and in no other language");
    assert_eq!(refusal["remedy"], "Choose one of these.");
    assert_eq!(value(&place.bob, "look", "language").await, "de-AT");
    let mixed = [("accent", json!("#00ff00")), ("shoe_size", json!("42")), ("accent", json!("#0000ff"))];
    let answer = set(&place.alice, "look", &mixed).await;
    assert_eq!(answer.refusals("updateProfile"), ["NOT_IN_BLUEPRINT", "INVALID"]);
    assert_eq!(value(&place.bob, "look", "accent").await, "#ff0000", "nothing of it was changed");
    for hidden in ["a\u{202e}b", "a\nb", ""] {
        assert_eq!(
            set(&place.alice, "register", &[("company_name", json!(hidden))]).await.refusals("updateProfile"),
            ["INVALID"]
        );
    }
    // Null empties no field that must be filled in; each address is shown by one that fits.
    for (section, key, text, remedy) in [
        ("register", "company_name", "", "Write something."),
        ("look", "accent", "", "Write something, or null to empty the field."),
        ("look", "logo", "javascript:alert(1)", "Write it as `https://example.com`."),
    ] {
        let answer = set(&place.alice, section, &[(key, json!(text))]).await;
        assert_eq!(answer.at("updateProfile.userErrors.0.remedy"), remedy, "{key}: {}", answer.text);
    }
    assert_eq!(set(&place.alice, "nowhere", &[]).await.refusals("updateProfile"), ["NOT_IN_BLUEPRINT"]);
    // Null empties a field, unless it is required; then the default shows again.
    set(&place.alice, "look", &[("accent", json!(null)), ("language", json!(null))]).await.ok();
    assert_eq!(value(&place.bob, "look", "accent").await, "#336699");
    set(&place.alice, "register", &[("company_name", json!("Acme"))]).await.ok();
    let emptied = set(&place.alice, "register", &[("company_name", json!(null))]).await;
    assert_eq!(emptied.refusals("updateProfile"), ["MISSING"]);
}
