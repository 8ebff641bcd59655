//! The floor plan, held: which room may know which, how long a file may be, and that no rule asks for a word of a blueprint.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Which rooms each room may name. Arrows point one way; `cli` puts the rooms together.
const ARROWS: &[(&str, &[&str])] = &[
    ("ablate", &[]),
    ("cache", &["ablate"]),
    ("cli", &["*"]),
    ("clock", &[]),
    ("config", &[]),
    ("graphql", &["ablate", "access", "service"]),
    ("http", &["ablate", "config", "graphql", "id", "identity", "provider", "service"]),
    ("id", &[]),
    ("identity", &["ablate"]),
    ("jobs", &["service"]),
    ("mail", &["ablate", "identity"]),
    ("provider", &["ablate"]),
    ("service", &["ablate", "access", "cache", "clock", "id", "identity", "mail", "provider", "store"]),
    // Stamps are what the store's triggers move, and what the cache compares.
    ("store", &["ablate", "access", "cache::stamp"]),
    ("telemetry", &["config"]),
];

/// Crates that only some rooms may name.
const CRATES: &[(&str, &[&str])] = &[
    ("sea_orm", &["store"]),
    ("sqlx", &["store"]),
    ("gatehouse_entity", &["store"]),
    ("gatehouse_migration", &["store"]),
    // `cli` names the cache's own `redis`.
    ("redis", &["cache", "cli"]),
    // `config` checks origins and URLs by its types.
    ("axum", &["config", "http"]),
    ("async_graphql", &["graphql", "http", "cli"]),
    ("argon2", &["identity"]),
    ("lettre", &["mail"]),
    ("hyper_rustls", &["provider"]),
    ("rustls", &["provider"]),
];

/// The most lines of a file.
const CEILING: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, by its path from the root.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The paths that follow a prefix such as `crate::`: `crate::{a, b::c}` names `a` and `b::c`. Two steps deep.
fn named(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().last();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(path(rest));
            continue;
        };
        let (mut depth, mut part) = (1, String::new());
        for letter in list.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && letter == ',') {
                if !part.trim().is_empty() {
                    found.insert(path(part.trim()));
                }
                part.clear();
                if depth == 0 {
                    break;
                }
            } else {
                part.push(letter);
            }
        }
    }
    found
}

/// The first two steps of a path.
fn path(text: &str) -> String {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let first = word(text);
    match text[first.len()..].strip_prefix("::") {
        Some(rest) if !word(rest).is_empty() => format!("{first}::{}", word(rest)),
        _ => first,
    }
}

/// The rooms of `src`, and which file belongs to which; the core is a crate of its own.
fn rooms() -> Vec<(String, String, String)> {
    let files = sources("src").into_iter().filter(|(name, _)| !name.starts_with("src/access/"));
    let files = files.filter(|(name, _)| name != "src/lib.rs" && name != "src/main.rs");
    let room = |name: &str| name.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
    files.map(|(name, text)| (room(&name), name, code(&text))).collect()
}

#[test]
fn arrows_between_rooms_point_one_way() {
    let mut wrong = Vec::new();
    for (room, file, code) in rooms() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{file}: the room `{room}` is not in the floor plan"));
            continue;
        };
        for path in named(&code, "crate::") {
            let target = path.split("::").next().unwrap();
            let fits = |allowed: &&str| *allowed == "*" || *allowed == target || *allowed == path;
            if target != room && !target.is_empty() && !allowed.iter().any(fits) {
                wrong.push(format!("{file}: `{room}` must not name `{path}`"));
            }
        }
        for (name, rooms) in CRATES {
            if !rooms.contains(&room.as_str()) && !named(&code, &format!("{name}::")).is_empty() {
                wrong.push(format!("{file}: `{room}` must not name the crate `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point the wrong way (tests/it/architecture.rs):\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let banned =
        ["async fn", "tokio::", "std::time", "std::env", "std::fs", "std::net", "Utc::now", "rand::", "gatehouse::"];
    let mut wrong = Vec::new();
    for (file, text) in sources("src/access/src") {
        let code = code(&text);
        wrong.extend(banned.iter().filter(|word| code.contains(**word)).map(|word| format!("{file}: `{word}`")));
    }
    assert!(wrong.is_empty(), "the core waits for nothing and asks nobody:\n{}", wrong.join("\n"));
}

#[test]
fn files_fit_a_readers_head() {
    let folders = ["src", "entity", "migration", "model", "tests"];
    let files = folders.iter().flat_map(|folder| sources(folder));
    let long: Vec<String> = files
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > CEILING)
        .map(|(file, lines)| format!("{file}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{CEILING} lines are the ceiling; split by noun:\n{}", long.join("\n"));
}

#[test]
fn every_room_says_what_it_is_for() {
    let rooms = sources("src").into_iter().filter(|(name, _)| name.ends_with("/mod.rs"));
    let silent: Vec<String> = rooms.filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "a `mod.rs` opens with what it is for: {silent:?}");
}

/// The words of the blueprints in the box, by what they are.
fn words() -> BTreeMap<String, &'static str> {
    let mut words = BTreeMap::new();
    for (_, source) in gatehouse::service::blueprint::IN_THE_BOX {
        let blueprint = gatehouse::access::Blueprint::parse(source).unwrap();
        let document = blueprint.document();
        words.insert(document.name.clone(), "a blueprint");
        words.extend(document.roles.keys().map(|key| (key.clone(), "a role")));
        words.extend(document.plans.keys().map(|key| (key.clone(), "a plan")));
        words.extend(document.seat_pools.keys().map(|key| (key.clone(), "a seat pool")));
        for (key, kind) in &document.app_kinds {
            words.insert(key.clone(), "an app kind");
            words.extend(kind.features.keys().map(|key| (key.clone(), "a feature")));
        }
    }
    words
}

/// Whether a line asks for a literal: compares with it, matches it, or looks it up.
fn asks_for(line: &str, literal: &str) -> bool {
    let quoted = format!("\"{literal}\"");
    line.match_indices(&quoted).any(|(at, _)| {
        let (before, after) = (line[..at].trim_end(), line[at + quoted.len()..].trim_start());
        let compared = ["==", "!="].iter().any(|sign| before.ends_with(sign) || after.starts_with(sign));
        let matched = after.starts_with("=>") || after.starts_with('|') || before.ends_with('|');
        let asked = [".get(", "contains(", "contains_key(", ".eq(", "eq_ignore_ascii_case(", "starts_with(", "holds("];
        let before = before.trim_end_matches('&');
        compared || matched || asked.iter().any(|call| before.ends_with(call))
    })
}

/// What looks like one and is none: a file, the literal, and why. It may only shrink.
const NOT_OF_A_BLUEPRINT: &[(&str, &str, &str)] = &[
    ("src/http/", "code", "the key of an error's extensions"),
    ("src/store/", "member", "a kind of grantee, in a column of ours"),
    ("src/store/", "organization", "a kind of place, in a column of ours"),
    ("src/service/import/", "member", "a word of the import document's format"),
    ("src/service/import/", "admin", "a word of the import document's format"),
];

#[test]
fn no_rule_asks_for_a_word_of_a_blueprint() {
    let (words, mut wrong) = (words(), Vec::new());
    for (file, text) in sources("src") {
        for (number, line) in code(&text).lines().enumerate() {
            for (word, what) in &words {
                let known = NOT_OF_A_BLUEPRINT.iter().any(|(room, known, _)| file.starts_with(room) && known == word);
                if asks_for(line, word) && !known {
                    wrong.push(format!(
                        "{file}: about line {}: asks for `{word}`, {what}: {}",
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    let remedy = "say it in the blueprint: if it cannot be said, the language grows a general key";
    assert!(wrong.is_empty(), "{remedy}\n{}", wrong.join("\n"));
}

#[test]
fn what_asks_for_a_word_is_found() {
    for line in
        ["if role == \"owner\" {", "\"owner\" => 1,", "roles.get(\"owner\")", "matches!(key, \"x\" | \"owner\")"]
    {
        assert!(asks_for(line, "owner"), "{line}");
    }
    for line in ["target(\"owner\", id)", "let owner = \"owner\";", "if role == \"owners\" {"] {
        assert!(!asks_for(line, "owner"), "{line}");
    }
    let code = "use crate::{a, b::{c, d}, store::tx::Tx};\nlet x = crate::ablate::off(\"y\");";
    let found: Vec<String> = named(code, "crate::").into_iter().collect();
    assert_eq!(found, ["a", "ablate::off", "b", "store::tx"]);
}
