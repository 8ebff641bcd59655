//! Which apps a visibility shows, as a condition of SQL: the spine's, and what stands below a seen app.

use std::collections::BTreeMap;

use gatehouse_entity::app::{Column, Entity};
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
    let Rows::Only { below, .. } = visibility.rows() else { return condition(visibility, columns) };
    if below.is_empty() {
        return condition(visibility, columns);
    }
    let mut roots: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (root, kind) in below {
        roots.entry(kind).or_default().push(*root);
    }
    let mut any = Condition::any().add(condition(visibility, columns));
    for (kind, roots) in roots {
        let under = Column::Id.in_subquery(descendants(visibility.organization(), roots));
        any = any.add(Condition::all().add(Column::Kind.eq(kind)).add(under));
    }
    Condition::all().add(Column::OrganizationId.eq(visibility.organization())).add(any)
}

/// The ids of all apps below these.
fn descendants(organization: Uuid, roots: Vec<Uuid>) -> SelectStatement {
    let (under, child) = (Alias::new("under"), Alias::new("child"));
    let column = |column: Column| Expr::col((child.clone(), column));
    let mut first = Query::select();
    first
        .column((child.clone(), Column::Id))
        .from_as(Entity, child.clone())
        .and_where(column(Column::OrganizationId).eq(organization))
        .and_where(column(Column::ParentId).is_in(roots));
    let further = Query::select()
        .column((child.clone(), Column::Id))
        .from_as(Entity, child.clone())
        .join(JoinType::InnerJoin, under.clone(), column(Column::ParentId).equals((under.clone(), Column::Id)))
        .and_where(column(Column::OrganizationId).eq(organization))
        .to_owned();
    let table = CommonTableExpression::new()
        .table_name(under.clone())
        .column(Column::Id)
        .query(first.union(UnionType::Distinct, further).to_owned())
        .to_owned();
    let with = Query::with().recursive(true).cte(table).to_owned();
    Query::select().column((under.clone(), Column::Id)).from(under).with_cte(with).to_owned()
}
