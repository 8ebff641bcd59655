//! What `Blueprint::parse` says of documents that do not have the shape of one, and of the rest of them.

use gatehouse_access::Blueprint;

const NESTED: &str = include_str!("nested.toml");

fn errors_of(source: &str) -> Vec<String> {
    Blueprint::parse(source).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// Every key that nobody knows is told, each with its line, and what makes no sense beside them.
#[test]
fn every_unknown_key_is_told_with_its_line() {
    let source = NESTED
        .replace("title = \"Nested\"", "title = \"Nested\"\ncolour = \"red\"")
        .replace("label = \"Group\"", "label = \"Group\"\nicon = \"g\"")
        .replace("edit = { label = \"Edit\" }", "edit = { label = \"Edit\", hint = \"e\" }")
        .replace("label = \"Writer\"\n", "label = \"Writer\"\nasigns = []\n")
        .replace("default_plan = \"only\"", "default_plan = \"on\"");
    let source =
        format!("{source}\n[[menus]]\nkey = \"a\"\nlabel = \"A\"\n[[menus]]\nkey = \"b\"\nlabel = \"B\"\nwhen = 1\n");
    let errors = errors_of(&source);
    let line = |text: &str| source.lines().position(|line| line.contains(text)).unwrap() + 1;
    for (path, key, text) in [
        ("colour", "colour", "colour ="),
        ("app_kinds.group.icon", "icon", "icon ="),
        ("app_kinds.group.features.settings.actions.edit.hint", "hint", "hint ="),
        ("roles.writer.asigns", "asigns", "asigns ="),
        ("menus[1].when", "when", "when ="),
    ] {
        let said = format!("line {}: `{path}`: unknown field `{key}`", line(text));
        assert!(errors.iter().any(|error| error.starts_with(&said)), "{said}: {errors:?}");
    }
    let edits = source.matches("hint =").count();
    assert_eq!(errors.iter().filter(|error| error.contains("unknown field `hint`")).count(), edits, "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("there is no plan `on`")), "{errors:?}");
    assert_eq!(errors.len(), 5 + edits, "{errors:?}");
}

/// A value of the wrong type, or one that is missing, hides no unknown key after it; what follows from it is not told.
#[test]
fn a_wrong_value_hides_no_other_mistake() {
    let source = NESTED
        .replace("version = 1", "version = \"one\"")
        .replace("label = \"Group\"\n", "")
        .replace("holders = [\"member\", \"team\"]", "holders = [\"member\", \"staff\", \"group\"]")
        .replace("label = \"Only\"", "label = \"Only\"\nprice = 3");
    let errors = errors_of(&source);
    for expected in [
        "`version`: invalid type: string \"one\"",
        "`app_kinds.group`: missing field `label`",
        "`roles.manager.holders[1]`: unknown variant `staff`",
        "`roles.manager.holders[2]`: unknown variant `group`",
        "`plans.only.price`: unknown field `price`",
    ] {
        assert!(errors.iter().any(|error| error.contains(expected)), "{expected}: {errors:?}");
    }
    assert_eq!(errors.len(), 5, "{errors:?}");
    assert!(errors.iter().all(|error| error.starts_with("line ") && error.contains("(fix: ")), "{errors:?}");
}

/// What stands in a table that does not fit is told with what the key takes, and how it is written.
#[test]
fn mistakes_of_shape_say_what_to_write() {
    let worker = "label = \"Worker\"\n";
    let organization = "[organization]\ncreator_roles = [\"owner\"]\ndefault_plan = \"only\"\n";
    let with = |more: &str| format!("{worker}{more}\n");
    let top = |more: &str| format!("version = 1\n{more}");
    let cases: &[(&str, String, &str)] = &[
        ("version = 1", "version = \"one\"".to_owned(), "write a whole number, not negative, as `version = 1`"),
        (
            "version = 1\n",
            String::new(),
            "missing field `version` (fix: add a whole number, not negative: `version = 1`)",
        ),
        ("title = \"Nested\"", "title = 3".to_owned(), "write a text in quotes, as `title = \"text\"`"),
        ("label = \"Read reports\"\n", String::new(), "`permissions.reports.read`: missing field `label`"),
        ("label = \"Group\"\n", String::new(), "missing field `label` (fix: add a text in quotes: `label = \"text\"`)"),
        (
            "creator_roles = [\"owner\"]\n",
            String::new(),
            "missing field `creator_roles` (fix: add a list in brackets: `creator_roles = [\"text\"]`)",
        ),
        (worker, with("assigns = \"worker\""), "write a list in brackets, as `assigns = [\"text\"]`"),
        (worker, with("assigns = [3]"), "write a text in quotes, as `\"text\"`"),
        (worker, with("bounded = \"no\""), "write `true` or `false`, without quotes, as `bounded = true`"),
        (
            worker,
            with("level = \"apps\""),
            "write one of `organization`, `app`, `feature`, as `level = \"organization\"`",
        ),
        (worker, with("level = 1"), "write one of the words that docs/blueprints.md lists, as `level = \"word\"`"),
        (worker, with("holders = \"team\""), "write a list in brackets, as `holders = [\"word\"]`"),
        (worker, with("automatic = {}"), "write a list of tables, as `[[roles.worker.automatic]]`"),
        (worker, with("asigns = []"), "unknown field `asigns`"),
        (worker, with("asigns = []"), "(fix: write `assigns`, or leave it out)"),
        (worker, with("colour = 1"), "(fix: leave it out; docs/blueprints.md lists every key)"),
        ("view = { label = \"View\" }", "view = \"View\"".to_owned(), ".actions.view]`)"),
        // A table is not read from a list by position.
        ("version = 1", top("removal = [\"purge\", false]"), "`removal`: invalid type: sequence, expected a table"),
        ("version = 1", top("removal = [\"purge\", false]"), "(fix: write a table, as `[removal]`)"),
        ("version = 1", top("teams = [true]"), "`teams`: invalid type: sequence, expected a table"),
        ("version = 1", top("teams = []"), "`teams`: invalid type: sequence, expected a table"),
        (
            "version = 1",
            top("levels.organization = [\"Workspace\", \"show_locked\"]"),
            "`levels.organization`: invalid type: sequence, expected a table",
        ),
        (
            "view = { label = \"View\" }",
            "view = [\"View\", \"See.\"]".to_owned(),
            ".actions.view`: invalid type: sequence, expected a table",
        ),
        (organization, "organization = [1]\n".to_owned(), "`organization`: invalid type: sequence, expected a table"),
        ("version = 1", top("menus = {}"), "write a list of tables, as `[[menus]]`"),
        ("version = 1", top("menus = [[\"a\", \"A\"]]"), "`menus[0]`: invalid type: sequence, expected a table"),
        ("version = 1", "version = 1\nversion = 2".to_owned(), "duplicate key (fix: keep one of the two)"),
        ("version = 1", "version = ".to_owned(), "(fix: write `key = value`"),
    ];
    for (from, to, expected) in cases {
        assert!(NESTED.contains(from), "the case replaces nothing: {from}");
        let errors = errors_of(&NESTED.replacen(from, to, 1));
        assert_eq!(errors.len(), 1, "{to}: {errors:?}");
        assert!(errors[0].contains(expected), "{to}: {errors:?}");
    }
}

/// Mistakes of meaning are told beside those of shape, in the order of lines, and nothing that follows from another one.
#[test]
fn what_makes_no_sense_is_told_beside_what_does_not_fit() {
    let source = NESTED
        .replace("version = 1", "version = \"one\"")
        .replace("default_plan = \"only\"", "default_plan = \"on\"")
        .replace("label = \"Group\"\n", "")
        .replace("level = \"app\"", "level = \"apps\"")
        .replace("label = \"Worker\"\n", "label = \"Worker\"\nassigns = [\"boss\"]\n")
        .replace("access = [\"page.text.edit\"]", "access = [\"page.text.edti\"]");
    let errors = errors_of(&source);
    let told = [
        "`version`: invalid type: string \"one\"",
        "`organization.default_plan`: there is no plan `on`",
        "`app_kinds.group`: missing field `label`",
        "`roles.manager.level`: unknown variant `apps`",
        "`roles.worker.assigns[0]`: there is no role `boss`",
        "`roles.writer.access[0]`: `page.text.edti` names nothing",
    ];
    assert_eq!(errors.len(), told.len(), "{errors:?}");
    for (error, expected) in errors.iter().zip(told) {
        assert!(error.contains(expected), "{expected}: {errors:?}");
    }
    let lines: Vec<usize> = errors.iter().map(|error| error[5..error.find(':').unwrap()].parse().unwrap()).collect();
    assert!(lines.is_sorted(), "{errors:?}");
    assert_eq!(lines[4], source.lines().position(|line| line.contains("boss")).unwrap() + 1);
}

/// Of what is dropped because it does not fit, nothing is told by what names it, nor by what is missing in the rest.
#[test]
fn what_names_a_dropped_part_is_no_mistake() {
    let actions = "[app_kinds.page.features.text.actions]\nview = { label = \"View\" }\nedit = { label = \"Edit\" }\n";
    assert!(NESTED.contains(actions));
    let of_a_feature = NESTED.replace(actions, "");
    let of_a_pool = NESTED.replace("label = \"Worker\"\n", "label = \"Worker\"\nseats = [\"chairs\"]\n");
    let of_a_pool = format!("{of_a_pool}\n[seat_pools]\nchairs = 3\n");
    let of_a_role = NESTED
        .replace("label = \"Project\"\n", "label = \"Project\"\ncreator_role = \"manager\"\n")
        .replace("level = \"app\"", "level = \"apps\"");
    // The only role that takes the seats says so in a way that is not understood.
    let of_seats = NESTED.replace("label = \"Worker\"\n", "label = \"Worker\"\nseats = \"chairs\"\n");
    let of_seats = format!("{of_seats}\n[seat_pools.chairs]\nlabel = \"Chairs\"\n");
    let of_roles = format!("roles = 3\n{}", NESTED.split("[roles.owner]").next().unwrap());
    for (source, expected) in [
        (of_a_feature, vec!["`app_kinds.page.features.text`: missing field `actions`"]),
        (of_a_pool, vec!["`seat_pools.chairs`: invalid type: integer `3`, expected a table"]),
        (of_a_role, vec!["`roles.manager.level`: unknown variant `apps`"]),
        (of_seats, vec!["`roles.worker.seats`: invalid type: string \"chairs\", expected a sequence"]),
        (of_roles, vec!["missing field `plans`", "`roles`: invalid type: integer `3`, expected a table"]),
    ] {
        let errors = errors_of(&source);
        assert_eq!(errors.len(), expected.len(), "{errors:?}");
        for expected in expected {
            assert!(errors.iter().any(|error| error.contains(expected)), "{expected}: {errors:?}");
        }
    }
}

/// A list of tables tells of each element where it stands, and fields that are missing in one are told of that one.
#[test]
fn elements_of_lists_keep_their_places() {
    let source = format!(
        "{NESTED}\n[[menus]]\nlabel = \"A\"\n[[menus]]\nkey = \"b\"\n[[menus]]\nkey = \"c\"\nlabel = \"C\"\nany = [\"nothing\"]\n"
    );
    let errors = errors_of(&source);
    let told = [
        "`menus[0]`: missing field `key`",
        "`menus[1]`: missing field `label`",
        "`menus[2].any[0]`: `nothing` names nothing",
    ];
    assert_eq!(errors.len(), told.len(), "{errors:?}");
    for (error, expected) in errors.iter().zip(told) {
        assert!(error.contains(expected), "{expected}: {errors:?}");
    }
}
