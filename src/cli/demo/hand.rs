//! Does things in people's and programs' names, by the API's own operations.

use anyhow::{Context, bail};
use async_graphql::{Request, Variables};
use serde_json::{Value, json};

use crate::{
    cli::open::Opened,
    graphql::{GatehouseSchema, RequestContext},
    identity::Credential,
    service::{
        Access, Client, ServiceError,
        session::{SignIn, SignedIn},
    },
};

/// Does things in people's names.
pub(super) struct Hand<'a> {
    pub(super) opened: &'a Opened,
    pub(super) schema: GatehouseSchema,
    pub(super) password: String,
}

impl Hand<'_> {
    fn client() -> Client {
        Client { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: Some("gatehouse demo".to_owned()) }
    }

    /// Signs a person in; `None` when the organization is not there, or the person not in it.
    pub(super) async fn sign_in(&self, email: &str, organization: Option<&str>) -> anyhow::Result<Option<SignedIn>> {
        let (email, organization) = (email.to_owned(), organization.map(str::to_owned));
        let sign_in = SignIn { email, password: self.password.clone(), organization };
        match self.opened.service.sign_in(&Self::client(), sign_in).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A person, signed in to an organization or to none.
    pub(super) async fn person(&self, email: &str, organization: Option<&str>) -> anyhow::Result<Access> {
        let signed_in = self.sign_in(email, organization).await?.with_context(|| format!("{email} is not there"))?;
        let credential = Credential::Session(signed_in.identity);
        let access = self.opened.service.access(credential, Self::client()).await?;
        access.with_context(|| format!("{email} is not signed in"))
    }

    /// A program, by its API token.
    pub(super) async fn program(&self, token: &str) -> anyhow::Result<Access> {
        let service = &self.opened.service;
        let credential = Credential::parse_bearer(token, service.tokens(), service.now())?;
        let access = service.access(credential, Self::client()).await?;
        access.context("a token that was just made is good")
    }

    /// One mutation with one input, which must succeed; the value at its path in the payload.
    pub(super) async fn change(&self, access: &Access, mutation: Mutation, input: Value) -> anyhow::Result<String> {
        let Mutation(name, input_type, selection, path) = mutation;
        let document = format!(
            "mutation($i: {input_type}!) {{ {name}(input: $i) {{ {selection} userErrors {{ message field }} }} }}"
        );
        let (service, cursors) = (self.opened.service.clone(), self.opened.cursors.clone());
        let context = RequestContext::new(service, access.clone(), cursors);
        let request = Request::new(document).variables(Variables::from_json(json!({ "i": input }))).data(context);
        let answer = self.schema.execute(request).await;
        if let Some(error) = answer.errors.first() {
            bail!("`{name}`: {}", error.message);
        }
        let data = answer.data.into_json()?;
        if let Some(refusal) = data.pointer(&format!("/{name}/userErrors/0")) {
            bail!("`{name}` was refused: {refusal}");
        }
        let found = data.pointer(&format!("/{name}{path}"));
        Ok(found.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// A mutation of the API: its name, its input's type, what is selected of its payload, and which value of that is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mutation(&'static str, &'static str, &'static str, &'static str);

pub(super) const CREATE_APP: Mutation = Mutation("createApp", "CreateAppInput", "app { id }", "/app/id");
pub(super) const INVITE_MEMBER: Mutation =
    Mutation("inviteMember", "InviteMemberInput", "invitation { id }", "/invitation/id");
pub(super) const ACCEPT_INVITATION: Mutation =
    Mutation("acceptInvitation", "AcceptInvitationInput", "member", "/member");
pub(super) const SET_APP_ROLE: Mutation = Mutation("setAppRole", "SetAppRoleInput", "isHolder", "");
pub(super) const CREATE_ROLE: Mutation = Mutation("createRole", "CreateRoleInput", "role { key }", "/role/key");
pub(super) const CREATE_SERVICE_ACCOUNT: Mutation =
    Mutation("createServiceAccount", "CreateServiceAccountInput", "serviceAccount { id }", "/serviceAccount/id");
pub(super) const CREATE_ORGANIZATION: Mutation =
    Mutation("createOrganization", "CreateOrganizationInput", "organization { slug }", "/organization/slug");
pub(super) const UPDATE_PROFILE: Mutation =
    Mutation("updateProfile", "UpdateProfileInput", "organization { id }", "/organization/id");
pub(super) const CREATE_TEAM: Mutation = Mutation("createTeam", "CreateTeamInput", "team { id }", "/team/id");
pub(super) const ADD_TEAM_MEMBER: Mutation = Mutation("addTeamMember", "AddTeamMemberInput", "team { id }", "/team/id");
pub(super) const GRANT_ACCESS: Mutation = Mutation("grantAccess", "GrantAccessInput", "grant { id }", "/grant/id");
pub(super) const RECORD_ACTIVITY: Mutation = Mutation("recordActivity", "RecordActivityInput", "recorded", "");
pub(super) const RECORD_USAGE: Mutation = Mutation("recordUsage", "RecordUsageInput", "counted", "");
pub(super) const RECORD_INVOICE: Mutation =
    Mutation("recordInvoice", "RecordInvoiceInput", "invoice { id }", "/invoice/id");
pub(super) const RECORD_PAYMENT_METHOD: Mutation =
    Mutation("recordPaymentMethod", "RecordPaymentMethodInput", "userErrors { code }", "");
