//! Following one's own access.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use futures_util::Stream;

use crate::{
    graphql::{
        capability::{ViewerCapability, viewer_capability},
        follow,
        node::NodeType,
    },
    service::{Access, Service, capability::PresentAccess},
};

/// An app with what the viewer may do in it at the moment.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct AccessibleApp {
    /// Global id.
    id: ID,
    /// Lower-case name, for addresses.
    slug: String,
    /// Name as shown.
    name: String,
    /// The key of its kind.
    kind: String,
    /// What the viewer may do here, feature by feature.
    capabilities: Vec<ViewerCapability>,
}

/// What the viewer may do at a moment.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct ViewerAccess {
    /// The organization permissions held, sorted.
    permissions: Vec<String>,
    /// The keys of the organization roles held, sorted.
    roles: Vec<String>,
    /// The apps that the viewer sees, by name.
    apps: Vec<AccessibleApp>,
}

impl From<&PresentAccess> for ViewerAccess {
    fn from(present: &PresentAccess) -> Self {
        let apps = present.apps.iter().map(|(app, held)| AccessibleApp {
            id: NodeType::App.id(app.app.id),
            slug: app.app.slug.clone(),
            name: app.app.name.clone(),
            kind: app.app.kind.clone(),
            capabilities: held.iter().cloned().map(viewer_capability).collect(),
        });
        Self { permissions: present.permissions.clone(), roles: present.roles.clone(), apps: apps.collect() }
    }
}

/// Following one's own access.
#[derive(Debug, Default)]
pub struct GrantSubscription;

#[Subscription]
impl GrantSubscription {
    /// What the viewer may do: now, and after each change of it. Ends with an error when the viewer's place in the organization is lost.
    async fn access_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ends after this many; without it, never.")] take: Option<i32>,
    ) -> Result<impl Stream<Item = Result<ViewerAccess>> + use<>> {
        follow::states(ctx, take, async |service: Service, access: Access| {
            service.present_access(&access).await.map(|present| ViewerAccess::from(&present))
        })
    }
}
