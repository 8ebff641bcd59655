//! Apps that the version does not have, or not so.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{delete, refusal, there};
use crate::{
    access::{
        Grantee, Place,
        blueprint::document::{AppKind, AppVisibility as Known},
    },
    service::{
        UserError, app,
        blueprint_move::compute::{Ground, Outcome, Rules},
    },
    store::app::{App, AppVisibility},
};

/// In which way an app has no place in the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stray {
    /// Its kind is gone.
    Kind,
    /// It may not stand where it does.
    Place,
    /// It may not be private.
    Private,
    /// It may not be public.
    Public,
    /// It is public, and people hold something on it that nobody holds on a public one.
    Granted,
}

/// Names the apps of kinds that are gone, which nobody could look at or take away, and those that stand, are visible or are granted
/// as none may be: what is held above them or on them would go on counting.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    let (before, after) = (&rules.old.rules.document().app_kinds, &rules.new.document().app_kinds);
    let kinds: HashMap<Uuid, &str> = ground.apps.iter().map(|app| (app.id, app.kind.as_str())).collect();
    let mut strays: BTreeMap<(Stray, &str), Vec<&App>> = BTreeMap::new();
    for app in &ground.apps {
        let mut stray = |way| strays.entry((way, app.kind.as_str())).or_default().push(app);
        let Some(new) = after.get(&app.kind) else {
            stray(Stray::Kind);
            continue;
        };
        let had = |may: &dyn Fn(&AppKind) -> bool| before.get(&app.kind).is_some_and(may);
        let parent = app.parent_id.and_then(|id| kinds.get(&id).copied());
        if !new.stands_under(parent) && had(&|kind| kind.stands_under(parent)) {
            stray(Stray::Place);
        }
        let (visibility, way) = match app.visibility {
            AppVisibility::Private => (Known::Private, Stray::Private),
            AppVisibility::Public => (Known::Public, Stray::Public),
        };
        if !new.offers(visibility) {
            if had(&|kind| kind.offers(visibility)) {
                stray(way);
            }
        } else if app::is_closed(&rules.new, app)
            && !app::is_closed(&rules.old.rules, app)
            && is_granted(rules, ground, app)
        {
            stray(Stray::Granted);
        }
    }
    for ((way, kind), apps) in strays {
        let offered = |visibility| before.get(kind).is_some_and(|kind| kind.offers(visibility));
        problems.push(told(way, kind, &apps, rules.new.version(), offered));
    }
}

/// Whether people hold something on this app itself, and would after the move.
fn is_granted(rules: &Rules, ground: &Ground, app: &App) -> bool {
    let mut here = ground.grants.iter().filter(|grant| matches!(&grant.place, Place::App { id, .. } if *id == app.id));
    here.any(|grant| {
        !matches!(grant.grantee, Grantee::ServiceAccount(_))
            && rules.outcome(grant.grantee, &grant.held, &grant.place) != Outcome::Goes
    })
}

fn told(way: Stray, kind: &str, apps: &[&App], version: u32, offered: impl Fn(Known) -> bool) -> UserError {
    let count = apps.len();
    let name = apps.first().map(|app| app.name.as_str()).filter(|_| way != Stray::Kind);
    let what = match way {
        Stray::Kind | Stray::Place => "",
        Stray::Private => "private ",
        Stray::Public | Stray::Granted => "public ",
    };
    let words = (format!("{what}app of the kind `{kind}`"), format!("{what}apps of the kind `{kind}`"));
    let there = there((&words.0, &words.1), count, name);
    let (message, remedy) = match way {
        Stray::Kind => (format!("{there}, which the version does not have"), delete(count)),
        Stray::Place => {
            let place = if count == 1 { "where it stands" } else { "where they stand" };
            let message = format!("{there}, and version {version} has none {place}");
            (message, "Move each of them first to where both versions have it, or delete it.")
        }
        Stray::Private if offered(Known::Public) => (
            format!("{there}, and version {version} has no private ones"),
            "Make each of them public first, or delete it.",
        ),
        Stray::Public if offered(Known::Private) => (
            format!("{there}, and version {version} has no public ones"),
            "Make each of them private first, or delete it.",
        ),
        Stray::Private | Stray::Public => (format!("{there}, and version {version} has no {what}ones"), delete(count)),
        Stray::Granted => {
            let message =
                format!("{there}, on which people hold something, and on public ones of version {version} nobody does");
            (message, "Take their access away first, or make each of the apps private.")
        }
    };
    refusal(message, remedy)
}
