//! The blueprints in the box, and what `Blueprint::parse` says of broken ones.

use gatehouse_access::Blueprint;

const SUPPORT_HUB: &str = include_str!("../../../blueprints/support-hub.toml");
const WORKSPACE: &str = include_str!("../../../blueprints/workspace.toml");
const CODE_HOSTING: &str = include_str!("../../../blueprints/code-hosting.toml");

fn errors_of(source: &str) -> Vec<String> {
    Blueprint::parse(source).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn the_blueprints_in_the_box_are_valid() {
    for source in [SUPPORT_HUB, CODE_HOSTING, WORKSPACE] {
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
    ];
    for (from, to, expected) in cases {
        assert!(CODE_HOSTING.contains(from), "the case replaces nothing: {from}");
        let source = CODE_HOSTING.replacen(from, to, 1);
        let errors = errors_of(&source);
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
        assert!(errors.iter().all(|error| error.starts_with("line ") && error.contains("(fix: ")), "{errors:?}");
    }
}

#[test]
fn the_line_is_the_line_of_the_mistake() {
    let source = CODE_HOSTING.replacen("default_plan = \"free\"", "default_plan = \"fre\"", 1);
    let line = source.lines().position(|line| line.contains("\"fre\"")).unwrap() + 1;
    assert!(errors_of(&source).iter().any(|error| error.starts_with(&format!("line {line}: "))));
}

#[test]
fn the_smallest_blueprint_of_the_guide_is_valid() {
    let guide = include_str!("../../../docs/blueprints.md");
    let (_, from) = guide.split_once("```toml\n").unwrap();
    let (source, _) = from.split_once("```").unwrap();
    assert_eq!(errors_of(source), Vec::<String>::new());
}

#[test]
fn the_guide_names_every_permission_of_the_gateway() {
    let guide = include_str!("../../../docs/blueprints.md");
    for known in gatehouse_access::verb::PERMISSIONS {
        assert!(guide.contains(&format!("`{}`", known.key)), "{}", known.key);
    }
}
