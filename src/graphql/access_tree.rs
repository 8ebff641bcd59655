//! The tree of ticked apps and features, as invitations and edits of access take it.

use async_graphql::{Enum, ID, InputObject, Result};

use super::node::NodeType;
use crate::service::{
    self, ServiceError,
    access_choice::AccessChoice,
    access_tree::{AppAccess, FeatureAccess},
};

/// The two positions of the toggle above the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::access_choice::AccessMode")]
pub enum AccessMode {
    /// Everything that whoever gives it has, as far as the member's roles reach.
    All,
    /// What is ticked.
    Custom,
}

/// A ticked app.
#[derive(Debug, InputObject)]
pub struct AppAccessInput {
    /// Global id of the app.
    app: ID,
    /// Its ticked features; at least one.
    features: Vec<FeatureAccessInput>,
}

/// A ticked feature.
#[derive(Debug, InputObject)]
pub struct FeatureAccessInput {
    /// The feature's key.
    feature: String,
    /// The access level, where the feature has levels.
    level: Option<String>,
}

/// The tree as the service takes it.
///
/// # Errors
/// `BAD_USER_INPUT` for an id that is no app's.
pub(super) fn tree(input: Vec<AppAccessInput>) -> Result<Vec<AppAccess>> {
    let app = |AppAccessInput { app, features }| {
        let feature = |FeatureAccessInput { feature, level }| FeatureAccess { feature, level };
        Ok(AppAccess { app: NodeType::App.parse(&app)?, features: features.into_iter().map(feature).collect() })
    };
    input.into_iter().map(app).collect()
}

/// The choice as the service takes it.
///
/// # Errors
/// A refusal for a tree beside `ALL`; `BAD_USER_INPUT` for an id that is no app's.
pub(super) fn choice(
    mode: Option<AccessMode>,
    access: Option<Vec<AppAccessInput>>,
) -> Result<AccessChoice, ServiceError> {
    Ok(AccessChoice::of(mode.map(Into::into), trees(access)?)?)
}

/// The choice for somebody who has access already; `None` where the form says nothing about it.
///
/// # Errors
/// As [`choice`]; a refusal for `CUSTOM` without a tree.
pub(super) fn edited(
    mode: Option<AccessMode>,
    access: Option<Vec<AppAccessInput>>,
) -> Result<Option<AccessChoice>, ServiceError> {
    Ok(AccessChoice::edited(mode.map(Into::into), trees(access)?)?)
}

fn trees(access: Option<Vec<AppAccessInput>>) -> Result<Option<Vec<AppAccess>>, ServiceError> {
    let bad = |refusal: async_graphql::Error| ServiceError::BadInput(refusal.message);
    access.map(tree).transpose().map_err(bad)
}
