//! The guide to the language, `docs/blueprints.md`: it is true, and it leaves nothing out.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use gatehouse_access::Blueprint;

const GUIDE: &str = include_str!("../../../docs/blueprints.md");
/// How every document begins.
const HEAD: &str = "name = \"x\"\nversion = 1\ntitle = \"X\"\n";

fn errors_of(source: &str) -> Vec<String> {
    Blueprint::parse(source).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The examples that stand in the guide, in order.
fn examples() -> Vec<&'static str> {
    GUIDE.split("```toml\n").skip(1).filter_map(|from| from.split_once("```")).map(|(example, _)| example).collect()
}

#[test]
fn the_smallest_blueprint_of_the_guide_is_valid() {
    assert_eq!(errors_of(examples().first().unwrap()), Vec::<String>::new());
}

/// What the guide shows piece by piece is understood as it stands: no unknown key, no wrong type.
#[test]
fn the_examples_of_the_guide_are_understood() {
    for example in examples().iter().skip(1) {
        let source = format!("{HEAD}{example}");
        for error in errors_of(&source) {
            assert!(!error.contains("unknown") && !error.contains("invalid type"), "{error}\n{example}");
        }
    }
}

#[test]
fn the_guide_names_every_permission_of_the_gateway() {
    for known in gatehouse_access::verb::PERMISSIONS {
        assert!(GUIDE.contains(&format!("`{}`", known.key)), "{}", known.key);
    }
}

/// A heading of the guide and the text below it, to the next one.
fn section(heading: &str) -> &'static str {
    let marked = format!("\n##{heading}\n");
    let start = GUIDE.find(&marked).unwrap_or_else(|| panic!("there is no heading `{heading}`"));
    let (_, from) = GUIDE.split_at(start + 1);
    from.split_once("\n##").map_or(from, |(text, _)| text)
}

/// What parsing a document says is expected in the place of something unknown.
fn expected(source: &str, unknown: &str) -> Vec<String> {
    let errors = errors_of(source);
    let named = errors.iter().find(|error| error.contains(&format!("`{unknown}`, expected")));
    let error = named.unwrap_or_else(|| panic!("`{unknown}` is accepted: {errors:?}\n{source}"));
    let (_, listed) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    let listed = listed.split_once("(fix:").map_or(listed, |(listed, _)| listed);
    let keys: Vec<String> = listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!keys.is_empty(), "{error}");
    keys
}

/// A table of the document with an unknown key in it, and where the guide lists its keys.
const TABLES: [(&str, &str); 26] = [
    ("", "# Top level"),
    ("[organization]", "# `[organization]`"),
    ("[levels]", "# `[levels.organization]`, `[levels.app]`, `[levels.feature]`"),
    ("[levels.app]", "# `[levels.organization]`, `[levels.app]`, `[levels.feature]`"),
    ("[permissions.x]", "# `[permissions.\"area.verb\"]`"),
    ("[app_kinds.x]", "# `[app_kinds.KIND]`"),
    ("[app_kinds.x.public]", "# `[app_kinds.KIND]`"),
    ("[[app_kinds.x.creator_access]]", "# `[app_kinds.KIND]`"),
    ("[app_kinds.x.features.y]", "# `[app_kinds.KIND.features.FEATURE]`"),
    ("[app_kinds.x.features.y.actions.z]", "# `[app_kinds.KIND.features.FEATURE]`"),
    ("[[app_kinds.x.features.y.levels]]", "# `[app_kinds.KIND.features.FEATURE]`"),
    ("[slots.x]", "# `[slots.SLOT]`"),
    ("[roles.x]", "# `[roles.ROLE]`"),
    ("[[roles.x.automatic]]", "# `[roles.ROLE]`"),
    ("[seat_pools.x]", "# `[seat_pools.POOL]` and `[plans.PLAN]`"),
    ("[plans.x]", "# `[seat_pools.POOL]` and `[plans.PLAN]`"),
    ("[meters.x]", "# `[meters.METER]` and `[plans.PLAN.meters]`"),
    ("[plans.x.meters.y]", "# `[meters.METER]` and `[plans.PLAN.meters]`"),
    ("[profile.x]", "# `[profile.SECTION]`"),
    ("[profile.x.fields.y]", "# `[profile.SECTION]`"),
    ("[invitation]", "# `[invitation]`"),
    ("[removal]", "# `[removal]`"),
    ("[teams]", "# `[teams]`"),
    ("[activity]", "# `[activity]`"),
    ("[[menus]]", "# `[[menus]]`"),
    ("[import]", "# `[import]`"),
];

/// Tables with one key, and those of which only lists exist.
const SMALL_TABLES: [(&str, &str); 4] = [
    ("[children]", "# `[children]`"),
    ("[everyone]", "# `[[everyone.access]]`"),
    ("[[everyone.access]]", "# `[[everyone.access]]`"),
    ("[activity.targets.x]", "# `[activity]`"),
];

#[test]
fn the_guide_names_every_key_of_the_document_where_it_stands() {
    for (table, heading) in TABLES.into_iter().chain(SMALL_TABLES) {
        let text = section(heading);
        for key in expected(&format!("{HEAD}{table}\nnot_a_key = 1\n"), "not_a_key") {
            let named = names_of(text).any(|name| name == key);
            assert!(named, "the guide does not name `{key}` of `{table}` under `{heading}`");
        }
    }
}

/// Every key, dotted path's last part, and key of an example that a text has in code.
fn names_of(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.split('`').skip(1).step_by(2).flat_map(move |code| code.split(move |letter| !is_name(letter)))
}

#[test]
fn the_guide_names_every_value_that_can_be_chosen() {
    let role = "[roles.x]\nlabel = \"X\"\n";
    let field = "[profile.x]\nlabel = \"X\"\n[profile.x.fields.y]\nlabel = \"Y\"\n";
    for (source, heading) in [
        (format!("{role}level = \"no_value\""), "# `[roles.ROLE]`"),
        (format!("{role}holders = [\"no_value\"]"), "# `[roles.ROLE]`"),
        (format!("{role}initial_access = \"no_value\""), "# `[roles.ROLE]`"),
        (
            "[levels.app]\ndeny = \"no_value\"".to_owned(),
            "# `[levels.organization]`, `[levels.app]`, `[levels.feature]`",
        ),
        ("[app_kinds.x]\nlabel = \"X\"\nvisibilities = [\"no_value\"]".to_owned(), "# `[app_kinds.KIND]`"),
        ("[invitation]\nrequired = [\"no_value\"]".to_owned(), "# `[invitation]`"),
        ("[removal]\non_remove = \"no_value\"".to_owned(), "# `[removal]`"),
        ("[teams]\nprivacies = [\"no_value\"]".to_owned(), "# `[teams]`"),
        ("[meters.x]\nkind = \"no_value\"".to_owned(), "# `[meters.METER]` and `[plans.PLAN.meters]`"),
        ("[plans.x.meters.y]\non_limit = \"no_value\"".to_owned(), "# `[meters.METER]` and `[plans.PLAN.meters]`"),
        (format!("{field}kind = \"no_value\""), "# `[profile.SECTION]`"),
    ] {
        for value in expected(&format!("{HEAD}{source}\n"), "no_value") {
            assert!(names_of(section(heading)).any(|name| name == value), "`{value}` is not under `{heading}`");
        }
    }
}
