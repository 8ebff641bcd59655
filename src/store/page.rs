//! Pages of a list by keyset: a cursor is the sort key and id of a row, so that rows which come and go shift nothing.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
    sea_query::{Expr, Order as Way, SimpleExpr},
};
use uuid::Uuid;

use super::{Reader, StoreError};

/// Which page of a list: `first` after `after`, or `last` before `before`. With neither, the first 100.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many from the front.
    pub first: Option<u32>,
    /// How many from the back; ignored beside `first`.
    pub last: Option<u32>,
    /// Only rows behind this one.
    pub after: Option<Position>,
    /// Only rows in front of this one.
    pub before: Option<Position>,
    /// Whether to count the whole list too, which is one statement more.
    pub total: bool,
}

impl PageRequest {
    /// The first `count` rows.
    #[must_use]
    pub fn first(count: u32) -> Self {
        Self { first: Some(count), ..Self::default() }
    }

    /// The last `count` rows.
    #[must_use]
    pub fn last(count: u32) -> Self {
        Self { last: Some(count), ..Self::default() }
    }
}

/// Where a row stands in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What the list is sorted by first.
    pub key: SortKey,
    /// The row.
    pub id: Uuid,
}

/// A value that lists are sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// Nothing before the id, which is the order of creation.
    Id,
    /// A name.
    Text(String),
    /// A moment.
    Time(DateTime<Utc>),
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order whichever way they were asked for.
    pub items: Vec<T>,
    /// Whether there are rows behind the page.
    pub has_next: bool,
    /// Whether there are rows in front of the page.
    pub has_previous: bool,
    /// How many rows the whole list has, if that was asked.
    pub total: Option<u64>,
}

/// The order of a list: a column, unless it is the id's alone, then the id.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Order<C> {
    pub(in crate::store) key: Option<C>,
    pub(in crate::store) id: C,
    pub(in crate::store) descending: bool,
}

/// Reads one page of `select`, which must not be ordered yet.
pub(in crate::store) async fn page<E, T>(
    reader: &impl Reader,
    select: Select<E>,
    order: Order<E::Column>,
    request: &PageRequest,
) -> Result<Page<T>, StoreError>
where
    E: EntityTrait,
    E::Model: Sync,
    T: From<E::Model>,
{
    let connection = reader.connection();
    let total = if request.total { Some(select.clone().count(connection).await?) } else { None };
    let (limit, backward) = match (request.first, request.last) {
        (Some(first), _) => (first, false),
        (None, Some(last)) => (last, true),
        (None, None) => (100, false),
    };
    let mut select = select;
    if let Some(after) = &request.after {
        select = select.filter(beyond(&order, after, !order.descending)?);
    }
    if let Some(before) = &request.before {
        select = select.filter(beyond(&order, before, order.descending)?);
    }
    let way = if order.descending == backward { Way::Asc } else { Way::Desc };
    if let Some(key) = order.key {
        select = select.order_by(key, way.clone());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let rows = select.order_by(order.id, way).limit(limit as u64 + 1).all(connection).await?;
    let more = rows.len() > limit;
    let mut items: Vec<T> = rows.into_iter().take(limit).map(T::from).collect();
    if backward {
        items.reverse();
    }
    let (has_next, has_previous) =
        if backward { (request.before.is_some(), more) } else { (more, request.after.is_some()) };
    Ok(Page { items, has_next, has_previous, total })
}

/// Rows whose key and id are greater than the position's, or smaller.
fn beyond<C: ColumnTrait>(order: &Order<C>, position: &Position, greater: bool) -> Result<SimpleExpr, StoreError> {
    let (row, bound): (SimpleExpr, SimpleExpr) = match (order.key, &position.key) {
        (None, SortKey::Id) => (column(order.id), Expr::val(position.id)),
        (Some(key), SortKey::Text(text)) => pair(key, text.clone().into(), order.id, position.id),
        (Some(key), SortKey::Time(at)) => pair(key, (*at).into(), order.id, position.id),
        (None, SortKey::Text(_) | SortKey::Time(_)) | (Some(_), SortKey::Id) => {
            return Err(StoreError::Corrupt("a cursor of another list".to_owned()));
        }
    };
    Ok(if greater { row.gt(bound) } else { row.lt(bound) })
}

fn pair<C: ColumnTrait>(key: C, at: Value, id: C, row: Uuid) -> (SimpleExpr, SimpleExpr) {
    (Expr::tuple([column(key), column(id)]), Expr::tuple([Expr::val(at), Expr::val(row)]))
}

fn column<C: ColumnTrait>(column: C) -> SimpleExpr {
    Expr::col(column.as_column_ref())
}
