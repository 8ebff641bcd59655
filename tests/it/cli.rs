//! The command line: what it prints, and how it ends.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::gateway::Gateway;

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
    assert!(said(&output).0.starts_with("no.toml:2: "), "{}", said(&output).0);
    let output = gatehouse(folder.path(), &["blueprint", "check", "nowhere.toml"]);
    assert!(!output.status.success() && said(&output).1.contains("cannot read `nowhere.toml`"));
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
