//! Activity: who did what to which target. Every change writes its entry in its own transaction.

use crate::access::Author;

/// Who made a change, as its entry names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorName {
    /// The author.
    pub author: Author,
    /// Its name at the time.
    pub name: String,
}
