//! Permits and visibilities for the store's tests, from the core as everywhere.

use chrono::DateTime;
use gatehouse::{
    access::{
        Authority, Blueprint, Facts, Grant, Grantee, Held, Permit, Place, PrincipalId, Rights, SystemTask, Verb,
        authorize,
    },
    store::{Committed, StoreError, Tx, Work, WriteScope},
};
use uuid::Uuid;

use crate::support::database::TestDatabase;

/// A permit of the operator or of an import, or of the task that the verb is for.
pub(crate) fn by_system<V: Verb>(organization: Uuid) -> Permit<V> {
    authorize(Authority::System(V::TASKS[0], Some(organization)), None).unwrap()
}

/// A permit that a task has for one row.
pub(crate) fn for_row<V: Verb>(task: SystemTask, organization: Uuid, row: Uuid) -> Permit<V> {
    authorize(Authority::System(task, Some(organization)), Some(row)).unwrap()
}

/// A permit of a member's own, who holds every permission.
pub(crate) fn by_owner<V: Verb>(organization: Uuid, member: Uuid) -> Permit<V> {
    authorize(Authority::Principal(&owner(organization, member)), None).unwrap()
}

/// The rights of a member who holds every permission of the code host.
pub(crate) fn owner(organization: Uuid, member: Uuid) -> Rights {
    let source = include_str!("../../../blueprints/code-hosting.toml");
    rights(source, organization, member, vec![(Held::Role("owner".to_owned()), Place::Organization)])
}

/// The rights of a member who holds these things by grants of its own.
pub(crate) fn rights(source: &str, organization: Uuid, member: Uuid, held: Vec<(Held, Place)>) -> Rights {
    let grantee = Grantee::Member(member);
    let grant = |(held, place)| Grant { id: Uuid::nil(), grantee, path: Vec::new(), held, place, expires_at: None };
    let facts = Facts {
        organization,
        organization_active: true,
        principal: PrincipalId::member(member),
        principal_active: true,
        teams: Vec::new(),
        grants: held.into_iter().map(grant).collect(),
        scopes: None,
    };
    Rights::compile(&Blueprint::parse(source).unwrap(), &facts, DateTime::UNIX_EPOCH)
}

/// Runs one write and commits it.
pub(crate) async fn write<T, F>(db: &TestDatabase, organization: Uuid, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t Tx) -> Work<'t, T, StoreError> + Send + 'static,
{
    let committed = db.store.write(WriteScope::organization(organization), work).await;
    committed.map(|Committed { value, .. }| value)
}
