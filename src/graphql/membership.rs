//! Memberships: the organizations a caller has a place in, just enough to choose one.

use async_graphql::{Enum, ID, SimpleObject};

use super::{
    blueprint::RoleDefinition,
    node::NodeType,
    page::{Listed, connection},
};
use crate::service::{self, membership::Membership, page::Position};

/// How far a person has come in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::membership::MemberState")]
pub enum MemberState {
    /// Invited; holds a seat while the invitation is live.
    Pending,
    /// In the organization.
    Active,
    /// Shut out for a while; holds no seat.
    Suspended,
    /// Gone; kept for the records that name it.
    Archived,
}

/// An organization the caller has a place in. To ask for more than this, switch to it: rights are those of one organization
/// at a time.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrganizationMembership {
    /// Global id of the organization.
    pub id: ID,
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// Global id of the person's member there; null for a program.
    pub member: Option<ID>,
    /// How far the person has come there; null for a program.
    pub member_state: Option<MemberState>,
    /// The organization roles held there, strongest first.
    pub roles: Vec<RoleDefinition>,
    /// Whether the person has rights there only in sessions in which it has proven a second factor.
    pub requires_second_factor: bool,
}

impl From<Membership> for OrganizationMembership {
    fn from(place: Membership) -> Self {
        let known = place.blueprint.rules.document().roles.keys();
        let held = known.filter(|key| place.roles.contains(key));
        Self {
            id: NodeType::Organization.id(place.organization),
            roles: held.filter_map(|key| RoleDefinition::in_blueprint(&place.blueprint, key)).collect(),
            requires_second_factor: place.requires_second_factor,
            slug: place.slug,
            name: place.name,
            member: place.member.map(|(member, _)| NodeType::Member.id(member)),
            member_state: place.member.map(|(_, state)| state.into()),
        }
    }
}

impl Listed for Membership {
    fn position(&self) -> Position {
        Self::position(self)
    }
}

connection!(OrganizationMembershipConnection, OrganizationMembershipEdge, OrganizationMembership);
