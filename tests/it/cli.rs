//! The command line: what it prints, and how it ends.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use gatehouse::service::user::NewAccount;
use serde_json::{Value, json};
use tempfile::TempDir;
use totp_rs::Totp;

use crate::support::gateway::{Answer, Engines, Gateway, Person};

/// Runs the program in a folder of its own.
pub(crate) fn gatehouse(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatehouse")).current_dir(folder).args(words).output().unwrap()
}

/// The same beside a gateway of this thread, which must go on meanwhile: one that is stopped within a transaction keeps the
/// database locked.
async fn gatehouse_beside(folder: &Path, words: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command.current_dir(folder).args(words).output().await.unwrap()
}

fn said(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The password in the URL of the mail server is shown by no help and no error.
#[test]
fn the_mail_servers_password_is_not_shown() {
    let folder = folder();
    let url = "smtp://gate:hunter2@mail.example.org/nowhere";
    for words in [["serve", "--help"], ["serve", "--listen=127.0.0.1:0"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
        let output = command.current_dir(folder.path()).args(words).env("GATEHOUSE_MAIL_URL", url).output().unwrap();
        let (out, told) = said(&output);
        assert!(!out.contains("hunter2") && !told.contains("hunter2"), "{out}{told}");
        assert!(out.contains("--mail-url") || told.contains("--mail-url cannot be used"), "{out}{told}");
    }
}

const GOOD: &str = include_str!("cases/narrow.toml");

#[test]
fn a_good_blueprint_is_summed_up() {
    let folder = folder();
    fs::write(folder.path().join("narrow.toml"), GOOD).unwrap();
    let output = gatehouse(folder.path(), &["blueprint", "check", "narrow.toml"]);
    assert!(output.status.success());
    assert_eq!(said(&output).0, "narrow version 1: 1 app kind, 1 feature, 4 roles, 1 plan\n");
    assert!(!folder.path().join("gatehouse.db").exists(), "a check needs no database");
}

#[test]
fn every_mistake_of_a_blueprint_is_named_with_its_line_and_fix() {
    let folder = folder();
    let bad = GOOD
        .replace("creator_roles = [\"head\"]", "creator_roles = [\"boss\"]")
        .replace("[\"reader\"]", "[\"writer\"]");
    fs::write(folder.path().join("bad.toml"), &bad).unwrap();
    let line = |text: &str| bad.lines().position(|line| line.contains(text)).unwrap() + 1;
    for command in ["check", "add"] {
        let output = gatehouse(folder.path(), &["blueprint", command, "bad.toml"]);
        assert_eq!(output.status.code(), Some(1));
        let (out, err) = said(&output);
        assert!(
            out.contains(&format!(
                "bad.toml:{}: `organization.creator_roles[0]`: there is no role `boss`",
                line("boss")
            )),
            "{out}"
        );
        assert!(
            out.contains(&format!("bad.toml:{}: `roles.clerk.assigns[0]`: there is no role `writer`", line("writer"))),
            "{out}"
        );
        assert!(out.lines().all(|line| line.starts_with("bad.toml:") && line.contains("(fix: ")), "{out}");
        assert!(err.contains("mistakes in `bad.toml`"), "{err}");
    }
    fs::write(folder.path().join("no.toml"), "name = \"x\"\nversoin = 1\n").unwrap();
    let output = gatehouse(folder.path(), &["blueprint", "check", "no.toml"]);
    let (out, _) = said(&output);
    assert!(out.contains("\nno.toml:2: `versoin`: unknown field `versoin`"), "{out}");
    assert!(out.contains("(fix: write `version`, or leave it out)"), "{out}");
    let output = gatehouse(folder.path(), &["blueprint", "check", "nowhere.toml"]);
    assert!(!output.status.success() && said(&output).1.contains("cannot read `nowhere.toml`"));
}

/// The rules take any language; letters are written in some. Fields after the first are the product's own matter.
#[test]
fn the_language_of_letters_is_none_in_which_no_letter_is_written() {
    let folder = folder();
    let of = |language: &str| {
        let fields = "[profile.look]\nlabel = \"Look\"\n[profile.look.fields]\n";
        let field =
            |key: &str, tag: &str| format!("{key} = {{ label = \"L\", kind = \"language\", default = \"{tag}\" }}\n");
        format!("{GOOD}\n{fields}{}{}", field("language", language), field("spoken", "fr"))
    };
    fs::write(folder.path().join("narrow.toml"), of("fr")).unwrap();
    let line = of("fr").lines().position(|line| line.starts_with("language")).unwrap() + 1;
    let told = format!("narrow.toml:{line}: `profile.look.fields.language.default`: letters are written in `en`, ");
    for command in ["check", "add"] {
        let (out, _) = said(&gatehouse(folder.path(), &["blueprint", command, "narrow.toml"]));
        assert!(out.starts_with(&told) && out.contains("(fix: "), "{out}");
    }
    fs::write(folder.path().join("narrow.toml"), of("de-AT")).unwrap();
    assert!(gatehouse(folder.path(), &["blueprint", "check", "narrow.toml"]).status.success());
}

#[test]
fn a_blueprint_is_installed_once_and_never_changed() {
    let folder = folder();
    fs::write(folder.path().join("narrow.toml"), GOOD).unwrap();
    let add = || said(&gatehouse(folder.path(), &["blueprint", "add", "narrow.toml"]));
    assert!(add().0.starts_with("Installed narrow version 1"));
    assert!(add().0.starts_with("This very document is installed"));
    fs::write(folder.path().join("narrow.toml"), GOOD.replace("A shelf.", "Another shelf.")).unwrap();
    assert!(add().1.contains("version 1 of `narrow` is installed with other contents"));
}

#[tokio::test]
async fn an_operators_token_works_and_its_refusals_are_readable() {
    let gateway = Gateway::sqlite().await;
    gateway.organization("acme", "support-hub", "growth").await;
    let folder = folder();
    let url = gateway.database.url.clone();
    // The same secret is not needed: a token is proven by its hash.
    let base = ["token", "create", "--database-url", &url, "--name", "Nightly", "--organization"];
    let run = async |rest: &[&str]| gatehouse_beside(folder.path(), &[&base, rest].concat()).await;
    let output = run(&["acme", "--scope", "members.read", "--expires-in-days", "30", "--json"]).await;
    let (out, err) = said(&output);
    assert!(output.status.success(), "{err}");
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(printed["organization"], "acme");
    let program = gateway.stranger().with_token(printed["token"].as_str().unwrap());
    assert_eq!(program.ask("{ viewer { name } }").await.ok().at("viewer.name"), "Nightly");

    let output = run(&["acme", "--scope", "members.fly", "--expires-in-days", "30"]).await;
    assert!(said(&output).1.contains("`members.fly` names nothing"), "{:?}", said(&output));
    let output = run(&["nobody", "--scope", "members.read", "--expires-in-days", "30"]).await;
    assert!(said(&output).1.contains("there is no organization `nobody`"));
    assert!(!output.status.success());
}

#[test]
fn a_command_that_writes_is_told_that_the_database_is_served() {
    let folder = folder();
    let path = folder.path().join("gatehouse.db");
    let url = format!("sqlite:{}", path.display());
    let held = gatehouse::cli::lock::DatabaseLock::take(&url, "").unwrap();
    let words = [
        "token",
        "create",
        "--organization",
        "acme",
        "--name",
        "x",
        "--scope",
        "members.read",
        "--expires-in-days",
        "1",
    ];
    let output = gatehouse(folder.path(), &words);
    let (_, err) = said(&output);
    assert!(!output.status.success() && err.contains("`createApiToken`"), "{err}");
    assert!(!path.exists(), "nothing was opened");
    drop(held);
    assert!(said(&gatehouse(folder.path(), &words)).1.contains("there is no organization `acme`"));
}

const PASSWORD: &str = "correct horse battery";
const ALICE: &str = "alice@example.org";

/// Somebody whom the operator has opened an account for.
async fn alice(gateway: &Gateway) -> Person {
    let account = NewAccount { email: ALICE.to_owned(), password: PASSWORD.to_owned(), name: "alice".to_owned() };
    let user = gateway.service.create_account(account).await.unwrap();
    let mut alice = gateway.stranger();
    (alice.name, alice.email, alice.user) = (user.name, user.email, user.id);
    alice
}

async fn sign_in(gateway: &Gateway, code: Option<&str>) -> Answer {
    let input = json!({ "email": ALICE, "password": PASSWORD, "code": code });
    gateway.stranger().call("signIn", input, "accessToken refreshToken").await
}

fn text<'a>(answer: &'a Answer, path: &str) -> &'a str {
    answer.at(path).as_str().unwrap_or_else(|| panic!("{path} in {}", answer.text))
}

/// `gatehouse user …` for alice, as the operator of a gateway that runs.
async fn user_command(gateway: &Gateway, folder: &TempDir, command: &str) -> String {
    let kept = gateway.deployment();
    let secret = kept.secret_file.display().to_string();
    let mut words = vec!["user", command, ALICE, "--database-url", &kept.database_url, "--secret-file", &secret];
    words.extend(["--deployment", &kept.deployment]);
    words.extend(kept.redis_url.iter().flat_map(|url| ["--redis-url", url]));
    let output = gatehouse_beside(folder.path(), &words).await;
    let (out, err) = said(&output);
    assert!(output.status.success(), "{err}");
    out
}

#[tokio::test]
async fn a_suspended_account_is_let_in_by_nothing_beside_a_running_gateway_until_it_is_reactivated() {
    for engines in [Engines::Postgres, Engines::PostgresAndRedis] {
        let (gateway, folder) = (Gateway::on(engines).await, folder());
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let alice = alice(&gateway).await;
        gateway.joined(&acme, &alice, "super_admin").await;
        let signed = sign_in(&gateway, None).await.ok();
        let alice = alice.with_token(text(&signed, "signIn.accessToken"));
        let input = json!({ "name": "Backend", "scopes": ["members.read"], "expiresInDays": 30 });
        let program = alice.call("createApiToken", input, "secret").await.ok();
        let program = alice.with_token(text(&program, "createApiToken.secret"));
        let refresh = json!({ "refreshToken": text(&signed, "signIn.refreshToken") });
        let members = "{ organization(slug: \"acme\") { members { totalCount } } }";
        for who in [&alice, &program] {
            who.ask(members).await.ok();
        }

        let out = user_command(&gateway, &folder, "suspend").await;
        assert_eq!(out, "Suspended alice@example.org; 1 session ended.\n", "{engines:?}");
        assert_eq!(alice.ask(members).await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        let read = program.ask(members).await;
        assert_eq!(read.at("organization.members.totalCount").as_u64().unwrap_or_default(), 0, "{}", read.text);
        assert_eq!(sign_in(&gateway, None).await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
        let refused = gateway.stranger().call("refreshSession", refresh.clone(), "accessToken").await;
        assert_eq!(refused.codes(), ["UNAUTHENTICATED"]);
        let out = user_command(&gateway, &folder, "suspend").await;
        assert_eq!(out, "Suspended already: alice@example.org; 0 sessions ended.\n");

        let out = user_command(&gateway, &folder, "reactivate").await;
        assert_eq!(out, "Reactivated alice@example.org; the person may sign in again.\n");
        assert_eq!(alice.ask(members).await.codes(), ["UNAUTHENTICATED"], "what had ended stays ended");
        let refused = gateway.stranger().call("refreshSession", refresh, "accessToken").await;
        assert_eq!(refused.codes(), ["UNAUTHENTICATED"]);
        let again = sign_in(&gateway, None).await.ok();
        alice.with_token(text(&again, "signIn.accessToken")).ask(members).await.ok();
        program.ask(members).await.ok();
        let out = user_command(&gateway, &folder, "reactivate").await;
        assert_eq!(out, "Active already: alice@example.org; nothing was changed.\n");
    }
}

#[tokio::test]
async fn whoever_lost_the_second_factor_signs_in_by_the_password_once_the_operator_removed_it() {
    let (gateway, folder) = (Gateway::on(Engines::Postgres).await, folder());
    let alice = alice(&gateway).await;
    let signed = sign_in(&gateway, None).await.ok();
    let alice = alice.with_token(text(&signed, "signIn.accessToken"));
    let started = alice.call("startSecondFactor", json!({ "password": PASSWORD }), "uri").await.ok();
    let out = user_command(&gateway, &folder, "remove-second-factor").await;
    assert_eq!(out, "No second factor: alice@example.org; nothing was changed.\n", "one that was begun is none");

    let app = Totp::from_url(text(&started, "startSecondFactor.uri")).unwrap();
    let code = app.generate(gateway.service.now().timestamp().unsigned_abs()).to_string();
    alice.call("confirmSecondFactor", json!({ "code": code }), "recoveryCodes").await.ok();
    assert_eq!(sign_in(&gateway, None).await.refusals("signIn"), ["SECOND_FACTOR_REQUIRED"]);

    let out = user_command(&gateway, &folder, "remove-second-factor").await;
    assert_eq!(out, "Removed the second factor of alice@example.org; 1 session ended.\n");
    assert_eq!(alice.ask("{ viewer { id } }").await.codes(), ["UNAUTHENTICATED"]);
    let signed = sign_in(&gateway, None).await.ok();
    let alice = alice.with_token(text(&signed, "signIn.accessToken"));
    let state = alice.ask("{ viewer { secondFactor { confirmedAt } } }").await.ok();
    assert!(state.at("viewer.secondFactor.confirmedAt").is_null(), "{}", state.text);
}

#[test]
fn accounts_are_seen_to_on_an_embedded_database_that_nobody_serves() {
    let folder = folder();
    let mut create = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    create.current_dir(folder.path()).args(["user", "create", "--email", ALICE, "--name", "Alice", "--password-stdin"]);
    let mut create = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    create.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());

    let run = |command: &str, email: &str| gatehouse(folder.path(), &["user", command, email]);
    let out = |command: &str| said(&run(command, ALICE)).0;
    assert_eq!(out("suspend"), "Suspended alice@example.org; 0 sessions ended.\n");
    assert_eq!(out("reactivate"), "Reactivated alice@example.org; the person may sign in again.\n");
    assert_eq!(out("remove-second-factor"), "No second factor: alice@example.org; nothing was changed.\n");
    for command in ["suspend", "reactivate", "remove-second-factor"] {
        let output = run(command, "bob@example.org");
        assert_eq!(output.status.code(), Some(1), "{command}");
        let told = "gatehouse: there is no account with the address `bob@example.org`\n";
        assert_eq!(said(&output), (String::new(), told.to_owned()), "{command}");
        assert_eq!(run(command, "nobody").status.code(), Some(1), "{command}: no address");
    }
    let url = format!("sqlite:{}", folder.path().join("gatehouse.db").display());
    let _held = gatehouse::cli::lock::DatabaseLock::take(&url, "").unwrap();
    let refused = run("suspend", ALICE);
    assert!(!refused.status.success() && said(&refused).1.contains("stop it first"), "{:?}", said(&refused));
}
