//! Addresses that look like others: B17 to B20.

use serde_json::json;

use super::{Hub, hub, invitation_of};
use crate::support::{
    gateway::{Engines, Person},
    people::{accept, count, fields, invite, newest_token, remedies, set},
};

async fn are_no_addresses(alice: &Person, written: &[&str]) {
    for email in written {
        let answer = invite(alice, email).await;
        assert_eq!(answer.refusals("inviteMember"), ["INVALID"], "{email:?}: {}", answer.text);
    }
}

/// B17: what only looks like `@` or a full stop is refused before anything is normalized.
#[tokio::test]
async fn b17_look_alikes_of_the_separators_are_refused() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let written = [
        "bob\u{ff20}example.org",
        "bob\u{fe6b}example.org",
        "bob@example\u{3002}org",
        "bob@example\u{ff0e}org",
        "bob@example\u{ff61}org",
        "bob\u{ff20}evil.com@example.org",
        "bob@evil.com\u{ff20}example.org",
    ];
    are_no_addresses(&alice, &written).await;
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
}

/// B18: no accent or case makes an address another's; mail goes to the address that was typed, in its one spelling.
#[tokio::test]
async fn b18_an_accent_is_not_folded_into_another_address() {
    for engines in Engines::DATABASES {
        let Hub { gateway, alice, .. } = hub(engines).await;
        let bob = gateway.person("bob").await;
        are_no_addresses(&alice, &["b\u{f6}b@example.org", "bo\u{301}b@example.org", "\u{212a}bob@example.org"]).await;
        assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
        // The twin in the domain is another domain, and another person's.
        invite(&alice, "bob@\u{e8}xample.org").await.ok();
        assert!(gateway.mails()[0].contains("To: bob@xn--xample-2ua.org"), "{}", gateway.mails()[0]);
        super::refused(&accept(&bob, &newest_token(&gateway)).await, "INVITATION_FOR_ANOTHER");
        let offered = bob.ask("{ viewer { pendingInvitations { id } } }").await.ok();
        assert_eq!(offered.at("viewer.pendingInvitations"), &json!([]), "{engines:?}");
    }
}

/// B19: an invisible character makes no twin.
#[tokio::test]
async fn b19_invisible_characters_make_no_twins() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    invite(&alice, "bob@example.org").await.ok();
    let written = [
        "b\u{200b}ob@example.org",
        "bob\u{200d}@example.org",
        "\u{feff}bob@example.org",
        "bob@exam\u{ad}ple.org",
        "bob@example\u{200b}.org",
        "bob@example.org\u{2060}",
        "bob\u{202e}@example.org",
    ];
    are_no_addresses(&alice, &written).await;
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (2, 1));
}

/// B20: a label that decodes to an allowed one, or looks like one, is not allowed.
#[tokio::test]
async fn b20_a_twin_of_an_allowed_domain_is_not_allowed() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    set(&gateway, &acme, json!({ "allowed_domains": ["example.org"] })).await;
    // Punycode of plain ASCII (RUSTSEC-2024-0421) is no label at all.
    are_no_addresses(&alice, &["bob@xn--example-.org", "bob@example.xn--org-", "bob@xn--.example.org"]).await;
    for twin in ["bob@\u{435}xample.org", "bob@exampl\u{e9}.org", "bob@xn--xample-2of.org", "bob@example.\u{43e}rg"] {
        let answer = invite(&alice, twin).await;
        let code = answer.refusals("inviteMember");
        assert!(code == ["DOMAIN_NOT_ALLOWED"] || code == ["INVALID"], "{twin}: {}", answer.text);
    }
    let cyrillic = invite(&alice, "bob@\u{435}xample.org").await;
    assert_eq!(cyrillic.refusals("inviteMember"), ["DOMAIN_NOT_ALLOWED"], "{}", cyrillic.text);
    assert_eq!((count(&gateway, "member").await, gateway.mails().len()), (1, 0));
    // Full-width letters are the same letters, and become them before anything is compared.
    invite(&alice, "bob@\u{ff45}xample.org").await.ok();
    assert!(gateway.mails()[0].contains("To: bob@example.org"));
}

/// S3.19, B20: domains are named as they are written, beside their ASCII form.
#[tokio::test]
async fn s3_19_b20_the_allowed_domains_are_named_as_they_are_written() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    set(&gateway, &acme, json!({ "allowed_domains": ["xn--bcher-kva.example", "example.org"] })).await;
    let refused = invite(&alice, "bob@m\u{fc}ller.example").await;
    assert_eq!(refused.refusals("inviteMember"), ["DOMAIN_NOT_ALLOWED"], "{}", refused.text);
    let message = &refused.at("inviteMember.userErrors.0.message");
    let written = "addresses at m\u{fc}ller.example (xn--mller-kva.example) cannot be invited here";
    assert_eq!(message.as_str(), Some(written), "{}", refused.text);
    let remedy =
        "Invite an address at b\u{fc}cher.example (xn--bcher-kva.example), example.org, or change the allowed domains.";
    assert_eq!(remedies(&refused, "inviteMember"), [remedy]);
}

/// Sent again, an invitation to a domain that is not allowed any more is refused at what the input has, with domains as people
/// know them.
#[tokio::test]
async fn what_cannot_be_sent_again_is_told_of_the_invitation() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    set(&gateway, &acme, json!({ "block_subaddress": false })).await;
    let invited = invite(&alice, "bob+desk@example.org").await.ok();
    let resend = async || {
        let input = json!({ "invitation": invitation_of(&invited) });
        alice.call("resendInvitation", input, "mailSent").await
    };
    set(
        &gateway,
        &acme,
        json!({ "allowed_domains": ["xn--bcher-kva.example", "example.net"], "block_subaddress": false }),
    )
    .await;
    let refused = resend().await;
    assert_eq!(refused.refusals("resendInvitation"), ["DOMAIN_NOT_ALLOWED"]);
    assert_eq!(fields(&refused, "resendInvitation"), ["invitation"]);
    let there =
        "an address at b\u{fc}cher.example (xn--bcher-kva.example), example.net, or change the allowed domains.";
    assert_eq!(remedies(&refused, "resendInvitation"), [format!("Take the invitation back and invite {there}")]);
    let anew = invite(&alice, "carol@example.org").await;
    assert_eq!(fields(&anew, "inviteMember"), ["email"]);
    assert_eq!(remedies(&anew, "inviteMember"), [format!("Invite {there}")]);
    set(&gateway, &acme, json!({ "block_subaddress": true })).await;
    let refused = resend().await;
    assert_eq!(refused.refusals("resendInvitation"), ["SUBADDRESS_NOT_ALLOWED"]);
    assert_eq!(fields(&refused, "resendInvitation"), ["invitation"]);
}
