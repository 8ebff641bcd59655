//! Where a query of an entity begins: the one exception to the ban on SeaORM's finders (`clippy.toml`).

use sea_orm::{EntityTrait, PrimaryKeyTrait, Select};

/// Every row of a table, to be narrowed.
#[expect(clippy::disallowed_methods, reason = "the store is the room that reads entities, and this its one door")]
pub(in crate::store) fn select<E: EntityTrait>() -> Select<E> {
    E::find()
}

/// The row of this primary key.
#[expect(clippy::disallowed_methods, reason = "the store is the room that reads entities, and this its one door")]
pub(in crate::store) fn select_by_id<E: EntityTrait>(
    id: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
) -> Select<E> {
    E::find_by_id(id)
}
