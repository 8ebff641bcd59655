//! The ready operations of `docs/operations`: one a screen, each run by a test as the person who sees that screen.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use crate::support::{
    events::Events,
    gateway::{Answer, Gateway, Person},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/operations")
}

/// The text of an operation, named as `system/screen`.
fn text(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.graphql"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Runs an operation; whatever it is answered.
pub(crate) async fn send(person: &Person, name: &str, variables: Value) -> Answer {
    person.send(&text(name), variables).await
}

/// Runs an operation as somebody for whom it is meant: no error of any kind.
pub(crate) async fn run(person: &Person, name: &str, variables: Value) -> Answer {
    send(person, name, variables).await.ok()
}

/// Opens a subscription as somebody for whom it is meant.
pub(crate) async fn open(gateway: &Gateway, person: &Person, name: &str) -> Events {
    Events::open(gateway, person, &text(name)).await
}

/// Every file below a folder of this ending.
fn files(folder: &PathBuf, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// The operations that a source runs: the names that stand, as they are, in the place of the name among the arguments of one of
/// the functions above. What nobody calls, or nobody waits for, the compiler finds.
fn run_by(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for (function, place) in [("run(", 1), ("send(", 1), ("open(", 2)] {
        for (at, _) in code.match_indices(function) {
            // Neither the end of another name, nor a method: a person sends whole documents.
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == '.' {
                continue;
            }
            let name = argument(&code[at + function.len()..], place).and_then(|text| text.strip_prefix('"'));
            names.extend(name.and_then(|text| text.split('"').next()).map(str::to_owned));
        }
    }
    names
}

/// The text that begins with this argument of a call.
fn argument(arguments: &str, place: usize) -> Option<&str> {
    let (mut depth, mut commas) = (0_usize, 0);
    for (at, letter) in arguments.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => commas += 1,
            ';' => return None,
            _ => {}
        }
        if commas == place {
            return Some(arguments[at + 1..].trim_start());
        }
    }
    None
}

#[test]
fn only_a_name_among_the_arguments_counts_as_run() {
    let source = r#"
        // run(&alice, "system/in-a-comment", json!({})).await;
        for name in ["system/in-a-list"] { alice.send("system/sent-as-a-document", json!({})).await; }
        assert_eq!(run(&people[0], "system/run", json!({ "a": ["b", "c"] })).await.at("organization"), "system/compared");
        operations::send(by(&bob), "system/sent", variables).await;
        rerun(&alice, "system/of-another-function", json!({})).await;
        let mut live = open(
            &gateway,
            &alice,
            "system/opened",
        ).await;
    "#;
    let run: Vec<String> = run_by(source).into_iter().collect();
    assert_eq!(run, ["system/opened", "system/run", "system/sent"]);
}

/// Every file is run by a test under its own name: an operation that no test runs is documentation that nobody has tried.
#[test]
fn every_operation_is_run_by_a_test() {
    let (mut operations, mut tests) = (Vec::new(), Vec::new());
    files(&folder(), "graphql", &mut operations);
    files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it"), "rs", &mut tests);
    let sources = tests.iter().filter(|path| !path.ends_with("tests/it/operations.rs"));
    let sources = sources.map(|path| fs::read_to_string(path).unwrap());
    let run: BTreeSet<String> =
        sources.filter(|source| source.contains("operations::")).flat_map(|source| run_by(&source)).collect();
    let name = |path: &PathBuf| path.strip_prefix(folder()).unwrap().with_extension("").display().to_string();
    let names: BTreeSet<String> = operations.iter().map(name).collect();
    let idle: Vec<&String> = names.difference(&run).collect();
    assert!(!names.is_empty() && idle.is_empty(), "no test runs {idle:?}: call `operations::run` with the name");
}
