//! Which rows of lists a principal sees by its rights.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{OnApp, Rights};
use crate::{
    AppRef, Blueprint,
    blueprint::document::TeamPrivacy,
    visibility::{Rows, Visibility},
};

impl Rights {
    /// Which apps exist for the principal: those it may enter and, where the blueprint or a role shows the others locked, all
    /// (`Q17`, `Q22`).
    #[must_use]
    pub fn visible_apps(&self, blueprint: &Blueprint) -> Visibility {
        if self.sees_locked(blueprint) {
            return Visibility { organization: self.organization, rows: Rows::All };
        }
        self.open_apps(blueprint)
    }

    /// Whether apps on which nothing is held are shown to the principal locked (`Q17`, `Q22`).
    #[must_use]
    pub fn sees_locked(&self, blueprint: &Blueprint) -> bool {
        let by_role =
            || self.roles().filter_map(|key| blueprint.document().roles.get(key)).any(|role| role.sees_locked);
        self.inactive.is_none() && (blueprint.shows_locked_apps() || by_role())
    }

    /// Which apps the principal may enter, because it holds something there (`S3.29`). Apps below a granted one are among
    /// them where the grant gives something on their kind, public ones where the principal is let in.
    #[must_use]
    pub fn open_apps(&self, blueprint: &Blueprint) -> Visibility {
        let kinds: BTreeSet<String> = (0..blueprint.kinds().len())
            .filter(|index| self.everywhere.kind(*index) != 0)
            .filter_map(|index| blueprint.kind_key(index).map(str::to_owned))
            .collect();
        let own = |app: &OnApp| app.kind.is_some_and(|kind| app.rights.kind(kind) != 0);
        let ids = self.apps.iter().filter(|(_, app)| own(app)).map(|(id, _)| *id).collect();
        let below = if blueprint.nests_apps() { self.below(blueprint) } else { BTreeSet::new() };
        let (public, public_below) = self.public(blueprint);
        let rows = match self.inactive {
            Some(_) => Rows::None,
            None => Rows::Only { kinds, ids, below, public, public_below, people: BTreeSet::new() },
        };
        Visibility { organization: self.organization, rows }
    }

    /// The kinds whose public apps are open everywhere, and those that are below an app.
    fn public(&self, blueprint: &Blueprint) -> (BTreeSet<String>, BTreeSet<(Uuid, String)>) {
        let (mut everywhere, mut below) = (BTreeSet::new(), BTreeSet::new());
        for (index, (key, kind)) in blueprint.kinds().iter().enumerate() {
            let within = self.limit.as_ref().map_or(u128::MAX, |limit| limit.kind(index));
            let Some(public) = kind.public.filter(|public| public.bits & within != 0) else { continue };
            let is_open = match public.to {
                None => self.roles.iter().any(|role| blueprint.role(role).is_some()),
                Some(to) => self.everywhere.kind(to) != 0,
            };
            if is_open {
                everywhere.insert(key.clone());
            }
            if let Some(to) = public.to {
                let let_in = self.apps.iter().filter(|(_, app)| app.rights.kind(to) != 0);
                below.extend(let_in.map(|(id, _)| (*id, key.clone())));
            }
        }
        (everywhere, below)
    }

    /// The kinds that grants on an app open below it.
    fn below(&self, blueprint: &Blueprint) -> BTreeSet<(Uuid, String)> {
        let kinds = |app: &OnApp| {
            let open = app.rights.kinds.iter().enumerate().filter(|(_, bits)| **bits != 0);
            open.filter_map(|(kind, _)| blueprint.kind_key(kind).map(str::to_owned)).collect::<Vec<_>>()
        };
        self.apps.iter().flat_map(|(id, app)| kinds(app).into_iter().map(|kind| (*id, kind))).collect()
    }

    /// Which teams the principal sees (`S5.7`); a team's kind is its privacy.
    #[must_use]
    pub fn visible_teams(&self) -> Visibility {
        let rows = if self.inactive.is_some() {
            Rows::None
        } else if self.holds("teams.read_secret") {
            Rows::All
        } else {
            let closed = self.holds("teams.read").then(|| privacy_kind(TeamPrivacy::Closed).to_owned());
            Rows::only(closed.into_iter().collect(), self.teams.clone())
        };
        Visibility { organization: self.organization, rows }
    }

    /// Rows that one permission opens whole: members, activity, tokens.
    #[must_use]
    pub fn visible_by(&self, permission: &str) -> Visibility {
        let rows = if self.inactive.is_none() && self.holds(permission) { Rows::All } else { Rows::None };
        Visibility { organization: self.organization, rows }
    }

    /// Rows that belong to one app, where a permission held on it opens them whole: its tokens, its invitations.
    #[must_use]
    pub fn visible_on(&self, blueprint: &Blueprint, permission: &str, app: &AppRef<'_>) -> Visibility {
        let open = self.inactive.is_none() && self.holds_on(blueprint, permission, app);
        Visibility { organization: self.organization, rows: if open { Rows::All } else { Rows::None } }
    }

    /// Which members the principal sees: everyone, or itself and the people of the apps on which it may see them (`S4.18`).
    #[must_use]
    pub fn visible_members(&self) -> Visibility {
        let rows = if self.inactive.is_some() {
            Rows::None
        } else if self.holds("members.read") {
            Rows::All
        } else {
            Rows::Only {
                kinds: BTreeSet::new(),
                ids: self.principal.as_member().into_iter().collect(),
                below: BTreeSet::new(),
                public: BTreeSet::new(),
                public_below: BTreeSet::new(),
                people: self.people.clone(),
            }
        };
        Visibility { organization: self.organization, rows }
    }
}

/// A team privacy as the kind by which [`Visibility`] tells teams apart.
#[must_use]
pub const fn privacy_kind(privacy: TeamPrivacy) -> &'static str {
    match privacy {
        TeamPrivacy::Closed => "closed",
        TeamPrivacy::Secret => "secret",
    }
}
