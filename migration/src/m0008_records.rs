//! What an organization says about itself, what it uses, and what it is billed.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::{
    dialect,
    m0007_stamps::{self, Rule, Update, content},
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0008_records"
    }
}

/// Rights depend on none of these: only what is shown does.
const RULES: [Rule; 4] = [
    Rule { insert: true, update: Update::Any, ..content("usage_total") },
    Rule { insert: true, update: Update::Any, ..content("usage_record") },
    Rule { insert: true, update: Update::Any, ..content("invoice") },
    Rule { insert: true, update: Update::Any, ..content("payment_method") },
];

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        m0007_stamps::install(manager, &RULES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        m0007_stamps::remove(manager, &RULES).await?;
        dialect::run(manager, DOWN).await
    }
}

const UP: &str = "
ALTER TABLE organization ADD COLUMN profile {json} NOT NULL DEFAULT '{}';

CREATE TABLE usage_total (
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  meter text NOT NULL,
  period text NOT NULL,
  amount {bigint} NOT NULL CHECK (amount >= 0),
  CONSTRAINT usage_total_organization_id_meter_period_key PRIMARY KEY (organization_id, meter, period)
) {strict};

CREATE TABLE usage_record (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  meter text NOT NULL,
  key text NOT NULL,
  amount {bigint} NOT NULL,
  at {time} NOT NULL,
  CONSTRAINT usage_record_organization_id_meter_key_key UNIQUE (organization_id, meter, key)
) {strict};
CREATE INDEX usage_record_at ON usage_record (at);

CREATE TABLE invoice (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  number text NOT NULL,
  issued_on text NOT NULL CHECK (length(issued_on) = 10),
  due_on text NOT NULL CHECK (length(due_on) = 10),
  amount_minor {bigint} NOT NULL,
  currency text NOT NULL CHECK (length(currency) = 3),
  state text NOT NULL CHECK (state IN ('open', 'paid', 'void')),
  period text,
  url text,
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  CONSTRAINT invoice_organization_id_number_key UNIQUE (organization_id, number)
) {strict};
CREATE INDEX invoice_issued ON invoice (organization_id, issued_on, id);

CREATE TABLE payment_method (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  reference text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('card', 'bank', 'other')),
  brand text,
  last4 text CHECK (length(last4) = 4),
  expires_month integer CHECK (expires_month BETWEEN 1 AND 12),
  expires_year integer CHECK (expires_year BETWEEN 2000 AND 9999),
  holder text,
  is_default {bool} NOT NULL,
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  CONSTRAINT payment_method_organization_id_reference_key UNIQUE (organization_id, reference)
) {strict};
CREATE UNIQUE INDEX payment_method_default ON payment_method (organization_id) WHERE is_default;
";

const DOWN: &str = "
DROP TABLE payment_method;
DROP TABLE invoice;
DROP TABLE usage_record;
DROP TABLE usage_total;
ALTER TABLE organization DROP COLUMN profile;
";
