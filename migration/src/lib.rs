//! Schema steps of the gateway's database, for SQLite and PostgreSQL.
//!
//! Steps are append-only: one that has been released never changes, a later one expands and then contracts. They depend on
//! nothing else of the gateway, so that an old step means tomorrow what it means today; `tests/it/store/drift.rs` compares
//! the migrated database with the entities. Each step is SQL, with words in braces for what the two databases call by
//! different names (see [`dialect`]).

use async_trait::async_trait;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

mod dialect;
mod m0001_accounts;
mod m0002_organizations;
mod m0003_members;
mod m0004_teams;
mod m0005_apps;
mod m0006_activity;
mod m0007_stamps;
mod m0008_records;
mod m0009_custom_roles;
mod m0011_notices;
mod m0012_photos;
mod m0013_mail;
mod m0018_signing_keys;
mod m0019_token_makers;
mod m0020_codes_and_erasure;
mod m0021_external_identities;
mod m0022_second_factors;
mod m0023_reading;
mod m0024_token_replacements;

/// Every step, in order.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_accounts::Migration),
            Box::new(m0002_organizations::Migration),
            Box::new(m0003_members::Migration),
            Box::new(m0004_teams::Migration),
            Box::new(m0005_apps::Migration),
            Box::new(m0006_activity::Migration),
            Box::new(m0007_stamps::Migration),
            Box::new(m0008_records::Migration),
            Box::new(m0009_custom_roles::Migration),
            Box::new(m0011_notices::Migration),
            Box::new(m0012_photos::Migration),
            Box::new(m0013_mail::Migration),
            Box::new(m0018_signing_keys::Migration),
            Box::new(m0019_token_makers::Migration),
            Box::new(m0020_codes_and_erasure::Migration),
            Box::new(m0021_external_identities::Migration),
            Box::new(m0022_second_factors::Migration),
            Box::new(m0023_reading::Migration),
            Box::new(m0024_token_replacements::Migration),
        ]
    }
}
