//! The catalogue of behaviours: every line of it has a test that names it.

use std::{collections::BTreeSet, fs, path::PathBuf};

/// The ids, kept here so that the check works in a clone without the catalogue.
const KEPT: &str = include_str!("../catalogue.txt");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn kept() -> BTreeSet<String> {
    KEPT.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Lines such as `- S3.31 An unticked app …`.
fn ids(catalogue: &str) -> BTreeSet<String> {
    let lines = catalogue.lines().filter_map(|line| line.strip_prefix("- ")?.split_whitespace().next());
    let is_id = |id: &&str| id.split_once('.').is_some_and(|(system, _)| system.len() == 2 && system.starts_with('S'));
    lines.filter(is_id).map(str::to_owned).collect()
}

/// The ids that a test's text names: as `S3.31`, or as `s3_31` in a name. A room's own introduction names none.
fn named(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//!"));
    let mut found = BTreeSet::new();
    for line in lines {
        for (at, letter) in line.char_indices().filter(|(_, letter)| matches!(letter, 'S' | 's')) {
            let rest = &line[at + 1..];
            let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
            let system = digits(rest);
            let sign = if letter == 'S' { '.' } else { '_' };
            let Some(number) = rest[system.len()..].strip_prefix(sign).filter(|_| !system.is_empty()) else { continue };
            // The facts that a system leaves out have an `R` before the number.
            let left_out = number.strip_prefix(['R', 'r']).map(|number| ("R", digits(number)));
            let (mark, number) = left_out.unwrap_or_else(|| ("", digits(number)));
            if !number.is_empty() {
                found.insert(format!("S{system}.{mark}{number}"));
            }
        }
    }
    found
}

fn tests(folder: PathBuf, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("catalogue.rs") {
            found.extend(named(&fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn every_line_of_the_catalogue_has_a_test() {
    let mut found = BTreeSet::new();
    tests(root().join("tests/it"), &mut found);
    tests(root().join("src/access/tests"), &mut found);
    let missing: Vec<String> = kept().difference(&found).cloned().collect();
    assert!(missing.is_empty(), "{} ids of the catalogue have no test: {}", missing.len(), missing.join(" "));
}

#[test]
fn the_kept_ids_are_those_of_the_catalogue() {
    let path = root().join("../shared/requirements.md");
    let Ok(catalogue) = fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not there; tests/catalogue.txt stands for it", path.display());
        return;
    };
    assert_eq!(ids(&catalogue), kept(), "bring tests/catalogue.txt up to date");
}

#[test]
fn ids_are_found_in_names_and_words() {
    let found: Vec<String> =
        named("//! S3.1 to S3.9\n/// S3.31, S3.4.\nfn s3_70_s5_2_s4_r1_only() {}\n// S4.R10").into_iter().collect();
    assert_eq!(found, ["S3.31", "S3.4", "S3.70", "S4.R1", "S4.R10", "S5.2"]);
    let listed: Vec<String> = ids("- S3.1 a\n- S4.R1 b\n| S3.2 |\n- Some words").into_iter().collect();
    assert_eq!(listed, ["S3.1", "S4.R1"]);
}
