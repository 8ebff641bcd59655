//! The laws of the core, held against a naive second model that walks the document with strings and sets.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod naive;

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_access::{
    AppRef, Blueprint, Decision, Facts, Grant, Grantee, Held, Place, PrincipalId, Question, Reason, Rights, decide,
    facts::TeamFact, grant::TeamStep,
};
use proptest::prelude::*;
use uuid::Uuid;

const SOURCES: [&str; 3] = [
    include_str!("../../../blueprints/support-hub.toml"),
    include_str!("../../../blueprints/code-hosting.toml"),
    include_str!("nested.toml"),
];

fn id(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

fn epoch() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The apps of the little world: two of each kind, the second below the first.
fn apps(blueprint: &Blueprint) -> Vec<(Uuid, String, Vec<Uuid>)> {
    let kinds = blueprint.document().app_kinds.keys();
    kinds
        .zip((0_u8..).step_by(2))
        .flat_map(|(kind, n)| [(id(100 + n), kind.clone(), vec![]), (id(101 + n), kind.clone(), vec![id(100 + n)])])
        .collect()
}

fn held(blueprint: &Blueprint) -> impl Strategy<Value = Held> + use<> {
    let mut choices: Vec<Held> = blueprint.document().roles.keys().cloned().map(Held::Role).collect();
    choices.push(Held::Role("no_such_role".to_owned()));
    for (kind, rules) in &blueprint.document().app_kinds {
        for (feature, rules) in &rules.features {
            let levels = rules.levels.iter().map(|level| Some(level.key.clone())).chain([None]);
            choices.extend(levels.map(|level| Held::Feature { kind: kind.clone(), feature: feature.clone(), level }));
        }
        choices.push(Held::Feature { kind: kind.clone(), feature: "no_such_feature".to_owned(), level: None });
    }
    proptest::sample::select(choices)
}

fn grant(blueprint: &Blueprint) -> impl Strategy<Value = Grant> + use<> {
    let places: Vec<Place> = apps(blueprint)
        .into_iter()
        .map(|(id, kind, _)| Place::App { id, kind })
        .chain(std::iter::repeat_n(Place::Organization, 4))
        .collect();
    let grantees = [Grantee::Member(id(1)), Grantee::Team(id(50)), Grantee::Everyone];
    let expiry = prop_oneof![3 => Just(None), 1 => (-5_i64..5).prop_map(|s| Some(epoch() + TimeDelta::seconds(s)))];
    (
        any::<u8>(),
        held(blueprint),
        proptest::sample::select(places),
        proptest::sample::select(grantees.to_vec()),
        expiry,
    )
        .prop_map(|(number, held, place, grantee, expires_at)| {
            let path = match grantee {
                Grantee::Team(team) => vec![TeamStep { id: team, name: "team".to_owned() }],
                Grantee::Member(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => vec![],
            };
            Grant { id: id(number), grantee, path, held, place, expires_at }
        })
}

fn facts(blueprint: &Blueprint) -> impl Strategy<Value = Facts> + use<> {
    let scopes: Vec<String> = [
        "*",
        "members.*",
        "members.read",
        "help_center.articles.view",
        "*.analytics",
        "repository.code:write",
        "project.tasks",
        "group.settings.view",
        "apps.create",
        "nonsense",
    ]
    .map(str::to_owned)
    .to_vec();
    let scopes = prop_oneof![3 => Just(None), 1 => proptest::sample::subsequence(scopes, 0..4).prop_map(Some)];
    (proptest::collection::vec(grant(blueprint), 0..8), any::<[bool; 3]>(), 0_u8..20, scopes).prop_map(
        |(grants, [maintainer, direct, _], state, scopes)| Facts {
            organization: id(9),
            organization_active: state != 0,
            principal: PrincipalId::member(id(1)),
            principal_active: state != 1,
            teams: vec![TeamFact { id: id(50), direct, maintainer }],
            grants,
            scopes,
        },
    )
}

/// Every question of the little world.
fn questions(blueprint: &Blueprint, each: &mut dyn FnMut(Question<'_>)) {
    for key in blueprint.permissions().keys().map(String::as_str).chain(["no.such"]) {
        each(Question::Permission(key));
    }
    each(Question::TeamMembers(id(50)));
    for (app, kind, ancestors) in apps(blueprint) {
        for (active, public) in [(true, false), (true, true), (false, false), (false, true)] {
            let app = AppRef { id: app, kind: &kind, ancestors: &ancestors, active, public };
            for permission in ["apps.create", "access.grant", "billing.read", "no.such"] {
                each(Question::PermissionOn { permission, app });
            }
            for (feature, rules) in &blueprint.document().app_kinds[&kind].features {
                for action in rules.actions.keys().map(String::as_str).chain(["no_such_action"]) {
                    each(Question::Action { app, feature, action });
                }
            }
            each(Question::Action { app, feature: "no_such_feature", action: "view" });
        }
    }
}

fn compact(blueprint: &Blueprint, rights: &Rights, question: Question<'_>) -> bool {
    match question {
        Question::Permission(key) => rights.holds(key),
        Question::PermissionOn { permission, app } => rights.holds_on(blueprint, permission, &app),
        Question::TeamMembers(team) => rights.holds("teams.manage") || rights.maintains(team),
        Question::Action { app, feature, action } => rights.allows(blueprint, &app, feature, action),
    }
}

fn cases() -> ProptestConfig {
    let scale: u32 = std::env::var("GATEHOUSE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    ProptestConfig { cases: 150 * scale, failure_persistence: None, ..ProptestConfig::default() }
}

/// A blueprint and facts that speak of it.
fn world() -> impl Strategy<Value = (Blueprint, Facts)> {
    (0..SOURCES.len()).prop_flat_map(|index| {
        let blueprint = Blueprint::parse(SOURCES[index]).unwrap();
        let facts = facts(&blueprint);
        (Just(blueprint), facts)
    })
}

proptest! {
    #![proptest_config(cases())]

    /// Law 6: the decision and the compact form agree with the naive model on every question.
    #[test]
    fn both_forms_agree_with_the_naive_model((blueprint, facts) in world()) {
        let rights = Rights::compile(&blueprint, &facts, epoch());
        questions(&blueprint, &mut |question| {
            let expected = naive::allows(blueprint.document(), &facts, question, epoch());
            let decision = decide(&blueprint, &facts, question, epoch());
            assert_eq!(decision.is_allow(), expected, "{question:?}: {decision:?}");
            assert_eq!(compact(&blueprint, &rights, question), expected, "{question:?}");
        });
    }

    /// Laws 1 and 3: every allow names live grants of the facts; the inactive are denied everything.
    #[test]
    fn an_allow_names_its_grants((blueprint, facts) in world()) {
        questions(&blueprint, &mut |question| {
            if let Decision::Allow(reasons) = decide(&blueprint, &facts, question, epoch()) {
                assert!(facts.organization_active && facts.principal_active);
                assert!(!reasons.is_empty());
                for reason in reasons {
                    match reason {
                        Reason::Granted(grant) | Reason::Public(grant) => {
                            assert!(facts.grants.contains(&grant) && grant.is_live(epoch()));
                        }
                        Reason::Maintainer(team) => assert_eq!(team, id(50)),
                    }
                }
            }
        });
    }

    /// Law 4: order and duplicates of grants do not matter, to answers and reasons alike.
    #[test]
    fn order_and_duplicates_do_not_matter((blueprint, facts) in world(), seed in any::<u64>()) {
        let mut other = facts.clone();
        other.grants.extend(facts.grants.clone());
        let turn = usize::try_from(seed % 7).unwrap() % other.grants.len().max(1);
        other.grants.rotate_left(turn);
        other.grants.reverse();
        questions(&blueprint, &mut |question| {
            // Grants drawn with one id and different contents stay in the order of the facts.
            let shape = |facts: &Facts| match decide(&blueprint, facts, question, epoch()) {
                Decision::Allow(reasons) => Ok(reasons.iter().map(|reason| match reason {
                    Reason::Granted(grant) | Reason::Public(grant) => grant.id,
                    Reason::Maintainer(team) => *team,
                }).collect::<std::collections::BTreeSet<_>>()),
                Decision::Deny(denial) => Err(std::mem::discriminant(&denial)),
            };
            assert_eq!(shape(&facts), shape(&other), "{question:?}");
        });
    }

    /// Laws 2 and 5: nothing allows nothing, and removing a grant never allows more; but for a role that bounds what others
    /// give, whose ceiling goes with it.
    #[test]
    fn removing_a_grant_never_allows_more((blueprint, facts) in world(), which in any::<prop::sample::Index>()) {
        let mut fewer = facts.clone();
        if !fewer.grants.is_empty() {
            let gone = fewer.grants.remove(which.index(facts.grants.len()));
            if matches!(&gone.held, Held::Role(role) if blueprint.ceiling(role).is_some()) {
                fewer.grants.push(gone);
            }
        }
        let mut none = facts.clone();
        none.grants.clear();
        none.teams.clear();
        questions(&blueprint, &mut |question| {
            let allowed = |facts: &Facts| decide(&blueprint, facts, question, epoch()).is_allow();
            assert!(!allowed(&fewer) || allowed(&facts), "{question:?}");
            assert!(!allowed(&none), "{question:?}");
        });
    }

    /// Scopes narrow and never widen.
    #[test]
    fn scopes_never_widen((blueprint, facts) in world()) {
        let mut free = facts.clone();
        free.scopes = None;
        questions(&blueprint, &mut |question| {
            let allowed = |facts: &Facts| decide(&blueprint, facts, question, epoch()).is_allow();
            assert!(!allowed(&facts) || allowed(&free), "{question:?}");
        });
    }

    /// The capability list shows exactly what single questions allow, and visibility exactly the apps with any.
    #[test]
    fn lists_agree_with_single_questions((blueprint, facts) in world()) {
        let rights = Rights::compile(&blueprint, &facts, epoch());
        let visible = rights.visible_apps(&blueprint);
        for ((app, kind, ancestors), public) in apps(&blueprint).into_iter().flat_map(|app| [(app.clone(), false), (app, true)]) {
            let app = AppRef { id: app, kind: &kind, ancestors: &ancestors, active: true, public };
            let listed: Vec<(String, String)> = rights.capabilities(&blueprint, &app).into_iter()
                .flat_map(|c| c.actions.into_iter().map(move |action| (c.feature.clone(), action))).collect();
            let mut single = Vec::new();
            for (feature, rules) in &blueprint.document().app_kinds[&kind].features {
                for action in rules.actions.keys() {
                    if naive::allows(blueprint.document(), &facts, Question::Action { app, feature, action }, epoch()) {
                        single.push((feature.clone(), action.clone()));
                    }
                }
            }
            prop_assert_eq!(&listed, &single);
            prop_assert_eq!(rights.sees(&blueprint, &app), !single.is_empty());
            if blueprint.nests_apps() || app.ancestors.is_empty() {
                prop_assert_eq!(visible.shows_app(&app), !single.is_empty());
            }
        }
    }

    /// Rights say when they end: at the first expiry of a live grant.
    #[test]
    fn rights_are_valid_until_the_first_expiry((blueprint, facts) in world()) {
        let rights = Rights::compile(&blueprint, &facts, epoch());
        let active = facts.organization_active && facts.principal_active;
        let first = facts.grants.iter().filter(|g| active && g.is_live(epoch())).filter_map(|g| g.expires_at).min();
        prop_assert_eq!(rights.valid_until(), first);
    }
}
