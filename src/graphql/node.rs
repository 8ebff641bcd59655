//! Global ids: opaque to clients, typed for us, so that the id of a team can never be taken for that of a member.
//!
//! The text is a prefix for the type and the UUID in base62, for example `mbr_02KQ5wQ9Kq8XkB4Y1sGvHh`.

use async_graphql::{Context, ID, Interface, Object, Result};
use uuid::Uuid;

use super::{
    activity::ActivityEntry,
    api_token::ApiToken,
    app::App,
    context::InContext,
    error::{bad_input, error},
    grant::Grant,
    invitation::Invitation,
    invoice::Invoice,
    member::Member,
    organization::Organization,
    page::batch,
    payment_method::PaymentMethod,
    service_account::ServiceAccount,
    team::Team,
    user::User,
};

/// The types that have global ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeType {
    /// A person's account.
    User,
    /// A tenant.
    Organization,
    /// A person's place in an organization.
    Member,
    /// A pending place's token.
    Invitation,
    /// A group of members.
    Team,
    /// A protected resource.
    App,
    /// A stored grant.
    Grant,
    /// A record of what happened.
    ActivityEntry,
    /// A program's place in an organization.
    ServiceAccount,
    /// A program's secret.
    ApiToken,
    /// A sign-in.
    Session,
    /// An identity of a provider's that leads to an account.
    ExternalIdentity,
    /// An invoice.
    Invoice,
    /// A way to pay.
    PaymentMethod,
}

impl NodeType {
    const ALL: [Self; 14] = [
        Self::User,
        Self::Organization,
        Self::Member,
        Self::Invitation,
        Self::Team,
        Self::App,
        Self::Grant,
        Self::ActivityEntry,
        Self::ServiceAccount,
        Self::ApiToken,
        Self::Session,
        Self::ExternalIdentity,
        Self::Invoice,
        Self::PaymentMethod,
    ];

    const fn prefix(self) -> &'static str {
        match self {
            Self::User => "usr",
            Self::Organization => "org",
            Self::Member => "mbr",
            Self::Invitation => "inv",
            Self::Team => "tem",
            Self::App => "app",
            Self::Grant => "gra",
            Self::ActivityEntry => "act",
            Self::ServiceAccount => "sva",
            Self::ApiToken => "tok",
            Self::Session => "ses",
            Self::ExternalIdentity => "ext",
            Self::Invoice => "ivc",
            Self::PaymentMethod => "pay",
        }
    }

    /// The type's name in the schema.
    const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Organization => "Organization",
            Self::Member => "Member",
            Self::Invitation => "Invitation",
            Self::Team => "Team",
            Self::App => "App",
            Self::Grant => "Grant",
            Self::ActivityEntry => "ActivityEntry",
            Self::ServiceAccount => "ServiceAccount",
            Self::ApiToken => "ApiToken",
            Self::Session => "Session",
            Self::ExternalIdentity => "ExternalIdentity",
            Self::Invoice => "Invoice",
            Self::PaymentMethod => "PaymentMethod",
        }
    }

    /// The type that activity entries call by this word; `None` for things that are not the gateway's own.
    #[must_use]
    pub fn of_noun(noun: &str) -> Option<Self> {
        let snake = |name: &str| {
            name.chars().fold(String::new(), |mut word, letter| {
                if letter.is_ascii_uppercase() && !word.is_empty() {
                    word.push('_');
                }
                word.push(letter.to_ascii_lowercase());
                word
            })
        };
        Self::ALL.into_iter().find(|node| snake(node.name()) == noun)
    }

    /// The global id of a row of this type.
    #[must_use]
    pub fn id(self, row: Uuid) -> ID {
        ID(format!("{}_{:0>22}", self.prefix(), base62::encode(row.as_u128())))
    }

    /// The row of a global id of this type.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the text is no id, or the id of another type.
    pub fn parse(self, id: &ID) -> Result<Uuid> {
        match parse(id) {
            Some((found, row)) if found == self => Ok(row),
            _ => Err(bad_input(&format!("not the id of {} `{}`", article(self.name()), self.name()))),
        }
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" }
}

/// The type and row of a global id; `None` when the text is no id. Only the canonical text is one.
#[must_use]
pub fn parse(id: &ID) -> Option<(NodeType, Uuid)> {
    let (prefix, text) = id.split_once('_')?;
    let node = NodeType::ALL.into_iter().find(|node| node.prefix() == prefix)?;
    if text.len() != 22 {
        return None;
    }
    let row = Uuid::from_u128(base62::decode(text).ok()?);
    (node.id(row) == *id).then_some((node, row))
}

/// Anything with a global id.
#[derive(Debug, Clone, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global id."))]
pub enum Node {
    /// A tenant.
    Organization(Organization),
    /// A person's account.
    User(User),
    /// A person's place in an organization.
    Member(Member),
    /// The token of a pending place.
    Invitation(Invitation),
    /// A record of what happened.
    ActivityEntry(ActivityEntry),
    /// A program's place in an organization.
    ServiceAccount(ServiceAccount),
    /// A program's secret.
    ApiToken(ApiToken),
    /// A protected resource.
    App(App),
    /// A group of members.
    Team(Team),
    /// A stored row that gives access.
    Grant(Grant),
    /// An invoice.
    Invoice(Invoice),
    /// A way to pay.
    PaymentMethod(PaymentMethod),
}

/// Asking by global id.
#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The thing of this global id. Null when there is none, or when the caller may not know of it.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its global id.")] id: ID) -> Result<Option<Node>> {
        find(ctx, &id).await
    }

    /// The things of these global ids, in the same order; null for each that there is not, or that the caller may not know of.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their global ids; at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        let ids = batch(ids)?;
        futures_util::future::try_join_all(ids.iter().map(|id| find(ctx, id))).await
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let Some((node, row)) = parse(id) else { return Ok(None) };
    if node == NodeType::User {
        let person = ctx.access()?.person.as_ref().filter(|person| person.id == row);
        return Ok(person.map(|person| Node::User(person.into())));
    }
    let Some(standing) = ctx.access()?.standing.clone() else { return Ok(None) };
    match node {
        NodeType::Organization => {
            Ok((standing.place.id == row).then(|| Node::Organization(Organization::new(standing))))
        }
        NodeType::Member => Ok(Member::find(ctx, row).await?.map(Node::Member)),
        NodeType::Invitation => Ok(Invitation::find(ctx, row).await?.map(Node::Invitation)),
        NodeType::ActivityEntry => {
            let request = ctx.request()?;
            let found = request.service.find_activity(&request.access, row).await.map_err(error)?;
            Ok(found.map(|entry| Node::ActivityEntry(ActivityEntry(entry))))
        }
        NodeType::ServiceAccount => Ok(ctx.request()?.service_accounts.find(row).await?.map(Node::ServiceAccount)),
        NodeType::ApiToken => {
            let request = ctx.request()?;
            let found = request.service.find_api_token(&request.access, row).await.map_err(error)?;
            Ok(found.map(|token| Node::ApiToken(ApiToken(token))))
        }
        NodeType::App => Ok(App::find(ctx, row).await?.map(Node::App)),
        NodeType::Team => Ok(Team::find(ctx, row).await?.map(Node::Team)),
        NodeType::Invoice => Ok(Invoice::find(ctx, row).await?.map(Node::Invoice)),
        NodeType::PaymentMethod => Ok(PaymentMethod::find(ctx, row).await?.map(Node::PaymentMethod)),
        NodeType::Grant => Ok(Grant::find(ctx, row).await?.map(Node::Grant)),
        NodeType::User | NodeType::Session | NodeType::ExternalIdentity => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_only_as_its_own_type() {
        let row = Uuid::from_u128(u128::MAX - 5);
        for node in NodeType::ALL {
            assert_eq!(parse(&node.id(row)), Some((node, row)));
            for other in NodeType::ALL {
                assert_eq!(other.parse(&node.id(row)).is_ok(), other == node);
            }
        }
    }

    #[test]
    fn anything_but_the_canonical_text_is_no_id() {
        let id = NodeType::Member.id(Uuid::from_u128(77));
        let texts = ["", "mbr", "mbr_", "mbr_77", "xyz_0000000000000000000001", "MBR_0000000000000000000001"];
        for text in texts.into_iter().map(str::to_owned).chain([format!("{}0", *id), id.replace("mbr_0", "mbr_")]) {
            assert_eq!(parse(&ID(text.clone())), None, "{text}");
        }
        assert_eq!(parse(&ID("mbr_zzzzzzzzzzzzzzzzzzzzzz".to_owned())), None, "beyond 128 bits");
    }
}
