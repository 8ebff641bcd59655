//! Settings: who sees which module, and the customer register (S0.1 to S0.5).

use serde_json::json;

use super::space::{menus, space};
use crate::{
    operations::{run, send},
    support::gateway::Engines,
};

/// S0.1, S0.2, S0.3: one Settings area in modules, for administrators; a standard user neither sees nor reaches it.
#[tokio::test]
async fn s0_1_s0_2_s0_3_settings_is_the_administrators_area_in_modules() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let whole = ["products", "settings", "access_management", "billing", "usage"];
        assert_eq!(menus(&space.alice).await, whole, "{engines:?}");
        assert_eq!(menus(&space.carol).await, ["products", "settings", "access_management"]);
        assert_eq!(menus(&space.bob).await, ["products"]);
        // What a standard user does not see it does not reach either.
        let register = run(&space.bob, "workspace/customer-register", json!({})).await;
        assert_eq!(register.at("viewer.organization.profile"), &json!([]));
        let members = send(&space.bob, "workspace/access-management", json!({})).await;
        assert_eq!(members.codes(), ["FORBIDDEN"], "the seats, of who does not invite");
        assert_eq!(members.at("viewer.organization.members.totalCount"), 1, "itself alone");
        for guarded in
            ["invitations { totalCount }", "activity { totalCount }", "usage { used }", "invoices { totalCount }"]
        {
            let answer = space.bob.ask(&format!("{{ viewer {{ organization {{ {guarded} }} }} }}")).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{guarded}");
        }
        let edit = json!({ "section": "customer_register", "values": [{ "key": "company_name", "value": "Bob's" }] });
        assert_eq!(space.bob.call("updateProfile", edit, "organization { id }").await.codes(), ["FORBIDDEN"]);
        assert_eq!(
            space.bob.call("updateOrganization", json!({ "name": "x" }), "organization { id }").await.codes(),
            ["FORBIDDEN"]
        );
    }
}

/// S0.4, S0.5: company name, size and industry are viewed and updated.
#[tokio::test]
async fn s0_4_s0_5_the_customer_register_is_viewed_and_updated() {
    let space = space(Engines::Embedded).await;
    let values = json!([
        { "key": "company_name", "value": "Acme S.p.A." },
        { "key": "company_size", "value": "51-200" },
        { "key": "industry", "value": "Manufacturing" },
    ]);
    let input = json!({ "input": { "section": "customer_register", "values": values } });
    run(&space.carol, "workspace/save-customer-register", input).await;
    let seen = run(&space.alice, "workspace/customer-register", json!({})).await;
    let section = seen.at("viewer.organization.profile.0");
    assert_eq!((&section["key"], &section["viewerCanEdit"]), (&json!("customer_register"), &json!(true)));
    let said = |key: &str| {
        let fields = section["fields"].as_array().unwrap();
        fields.iter().find(|field| field["key"] == key).unwrap()["value"].clone()
    };
    assert_eq!(
        (said("company_name"), said("company_size"), said("industry")),
        (json!("Acme S.p.A."), json!("51-200"), json!("Manufacturing"))
    );
    let wrong = json!({ "section": "customer_register", "values": [{ "key": "company_size", "value": "a few" }] });
    let refused = space.carol.call("updateProfile", wrong, "organization { id }").await;
    assert_eq!(refused.refusals("updateProfile"), ["INVALID"]);
}
