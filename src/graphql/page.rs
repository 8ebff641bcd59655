//! Connections: pages with edges, signed cursors, and a total that is counted only when it is asked for.

use async_graphql::{Context, ID, connection::PageInfo};
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{context::RequestContext, error::bad_input};
use crate::service::page::{Page, PageRequest, Position, SortKey};

/// The largest page; also the largest batch of ids.
pub(super) const MOST: u32 = 100;
/// The page when neither `first` nor `last` is given; the gate counts as many rows for it.
const DEFAULT: u32 = 20;

/// The arguments of a connection.
#[derive(Debug, Clone, Default)]
pub struct PageArgs {
    /// How many from the front.
    pub first: Option<i32>,
    /// Only what stands behind this cursor.
    pub after: Option<String>,
    /// How many from the back.
    pub last: Option<i32>,
    /// Only what stands in front of this cursor.
    pub before: Option<String>,
}

/// A page request together with the list it is for.
#[derive(Debug, Clone)]
pub struct Listing {
    name: String,
    /// What the service is asked.
    pub request: PageRequest,
}

impl PageArgs {
    /// Checks the arguments. `list` names everything that makes the list (field, organization, filter), so that a cursor of
    /// another list is refused.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a page over 100, both ends at once, or a cursor that is none of this list.
    pub fn listing(self, ctx: &Context<'_>, list: &str) -> async_graphql::Result<Listing> {
        let count = |name: &str, count: Option<i32>| match count.map(u32::try_from) {
            None => Ok(None),
            Some(Ok(count)) if count <= MOST => Ok(Some(count)),
            Some(_) => Err(bad_input(&format!("`{name}` is between 0 and {MOST}"))),
        };
        let (first, last) = (count("first", self.first)?, count("last", self.last)?);
        if first.is_some() && last.is_some() {
            return Err(bad_input("give `first` or `last`, not both"));
        }
        let request = ctx.data::<RequestContext>()?;
        let position = |name: &str, cursor: Option<String>| match cursor {
            None => Ok(None),
            Some(cursor) => match request.cursors.read(list, &cursor).as_deref().and_then(read_position) {
                Some(position) => Ok(Some(position)),
                None => Err(bad_input(&format!("`{name}` is no cursor of this list"))),
            },
        };
        let (after, before) = (position("after", self.after)?, position("before", self.before)?);
        let first = if first.is_none() && last.is_none() { Some(DEFAULT) } else { first };
        let total = ctx.look_ahead().field("totalCount").exists();
        Ok(Listing { name: list.to_owned(), request: PageRequest { first, last, after, before, total } })
    }
}

/// A position as the text that is signed.
fn write_position(position: &Position) -> String {
    let id = position.id.simple();
    match &position.key {
        SortKey::Id => format!("i{id}"),
        SortKey::Time(at) => format!("t{id}{}", at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        SortKey::Text(text) => format!("s{id}{text}"),
    }
}

fn read_position(text: &str) -> Option<Position> {
    let (kind, rest) = text.split_at_checked(1)?;
    let (id, key) = rest.split_at_checked(32)?;
    let key = match kind {
        "i" => SortKey::Id,
        "t" => SortKey::Time(DateTime::parse_from_rfc3339(key).ok()?.with_timezone(&Utc)),
        "s" => SortKey::Text(key.to_owned()),
        _ => return None,
    };
    Some(Position { key, id: Uuid::try_parse(id).ok()? })
}

/// A row that can stand in a list.
pub trait Listed {
    /// Where it stands.
    fn position(&self) -> Position;
}

/// A connection type: edges with cursors, page info, and the total.
pub trait Connection: Sized {
    /// What its edges hold.
    type Node;

    /// Puts one together.
    fn assemble(edges: Vec<(Self::Node, String)>, page_info: PageInfo, total_count: i32) -> Self;
}

/// Declares the connection and edge types of a node type.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty) => {
        /// One page of a list.
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The page's rows, each with its cursor.
            edges: Vec<$edge>,
            /// Whether there is more, and the cursors at both ends.
            page_info: async_graphql::connection::PageInfo,
            /// How many rows the whole list has, as far as the caller may see them.
            total_count: i32,
        }

        /// One row of a page.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// The row.
            node: $node,
            /// Where it stands: for `after` and `before` of the same list.
            cursor: String,
        }

        impl $crate::graphql::page::Connection for $connection {
            type Node = $node;

            fn assemble(
                edges: Vec<($node, String)>,
                page_info: async_graphql::connection::PageInfo,
                total_count: i32,
            ) -> Self {
                let edges = edges.into_iter().map(|(node, cursor)| $edge { node, cursor }).collect();
                Self { edges, page_info, total_count }
            }
        }
    };
}
pub(super) use connection;

impl Listing {
    /// Makes a connection of a page.
    ///
    /// # Errors
    /// When the request has no context.
    pub fn connection<T: Listed, C: Connection>(
        &self,
        ctx: &Context<'_>,
        page: Page<T>,
        node: impl Fn(T) -> C::Node,
    ) -> async_graphql::Result<C> {
        let cursors = &ctx.data::<RequestContext>()?.cursors;
        let edges: Vec<(C::Node, String)> = page
            .items
            .into_iter()
            .map(|row| {
                let cursor = cursors.write(&self.name, &write_position(&row.position()));
                (node(row), cursor)
            })
            .collect();
        let page_info = PageInfo {
            has_previous_page: page.has_previous,
            has_next_page: page.has_next,
            start_cursor: edges.first().map(|(_, cursor)| cursor.clone()),
            end_cursor: edges.last().map(|(_, cursor)| cursor.clone()),
        };
        let total_count = page.total.map_or(0, |total| i32::try_from(total).unwrap_or(i32::MAX));
        Ok(C::assemble(edges, page_info, total_count))
    }
}

/// Reads a batch of ids: at most [`MOST`] of them.
///
/// # Errors
/// `BAD_USER_INPUT` when there are more.
pub(super) fn batch(ids: Vec<ID>) -> async_graphql::Result<Vec<ID>> {
    if ids.len() > MOST as usize { Err(bad_input(&format!("at most {MOST} ids at once"))) } else { Ok(ids) }
}
