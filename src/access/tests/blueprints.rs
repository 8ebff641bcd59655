//! The blueprints in the box, and what `Blueprint::parse` says of broken ones.

use gatehouse_access::Blueprint;

const SUPPORT_HUB: &str = include_str!("../../../blueprints/support-hub.toml");
const WORKSPACE: &str = include_str!("../../../blueprints/workspace.toml");
const NESTED: &str = include_str!("nested.toml");
const EVENT_APPS: &str = include_str!("../../../blueprints/event-apps.toml");
const CODE_HOSTING: &str = include_str!("../../../blueprints/code-hosting.toml");

fn errors_of(source: &str) -> Vec<String> {
    Blueprint::parse(source).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn the_blueprints_in_the_box_are_valid() {
    for source in [SUPPORT_HUB, CODE_HOSTING, EVENT_APPS, WORKSPACE, NESTED] {
        assert_eq!(errors_of(source), Vec::<String>::new());
    }
}

/// S3.26, S3.27, S3.28: features by kind of app.
#[test]
fn s3_26_s3_27_s3_28_features_depend_on_the_kind_of_app() {
    let blueprint = Blueprint::parse(SUPPORT_HUB).unwrap();
    let labels = |kind: &str| {
        let kind = blueprint.document().app_kinds.get(kind).unwrap();
        kind.features.values().map(|feature| feature.label.clone()).collect::<Vec<_>>()
    };
    let content = ["Articles", "Tags", "Collections", "Analytics", "Settings"];
    assert_eq!(
        labels("customer_service"),
        ["Inbox", "Tickets", "App Users", "Quick Prompts", "Playground", "Analytics", "Settings", "Integrations"]
    );
    assert_eq!(labels("help_center"), content);
    assert_eq!(labels("newsroom"), content);
    assert_eq!(labels("ai_page"), ["Inbox", "App Users", "Quick Prompts", "Analytics", "Settings"]);
}

/// S3.56: the seat table.
#[test]
fn s3_56_seats_by_plan() {
    let blueprint = Blueprint::parse(SUPPORT_HUB).unwrap();
    let seats: Vec<_> =
        blueprint.document().plans.values().map(|plan| (plan.label.as_str(), plan.seats["teammate"])).collect();
    assert_eq!(seats, [("Free", 1), ("Light", 1), ("Growth", 3), ("Business", 5), ("Enterprise", 100)]);
}

#[test]
fn mistakes_are_named_with_line_and_fix() {
    let cases: &[(&str, &str, &str)] = &[
        ("version = 1", "version = 0", "`version`: versions start at 1"),
        ("version = 1", "version = 1\ncolour = 'red'", "unknown field `colour`"),
        ("title = \"Code hosting\"", "", "missing field `title`"),
        ("default_plan = \"free\"", "default_plan = \"fre\"", "`organization.default_plan`: there is no plan `fre`"),
        (
            "creator_roles = [\"owner\"]",
            "creator_roles = [\"boss\"]",
            "`organization.creator_roles[0]`: there is no role `boss`",
        ),
        ("creator_roles = [\"owner\"]", "creator_roles = []", "an organization would have no owner"),
        ("assigns = [\"*\"]", "assigns = [\"membre\"]", "`roles.owner.assigns[0]`: there is no role `membre`"),
        ("assigns = [\"*\"]", "assigns = []", "`roles.member`: the role can never be assigned"),
        ("permissions = [\"apps.create\"]", "permissions = [\"apps.creat\"]", "`apps.creat` names nothing"),
        (
            "access = [\"repository.code:read\"]",
            "access = [\"repository.code:reed\"]",
            "`repository.code:reed` names nothing",
        ),
        ("access = [\"repository.code:read\"]", "access = [\"repo\"]", "`repo` names nothing"),
        ("min_holders = 1", "min_holders = 2\nmax_holders = 1", "at most 1 holders cannot be met"),
        ("min_holders = 1", "min_holders = 1\nseats = [\"chairs\"]", "there is no seat pool `chairs`"),
        ("label = \"Free\"", "label = \"Free\"\nseats = { people = 1.5 }", "invalid type: floating point `1.5`"),
        ("label = \"Free\"", "label = \"Free\"\nseats = { people = -1 }", "invalid value: integer `-1`"),
        ("actions = [\"push\", \"merge\", \"release\"]", "actions = [\"pusch\"]", "no action `pusch`"),
        ("key = \"triage\"\nlabel = \"Triage\"", "key = \"read\"\nlabel = \"Read\"", "a second level `read`"),
        ("expires_days = 7", "expires_days = 0", "not between 1 and 365 days"),
        ("app_kinds = [\"repository\"]", "app_kinds = [\"repositori\"]", "there is no app kind `repositori`"),
        ("initial = \"read\"", "initial = \"reed\"", "`repository.code` has no level `reed`"),
        ("default_role = \"member\"", "default_role = \"repository_creator\"", "is no main role of members"),
        ("admins = \"owner\"", "admins = \"king\"", "`import.admins`: there is no role `king`"),
        ("[app_kinds.repository]\n", "[app_kinds.repository]\nparents = [\"group\"]\n", "there is no app kind `group`"),
        ("retention_days = 180", "retention_days = 0", "entries would be gone at once"),
        (
            "levels = [\"read\", \"write\", \"admin\"]\ninitial = \"read\"",
            "levels = [\"write\"]\ninitial = \"read\"",
            "`everyone.access[0].initial`: `read` is none of the levels that may be chosen (fix: name one of `write`",
        ),
        ("enabled = true\nnested = true", "nested = true", "`teams.nested`: there are no teams (fix: write `enabled"),
        ("title = \"Code hosting\"", "title = \" \"", "`title`: the title is empty"),
        ("label = \"Free\"", "label = \"\"", "`plans.free.label`: the label is empty"),
        ("actions = [\"created\", \"edited\", \"deleted\"]", "actions = []", "nothing can happen to a `"),
        (
            "actions = [\"created\", \"edited\", \"deleted\"]",
            "actions = [\"created\", \"created\"]",
            ".actions[1]`: a second action `created`",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(CODE_HOSTING.contains(from), "the case replaces nothing: {from}");
        let source = CODE_HOSTING.replacen(from, to, 1);
        let errors = errors_of(&source);
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
        assert!(errors.iter().all(|error| error.starts_with("line ") && error.contains("(fix: ")), "{errors:?}");
    }
}

/// The same for what the larger systems need: levels, slots, prerequisites, ceilings, public apps.
#[test]
fn mistakes_in_roles_and_trees_are_named_too() {
    let worker = "label = \"Worker\"\n";
    let writer = "feature = \"page.text\"\n";
    let project = "label = \"Project\"\n";
    let with = |line: &str, more: &str| format!("{line}{more}\n");
    let cases: &[(&str, String, &str)] = &[
        (worker, with(worker, "slot = \"licence\""), "`roles.worker.slot`: there is no slot `licence`"),
        (worker, with(worker, "flag = true\nslot = \"x\""), "a flag fills no slot"),
        (worker, with(worker, "kinds = [\"page\"]"), "only an app role is held on kinds of apps"),
        (worker, with(worker, "feature = \"page.text\""), "only a feature role is held in a feature"),
        (worker, with(worker, "requires = [\"worker\"]"), "`worker` cannot be built on"),
        (worker, with(worker, "requires = [\"nobody\"]"), "there is no role `nobody`"),
        (worker, with(worker, "aliases = [\"owner\"]"), "`owner` names another role too"),
        (worker, with(worker, "delegates = [\"manager\"]"), "`manager` is not assigned by this role"),
        (worker, with(worker, "transfer = \"manager\""), "`manager` does not fill the same slot"),
        (worker, with(worker, "instead = [\"nobody\"]"), "there is no role `nobody`"),
        (
            worker,
            with(worker, "automatic = [{ role = \"writer\", app_kind = \"page\" }]"),
            "members cannot hold `writer` on a `page`",
        ),
        (
            worker,
            with(worker, "automatic = [{ role = \"manager\", app_kind = \"pag\" }]"),
            "there is no app kind `pag`",
        ),
        ("\"members.*\", \"apps.create\", \"group", "\"apps.create\", \"group".to_owned(), "more than its own ceiling"),
        ("ceiling = [\"members.*\"", "ceiling = [\"membres.*\"".to_owned(), "`membres.*` names nothing"),
        (writer, "feature = \"page.txt\"\n".to_owned(), "there is no feature `page.txt`"),
        (writer, String::new(), "the role names no feature"),
        (
            writer,
            with(writer, "permissions = [\"apps.create\"]"),
            "a feature role cannot hold organization permissions",
        ),
        ("access = [\"page.text.edit\"]", "access = [\"project.tasks\"]".to_owned(), "gives access outside of it"),
        (project, with(project, "creator_role = \"writer\""), "`writer` cannot be held on a `project`"),
        (
            project,
            with(project, "creator_access = [{ feature = \"files\", level = \"own\" }]"),
            "`project` has no feature `files` at the level `own` to give",
        ),
        (
            "parents = [\"organization\", \"group\"",
            "parents = [\"organization\", \"grup\"".to_owned(),
            "no app kind `grup`",
        ),
        (
            "parents = [\"organization\", \"group\", \"project\"]",
            "parents = [\"project\"]".to_owned(),
            "no app of this kind can stand anywhere",
        ),
        ("public = { to = \"group\"", "public = { to = \"grup\"".to_owned(), "there is no app kind `grup`"),
        (
            "\"project.tasks.view\", \"project.files:read\"",
            "\"page\"".to_owned(),
            "gives access to other kinds of apps",
        ),
        ("visibilities = [\"private\", \"public\"]\n", String::new(), "no app of this kind can be public"),
    ];
    for (from, to, expected) in cases {
        assert!(NESTED.contains(from), "the case replaces nothing: {from}");
        let errors = errors_of(&NESTED.replacen(from, to, 1));
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
        assert!(errors.iter().all(|error| error.starts_with("line ") && error.contains("(fix: ")), "{errors:?}");
    }
}

/// What names something else says what may stand there: features by their kind, and roles of the level that is meant.
#[test]
fn what_is_named_wrong_is_answered_with_what_fits() {
    let worker = "label = \"Worker\"\n";
    let project = "label = \"Project\"\n";
    let with = |line: &str, more: &str| format!("{line}{more}\n");
    let cases: &[(&str, String, &str)] = &[
        (
            "requires = [\"tasks\"]",
            "requires = [\"page.txt\"]".to_owned(),
            "`page` has no feature `txt` (fix: `requires` takes features of this app kind by name (`tasks`), and those of \
             others as `kind.feature`)",
        ),
        (
            "requires = [\"tasks\"]",
            "requires = [\"c.d\"]".to_owned(),
            "there is no app kind `c` (fix: `requires` takes",
        ),
        (
            "requires = [\"tasks\"]",
            "requires = [\"task\"]".to_owned(),
            "`project` has no feature `task` (fix: `requires`",
        ),
        (
            "requires = [\"tasks\"]",
            "requires = [\"project.tasks\"]".to_owned(),
            "`project.tasks` is a feature of the same app kind (fix: write `tasks`",
        ),
        // Where a role of the organization is meant, or one of an app, those are named.
        (
            "creator_roles = [\"owner\"]",
            "creator_roles = [\"boss\"]".to_owned(),
            "there is no role `boss` (fix: name one of `owner`, `worker`, or declare it)",
        ),
        (
            "creator_roles = [\"owner\"]",
            "creator_roles = [\"owner\", \"manager\"]".to_owned(),
            "`manager` cannot be held by members in the organization (fix: name one of `owner`, `worker`)",
        ),
        (
            project,
            with(project, "creator_role = \"boss\""),
            "there is no role `boss` (fix: name one of `manager`, or declare it)",
        ),
        (
            worker,
            with(worker, "requires = [\"nobody\"]"),
            "there is no role `nobody` (fix: name one of `owner`, or declare it)",
        ),
        (
            worker,
            with(worker, "automatic = [{ role = \"boss\", app_kind = \"page\" }]"),
            "there is no role `boss` (fix: name one of `manager`, or declare it)",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(NESTED.contains(from), "the case replaces nothing: {from}");
        let errors = errors_of(&NESTED.replacen(from, to, 1));
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
    }
}

#[test]
fn the_line_is_the_line_of_the_mistake() {
    let source = CODE_HOSTING.replacen("default_plan = \"free\"", "default_plan = \"fre\"", 1);
    let line = source.lines().position(|line| line.contains("\"fre\"")).unwrap() + 1;
    assert!(errors_of(&source).iter().any(|error| error.starts_with(&format!("line {line}: "))));
}

/// Mistakes of which each part is right by itself: what reaches nothing, what meets nobody, what stands twice.
#[test]
fn mistakes_that_only_the_whole_shows_are_named_too() {
    let worker = "label = \"Worker\"\n";
    let writer = "feature = \"page.text\"\n";
    let manager = "permissions = [\"apps.create\", \"access.grant\"]\n";
    let page_public = "public = { to = \"organization\", access = [\"page.text.view\"] }\n";
    let closed_page = "public = { to = \"organization\", access = [\"page.text.view\"], grants = false }\n";
    let only = "label = \"Only\"";
    let with = |line: &str, more: &str| format!("{line}{more}\n");
    let cases: &[(&str, String, &str)] = &[
        (
            page_public,
            with(closed_page, "creator_role = \"manager\""),
            "`app_kinds.page.public.grants`: nobody is given anything on a public `page`, and `creator_role`",
        ),
        (
            page_public,
            with(closed_page, "creator_access = [{ feature = \"text\" }]"),
            "`app_kinds.page.public.grants`: nobody is given anything on a public `page`, and `creator_access`",
        ),
        (
            manager,
            "permissions = [\"billing.read\"]\n".to_owned(),
            "`roles.manager.permissions[0]`: `billing.read` is asked",
        ),
        (
            manager,
            "permissions = [\"apps.create\", \"billing.*\"]\n".to_owned(),
            "`roles.manager.permissions[1]`: `billing.*` is",
        ),
        (
            manager,
            with(manager, "assigns = [\"worker\"]"),
            "`manager` is held on an app, and `worker` in the organization",
        ),
        (
            manager,
            "permissions = [\"access.grant\"]\nkinds = [\"project\"]\nassigns = [\"writer\"]\n".to_owned(),
            "`writer` is held on no app where `manager` is, nor below one",
        ),
        (writer, with(writer, "assigns = [\"manager\"]"), "held in one feature, and cannot give `manager`"),
        (writer, with(writer, "assigns = [\"worker\"]"), "held in one feature, and cannot give `worker`"),
        (
            worker,
            with(worker, "max_holders = 1\nassigns = [\"worker\"]"),
            "`roles.worker.assigns[0]`: the only holder of `worker` can give it to nobody else",
        ),
        (
            "label = \"Tasks\"\n",
            with("label = \"Tasks\"\n", "requires = [\"tasks\"]"),
            "a feature cannot require itself",
        ),
        (
            "label = \"Tasks\"\n",
            with("label = \"Tasks\"\n", "requires = [\"files\"]"),
            "`app_kinds.project.features.tasks.requires`: `tasks` requires itself through other features",
        ),
        (
            only,
            with(only, "\n[seat_pools.chairs]\nlabel = \"Chairs\""),
            "`seat_pools.chairs`: no role takes a seat of `chairs`",
        ),
        (only, with(only, "\nseats = { chairs = 1 }"), "`plans.only.seats.chairs`: there is no seat pool `chairs`"),
        (only, with(only, "\nmeters = { ink = { limit = 1 } }"), "`plans.only.meters.ink`: there is no meter `ink`"),
        (
            only,
            with(only, "\n[[menus]]\nkey = \"My menu\"\nlabel = \"A\""),
            "`menus[0].key`: the key `My menu` is not snake_case",
        ),
        (
            only,
            with(only, "\n[children]\nblueprints = [\"Business Suite\"]"),
            "`children.blueprints[0]`: `Business Suite` is no blueprint name",
        ),
        (worker, with(worker, "instead = [\"worker\"]"), "`worker` is not narrower than itself (fix: leave it out)"),
        (
            "ceiling = [\"members.*\", \"apps.create\", \"group.settings.view\", \"project.tasks\", \"page\"]",
            "ceiling = []".to_owned(),
            "`roles.worker.ceiling`: its holders could hold nothing at all",
        ),
        (
            "public = { to = \"group\"",
            "public = { to = \"page\"".to_owned(),
            "`app_kinds.project.public.to`: no `project` stands below a `page` (fix: name one of `organization`, `group`",
        ),
        (
            "public = { to = \"organization\"",
            "public = { to = \"page\"".to_owned(),
            "`app_kinds.page.public.to`: no `page` stands below a `page` (fix: name one of `organization`)",
        ),
        (
            only,
            with(only, "\n[[menus]]\nkey = \"a\"\nlabel = \"A\"\n[[menus]]\nkey = \"a\"\nlabel = \"B\""),
            "`menus[1].key`: a second menu `a`",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(NESTED.contains(from), "the case replaces nothing: {from}");
        let errors = errors_of(&NESTED.replacen(from, to, 1));
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
        assert!(errors.iter().all(|error| error.starts_with("line ") && error.contains("(fix: ")), "{errors:?}");
    }
}

/// A role that is brought to every app of a kind is as much in the way of a public one as its maker's.
#[test]
fn nobody_is_brought_to_public_apps_that_are_granted_to_nobody() {
    let brought = EVENT_APPS.replace(
        "label = \"Event app\"\n",
        "label = \"Event app\"\nvisibilities = [\"private\", \"public\"]\n\
         public = { to = \"organization\", access = [\"event_app.events.view\"], grants = false }\n",
    );
    assert!(
        errors_of(&brought).iter().any(|error| error.contains("`automatic` of `admin`")),
        "{:?}",
        errors_of(&brought)
    );
}

/// Features of two kinds of apps that need one another: neither could be given first.
#[test]
fn a_cycle_through_another_kind_of_app_is_named_at_both_ends() {
    let source = NESTED
        .replace("label = \"Text\"\n", "label = \"Text\"\nrequires = [\"project.files\"]\n")
        .replace("requires = [\"tasks\"]", "requires = [\"page.text\"]");
    let errors = errors_of(&source);
    assert_eq!(errors.len(), 2, "{errors:?}");
    for place in ["`app_kinds.page.features.text.requires`", "`app_kinds.project.features.files.requires`"] {
        assert!(errors.iter().any(|error| error.contains(place) && error.contains("requires itself")), "{errors:?}");
    }
    // One way alone is no cycle.
    assert_eq!(errors_of(&source.replace("requires = [\"page.text\"]", "")), Vec::<String>::new());
}

/// S3.19: domains are compared letter by letter, so they stand as addresses are kept.
#[test]
fn s3_19_allowed_domains_are_written_as_addresses_are_kept() {
    let of = |domain: &str| {
        errors_of(&format!("{NESTED}\n[invitation]\nallowed_domains = [\"example.com\", \"{domain}\"]\n"))
    };
    for good in ["example.org", "mail.example.co.uk", "xn--bcher-kva.example", "3com.example"] {
        assert_eq!(of(good), Vec::<String>::new(), "{good}");
    }
    for (bad, meant) in [
        ("someone@example.org", "example.org"),
        ("@example.org", "example.org"),
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        (" example.org", "example.org"),
        ("*.example.org", "example.com"),
        ("localhost", "example.com"),
        ("b\u{fc}cher.example", "example.com"),
        ("-a.example", "example.com"),
        ("10.0.0.1", "example.com"),
        ("", "example.com"),
    ] {
        let errors = of(bad);
        assert_eq!(errors.len(), 1, "{bad}: {errors:?}");
        let said = format!("`invitation.allowed_domains[1]`: `{bad}` is no domain");
        assert!(errors[0].contains(&said) && errors[0].contains(&format!("write it as `{meant}`")), "{errors:?}");
    }
}
