//! The people of apps: members to whom something is given there, as a condition of SQL (`S4.18`).

use std::collections::HashSet;

use gatehouse_entity::{
    access_grant::{self, GranteeKind},
    member::{Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr};
use uuid::Uuid;

use crate::{
    access::Visibility,
    store::{
        Reader, StoreError, app,
        select::select,
        visibility::{Columns, condition},
    },
};

/// The members that a visibility shows, the people of apps included.
pub(super) fn visible(visibility: &Visibility) -> Condition {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let shown = condition(visibility, columns);
    let Some(apps) = visibility.people() else { return shown };
    let (organization, apps) = (visibility.organization(), apps.iter().copied().collect::<Vec<_>>());
    let on = access_grant::Column::AppId;
    let there =
        Condition::any().add(on.is_in(apps.clone())).add(on.in_subquery(app::descendants(organization, apps.clone())));
    // What is disabled, and all below it, is nobody's to look into.
    let open = Condition::all().add(there).add(on.not_in_subquery(app::closed(organization)));
    let reached = Condition::any().add(open).add(on.in_subquery(app::above(organization, apps)));
    let people = Column::Id.in_subquery(grantees(organization, reached));
    Condition::all().add(Column::OrganizationId.eq(organization)).add(Condition::any().add(shown).add(people))
}

/// The members to whom something is given on one of these apps.
pub(super) fn holding(organization: Uuid, apps: Vec<Uuid>) -> Expr {
    let on = Condition::all().add(access_grant::Column::AppId.is_in(apps));
    Column::Id.in_subquery(grantees(organization, on))
}

fn grantees(organization: Uuid, on: Condition) -> sea_orm::sea_query::SelectStatement {
    select::<access_grant::Entity>()
        .select_only()
        .column(access_grant::Column::GranteeId)
        .filter(access_grant::Column::OrganizationId.eq(organization))
        .filter(access_grant::Column::GranteeKind.eq(GranteeKind::Member))
        .filter(on)
        .into_query()
}

/// Which of these members a visibility shows. No statement where it needs none.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn visible_ids(
    reader: &impl Reader,
    visibility: &Visibility,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, StoreError> {
    let (mut shown, rest): (HashSet<Uuid>, Vec<Uuid>) = {
        let (shown, rest): (Vec<Uuid>, Vec<Uuid>) = ids.iter().partition(|id| visibility.shows("", **id));
        (shown.into_iter().collect(), rest)
    };
    if visibility.people().is_some() && !rest.is_empty() {
        let select = select::<Entity>()
            .select_only()
            .column(Column::Id)
            .filter(visible(visibility))
            .filter(Column::Id.is_in(rest));
        shown.extend(select.into_tuple::<Uuid>().all(reader.connection()).await?);
    }
    Ok(shown)
}
