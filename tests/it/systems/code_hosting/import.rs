//! Importing organizations, and the table of all rights (S5.8, S5.9).

use std::{path::PathBuf, sync::Arc};

use gatehouse::{
    access::{
        AppRef, Decision, Rights,
        decide::{Question, decide},
        explain,
    },
    cli::matrix::{Format, print},
    service::import::{Count, ImportError, Mistake, Progress, Report},
    store::{app, facts, organization},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::gateway::{Engines, Gateway};

/// The real organization, where it is there.
pub(crate) fn kubernetes() -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/kubernetes.json");
    let found = std::fs::read_to_string(&path).ok();
    if found.is_none() {
        eprintln!("SKIPPED: {} is not there", path.display());
    }
    found
}

pub(crate) async fn import(gateway: &Gateway, source: &str) -> Result<Report, ImportError> {
    let progress: Progress = Arc::new(|_, _| {});
    gateway.service.import(source, "code-hosting", progress).await
}

async fn mistakes(gateway: &Gateway, source: &str) -> Vec<Mistake> {
    match import(gateway, source).await {
        Err(ImportError::Invalid(mistakes)) => mistakes,
        other => panic!("{other:?}"),
    }
}

/// The columns of the published figure: person, repository, level, sorted bytewise.
fn figure(rows: &[gatehouse::service::matrix::MatrixRow]) -> String {
    let mut printed = Vec::new();
    print(rows, Format::Tsv, &mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let mut lines: Vec<String> = printed
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            format!("{} {} {}\n", columns[0], columns[1], columns[3])
        })
        .collect();
    assert!(printed.lines().is_sorted());
    lines.sort_unstable();
    Sha256::digest(lines.concat()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_8_a_real_organization_is_imported_whole_and_again_without_a_change() {
    let Some(source) = kubernetes() else { return };
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let began = std::time::Instant::now();
        let report = import(&gateway, &source).await.unwrap();
        eprintln!("{engines:?}: imported in {:?}", began.elapsed());
        let created = |created| Count { created, ..Count::default() };
        let expected = Report {
            organization: created(1),
            members: created(1276),
            roles: created(1276),
            apps: created(78),
            teams: created(284),
            team_members: created(1690),
            grants: created(156),
            defaults: created(1),
        };
        assert_eq!(report, expected, "{engines:?}");

        let rows = gateway.service.matrix("kubernetes").await.unwrap();
        assert_eq!(rows.len(), 99_528);
        assert_eq!(figure(&rows), "6a5d51ba5ddfa5b6c07c000bd6cd4320cc748edb33218e70dc7bfe491b819cde", "{engines:?}");
        let count = |level: &str| rows.iter().filter(|row| row.access == level).count();
        assert_eq!(["admin", "read", "triage", "write"].map(count), [1_044, 98_163, 25, 296]);

        let stamps = "SELECT CAST(count(*) + sum(ver) AS bigint) FROM grant_stamp";
        let before = (gateway.database.count(stamps).await, everything(&gateway).await);
        let again = import(&gateway, &source).await.unwrap();
        assert!(!again.changed(), "{again:?}");
        let unchanged = again.rows().map(|(_, count)| count.unchanged);
        assert_eq!(unchanged, [1, 1276, 1276, 78, 284, 1690, 156, 1]);
        assert_eq!((gateway.database.count(stamps).await, everything(&gateway).await), before, "{engines:?}");
    }
}

/// How many rows each table has.
async fn everything(gateway: &Gateway) -> Vec<i64> {
    let tables = [
        "organization",
        "member",
        "team",
        "team_member",
        "app",
        "access_grant",
        "activity_entry",
        "user_account",
        "grant_stamp",
    ];
    let mut counts = Vec::new();
    for table in tables {
        counts.push(gateway.database.count(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_9_every_effective_level_names_its_sources() {
    let Some(source) = kubernetes() else { return };
    let gateway = Gateway::sqlite().await;
    import(&gateway, &source).await.unwrap();
    let reader = gateway.database.store.read();
    let organization = organization::find_by_slug(&reader, "kubernetes").await.unwrap().unwrap();
    let blueprint = gateway.service.find_blueprint("code-hosting").await.unwrap().unwrap();
    let levels = &blueprint.rules.document().app_kinds["repository"].features["code"].levels;
    let apps = app::find_all(&reader, organization.id).await.unwrap();
    let crowd = facts::load_all(&reader, organization.id).await.unwrap().unwrap();
    let within = facts::Within { organization: organization.id, active: true };
    let (mut pairs, mut by_team) = (0, 0);
    for principal in crowd.reach.principals() {
        let facts = crowd.reach.facts(principal, within, None);
        let rights = Rights::compile(&blueprint.rules, &facts, crowd.now);
        for app in &apps {
            let place = AppRef { id: app.id, kind: &app.kind, ancestors: &[], active: true, public: false };
            let held = rights.capabilities(&blueprint.rules, &place);
            let [held] = held.as_slice() else { panic!("{held:?}") };
            let level = held.level.as_deref().unwrap();
            let sources = explain::sources(&blueprint.rules, &facts, &place, &held.feature, crowd.now);
            // At least one source gives the level by itself, and none gives more.
            let own: Vec<_> = sources.iter().filter(|source| source.level.as_deref() == Some(level)).collect();
            assert!(!own.is_empty(), "{principal:?} {app:?} {sources:?}");
            for source in &own {
                let path = !source.grant.path.is_empty();
                assert_eq!(path, matches!(source.grant.grantee, gatehouse::access::Grantee::Team(_)));
            }
            by_team += usize::from(own.iter().all(|source| !source.grant.path.is_empty()));
            // The decision agrees, at the top of the level and at the one above it.
            let place_of = levels.iter().position(|known| known.key == level).unwrap();
            for (index, known) in levels.iter().enumerate() {
                let action = known.actions.last().unwrap();
                let allowed = index <= place_of;
                assert_eq!(rights.allows(&blueprint.rules, &place, "code", action), allowed);
                if index.abs_diff(place_of) <= 1 {
                    let question = Question::Action { app: place, feature: "code", action };
                    let decision = decide(&blueprint.rules, &facts, question, crowd.now);
                    assert_eq!(matches!(decision, Decision::Allow(_)), allowed);
                }
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 99_528);
    // Of 1,365 pairs above read, 780 are the ten owners'; the rest come by teams.
    assert_eq!(by_team, 1_044 + 25 + 296 - 780);
}

fn small() -> Value {
    json!({
        "organization": "Acme", "slug": "acme", "default_repository_permission": "read",
        "members_can_create_repositories": true,
        "admins": ["alice"], "members": ["bob", "carol"], "repositories": ["site", "k8s.io"],
        "teams": [
            {"name": "docs", "parent": "web", "description": "Writes.\n", "privacy": "secret",
             "maintainers": ["bob"], "members": ["carol"], "repos": {"site": "triage"}},
            {"name": "web", "parent": null, "description": null, "privacy": "closed",
             "maintainers": [], "members": [], "repos": {"site": "write", "k8s.io": "maintain"}},
        ],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_8_an_import_writes_only_what_differs() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let first = import(&gateway, &small().to_string()).await.unwrap();
        assert_eq!(
            first.defaults.created, 2,
            "the default level, and the role of everyone who may create repositories"
        );
        let level = async |person: &str, app: &str| {
            let rows = gateway.service.matrix("acme").await.unwrap();
            rows.into_iter().find(|row| row.member == person && row.app == app).map(|row| row.access)
        };
        assert_eq!(level("alice", "site").await.as_deref(), Some("admin"));
        assert_eq!(level("bob", "site").await.as_deref(), Some("write"), "{engines:?}: from the parent of the team");
        assert_eq!(level("carol", "k8s.io").await.as_deref(), Some("maintain"));
        let mut document = small();
        document["default_repository_permission"] = json!("none");
        document["members_can_create_repositories"] = json!(false);
        document["admins"] = json!(["alice", "carol"]);
        document["members"] = json!(["bob", "dave"]);
        document["teams"][0]["members"] = json!(["bob"]);
        document["teams"][0]["maintainers"] = json!(["dave"]);
        document["teams"][1]["repos"] = json!({"site": "admin"});
        let second = import(&gateway, &document.to_string()).await.unwrap();
        let count = |created, updated, removed, unchanged| Count { created, updated, removed, unchanged };
        let expected = Report {
            organization: count(0, 0, 0, 1),
            members: count(1, 0, 0, 3),
            roles: count(1, 1, 0, 2),
            apps: count(0, 0, 0, 2),
            teams: count(0, 0, 0, 2),
            team_members: count(1, 1, 1, 0),
            grants: count(0, 1, 1, 1),
            defaults: count(0, 0, 2, 0),
        };
        assert_eq!(second, expected, "{engines:?}");
        assert_eq!(level("carol", "site").await.as_deref(), Some("admin"));
        assert_eq!(level("bob", "k8s.io").await, None, "{engines:?}: nothing is left of it");
        assert_eq!(level("dave", "site").await.as_deref(), Some("admin"));
        let again = import(&gateway, &document.to_string()).await.unwrap();
        assert!(!again.changed(), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_8_a_bad_document_is_refused_whole_with_every_mistake_named() {
    let gateway = Gateway::sqlite().await;
    let before = everything(&gateway).await;
    let source = r#"{
        "organization": "Acme", "slug": "acme", "default_repository_permission": "maintain",
        "members_can_create_repositories": "no",
        "admins": ["alice"],
        "members": ["bob",
                    "alice", "mal lory"],
        "repositories": ["site", "site"],
        "colour": "blue",
        "teams": [
            {"name": "docs", "parent": "webb", "privacy": "hidden",
             "maintainers": ["bob"], "members": ["bob", "eve"],
             "repos": {"site": "owner",
                       "shop": "read", "site": "read"}},
            {"name": "a", "parent": "b"},
            {"name": "b", "parent": "a"},
            {"name": "docs", "size": 3},
            {"parent": 7}
        ]
    }"#;
    let found: Vec<(usize, String)> =
        mistakes(&gateway, source).await.into_iter().map(|mistake| (mistake.line, mistake.field)).collect();
    let expected = [
        (2, "default_repository_permission"),
        (3, "members_can_create_repositories"),
        (6, "members[1]"),
        (6, "members[2]"),
        (7, "repositories[1]"),
        (8, "colour"),
        (10, "teams[0].privacy"),
        (10, "teams[0].parent"),
        (11, "teams[0].members[0]"),
        (11, "teams[0].members[1]"),
        (12, "teams[0].repos.site"),
        (13, "teams[0].repos.site"),
        (13, "teams[0].repos.shop"),
        (14, "teams[1].parent"),
        (15, "teams[2].parent"),
        (16, "teams[3].size"),
        (16, "teams[3].name"),
        (17, "teams[4].name"),
        (17, "teams[4].parent"),
    ];
    let mut wanted: Vec<(usize, String)> = expected.into_iter().map(|(line, field)| (line, field.to_owned())).collect();
    let mut found_sorted = found.clone();
    found_sorted.sort();
    wanted.sort();
    assert_eq!(found_sorted, wanted);
    assert!(found.iter().map(|(line, _)| line).is_sorted());
    for (source, line) in [("", 1), ("{\n\"organization\": }", 2), ("[]", 1), ("{}", 1)] {
        assert_eq!(mistakes(&gateway, source).await[0].line, line, "{source}");
    }
    assert_eq!(everything(&gateway).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_8_a_broken_copy_of_the_real_document_changes_nothing() {
    let Some(source) = kubernetes() else { return };
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        import(&gateway, &small().to_string()).await.unwrap();
        let before = everything(&gateway).await;
        let break_it = |from: &str, to: &str| {
            assert!(source.contains(from));
            source.replacen(from, to, 1)
        };
        let parent = break_it("\"parent\": \"", "\"parent\": \"no-such-");
        let level = break_it("\": \"triage\"", "\": \"triagge\"");
        let twice = break_it("\"u0012\",", "\"u0011\",");
        for (source, field) in [(parent, ".parent"), (level, ".repos."), (twice, "members[1]")] {
            let mistakes = mistakes(&gateway, &source).await;
            let named = mistakes.iter().find(|mistake| mistake.field.contains(field)).unwrap();
            let line = source.lines().nth(named.line - 1).unwrap();
            assert!(["no-such-", "triagge", "u0011"].iter().any(|word| line.contains(word)), "{named}: {line}");
        }
        assert_eq!(everything(&gateway).await, before, "{engines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_8_an_import_is_for_the_blueprint_that_the_organization_lives_by() {
    let gateway = Gateway::sqlite().await;
    gateway.organization("acme", "support-hub", "growth").await;
    let mistakes = mistakes(&gateway, &small().to_string()).await;
    assert_eq!((mistakes.len(), mistakes[0].field.as_str()), (1, "slug"), "{mistakes:?}");
    let progress: Progress = Arc::new(|_, _| {});
    let missing = gateway.service.import(&small().to_string(), "no-such", Arc::clone(&progress)).await;
    assert!(matches!(missing, Err(ImportError::UnknownBlueprint(_))), "{missing:?}");
    let other =
        json!({"organization": "B", "slug": "b", "admins": ["alice"], "members": [], "repositories": [], "teams": []});
    let none = gateway.service.import(&other.to_string(), "support-hub", progress).await;
    assert!(matches!(none, Err(ImportError::NoImport(_))), "{none:?}");
}

#[test]
fn s5_9_a_reader_that_goes_away_ends_the_matrix_without_an_error() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let row = gatehouse::service::matrix::MatrixRow {
        member: "alice".to_owned(),
        app: "site".to_owned(),
        feature: "code".to_owned(),
        access: "read".to_owned(),
    };
    print(&vec![row; 10_000], Format::Tsv, Gone).unwrap();
}
