//! Does things in people's and programs' names, by the API's own operations.

use std::collections::HashMap;

use anyhow::{Context, bail};
use async_graphql::{Request, Variables};
use serde_json::{Value, json};

use crate::{
    cli::open::Opened,
    graphql::{self, GatehouseSchema, RequestContext},
    identity::Credential,
    service::{
        Access, Client, Service, ServiceError,
        session::{SignIn, SignedIn},
    },
};

/// Does things in people's names. Each signs in once, and switches from there: passwords are slow to check.
pub(super) struct Hand<'a> {
    opened: &'a Opened,
    schema: GatehouseSchema,
    people: HashMap<String, SignedIn>,
}

impl<'a> Hand<'a> {
    /// For these people, by their addresses, who all had the same password when they were made. Whoever has another one by now, or is
    /// suspended, is left out.
    pub(super) async fn of(opened: &'a Opened, emails: Vec<String>, password: &str) -> anyhow::Result<Self> {
        let mut people = HashMap::new();
        for email in emails {
            let sign_in =
                SignIn { email: email.clone(), password: password.to_owned(), organization: None, code: None };
            match opened.service.sign_in(&Self::client(), sign_in).await {
                Ok(signed_in) => drop(people.insert(email, signed_in)),
                Err(ServiceError::Refused(_)) => tracing::info!(email, "left out: no sign-in by the demo's password"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { opened, schema: graphql::schema(), people })
    }

    /// The gateway's service.
    pub(super) fn service(&self) -> &Service {
        &self.opened.service
    }

    fn client() -> Client {
        Client { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: Some("gatehouse demo".to_owned()) }
    }

    /// A person's session.
    pub(super) fn signed_in(&self, email: &str) -> anyhow::Result<&SignedIn> {
        self.people.get(email).with_context(|| format!("{email} has no account"))
    }

    /// A person's session, bound to an organization; `None` when there is none, or the person is not in it.
    pub(super) async fn bound(&self, email: &str, organization: &str) -> anyhow::Result<Option<SignedIn>> {
        let Some(signed_in) = self.people.get(email) else { return Ok(None) };
        let access = self.access(Credential::Session(signed_in.identity)).await?;
        match self.service().switch_organization(&access, Some(organization.to_owned())).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A person, in no organization or in this one.
    pub(super) async fn person(&self, email: &str, organization: Option<&str>) -> anyhow::Result<Access> {
        let identity = match organization {
            None => self.signed_in(email)?.identity,
            Some(slug) => {
                let bound = self.bound(email, slug).await?;
                bound.with_context(|| format!("{email} is not in `{slug}`"))?.identity
            }
        };
        self.access(Credential::Session(identity)).await
    }

    async fn access(&self, credential: Credential) -> anyhow::Result<Access> {
        let access = self.service().access(credential, Self::client()).await?;
        access.context("a credential that was just made is good")
    }

    /// A program, by its API token.
    pub(super) async fn program(&self, token: &str) -> anyhow::Result<Access> {
        let service = self.service();
        self.access(Credential::parse_bearer(token, service.tokens(), service.now())?).await
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
