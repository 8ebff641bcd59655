//! Which apps a visibility shows, as a condition of SQL: the spine's, and what stands below a seen app.

use std::collections::{BTreeMap, BTreeSet};

use gatehouse_entity::app::{AppState, AppVisibility, Column, Entity};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait,
    sea_query::{Alias, CommonTableExpression, Expr, JoinType, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use crate::{
    access::{Visibility, visibility::Rows},
    store::visibility::{Columns, condition},
};

/// The condition on an app that a visibility makes, apps that stand below a seen one included.
pub(in crate::store) fn visible(visibility: &Visibility) -> Condition {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Kind, id: Column::Id };
    let Rows::Only { below, public, public_below, .. } = visibility.rows() else {
        return condition(visibility, columns);
    };
    if below.is_empty() && public.is_empty() && public_below.is_empty() {
        return condition(visibility, columns);
    }
    let is_public = || Column::Visibility.eq(AppVisibility::Public);
    let mut any = Condition::any().add(condition(visibility, columns));
    for under in under(visibility.organization(), below) {
        any = any.add(under);
    }
    for kind in public {
        any = any.add(Condition::all().add(Column::Kind.eq(kind.as_str())).add(is_public()));
    }
    for under in under(visibility.organization(), public_below) {
        any = any.add(under.add(is_public()));
    }
    Condition::all().add(Column::OrganizationId.eq(visibility.organization())).add(any)
}

/// For each kind, the apps of it that stand below one of its roots.
fn under(organization: Uuid, pairs: &BTreeSet<(Uuid, String)>) -> Vec<Condition> {
    let mut roots: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (root, kind) in pairs {
        roots.entry(kind).or_default().push(*root);
    }
    let below = |(kind, roots): (&str, Vec<Uuid>)| {
        let under = Column::Id.in_subquery(descendants(organization, roots));
        Condition::all().add(Column::Kind.eq(kind)).add(under)
    };
    roots.into_iter().map(below).collect()
}

/// The ids of all apps below these.
pub(in crate::store) fn descendants(organization: Uuid, roots: Vec<Uuid>) -> SelectStatement {
    below(organization, |column| column(Column::ParentId).is_in(roots))
}

/// The ids of all apps that are disabled, themselves or by one above them.
pub(in crate::store) fn closed(organization: Uuid) -> SelectStatement {
    below(organization, |column| {
        let parent = Alias::new("parent");
        let disabled = Query::select()
            .column((parent.clone(), Column::Id))
            .from_as(Entity, parent.clone())
            .and_where(Expr::col((parent.clone(), Column::OrganizationId)).eq(organization))
            .and_where(Expr::col((parent, Column::State)).eq(AppState::Disabled))
            .to_owned();
        column(Column::State).eq(AppState::Disabled).or(column(Column::ParentId).in_subquery(disabled))
    })
}

/// The ids of all apps above those of these that are in use.
pub(in crate::store) fn above(organization: Uuid, apps: Vec<Uuid>) -> SelectStatement {
    let (over, child) = (Alias::new("over"), Alias::new("child"));
    let column = |column: Column| Expr::col((child.clone(), column));
    let mut first = Query::select();
    first
        .expr_as(column(Column::ParentId), Column::Id)
        .from_as(Entity, child.clone())
        .and_where(column(Column::OrganizationId).eq(organization))
        .and_where(column(Column::Id).is_in(apps))
        .and_where(column(Column::Id).not_in_subquery(closed(organization)))
        .and_where(column(Column::ParentId).is_not_null());
    let further = Query::select()
        .expr_as(column(Column::ParentId), Column::Id)
        .from_as(Entity, child.clone())
        .join(JoinType::InnerJoin, over.clone(), column(Column::Id).equals((over.clone(), Column::Id)))
        .and_where(column(Column::OrganizationId).eq(organization))
        .and_where(column(Column::ParentId).is_not_null())
        .to_owned();
    named(over, first.union(UnionType::Distinct, further).to_owned())
}

/// A query that names itself, read to its end.
fn named(name: Alias, query: SelectStatement) -> SelectStatement {
    let table = CommonTableExpression::new().table_name(name.clone()).column(Column::Id).query(query).to_owned();
    let with = Query::with().recursive(true).cte(table).to_owned();
    Query::select().column((name.clone(), Column::Id)).from(name).with_cte(with).to_owned()
}

/// The ids of the apps that pass, and of all below them.
fn below(organization: Uuid, passes: impl FnOnce(&dyn Fn(Column) -> Expr) -> Expr) -> SelectStatement {
    let (under, child) = (Alias::new("under"), Alias::new("child"));
    let column = |column: Column| Expr::col((child.clone(), column));
    let mut first = Query::select();
    first
        .column((child.clone(), Column::Id))
        .from_as(Entity, child.clone())
        .and_where(column(Column::OrganizationId).eq(organization))
        .and_where(passes(&column));
    let further = Query::select()
        .column((child.clone(), Column::Id))
        .from_as(Entity, child.clone())
        .join(JoinType::InnerJoin, under.clone(), column(Column::ParentId).equals((under.clone(), Column::Id)))
        .and_where(column(Column::OrganizationId).eq(organization))
        .to_owned();
    named(under, first.union(UnionType::Distinct, further).to_owned())
}
