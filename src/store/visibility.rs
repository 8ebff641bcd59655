//! A [`Visibility`] as a condition of SQL.

use sea_orm::{ColumnTrait, Condition, ExprTrait, sea_query::Expr};

use crate::access::{Visibility, visibility::Rows};

/// The columns a visibility speaks about.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Columns<C> {
    pub(in crate::store) organization: C,
    pub(in crate::store) kind: C,
    pub(in crate::store) id: C,
}

/// The rows of the visibility's organization that it shows.
pub(in crate::store) fn condition<C: ColumnTrait>(visibility: &Visibility, columns: Columns<C>) -> Condition {
    let organization = Condition::all().add(columns.organization.eq(visibility.organization()));
    match visibility.rows() {
        Rows::All => organization,
        Rows::None => organization.add(Expr::val(1).eq(0)),
        // Only apps lie below one another for a visibility; `app` adds that part.
        Rows::Only { kinds, ids, .. } => organization.add(
            Condition::any()
                .add(columns.kind.is_in(kinds.iter().map(String::as_str)))
                .add(columns.id.is_in(ids.iter().copied())),
        ),
    }
}
