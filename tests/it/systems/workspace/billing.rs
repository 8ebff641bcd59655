//! Billing and usage: a role of their own that is handed on (S0.10 to S0.13, S0.38 to S0.44).

use serde_json::{Value, json};

use super::space::{id, keys, menus, person, space};
use crate::{
    operations::{open, run, send},
    support::{
        gateway::{Engines, Gateway, Person},
        metered::{count, program, usage},
        people::{remedies, switch},
    },
};

/// S0.10, S0.11: plan, invoices and payment methods, for billing admins alone; an administrator is none by that (Q2).
#[tokio::test]
async fn s0_10_s0_11_billing_is_for_billing_admins() {
    let space = space(Engines::Embedded).await;
    let system = program(&space.gateway, "acme").await;
    let invoice = json!({ "number": "2026-0042", "issuedOn": "2026-11-01", "dueOn": "2026-12-01", "amountMinor": "490000",
                          "currency": "EUR", "state": "OPEN" });
    system.call("recordInvoice", invoice.clone(), "invoice { id }").await.ok();
    let card = json!({ "reference": "pm_1", "kind": "CARD", "brand": "Visa", "last4": "4242", "isDefault": true });
    system.call("recordPaymentMethod", card, "paymentMethod { id }").await.ok();
    let billing = run(&space.alice, "workspace/billing", json!({})).await;
    let billing = billing.at("viewer.organization");
    assert_eq!((&billing["plan"]["key"], &billing["viewerCanChangePlan"]), (&json!("growth"), &json!(true)));
    assert_eq!(billing["invoices"]["edges"][0]["node"]["amountMinor"], "490000");
    assert_eq!(billing["paymentMethods"][0]["last4"], "4242");
    // What the plan includes, seat pools and meters, and of each meter what happens beyond.
    let meter = &billing["plan"]["meters"][0];
    assert_eq!((&meter["label"], &meter["limit"]), (&json!("AI Credits"), &json!("100000")));
    assert_eq!(meter["onLimit"], "REFUSE");
    assert_eq!(billing["plans"].as_array().unwrap().len(), 3);
    // Neither sees any of it: of the seats an administrator, who invites, sees how full they are.
    for (other, refused) in [(&space.carol, 4), (&space.bob, 5)] {
        let seen = send(other, "workspace/billing", json!({})).await;
        assert_eq!(seen.codes(), vec!["FORBIDDEN"; refused], "{}", seen.text);
        let organization = seen.at("viewer.organization");
        for hidden in ["plan", "plans", "invoices", "paymentMethods"] {
            assert!(organization[hidden].is_null(), "{hidden}: {organization}");
        }
        assert_eq!(organization["seatUsage"].is_array(), other.name == "carol", "{organization}");
        let seen = send(other, "workspace/usage", json!({})).await;
        assert_eq!(seen.codes(), vec!["FORBIDDEN"; refused - 3], "{}", seen.text);
        assert_eq!(
            other.call("changePlan", json!({ "plan": "enterprise" }), "organization { id }").await.codes(),
            ["FORBIDDEN"]
        );
    }
    // Nobody of the workspace writes its own invoices.
    assert_eq!(space.alice.call("recordInvoice", invoice, "invoice { id }").await.codes(), ["FORBIDDEN"]);
}

/// S0.12, S0.13: four meters, as they are now and as they change.
#[tokio::test]
async fn s0_12_s0_13_usage_reports_four_meters_as_they_change() {
    for engines in Engines::ALL {
        let space = space(engines).await;
        let system = program(&space.gateway, "acme").await;
        let mut live = open(&space.gateway, &space.alice, "workspace/usage-changed").await;
        assert_eq!(live.next().await.unwrap()["data"]["usageChanged"][0]["used"], "0", "{engines:?}");
        let uses = [
            ("ai_credits", json!(90_000), "a"),
            ("integration_credits", json!(7), "b"),
            ("storage", json!("99000000000"), "c"),
        ];
        count(&system, &uses).await.ok();
        assert_eq!(live.next().await.unwrap()["data"]["usageChanged"][0]["used"], "90000", "{engines:?}");
        let seen = run(&space.alice, "workspace/usage", json!({})).await;
        let meters = seen.at("viewer.organization.usage").as_array().unwrap();
        let told: Vec<(&Value, &Value, &Value)> =
            meters.iter().map(|meter| (&meter["label"], &meter["used"], &meter["state"])).collect();
        let (near, ok) = (json!("NEAR"), json!("OK"));
        assert_eq!(told[0], (&json!("AI Credits"), &json!("90000"), &near));
        assert_eq!(told[1], (&json!("Integration Credits"), &json!("7"), &ok));
        assert_eq!(told[2], (&json!("Storage"), &json!("99000000000"), &near));
        assert_eq!(told.len(), 3, "the fourth meter, seats, is counted from people");
        let seats = seen.at("viewer.organization.seatUsage");
        assert_eq!((&seats[0]["used"], &seats[0]["limit"], &seats[1]["used"]), (&json!(2), &json!(10), &json!(1)));
    }
}

/// S0.38: who creates a workspace is its billing admin.
#[tokio::test]
async fn s0_38_the_creator_is_the_billing_admin() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "workspace" });
    alice.call("createOrganization", input, "organization { id }").await.ok();
    let there = switch(&alice, "acme").await;
    let seen = run(&there, "workspace/settings", json!({})).await;
    assert_eq!(
        keys(seen.at("viewer.organization.viewerMember.roles")),
        ["app_builder", "administrator", "billing_admin"]
    );
    run(&there, "workspace/billing", json!({})).await;
}

/// S0.39, S0.40, S0.41, S0.42, S0.43: one toggle hands billing on, to a CFO who administers nothing else; it takes nothing from the creator.
#[tokio::test]
async fn s0_39_s0_40_s0_41_s0_42_s0_43_billing_is_handed_on_with_one_toggle() {
    for engines in Engines::ALL {
        let space = space(engines).await;
        let toggle = |role: &str| json!({ "member": id(&space.bob), "role": role });
        // The profile offers it beside the other permissions that can be added.
        let profile = run(&space.carol, "workspace/member-profile", json!({ "member": id(&space.bob) })).await;
        let offered = profile.at("viewer.organization.invitationForm.roles").as_array().unwrap();
        let flags: Vec<&Value> =
            offered.iter().filter(|role| role["flag"] == true).map(|role| &role["label"]).collect();
        assert_eq!(flags, ["Billing & Subscription", "Auditor", "Product Creator"]);
        assert_eq!(menus(&space.bob).await, ["products"], "{engines:?}");
        // An administrator hands on what the administrator cannot see (Q2).
        run(&space.carol, "workspace/add-permission", json!({ "input": toggle("billing_admin") })).await;
        assert_eq!(menus(&space.bob).await, ["products", "billing", "usage"], "and nothing else of Settings (Q25)");
        run(&space.bob, "workspace/billing", json!({})).await;
        run(&space.bob, "workspace/usage", json!({})).await;
        run(&space.alice, "workspace/billing", json!({})).await;
        run(&space.carol, "workspace/add-permission", json!({ "input": toggle("auditor") })).await;
        // It stops at the toggle: an administrator gives it to others, not to themselves.
        let own = json!({ "member": id(&space.carol), "role": "billing_admin" });
        assert_eq!(
            send(&space.carol, "workspace/add-permission", json!({ "input": own })).await.refusals("addMemberRole"),
            ["NOT_GRANTABLE"]
        );
        let dora = person(&space.gateway, &space.tenant, "dora", &["app_user", "non_admin"]).await;
        let other = json!({ "member": id(&dora), "role": "auditor" });
        assert_eq!(send(&dora, "workspace/add-permission", json!({ "input": other })).await.codes(), ["FORBIDDEN"]);
        // Several may hold it, and somebody always does.
        let off = |who: String| json!({ "member": who, "role": "billing_admin" });
        space.carol.call("removeMemberRole", off(id(&space.alice)), "member { id }").await.ok();
        let last = space.carol.call("removeMemberRole", off(id(&space.bob)), "member { id }").await;
        assert_eq!(last.refusals("removeMemberRole"), ["LAST_HOLDER"], "{engines:?}");
    }
}

/// S0.42: whoever holds billing gives it up, whatever else that one may do, while somebody else has it; nobody else's is taken so.
#[tokio::test]
async fn s0_42_a_billing_admin_gives_the_flag_up() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let [judy, dora] = [&["app_user", "non_admin", "billing_admin"][..], &["app_user", "non_admin", "auditor"]];
        let judy = person(&space.gateway, &space.tenant, "judy", judy).await;
        let dora = person(&space.gateway, &space.tenant, "dora", dora).await;
        let off = async |by: &Person, who: &Person, role: &str| {
            let input = json!({ "member": id(who), "role": role });
            by.call("removeMemberRole", input, "member { roles { key } }").await
        };
        for (who, role) in [(&dora, "auditor"), (&space.alice, "billing_admin")] {
            assert_eq!(off(&judy, who, role).await.codes(), ["FORBIDDEN"], "{engines:?} {} {role}", who.name);
        }
        let gone = off(&judy, &judy, "billing_admin").await.ok();
        assert_eq!(keys(gone.at("removeMemberRole.member.roles")), ["app_user", "non_admin"], "{engines:?}");
        assert_eq!(menus(&judy).await, ["products"], "{engines:?}");
        // Somebody always has it.
        let last = off(&space.alice, &space.alice, "billing_admin").await;
        assert_eq!(last.refusals("removeMemberRole"), ["LAST_HOLDER"], "{engines:?}");
    }
}

/// S0.44: the limits of a plan, its seats and a wallet of credits are three things.
#[tokio::test]
async fn s0_44_plan_limits_seats_and_wallets_are_separate() {
    let place = crate::support::metered::metered(Engines::Embedded).await;
    // A wallet is filled and spent, whatever the plan, and never below nothing.
    count(&place.program, &[("wallet", json!(500), "top-up 1")]).await.ok();
    count(&place.program, &[("wallet", json!(-180), "spent 1")]).await.ok();
    assert_eq!(count(&place.program, &[("wallet", json!(-321), "spent 2")]).await.refusals("recordUsage"), ["INVALID"]);
    place.carol.call("changePlan", json!({ "plan": "large" }), "organization { id }").await.ok();
    let wallet = usage(&place.carol, "wallet").await;
    assert_eq!((&wallet["used"], &wallet["limit"], &wallet["kind"]), (&json!("320"), &json!(null), &json!("GAUGE")));
    assert_eq!(usage(&place.carol, "credits").await["limit"], "1000");
    let seats = place
        .carol
        .ask("{ viewer { organization { plan { seats { pool limit } } seatUsage { pool used limit } } } }")
        .await
        .ok();
    assert_eq!(seats.at("viewer.organization.seatUsage"), &json!([{ "pool": "readers", "used": 2, "limit": 5 }]));
}

/// S0.39, S0.42: the last billing admin who gives no roles is told to have the role given, and who gives it; who gives it is told to.
#[tokio::test]
async fn s0_39_s0_42_the_last_billing_admin_is_told_what_that_one_can_do() {
    let space = space(Engines::Embedded).await;
    let judy = person(&space.gateway, &space.tenant, "judy", &["app_user", "non_admin", "billing_admin"]).await;
    let billing = json!({ "member": id(&space.alice), "role": "billing_admin" });
    space.carol.call("removeMemberRole", billing, "member { id }").await.ok();
    let passive =
        "Have someone else made Billing & Subscription first, then leave. Ask somebody with the role Administrator.";
    let refused = judy.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(refused.refusals("leaveOrganization"), ["LAST_HOLDER"]);
    assert_eq!(remedies(&refused, "leaveOrganization"), [passive]);
    let ask = "{ organization(slug: \"acme\") { viewerCannotLeaveReasons { code remedy } } }";
    let told = judy.ask(ask).await.ok();
    let reasons = json!([{ "code": "LAST_HOLDER", "remedy": passive }]);
    assert_eq!(told.at("organization.viewerCannotLeaveReasons"), &reasons);
    // An administrator hands the role on, and is told to.
    let active = "Make someone else Billing & Subscription first, then remove this member.";
    let refused = space.carol.call("removeMember", json!({ "member": id(&judy), "confirm": true }), "notified").await;
    assert_eq!(refused.refusals("removeMember"), ["LAST_HOLDER"], "{}", refused.text);
    assert_eq!(remedies(&refused, "removeMember"), [active]);
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { viewerCannotRemoveReasons { remedy } } } }";
    let told = space.carol.send(ask, json!({ "id": id(&judy) })).await.ok();
    assert_eq!(told.at("node.viewerCannotRemoveReasons"), &json!([{ "remedy": active }]));
}

/// Why somebody cannot take the billing flag from a member, as its screen is told.
async fn kept(by: &Person, whose: &Person) -> Value {
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { viewerCanRemoveRole(role: \"billing_admin\")
        viewerCannotRemoveRoleReasons(role: \"billing_admin\") { code remedy } } } }";
    let told = by.send(ask, json!({ "id": id(whose) })).await.ok();
    let reasons = told.at("node.viewerCannotRemoveRoleReasons").clone();
    assert_eq!(told.at("node.viewerCanRemoveRole"), &json!(reasons == json!([])), "{}", told.text);
    reasons
}

/// S0.39, S0.42: several hold billing, and each of them gives it up without the permission to give roles: but neither another's, nor the
/// last one. The screen says the same beforehand.
#[tokio::test]
async fn s0_39_s0_42_a_billing_admin_gives_up_its_own_flag() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let judy = person(&space.gateway, &space.tenant, "judy", &["app_user", "non_admin", "billing_admin"]).await;
        let off = async |by: &Person, whose: &Person| {
            let input = json!({ "member": id(whose), "role": "billing_admin" });
            by.call("removeMemberRole", input, "member { roles { key } }").await
        };
        let refused = off(&judy, &space.alice).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{engines:?}: {}", refused.text);
        let other = json!({ "member": id(&judy), "role": "auditor" });
        assert_eq!(judy.call("addMemberRole", other, "member { id }").await.codes(), ["FORBIDDEN"]);
        for (by, whose) in [(&judy, &judy), (&space.alice, &space.alice), (&space.carol, &judy)] {
            assert_eq!(kept(by, whose).await, json!([]), "{engines:?}: {} of {}", by.name, whose.name);
        }
        let done = off(&judy, &judy).await.ok();
        assert_eq!(keys(done.at("removeMemberRole.member.roles")), ["app_user", "non_admin"], "{engines:?}");
        assert_eq!(menus(&judy).await, ["products"]);
        off(&judy, &judy).await.ok();
        // The last one keeps it, whoever takes it; what to do about it is what that one can do.
        let given = "Make someone else Billing & Subscription first, then change";
        let passive = "Have someone else made Billing & Subscription first, then change your own role. Ask somebody with the role Administrator.";
        for (by, whose, remedy) in [
            (&space.alice, &space.alice, format!("{given} your own role.")),
            (&space.carol, &space.alice, format!("{given} this role.")),
        ] {
            let refused = off(by, whose).await;
            assert_eq!(refused.refusals("removeMemberRole"), ["LAST_HOLDER"], "{engines:?}: {}", refused.text);
            assert_eq!(remedies(&refused, "removeMemberRole"), [remedy.as_str()]);
            assert_eq!(kept(by, whose).await, json!([{ "code": "LAST_HOLDER", "remedy": remedy }]), "{engines:?}");
        }
        let on = json!({ "member": id(&judy), "role": "billing_admin" });
        space.carol.call("addMemberRole", on, "member { id }").await.ok();
        off(&space.alice, &space.alice).await.ok();
        let refused = off(&judy, &judy).await;
        assert_eq!(refused.refusals("removeMemberRole"), ["LAST_HOLDER"], "{engines:?}: {}", refused.text);
        assert_eq!(remedies(&refused, "removeMemberRole"), [passive]);
        assert_eq!(kept(&judy, &judy).await, json!([{ "code": "LAST_HOLDER", "remedy": passive }]), "{engines:?}");
    }
}
