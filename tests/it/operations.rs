//! The ready operations of `docs/operations`: one a screen, each run by a test as the person who sees that screen.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use crate::support::gateway::{Answer, Person};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/operations")
}

/// The text of an operation, named as `system/screen`.
pub(crate) fn text(name: &str) -> String {
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

#[test]
fn every_operation_is_run_by_a_test() {
    let (mut operations, mut tests) = (Vec::new(), Vec::new());
    files(&folder(), "graphql", &mut operations);
    files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it"), "rs", &mut tests);
    let tests: String = tests.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let name = |path: &PathBuf| path.strip_prefix(folder()).unwrap().with_extension("").display().to_string();
    let names: BTreeSet<String> = operations.iter().map(name).collect();
    // By its whole name here, or in a system's own folder by the screen's.
    let is_run = |name: &String| {
        let screen = name.rsplit('/').next().unwrap();
        tests.contains(&format!("\"{name}\""))
            || tests.contains(&format!("\"{screen}\""))
            || tests.contains(&format!("{name}.graphql"))
    };
    let idle: Vec<&String> = names.iter().filter(|name| !is_run(name)).collect();
    assert!(!names.is_empty() && idle.is_empty(), "no test runs {idle:?}");
}
