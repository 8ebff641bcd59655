//! Translation only: GraphQL in, one call of the service out.
//!
//! One file per noun. A type whose fields belong to several nouns (an organization has members, teams, apps …) is merged from
//! one part per noun, so that each noun's file holds everything about it. Resolvers turn arguments into one service call and its
//! records into types; batched loading keeps a page at a fixed number of statements.
//!
//! What may not enter: the store, SQL, Redis, HTTP, and decisions. A guard ([`permission`]) is the visible second fence; the
//! first is `service`.
//!
//! ```
//! let sdl = gatehouse::graphql::sdl();
//! assert!(sdl.contains("type Organization implements Node"));
//! ```

pub mod access_tree;
pub mod access_warning;
pub mod activity;
pub mod api_token;
pub mod app;
pub mod app_administration;
pub mod app_member;
pub mod app_role;
pub mod blueprint;
pub mod blueprint_move;
pub mod browser;
pub mod capability;
pub mod check;
pub mod child;
pub mod context;
pub mod cursor;
pub mod custom_role;
pub mod email_address;
pub mod error;
pub mod external_identity;
mod follow;
pub mod grant;
pub mod invitation;
pub mod invitation_batch;
pub mod invoice;
pub mod member;
pub mod membership;
pub mod node;
pub mod organization;
pub mod page;
pub mod password;
pub mod payment_method;
pub mod permission;
pub mod plan;
pub mod profile;
pub mod role;
pub mod role_transfer;
pub mod root;
pub mod scalar;
pub mod seat;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod session_list;
pub mod sign_in_provider;
pub mod team;
pub mod usage;
pub mod user;
pub mod viewer;

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, Schema, SchemaBuilder};

pub use browser::{BrowserSession, CookieChange};
pub use context::RequestContext;
pub use cursor::Cursors;

/// Everything that can be asked.
#[derive(Debug, Default, MergedObject)]
#[rustfmt::skip] // One part a line, so that parts are added side by side.
pub struct Query(
    viewer::ViewerQuery,
    organization::OrganizationQuery,
    node::NodeQuery,
    check::CheckQuery,
    sign_in_provider::SignInProviderQuery,
);

/// Everything that can be changed.
#[derive(Debug, Default, MergedObject)]
#[rustfmt::skip]
pub struct Mutation(
    user::UserMutation,
    session::SessionMutation,
    sign_in_provider::SignInProviderMutation,
    email_address::EmailAddressMutation,
    password::PasswordMutation,
    session_list::SessionListMutation,
    second_factor::SecondFactorMutation,
    external_identity::ExternalIdentityMutation,
    organization::OrganizationMutation,
    invitation::InvitationMutation,
    invitation_batch::InvitationBatchMutation,
    member::MemberMutation,
    role::RoleMutation,
    role_transfer::RoleTransferMutation,
    activity::ActivityMutation,
    api_token::ApiTokenMutation,
    service_account::ServiceAccountMutation,
    app::AppMutation,
    grant::GrantMutation,
    app_role::AppRoleMutation,
    team::TeamMutation,
    custom_role::CustomRoleMutation,
    blueprint_move::BlueprintMoveMutation,
    profile::ProfileMutation,
    usage::UsageMutation,
    invoice::InvoiceMutation,
    payment_method::PaymentMethodMutation,
);

/// Everything that can be followed.
#[derive(Debug, Default, MergedSubscription)]
#[rustfmt::skip]
pub struct Subscription(
    seat::SeatSubscription,
    activity::ActivitySubscription,
    grant::GrantSubscription,
    usage::UsageSubscription,
);

/// The schema. The document gate holds the limits; no extension is registered, as any makes every list field pay double.
pub type GatehouseSchema = Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default()).disable_suggestions()
}

/// Builds the schema.
#[must_use]
pub fn schema() -> GatehouseSchema {
    builder().finish()
}

/// The schema's description, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_enum_items().include_specified_by();
    schema().sdl_with_options(options)
}
