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

/// The numbers of the abuse cases of a section that the name of a test carries: `c4` and `c8` of `c4_c8_no_order_…`.
fn cases(section: char, name: &str) -> impl Iterator<Item = u32> {
    name.split('_').filter_map(move |part| part.strip_prefix(section)?.parse().ok())
}

/// The text of every source file below a folder.
fn sources(folder: PathBuf, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// A case that is left out, and why.
type Without = (u32, &'static str);

/// A section of the abuse cases: its letter and how many it has; which of them have no guard that could be switched off, as what
/// they hold is how things are made and no line that refuses; and which are about things that there are not.
struct Section {
    letter: char,
    last: u32,
    without_guard: &'static [Without],
    without_subject: &'static [Without],
}

/// The sections of which every case is held to have a test that is called after it, and a guard that the test is shown to hold.
const SECTIONS: [Section; 5] = [
    // Stale rights and sessions.
    Section {
        letter: 'a',
        last: 18,
        without_guard: &[(11, "there is no second copy of a role that could be forgotten")],
        without_subject: &[],
    },
    // Invitations.
    Section { letter: 'b', last: 20, without_guard: &[], without_subject: &[] },
    // Roles, owners, seats.
    Section { letter: 'c', last: 19, without_guard: &[], without_subject: &[] },
    // API tokens, refresh, sign-ins by providers.
    Section {
        letter: 'd',
        last: 20,
        without_guard: &[],
        without_subject: &[(13, "no device code is given out or taken: `d13_there_is_no_device_code` holds that")],
    },
    // Login, JWT, keys.
    Section {
        letter: 'g',
        last: 16,
        without_guard: &[
            (7, "the crate `rsa` is not linked (`deny.toml` bans it), and no private RSA key is ever held"),
            (11, "links are made of the configured address where no header of a request can be had"),
        ],
        without_subject: &[],
    },
];

/// The names of the tests here, in the core, and beside the code.
fn names_of_tests() -> Vec<String> {
    let mut texts = Vec::new();
    for folder in ["tests/it", "src"] {
        sources(root().join(folder), &mut texts);
    }
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter_map(|line| Some(line.trim().split_once("fn ")?.1.to_owned())).collect()
}

#[test]
fn every_abuse_case_has_a_test_and_a_guard() {
    let names = names_of_tests();
    for Section { letter, last, without_guard, without_subject } in SECTIONS {
        let is_left_out = |without: &[Without], case: u32| without.iter().any(|(left_out, _)| *left_out == case);
        let tested: BTreeSet<u32> = names.iter().flat_map(|name| cases(letter, name)).collect();
        let rows = include_str!("../ablations.tsv").lines().filter_map(|line| line.rsplit("::").next());
        let held: BTreeSet<u32> = rows.flat_map(|name| cases(letter, name)).collect();
        let missing: Vec<u32> = (1..=last).filter(|case| !tested.contains(case)).collect();
        assert!(missing.is_empty(), "no test is called after {letter}{missing:?}");
        let may_be_bare = |case: u32| is_left_out(without_guard, case) || is_left_out(without_subject, case);
        let bare: Vec<u32> = (1..=last).filter(|case| !held.contains(case) && !may_be_bare(*case)).collect();
        assert!(bare.is_empty(), "tests/ablations.tsv shows no guard of {letter}{bare:?}");
        // What is left out is not left out for longer than it must be, and is said why.
        for (case, why) in without_guard.iter().chain(without_subject) {
            assert!((1..=last).contains(case) && !held.contains(case), "{letter}{case} is not to be left out: {why}");
            assert!(why.split(' ').count() > 5, "why is {letter}{case} left out?");
        }
    }
}

/// D13: there is nothing that a device could be given for a person to allow elsewhere, and that any session could bind. Were there
/// one, this test would have to give way to one of who may bind it.
#[test]
fn d13_there_is_no_device_code() {
    let schema = fs::read_to_string(root().join("schema.graphql")).unwrap().to_lowercase();
    for word in ["devicecode", "usercode", "device_code", "user_code", "deviceauthorization"] {
        assert!(!schema.contains(word), "{word}");
    }
}

/// Every guard that can be switched off has a row in `tests/ablations.tsv`, every row a guard, and no row is there twice.
#[test]
fn every_guard_has_a_row() {
    let mut texts = Vec::new();
    sources(root().join("src"), &mut texts);
    // What a schedule can do in the wrong order is no line of the gateway that could be switched off.
    sources(root().join("tests/it/cache/schedule"), &mut texts);
    let guards: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split("ablate::off(\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let lines: Vec<&str> = include_str!("../ablations.tsv").lines().collect();
    let rows: BTreeSet<&str> = lines.iter().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(guards, rows);
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), lines.len(), "a row is there twice");
}

#[test]
fn ids_are_found_in_names_and_words() {
    let found: Vec<String> =
        named("//! S3.1 to S3.9\n/// S3.31, S3.4.\nfn s3_70_s5_2_s4_r1_only() {}\n// S4.R10").into_iter().collect();
    assert_eq!(found, ["S3.31", "S3.4", "S3.70", "S4.R1", "S4.R10", "S5.2"]);
    let listed: Vec<String> = ids("- S3.1 a\n- S4.R1 b\n| S3.2 |\n- Some words").into_iter().collect();
    assert_eq!(listed, ["S3.1", "S4.R1"]);
}

/// People read the help texts of a blueprint; the ids of the catalogue stand in its comments.
#[test]
fn no_help_text_of_a_blueprint_names_the_catalogue() {
    for file in fs::read_dir(root().join("blueprints")).unwrap() {
        let path = file.unwrap().path();
        for line in fs::read_to_string(&path).unwrap().lines().filter(|line| line.starts_with("help")) {
            let text = line.split('"').nth(1).unwrap_or_default();
            assert!(named(text).is_empty(), "{}: {line}", path.display());
        }
    }
}
