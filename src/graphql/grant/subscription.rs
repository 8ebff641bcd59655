//! Following one's own access.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use futures_util::stream::{self, Stream};

use crate::{
    graphql::{
        capability::{ViewerCapability, viewer_capability},
        context::InContext,
        error::{bad_input, error},
        node::NodeType,
    },
    service::{Access, Service, capability::PresentAccess, follow::Follow},
};

/// An app with what the viewer may do in it at the moment.
#[derive(Debug, Clone, SimpleObject)]
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
#[derive(Debug, Clone, SimpleObject)]
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
        let left = match take.map(u32::try_from) {
            None => None,
            Some(Ok(count)) if count > 0 => Some(count),
            Some(_) => return Err(bad_input("`take` is at least 1")),
        };
        let follow = ctx.service()?.follow(ctx.access()?).map_err(error)?;
        Ok(stream::unfold(Some(Following { follow, last: None, left }), Following::next))
    }
}

struct Following {
    follow: Follow,
    last: Option<PresentAccess>,
    left: Option<u32>,
}

impl Following {
    /// The next state that differs from the last one.
    async fn next(following: Option<Self>) -> Option<(Result<ViewerAccess>, Option<Self>)> {
        let mut this = following?;
        if this.left == Some(0) {
            return None;
        }
        loop {
            let read = |service: Service, access: Access| async move { service.present_access(&access).await };
            let present = match this.follow.next(read).await? {
                Ok(present) => present,
                Err(failed) => return Some((Err(error(failed)), None)),
            };
            if this.last.as_ref() != Some(&present) {
                let shown = ViewerAccess::from(&present);
                this.last = Some(present);
                this.left = this.left.map(|left| left.saturating_sub(1));
                return Some((Ok(shown), Some(this)));
            }
        }
    }
}
