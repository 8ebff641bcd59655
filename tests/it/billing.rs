//! Billing records: written down by a program, seen by those who may, and never with a card's number.

use serde_json::{Value, json};

use crate::support::{
    gateway::{Engines, Person},
    metered::{Metered, metered},
};

fn invoice(number: &str, issued: &str, amount: impl Into<Value>) -> Value {
    let amount = amount.into();
    json!({ "number": number, "issuedOn": issued, "dueOn": "2027-01-31", "amountMinor": amount, "currency": "EUR",
            "state": "OPEN", "period": "November 2026", "url": "https://billing.example.com/1" })
}

async fn numbers(person: &Person, arguments: &str) -> Vec<Value> {
    let asked =
        format!("{{ viewer {{ organization {{ invoices{arguments} {{ edges {{ node {{ number }} }} }} }} }} }}");
    let answer = person.ask(&asked).await.ok();
    let edges = answer.at("viewer.organization.invoices.edges").as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["number"].clone()).collect()
}

#[tokio::test]
async fn invoices_are_replaced_by_number_and_listed_newest_first() {
    for engines in Engines::DATABASES {
        let place = metered(engines).await;
        for (number, day) in [("2026-1", "2026-10-01"), ("2026-3", "2026-12-01"), ("2026-2", "2026-11-01")] {
            place
                .program
                .call("recordInvoice", invoice(number, day, json!(4_200_000_000_i64)), "invoice { id }")
                .await
                .ok();
        }
        assert_eq!(numbers(&place.carol, "").await, ["2026-3", "2026-2", "2026-1"], "{engines:?}");
        assert_eq!(numbers(&place.carol, "(first: 1)").await, ["2026-3"]);
        assert_eq!(numbers(&place.carol, "(last: 2)").await, ["2026-2", "2026-1"]);
        let mut paid = invoice("2026-1", "2026-10-01", json!("-5"));
        paid["state"] = json!("PAID");
        let selection = "invoice { id number issuedOn dueOn amountMinor currency state period url }";
        let answer = place.program.call("recordInvoice", paid, selection).await.ok();
        assert_eq!(answer.at("recordInvoice.invoice.state"), "PAID");
        assert_eq!(answer.at("recordInvoice.invoice.amountMinor"), "-5");
        assert_eq!(answer.at("recordInvoice.invoice.issuedOn"), "2026-10-01");
        assert_eq!(numbers(&place.carol, "").await.len(), 3);
        let node = format!("{{ node(id: {}) {{ id __typename }} }}", answer.at("recordInvoice.invoice.id"));
        assert_eq!(place.carol.ask(&node).await.ok().at("node.__typename"), "Invoice");
        for other in [&place.alice, &place.bob, &place.program] {
            assert!(other.ask(&node).await.ok().at("node").is_null());
        }
    }
}

#[tokio::test]
async fn a_payment_method_is_replaced_by_reference_and_one_is_the_default() {
    for engines in Engines::DATABASES {
        let place = metered(engines).await;
        let card = json!({ "reference": "pm_1", "kind": "CARD", "brand": "Visa", "last4": "4242", "expiresMonth": 12,
                           "expiresYear": 2030, "holder": "Alice Doe", "isDefault": true });
        let bank = json!({ "reference": "pm_2", "kind": "BANK", "brand": "Bank", "isDefault": true });
        let selection = "paymentMethod { id reference kind brand last4 expiresMonth expiresYear holder isDefault }";
        for method in [&card, &bank, &bank] {
            place.program.call("recordPaymentMethod", method.clone(), selection).await.ok();
        }
        let asked = "{ viewer { organization { paymentMethods { reference last4 isDefault } } } }";
        let found = place.carol.ask(asked).await.ok();
        let methods = json!([{ "reference": "pm_2", "last4": null, "isDefault": true },
                             { "reference": "pm_1", "last4": "4242", "isDefault": false }]);
        assert_eq!(found.at("viewer.organization.paymentMethods"), &methods, "{engines:?}");
        let gone = json!({ "reference": "pm_2" });
        place.program.call("removePaymentMethod", gone.clone(), "removedPaymentMethodId").await.ok();
        let again = place.program.call("removePaymentMethod", gone, "removedPaymentMethodId").await;
        assert_eq!(again.refusals("removePaymentMethod"), ["MISSING"]);
        assert_eq!(place.carol.ask(asked).await.ok().at("viewer.organization.paymentMethods.0.reference"), "pm_1");
    }
}

#[tokio::test]
async fn billing_is_seen_with_its_permission_and_written_with_another() {
    let place = metered(Engines::Embedded).await;
    for who in [&place.alice, &place.bob, &place.program] {
        for asked in ["invoices { totalCount }", "paymentMethods { reference }"] {
            let answer = who.ask(&format!("{{ viewer {{ organization {{ slug {asked} }} }} }}")).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{asked}");
        }
        let method = json!({ "reference": "pm_1", "kind": "CARD" });
        if who.member.is_some() {
            let answer = who.call("recordInvoice", invoice("1", "2026-10-01", json!(1)), "invoice { id }").await;
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
            assert_eq!(
                who.call("recordPaymentMethod", method.clone(), "paymentMethod { id }").await.codes(),
                ["FORBIDDEN"]
            );
            let gone = json!({ "reference": "pm_1" });
            assert_eq!(who.call("removePaymentMethod", gone, "removedPaymentMethodId").await.codes(), ["FORBIDDEN"]);
        }
    }
    assert!(numbers(&place.carol, "").await.is_empty());
}

#[tokio::test]
async fn what_no_invoice_or_payment_method_can_be_is_refused_at_its_field() {
    let place = metered(Engines::Embedded).await;
    let refused = |field: &str, value: Value, at: &str| {
        let mut input = invoice("1", "2026-10-01", json!(1));
        input[field] = value;
        let (program, at) = (place.program.clone(), at.to_owned());
        async move {
            let answer = program.call("recordInvoice", input, "invoice { id }").await;
            assert_eq!(answer.refusals("recordInvoice"), ["INVALID"], "{at}: {}", answer.text);
            assert_eq!(answer.at("recordInvoice.userErrors.0.field"), &json!([at]));
        }
    };
    refused("number", json!(" "), "number").await;
    refused("issuedOn", json!("2026-02-30"), "issuedOn").await;
    refused("issuedOn", json!("1 May 2026"), "issuedOn").await;
    refused("dueOn", json!("2026-09-30"), "dueOn").await;
    refused("currency", json!("XYZ"), "currency").await;
    refused("url", json!("http://example.com"), "url").await;
    refused("url", json!("javascript:alert(1)"), "url").await;
    for (field, value, remedy) in [
        ("number", "", "Give the invoice's number."),
        ("url", "javascript:alert(1)", "Write it as `https://example.com/invoices/1.pdf`."),
    ] {
        let mut input = invoice("1", "2026-10-01", json!(1));
        input[field] = json!(value);
        let answer = place.program.call("recordInvoice", input, "invoice { id }").await;
        assert_eq!(answer.at("recordInvoice.userErrors.0.remedy"), remedy, "{}", answer.text);
    }
    let methods = [
        (json!({ "reference": "", "kind": "CARD" }), "reference"),
        (json!({ "reference": "a", "kind": "CARD", "last4": "42" }), "last4"),
        (json!({ "reference": "a", "kind": "CARD", "last4": "42x4" }), "last4"),
        (json!({ "reference": "a", "kind": "CARD", "expiresMonth": 13, "expiresYear": 2030 }), "expiresMonth"),
        (json!({ "reference": "a", "kind": "CARD", "expiresMonth": 12, "expiresYear": 30 }), "expiresYear"),
        (json!({ "reference": "a", "kind": "CARD", "expiresMonth": 12 }), "expiresYear"),
        (json!({ "reference": "a", "kind": "CARD", "expiresYear": 2030 }), "expiresMonth"),
    ];
    for (input, at) in methods {
        let answer = place.program.call("recordPaymentMethod", input, "paymentMethod { id }").await;
        assert_eq!(answer.refusals("recordPaymentMethod"), ["INVALID"], "{at}: {}", answer.text);
        assert_eq!(answer.at("recordPaymentMethod.userErrors.0.field"), &json!([at]));
    }
}

/// Every text that is kept, in one.
async fn kept(place: &Metered) -> String {
    let mut all = String::new();
    for table in ["invoice", "payment_method", "activity_entry", "idempotency_record"] {
        let columns = match table {
            "invoice" => "number || coalesce(period, '') || coalesce(url, '')",
            "payment_method" => "reference || coalesce(brand, '') || coalesce(holder, '')",
            "activity_entry" => "target_name || CAST(detail AS text)",
            _ => "key || CAST(response AS text)",
        };
        for row in place.gateway.database.rows(&format!("SELECT {columns} FROM {table}"), []).await {
            all += &row.try_get_by_index::<String>(0).unwrap();
        }
    }
    all
}

#[tokio::test]
async fn a_card_number_is_refused_wherever_it_is_written_and_never_kept() {
    let place = metered(Engines::Embedded).await;
    let number = "4111 1111-1111 1111";
    for field in ["number", "period", "url", "currency", "idempotencyKey"] {
        let mut input = invoice("1", "2026-10-01", json!(1));
        input[field] = json!(number);
        let answer = place.program.call("recordInvoice", input, "invoice { id }").await;
        assert!(answer.refusals("recordInvoice").contains(&"INVALID"), "{field}: {}", answer.text);
        assert!(!answer.text.contains("1111"), "{}", answer.text);
    }
    for field in ["reference", "brand", "last4", "holder", "idempotencyKey"] {
        let mut input = json!({ "reference": "pm_1", "kind": "CARD" });
        input[field] = json!(format!("card {number}"));
        let answer = place.program.call("recordPaymentMethod", input, "paymentMethod { id }").await;
        assert!(answer.refusals("recordPaymentMethod").contains(&"INVALID"), "{field}: {}", answer.text);
        assert!(!answer.text.contains("1111"), "{}", answer.text);
    }
    let gone =
        place.program.call("removePaymentMethod", json!({ "reference": number }), "removedPaymentMethodId").await;
    assert_eq!(gone.refusals("removePaymentMethod"), ["INVALID"]);
    let kept = kept(&place).await;
    assert!(!kept.contains("1111"), "{kept}");
}
