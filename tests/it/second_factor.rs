//! The second factor: set up, asked for on every way in, taken once, recovered, and asked for by organizations.

use futures_util::future::join_all;
use gatehouse::id::new_id;
use serde_json::{Value, json};
use totp_rs::Totp;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person},
    people::{remedies, switch},
};

const PASSWORD: &str = "correct horse battery";
const FACTOR: &str = "{ viewer { secondFactor { confirmedAt recoveryCodesLeft isProven } organization { slug } } }";

/// Somebody with an account and a password.
async fn signed_up(gateway: &Gateway, name: &str) -> Person {
    let input = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "name": name });
    let answer = gateway.stranger().call("signUp", input, "accessToken user { id }").await.ok();
    let mut person = gateway.stranger().with_token(text(&answer, "signUp.accessToken"));
    person.email = format!("{name}@example.org");
    let sql = "UPDATE user_account SET email_verified_at = created_at WHERE email = $1";
    gateway.database.run(sql, [person.email.clone().into()]).await.unwrap();
    person
}

/// Whoever opens an account at somebody else's address cannot shut its owner out of it.
#[tokio::test]
async fn a_second_factor_needs_an_address_that_is_proven() {
    let gateway = Gateway::sqlite().await;
    let mallory = signed_up(&gateway, "alice").await;
    gateway.database.run("UPDATE user_account SET email_verified_at = NULL", []).await.unwrap();
    let refused = mallory.call("startSecondFactor", json!({ "password": PASSWORD }), "secret").await;
    assert_eq!(refused.refusals("startSecondFactor"), ["EMAIL_NOT_VERIFIED"]);
}

fn text<'a>(answer: &'a Answer, path: &str) -> &'a str {
    answer.at(path).as_str().unwrap_or_else(|| panic!("{path} in {}", answer.text))
}

/// The app that makes the codes.
struct App(Totp);

impl App {
    /// The code of the present time step, or of one beside it. Of one account, each test takes them in the order of time.
    fn code(&self, gateway: &Gateway, away: i64) -> String {
        let at = gateway.service.now().timestamp() + 30 * away;
        self.0.generate(at.unsigned_abs()).to_string()
    }

    /// A code that is none at present.
    fn wrong(&self, gateway: &Gateway) -> String {
        let near: Vec<String> = (-2..=2).map(|away| self.code(gateway, away)).collect();
        (0..6).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

async fn start(person: &Person) -> App {
    let answer = person.call("startSecondFactor", json!({ "password": PASSWORD }), "secret uri").await.ok();
    let app = Totp::from_url(text(&answer, "startSecondFactor.uri")).unwrap();
    assert_eq!(app.secret().to_base32(), text(&answer, "startSecondFactor.secret"));
    App(app)
}

/// Sets one up; its app and its recovery codes. The code before the present one is used up by that.
async fn set_up(gateway: &Gateway, person: &Person) -> (App, Vec<String>) {
    let app = start(person).await;
    let code = app.code(gateway, -1);
    let answer = person.call("confirmSecondFactor", json!({ "code": code }), "recoveryCodes").await.ok();
    let codes = answer.at("confirmSecondFactor.recoveryCodes").as_array().unwrap();
    (app, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn sign_in(gateway: &Gateway, person: &Person, code: Option<&str>) -> Answer {
    let input = json!({ "email": person.email, "password": PASSWORD, "code": code });
    gateway.stranger().call("signIn", input, "accessToken refreshToken").await
}

async fn sessions(gateway: &Gateway) -> i64 {
    gateway.database.count("SELECT count(*) FROM session WHERE revoked_at IS NULL").await
}

#[tokio::test]
async fn g14_no_way_in_goes_round_the_second_factor() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let wrong = json!({ "password": "wrong password" });
        let refused = alice.call("startSecondFactor", wrong, "secret").await;
        assert_eq!(refused.refusals("startSecondFactor"), ["WRONG_CREDENTIALS"], "{engines:?}");
        let app = start(&alice).await;
        sign_in(&gateway, &alice, None).await.ok();
        assert!(alice.ask(FACTOR).await.ok().at("viewer.secondFactor.confirmedAt").is_null(), "nothing counts yet");

        let code = json!({ "code": app.wrong(&gateway) });
        let refused = alice.call("confirmSecondFactor", code, "recoveryCodes").await;
        assert_eq!(refused.refusals("confirmSecondFactor"), ["WRONG_CODE"]);
        let code = json!({ "code": app.code(&gateway, -1) });
        alice.call("confirmSecondFactor", code.clone(), "recoveryCodes").await.ok();
        let again = alice.call("confirmSecondFactor", code, "recoveryCodes").await;
        assert_eq!(again.refusals("confirmSecondFactor"), ["STATE_CHANGED"], "{engines:?}");
        assert_eq!(again.at("confirmSecondFactor.userErrors.0.message"), "the second factor is set up already");
        let remedy = "Whoever has no recovery codes makes others by `renewRecoveryCodes`.";
        assert_eq!(remedies(&again, "confirmSecondFactor"), [remedy]);
        assert_eq!(sessions(&gateway).await, 1, "the other session has ended");
        let state = alice.ask(FACTOR).await.ok();
        assert_eq!(state.at("viewer.secondFactor.recoveryCodesLeft"), 10);
        assert_eq!(state.at("viewer.secondFactor.isProven"), true);

        assert_eq!(sign_in(&gateway, &alice, None).await.refusals("signIn"), ["SECOND_FACTOR_REQUIRED"]);
        let wrong = app.wrong(&gateway);
        assert_eq!(sign_in(&gateway, &alice, Some(&wrong)).await.refusals("signIn"), ["WRONG_CODE"]);
        let used = app.code(&gateway, -1);
        assert_eq!(sign_in(&gateway, &alice, Some(&used)).await.refusals("signIn"), ["WRONG_CODE"], "taken once");
        let aliased =
            "mutation($i: SignInInput!) { a: signIn(input: $i) { accessToken } b: signIn(input: $i) { accessToken } }";
        let input = json!({ "i": { "email": alice.email, "password": PASSWORD } });
        let aliased = gateway.stranger().send(aliased, input).await;
        assert!(aliased.at("a.accessToken").is_null() && aliased.at("b.accessToken").is_null(), "{}", aliased.text);
        assert_eq!(sessions(&gateway).await, 1, "none was opened");

        sign_in(&gateway, &alice, Some(&app.code(&gateway, 0))).await.ok();
        assert_eq!(sessions(&gateway).await, 2);
        let again = start_again(&alice).await;
        assert_eq!(again.refusals("startSecondFactor"), ["STATE_CHANGED"], "a thief cannot put another in its place");
    }
}

async fn start_again(person: &Person) -> Answer {
    person.call("startSecondFactor", json!({ "password": PASSWORD }), "secret").await
}

#[tokio::test]
async fn of_one_code_that_comes_eight_times_at_once_one_is_taken() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let (app, recovery) = set_up(&gateway, &alice).await;
        for code in [app.code(&gateway, 0), recovery[3].clone()] {
            let answers = join_all((0..8).map(|_| sign_in(&gateway, &alice, Some(&code)))).await;
            let taken = answers.iter().filter(|answer| answer.at("signIn.accessToken").is_string()).count();
            assert_eq!(taken, 1, "{engines:?} {code}");
        }
        assert_eq!(alice.ask(FACTOR).await.ok().at("viewer.secondFactor.recoveryCodesLeft"), 9);
    }
}

#[tokio::test]
async fn recovery_codes_are_taken_once_and_go_with_their_set() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let (app, recovery) = set_up(&gateway, &alice).await;
    sign_in(&gateway, &alice, Some(&recovery[0])).await.ok();
    assert_eq!(sign_in(&gateway, &alice, Some(&recovery[0])).await.refusals("signIn"), ["WRONG_CODE"]);
    sign_in(&gateway, &alice, Some(&recovery[1].to_uppercase().replace('-', " "))).await.ok();

    let code = json!({ "code": app.code(&gateway, 0) });
    let renewed = alice.call("renewRecoveryCodes", code, "recoveryCodes").await.ok();
    assert_eq!(sign_in(&gateway, &alice, Some(&recovery[2])).await.refusals("signIn"), ["WRONG_CODE"]);
    let fresh = renewed.at("renewRecoveryCodes.recoveryCodes")[0].as_str().unwrap().to_owned();
    sign_in(&gateway, &alice, Some(&fresh)).await.ok();
    assert_eq!(alice.ask(FACTOR).await.ok().at("viewer.secondFactor.recoveryCodesLeft"), 9);

    let without = json!({ "password": PASSWORD, "code": "000000" });
    let refused = alice.call("removeSecondFactor", without, "secondFactor { confirmedAt }").await;
    assert_eq!(refused.refusals("removeSecondFactor").len(), 1);
    let with = json!({ "password": PASSWORD, "code": app.code(&gateway, 1) });
    alice.call("removeSecondFactor", with, "secondFactor { confirmedAt }").await.ok();
    sign_in(&gateway, &alice, None).await.ok();
    assert!(alice.ask(FACTOR).await.ok().at("viewer.secondFactor.confirmedAt").is_null());
}

/// Waits until as many letters as this have the subject.
async fn told(gateway: &Gateway, subject: &str, count: usize) {
    let line = format!("Subject: {subject}\r\n");
    let found = || gateway.mails().iter().filter(|mail| mail.contains(&line)).count();
    for _ in 0..500 {
        if found() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(found(), count, "{subject}");
}

#[tokio::test]
async fn what_becomes_of_a_second_factor_is_told_by_letter() {
    const USED_UP: &str = "Your last recovery code was used";
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let (app, recovery) = set_up(&gateway, &alice).await;
        told(&gateway, "A second factor was set up", 1).await;

        let prove = async |code: &str| {
            alice.call("proveSecondFactor", json!({ "code": code }), "secondFactor { isProven }").await.ok();
        };
        for code in &recovery[..9] {
            prove(code).await;
        }
        sign_in(&gateway, &alice, Some(&recovery[9])).await.ok();
        told(&gateway, USED_UP, 1).await;

        let code = json!({ "code": app.code(&gateway, 0) });
        let renewed = alice.call("renewRecoveryCodes", code, "recoveryCodes").await.ok();
        told(&gateway, "Your recovery codes were renewed", 1).await;
        for code in renewed.at("renewRecoveryCodes.recoveryCodes").as_array().unwrap() {
            prove(code.as_str().unwrap()).await;
        }
        told(&gateway, USED_UP, 2).await;

        let wrong = json!({ "password": PASSWORD, "code": app.wrong(&gateway) });
        let refused = alice.call("removeSecondFactor", wrong, "secondFactor { confirmedAt }").await;
        assert_eq!(refused.refusals("removeSecondFactor"), ["WRONG_CODE"], "{engines:?}");
        let right = json!({ "password": PASSWORD, "code": app.code(&gateway, 1) });
        alice.call("removeSecondFactor", right, "secondFactor { confirmedAt }").await.ok();
        told(&gateway, "Your second factor was removed", 1).await;
    }
}

#[tokio::test]
async fn f7_codes_are_counted_by_attempt_wherever_they_come_from() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let (app, recovery) = set_up(&gateway, &alice).await;
    let fields: Vec<String> = (0..10).map(|n| format!("a{n}: signIn(input: $i) {{ userErrors {{ code }} }}")).collect();
    let document = format!("mutation($i: SignInInput!) {{ {} }}", fields.join(" "));
    let input = json!({ "i": { "email": alice.email, "password": PASSWORD, "code": app.wrong(&gateway) } });
    let answer = gateway.stranger().send(&document, input).await;
    for number in 0..10 {
        assert_eq!(answer.at(&format!("a{number}.userErrors"))[0]["code"], "WRONG_CODE", "{}", answer.text);
    }
    let blocked = sign_in(&gateway, &alice, Some(&app.code(&gateway, 0))).await;
    assert_eq!(blocked.codes(), ["RATE_LIMITED"], "{}", blocked.text);
    let blocked = alice.call("proveSecondFactor", json!({ "code": recovery[0] }), "secondFactor { isProven }").await;
    assert_eq!(blocked.codes(), ["RATE_LIMITED"], "one count for every place that asks");
    assert_eq!(sign_in(&gateway, &alice, None).await.refusals("signIn"), ["SECOND_FACTOR_REQUIRED"]);
}

#[tokio::test]
async fn f7_a_refusal_for_another_reason_forgets_no_guess() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let (app, _) = set_up(&gateway, &alice).await;
    let wrong = json!({ "code": app.wrong(&gateway) });
    let prove = async || alice.call("proveSecondFactor", wrong.clone(), "secondFactor { isProven }").await;
    for _ in 0..9 {
        assert_eq!(prove().await.refusals("proveSecondFactor"), ["WRONG_CODE"]);
    }
    let confirmed = alice.call("confirmSecondFactor", wrong.clone(), "recoveryCodes").await;
    assert_eq!(confirmed.refusals("confirmSecondFactor"), ["STATE_CHANGED"]);
    assert_eq!(prove().await.refusals("proveSecondFactor"), ["WRONG_CODE"]);
    assert_eq!(prove().await.codes(), ["RATE_LIMITED"]);
}

async fn require(person: &Person, required: bool) -> Answer {
    let input = json!({ "settings": { "requireSecondFactor": required } });
    person.call("updateOrganization", input, "organization { settings { requireSecondFactor } }").await
}

#[tokio::test]
async fn an_organization_that_asks_for_a_second_factor_is_closed_until_it_is_proven() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub" });
        alice.call("createOrganization", input, "organization { id }").await.ok();
        let alice = switch(&alice, "acme").await;
        let bob = signed_up(&gateway, "bob").await;
        join(&gateway, &bob).await;
        let bob = switch(&bob, "acme").await;
        assert_eq!(bob.ask(FACTOR).await.ok().at("viewer.organization.slug"), "acme");

        let refused = require(&alice, true).await;
        assert_eq!(refused.refusals("updateOrganization"), ["SECOND_FACTOR_REQUIRED"], "{engines:?} {}", refused.text);
        let (_, _) = set_up(&gateway, &alice).await;
        assert!(require(&alice, true).await.refusals("updateOrganization").is_empty());

        let closed = bob.ask(FACTOR).await;
        assert!(closed.at("viewer.organization").is_null(), "{engines:?} {}", closed.text);
        assert_eq!(
            bob.call("leaveOrganization", json!({ "confirm": true }), "__typename").await.codes(),
            ["NOT_FOUND"]
        );
        let refused = bob.call("switchOrganization", json!({ "organization": "acme" }), "accessToken").await;
        assert_eq!(refused.refusals("switchOrganization"), ["SECOND_FACTOR_REQUIRED"], "{}", refused.text);
        // Who is not signed in has no session to prove anything in.
        let there = json!({ "email": bob.email, "password": PASSWORD, "organization": "acme" });
        let refused = gateway.stranger().call("signIn", there, "accessToken").await;
        assert_eq!(refused.refusals("signIn"), ["SECOND_FACTOR_REQUIRED"], "{}", refused.text);
        assert_eq!(
            remedies(&refused, "signIn"),
            ["Sign in without `organization`, set up a second factor, and come back."]
        );
        let places = "{ viewer { organizations(first: 5) { edges { node { slug requiresSecondFactor } } } } }";
        let places = bob.ask(places).await.ok();
        assert_eq!(
            places.at("viewer.organizations.edges")[0]["node"],
            json!({ "slug": "acme", "requiresSecondFactor": true })
        );
        assert_eq!(alice.ask(FACTOR).await.ok().at("viewer.organization.slug"), "acme", "who has proven it stays");

        let (app, _) = set_up(&gateway, &bob).await;
        assert_eq!(bob.ask(FACTOR).await.ok().at("viewer.organization.slug"), "acme", "{engines:?}");
        let remove = json!({ "password": PASSWORD, "code": app.code(&gateway, 0) });
        bob.call("removeSecondFactor", remove, "secondFactor { confirmedAt }").await.ok();
        assert!(bob.ask(FACTOR).await.ok().at("viewer.organization").is_null(), "{engines:?}");
        assert!(require(&alice, false).await.refusals("updateOrganization").is_empty());
        assert_eq!(bob.ask(FACTOR).await.ok().at("viewer.organization.slug"), "acme");
    }
}

/// Puts somebody into the organization `acme` as a member.
async fn join(gateway: &Gateway, person: &Person) {
    let user = "SELECT id FROM user_account WHERE email = $1";
    let rows = gateway.database.rows(user, [person.email.clone().into()]).await;
    let user: uuid::Uuid = rows[0].try_get_by_index(0).unwrap();
    let rows = gateway.database.rows("SELECT id FROM organization WHERE slug = 'acme'", []).await;
    let organization: uuid::Uuid = rows[0].try_get_by_index(0).unwrap();
    let sql = "INSERT INTO member (id, organization_id, user_id, email, name, state, created_at, joined_at)
               VALUES ($1, $2, $3, $4, $4, 'active', $5, $5)";
    let now = gateway.service.now();
    let values = [new_id().into(), organization.into(), user.into(), person.email.clone().into(), now.into()];
    gateway.database.run(sql, values).await.unwrap();
    gateway.settle().await;
}

#[tokio::test]
async fn a_session_that_was_opened_before_proves_it_by_a_code() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let (app, recovery) = set_up(&gateway, &alice).await;
    let sql = "UPDATE session SET second_factor_at = NULL";
    gateway.database.run(sql, []).await.unwrap();
    assert_eq!(alice.ask(FACTOR).await.ok().at("viewer.secondFactor.isProven"), false);
    let proven =
        alice.call("proveSecondFactor", json!({ "code": recovery[0] }), "secondFactor { isProven }").await.ok();
    assert_eq!(proven.at("proveSecondFactor.secondFactor.isProven"), true);
    let same = json!({ "code": app.code(&gateway, -1) });
    let refused = alice.call("proveSecondFactor", same, "secondFactor { isProven }").await;
    assert_eq!(refused.refusals("proveSecondFactor"), ["WRONG_CODE"]);
    let bob = gateway.person("bob").await;
    let none: Value = json!({ "code": "123456" });
    let refused = bob.call("proveSecondFactor", none, "secondFactor { isProven }").await;
    assert_eq!(refused.refusals("proveSecondFactor"), ["STATE_CHANGED"]);
}
