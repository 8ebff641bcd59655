//! Visibility: which rows a principal may see, as a condition the store compiles to SQL.
//!
//! Lists are filtered where the rows are, never fetched and dropped, so that pages and counts are exact (`S3.29`, `S3.31`).

use std::collections::BTreeSet;

use uuid::Uuid;

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
    },
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

    /// Whether the row of this kind and id is visible.
    #[must_use]
    pub fn shows(&self, kind: &str, id: Uuid) -> bool {
        match &self.rows {
            Rows::All => true,
            Rows::None => false,
            Rows::Only { kinds, ids } => kinds.contains(kind) || ids.contains(&id),
        }
    }
}
