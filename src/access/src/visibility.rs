//! Visibility: which rows a principal may see, as a condition the store compiles to SQL.
//!
//! Lists are filtered where the rows are, never fetched and dropped, so that pages and counts are exact (`S3.29`, `S3.31`).

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::AppRef;

/// Which rows of one organization may be seen. Only [`Rights`](crate::Rights) make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visibility {
    pub(crate) organization: Uuid,
    pub(crate) rows: Rows,
}

/// The condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// Every row of the organization.
    All,
    /// No row.
    None,
    /// Rows of these kinds, and these rows by id.
    Only {
        /// Kinds of which every row is visible (for teams: their privacies).
        kinds: BTreeSet<String>,
        /// Rows visible by id.
        ids: BTreeSet<Uuid>,
        /// Rows of a kind that stand anywhere below the row of an id.
        below: BTreeSet<(Uuid, String)>,
        /// Kinds of which every public row is visible.
        public: BTreeSet<String>,
        /// Public rows of a kind that stand anywhere below the row of an id.
        public_below: BTreeSet<(Uuid, String)>,
        /// Apps whose people are visible: the members to whom something on them, below them or above them is given.
        people: BTreeSet<Uuid>,
    },
}

impl Rows {
    /// Rows of kinds and rows by id, of which none stands below another.
    pub(crate) const fn only(kinds: BTreeSet<String>, ids: BTreeSet<Uuid>) -> Self {
        Self::Only {
            kinds,
            ids,
            below: BTreeSet::new(),
            public: BTreeSet::new(),
            public_below: BTreeSet::new(),
            people: BTreeSet::new(),
        }
    }
}

impl Visibility {
    /// The organization the condition is bound to.
    #[must_use]
    pub const fn organization(&self) -> Uuid {
        self.organization
    }

    /// The condition on a row of that organization.
    #[must_use]
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The apps whose people are visible, beside the rows that [`Visibility::shows`] tells of.
    #[must_use]
    pub fn people(&self) -> Option<&BTreeSet<Uuid>> {
        match &self.rows {
            Rows::Only { people, .. } if !people.is_empty() => Some(people),
            Rows::Only { .. } | Rows::All | Rows::None => None,
        }
    }

    /// Whether a row that neither nests nor is public is visible, by its kind and id.
    #[must_use]
    pub fn shows(&self, kind: &str, id: Uuid) -> bool {
        match &self.rows {
            Rows::All => true,
            Rows::None => false,
            Rows::Only { kinds, ids, .. } => kinds.contains(kind) || ids.contains(&id),
        }
    }

    /// Whether an app is visible.
    #[must_use]
    pub fn shows_app(&self, app: &AppRef<'_>) -> bool {
        let Rows::Only { below, public, public_below, .. } = &self.rows else { return self.shows(app.kind, app.id) };
        let under = |open: &BTreeSet<(Uuid, String)>| {
            app.ancestors.iter().any(|ancestor| open.contains(&(*ancestor, app.kind.to_owned())))
        };
        self.shows(app.kind, app.id) || under(below) || app.public && (public.contains(app.kind) || under(public_below))
    }
}
