//! Blueprints: immutable rows, found by id or by name and version.

use chrono::{DateTime, Utc};
use gatehouse_entity::blueprint::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
};
use crate::access::{Permit, verb::InstallBlueprint};

/// An installed blueprint version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blueprint {
    /// Its id.
    pub id: Uuid,
    /// Name, shared by all versions.
    pub name: String,
    /// Version, from 1.
    pub version: i32,
    /// SHA-256 of the source, in hexadecimal.
    pub hash: String,
    /// Title for people.
    pub title: String,
    /// The TOML document.
    pub source: String,
    /// When it was installed.
    pub installed_at: DateTime<Utc>,
}

impl From<Model> for Blueprint {
    fn from(row: Model) -> Self {
        let Model { id, name, version, hash, title, source, installed_at } = row;
        Self { id, name, version, hash, title, source, installed_at }
    }
}

/// The blueprint version of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, id: Uuid) -> Result<Option<Blueprint>, StoreError> {
    Ok(select_by_id::<Entity>(id).one(reader.connection()).await?.map(Blueprint::from))
}

/// A version of the blueprint of this name; without a version, the newest.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_name(
    reader: &impl Reader,
    name: &str,
    version: Option<i32>,
) -> Result<Option<Blueprint>, StoreError> {
    let mut select = select::<Entity>().filter(Column::Name.eq(name)).order_by_desc(Column::Version);
    if let Some(version) = version {
        select = select.filter(Column::Version.eq(version));
    }
    Ok(select.one(reader.connection()).await?.map(Blueprint::from))
}

/// Every version of every blueprint, in the order of installation.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(reader: &impl Reader, request: &PageRequest) -> Result<Page<Blueprint>, StoreError> {
    page(reader, select::<Entity>(), Order { key: None, id: Column::Id, descending: false }, request).await
}

/// The versions of the blueprint of this name, in the order of installation.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_versions(
    reader: &impl Reader,
    name: &str,
    request: &PageRequest,
) -> Result<Page<Blueprint>, StoreError> {
    let select = select::<Entity>().filter(Column::Name.eq(name));
    page(reader, select, Order { key: None, id: Column::Id, descending: false }, request).await
}

/// Installs a version.
///
/// # Errors
/// [`StoreError::Conflict`] (`blueprint_name_version_key`) when that version is installed already.
pub async fn insert(tx: &Tx, _permit: Permit<InstallBlueprint>, new: Blueprint) -> Result<Blueprint, StoreError> {
    let Blueprint { id, name, version, hash, title, source, installed_at } = new;
    let row = ActiveModel {
        id: Set(id),
        name: Set(name),
        version: Set(version),
        hash: Set(hash),
        title: Set(title),
        source: Set(source),
        installed_at: Set(installed_at),
    };
    Ok(row.insert(tx.connection()).await?.into())
}
