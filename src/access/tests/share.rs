//! «All» is what its giver has, and not a bit more (`Q4`).

use chrono::{DateTime, Utc};
use gatehouse_access::{
    AppRef, Blueprint, Facts, Grant, Grantee, Held, Place, PrincipalId, Rights,
    share::{everything, shareable},
};
use uuid::Uuid;

const SUITE: &str = include_str!("../../../blueprints/business-suite.toml");
const HUB: &str = include_str!("../../../blueprints/support-hub.toml");
const CODE: &str = include_str!("../../../blueprints/code-hosting.toml");

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn tick(kind: &str, feature: &str, level: Option<&str>, app: Option<u128>) -> (Held, Place) {
    let held = Held::Feature { kind: kind.to_owned(), feature: feature.to_owned(), level: level.map(str::to_owned) };
    let place = app.map_or(Place::Organization, |id| Place::App { id: uuid(id), kind: kind.to_owned() });
    (held, place)
}

fn rights(blueprint: &Blueprint, held: Vec<(Held, Place)>) -> Rights {
    let member = uuid(1);
    let grants = held.into_iter().enumerate().map(|(index, (held, place))| Grant {
        id: uuid(100 + index as u128),
        grantee: Grantee::Member(member),
        path: Vec::new(),
        held,
        place,
        expires_at: None,
    });
    let facts = Facts {
        organization: uuid(9),
        organization_active: true,
        principal: PrincipalId::member(member),
        principal_active: true,
        teams: Vec::new(),
        grants: grants.collect(),
        scopes: None,
    };
    Rights::compile(blueprint, &facts, DateTime::<Utc>::UNIX_EPOCH)
}

fn told(shares: &[gatehouse_access::share::Share]) -> Vec<String> {
    let tell = |share: &gatehouse_access::share::Share| {
        let place = match &share.place {
            Place::Organization => "*".to_owned(),
            Place::App { id, .. } => id.as_u128().to_string(),
        };
        let level = share.level.as_deref().map(|level| format!(":{level}")).unwrap_or_default();
        format!("{place} {}.{}{level}", share.kind, share.feature)
    };
    let mut told: Vec<String> = shares.iter().map(tell).collect();
    told.sort();
    told
}

/// Q4: everywhere what is held everywhere, on an app what is held there; a disabled app is passed over.
#[test]
fn q4_all_is_what_the_giver_holds_where_it_is_held() {
    let blueprint = Blueprint::parse(CODE).unwrap();
    let held = vec![
        tick("repository", "code", Some("read"), None),
        tick("repository", "code", Some("write"), Some(20)),
        tick("repository", "code", Some("read"), Some(21)),
        tick("repository", "code", Some("admin"), Some(22)),
    ];
    let app = |id: u128, active| AppRef { id: uuid(id), kind: "repository", ancestors: &[], active, public: false };
    let apps = [app(20, true), app(21, true), app(22, false), app(23, true)];
    let shares = shareable(&blueprint, &rights(&blueprint, held), &apps, None);
    assert_eq!(told(&shares), ["* repository.code:read", "20 repository.code:write"]);
}

/// A feature of which a tick would give more than is held is not given at all.
#[test]
fn a_feature_is_given_only_whole() {
    let blueprint = Blueprint::parse(HUB).unwrap();
    let member = vec![tick("help_center", "articles", None, Some(20)), tick("help_center", "settings", None, None)];
    let apps = [AppRef { id: uuid(20), kind: "help_center", ancestors: &[], active: true, public: false }];
    let shares = shareable(&blueprint, &rights(&blueprint, member.clone()), &apps, None);
    assert_eq!(told(&shares), ["* help_center.settings", "20 help_center.articles"]);
    let narrow = blueprint.scope("help_center.articles.view").unwrap();
    assert_eq!(told(&shareable(&blueprint, &rights(&blueprint, member), &apps, Some(&narrow))), Vec::<String>::new());
    assert_eq!(told(&shareable(&blueprint, &rights(&blueprint, Vec::new()), &apps, None)), Vec::<String>::new());
}

/// Everything is everything of every kind, within the bound.
#[test]
fn everything_is_bounded_too() {
    let blueprint = Blueprint::parse(SUITE).unwrap();
    let features: usize = blueprint.document().app_kinds.values().map(|kind| kind.features.len()).sum();
    assert_eq!(everything(&blueprint, None).len(), features);
    let crm = blueprint.scope("crm.*").unwrap();
    let bounded = everything(&blueprint, Some(&crm));
    assert_eq!(told(&bounded), ["* crm.calls", "* crm.contacts", "* crm.deals"]);
}
