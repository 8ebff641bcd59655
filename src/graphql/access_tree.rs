//! The tree of ticked apps and features, as invitations and edits of access take it.

use async_graphql::{ID, InputObject, Result};

use super::node::NodeType;
use crate::service::access_tree::{AppAccess, FeatureAccess};

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
