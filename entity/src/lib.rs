//! SeaORM entities of the gateway's tables: one file per table, no logic.
//!
//! Only `gatehouse::store` uses them, and none leaves it. The words that a column may hold are enums beside the entity; the
//! database holds the same words by `CHECK`.

pub mod access_grant;
pub mod activity_entry;
pub mod api_token;
pub mod app;
pub mod blueprint;
pub mod custom_role;
pub mod external_identity;
pub mod grant_stamp;
pub mod idempotency_record;
pub mod invitation;
pub mod invoice;
pub mod member;
pub mod one_time_code;
pub mod organization;
pub mod outgoing_mail;
pub mod payment_method;
pub mod refresh_token;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod signing_key;
pub mod spent_sign_in;
pub mod team;
pub mod team_member;
pub mod token_notice;
pub mod usage_record;
pub mod usage_total;
pub mod user;
