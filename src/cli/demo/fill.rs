//! Makes the demo's people, organizations, apps, teams and activity, once; and tokens, at every start.

use std::collections::HashMap;

use anyhow::{Context, bail};
use async_graphql::{Request, Variables};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::data::{self, Organization};
use crate::{
    cli::open::Opened,
    graphql::{self, GatehouseSchema, RequestContext},
    identity::Credential,
    service::{
        Access, Client, ServiceError,
        api_token::NewToken,
        organization::{Founder, OrganizationInput},
        session::{SignIn, SignedIn},
    },
};

/// Who can sign in, and which tokens there are.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filled {
    pub(super) users: Vec<User>,
    pub(super) api_tokens: Vec<ApiToken>,
}

/// Somebody to sign in as.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) organization: String,
    pub(super) role: String,
    pub(super) access_token: String,
}

/// A ready API token.
#[derive(Debug, Serialize)]
pub(super) struct ApiToken {
    pub(super) organization: String,
    pub(super) scopes: Vec<String>,
    pub(super) token: String,
}

/// Makes what is not there yet.
pub(super) async fn fill(opened: &Opened) -> anyhow::Result<Filled> {
    let demo = data::read()?;
    let hand = Hand { opened, schema: graphql::schema(), password: demo.password };
    let people = demo.organizations.iter().flat_map(|organization| &organization.people);
    let people: Vec<(String, String)> = people.map(|person| (person.email.clone(), person.name.clone())).collect();
    let service = &opened.service;
    service.create_accounts(people, hand.password.clone()).await?;
    let mut filled = Filled::default();
    for organization in &demo.organizations {
        let founder = organization.people.first().context("an organization of nobody")?;
        // A folder that is used again has them.
        if hand.sign_in(&founder.email, Some(&organization.slug)).await?.is_none() {
            hand.found(organization).await.with_context(|| format!("`{}`", organization.slug))?;
        }
        for person in &organization.people {
            let signed_in = hand.sign_in(&person.email, Some(&organization.slug)).await?;
            let signed_in = signed_in.with_context(|| format!("{} is not in `{}`", person.name, organization.slug))?;
            filled.users.push(User {
                email: person.email.clone(),
                password: hand.password.clone(),
                organization: organization.slug.clone(),
                role: person.role.clone(),
                access_token: signed_in.access.text,
            });
        }
        let new = NewToken {
            name: organization.token.name.clone(),
            scopes: organization.token.scopes.clone(),
            expires_in_days: 1,
            account: None,
        };
        let created = service.create_api_token_as_operator(&organization.slug, new).await?;
        filled.api_tokens.push(ApiToken {
            organization: organization.slug.clone(),
            scopes: created.token.scopes,
            token: created.secret.context("a new token has its secret")?.to_string(),
        });
    }
    Ok(filled)
}

/// Does things in people's names.
struct Hand<'a> {
    opened: &'a Opened,
    schema: GatehouseSchema,
    password: String,
}

impl Hand<'_> {
    fn client() -> Client {
        Client { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: Some("gatehouse demo".to_owned()) }
    }

    /// Signs a person in; `None` when the organization is not there, or the person not in it.
    async fn sign_in(&self, email: &str, organization: Option<&str>) -> anyhow::Result<Option<SignedIn>> {
        let (email, organization) = (email.to_owned(), organization.map(str::to_owned));
        let sign_in = SignIn { email, password: self.password.clone(), organization };
        match self.opened.service.sign_in(&Self::client(), sign_in).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A person, signed in to an organization or to none.
    async fn person(&self, email: &str, organization: Option<&str>) -> anyhow::Result<Access> {
        let signed_in = self.sign_in(email, organization).await?.with_context(|| format!("{email} is not there"))?;
        let credential = Credential::Session(signed_in.identity);
        let access = self.opened.service.access(credential, Self::client()).await?;
        access.with_context(|| format!("{email} is not signed in"))
    }

    /// One operation, which must succeed.
    async fn ask(&self, access: &Access, document: &str, variables: Value) -> anyhow::Result<Value> {
        let (service, cursors) = (self.opened.service.clone(), self.opened.cursors.clone());
        let context = RequestContext::new(service, access.clone(), cursors);
        let request = Request::new(document).variables(Variables::from_json(variables)).data(context);
        let answer = self.schema.execute(request).await;
        if let Some(error) = answer.errors.first() {
            bail!("{}", error.message);
        }
        let data = answer.data.into_json()?;
        for (field, payload) in data.as_object().into_iter().flatten() {
            if let Some(refusal) = payload.pointer("/userErrors/0") {
                bail!("`{field}` was refused: {refusal}");
            }
        }
        Ok(data)
    }

    /// One mutation with one input; the value at `path` of its payload.
    async fn change(&self, access: &Access, mutation: &Mutation, input: Value) -> anyhow::Result<String> {
        let Mutation { name, input: input_type, selection, path } = mutation;
        let refusals = "userErrors { message field }";
        let document = format!("mutation($i: {input_type}!) {{ {name}(input: $i) {{ {selection} {refusals} }} }}");
        let data = self.ask(access, &document, json!({ "i": input })).await?;
        let found = data.pointer(&format!("/{name}{path}"));
        Ok(found.and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Makes an organization with everything in it.
    async fn found(&self, organization: &Organization) -> anyhow::Result<()> {
        let founder = organization.people.first().context("an organization of nobody")?;
        let user = self.sign_in(&founder.email, None).await?.context("the founder has no account")?.user;
        let input = OrganizationInput {
            name: organization.name.clone(),
            slug: organization.slug.clone(),
            blueprint: organization.blueprint.clone(),
            plan: organization.plan.clone(),
        };
        let founder = Founder { user: user.id, email: user.email, name: user.name };
        let email = founder.email.clone();
        self.opened.service.create_organization_for(founder, input).await?;
        let founder = self.person(&email, Some(&organization.slug)).await?;
        let apps = self.apps(&founder, organization).await?;
        let members = self.people(&founder, organization, &apps).await?;
        self.teams(&founder, organization, &apps, &members).await?;
        self.activity(&founder, organization, &apps).await
    }

    /// The apps' global ids, by slug.
    async fn apps(&self, founder: &Access, organization: &Organization) -> anyhow::Result<HashMap<String, String>> {
        let mut apps = HashMap::new();
        for app in &organization.apps {
            let input = json!({ "kind": app.kind, "slug": app.slug, "name": app.name });
            apps.insert(app.slug.clone(), self.change(founder, &CREATE_APP, input).await?);
        }
        Ok(apps)
    }

    /// The members' global ids, by email: all but the founder are invited, and accept.
    async fn people(
        &self,
        founder: &Access,
        organization: &Organization,
        apps: &HashMap<String, String>,
    ) -> anyhow::Result<HashMap<String, String>> {
        let mut members = HashMap::new();
        for person in organization.people.iter().skip(1) {
            let mut access = Vec::new();
            for app in &person.access {
                access.push(json!({ "app": known(apps, &app.app)?, "features": app.features }));
            }
            let input = json!({
                "email": person.email, "name": person.name, "role": person.role, "access": access, "notify": false,
            });
            let invitation = self.change(founder, &INVITE_MEMBER, input).await?;
            let invitee = self.person(&person.email, None).await?;
            let input = json!({ "proof": { "invitation": invitation } });
            members.insert(person.email.clone(), self.change(&invitee, &ACCEPT_INVITATION, input).await?);
        }
        Ok(members)
    }

    async fn teams(
        &self,
        founder: &Access,
        organization: &Organization,
        apps: &HashMap<String, String>,
        members: &HashMap<String, String>,
    ) -> anyhow::Result<()> {
        let mut teams: HashMap<String, String> = HashMap::new();
        for team in &organization.teams {
            let parent = team.parent.as_ref().map(|parent| known(&teams, parent)).transpose()?;
            let input = json!({
                "slug": team.slug,
                "name": team.name,
                "description": team.description,
                "parent": parent,
                "privacy": team.privacy,
            });
            let id = self.change(founder, &CREATE_TEAM, input).await?;
            for member in &team.members {
                let input =
                    json!({ "team": id, "member": known(members, &member.email)?, "maintainer": member.maintainer });
                self.change(founder, &ADD_TEAM_MEMBER, input).await?;
            }
            for grant in &team.grants {
                let app = organization.apps.iter().find(|app| app.slug == grant.app);
                let kind = &app.context("a grant on an app that is not there")?.kind;
                let input = json!({
                    "grantee": { "team": id },
                    "app": known(apps, &grant.app)?,
                    "gives": { "feature": { "kind": kind, "feature": grant.feature, "level": grant.level } },
                });
                self.change(founder, &GRANT_ACCESS, input).await?;
            }
            teams.insert(team.slug.clone(), id);
        }
        Ok(())
    }

    async fn activity(
        &self,
        founder: &Access,
        organization: &Organization,
        apps: &HashMap<String, String>,
    ) -> anyhow::Result<()> {
        let now = self.opened.service.now();
        let mut entries = Vec::new();
        for entry in &organization.activity {
            entries.push(json!({
                "app": known(apps, &entry.app)?,
                "target": { "kind": entry.kind, "name": entry.name },
                "action": entry.action,
                "actor": { "email": entry.by },
                "at": now - TimeDelta::hours(entry.hours_ago),
            }));
        }
        self.change(founder, &RECORD_ACTIVITY, json!({ "entries": entries })).await?;
        Ok(())
    }
}

/// A mutation of the API, and what is wanted of its payload.
struct Mutation {
    name: &'static str,
    input: &'static str,
    selection: &'static str,
    path: &'static str,
}

const CREATE_APP: Mutation =
    Mutation { name: "createApp", input: "CreateAppInput", selection: "app { id }", path: "/app/id" };
const INVITE_MEMBER: Mutation = Mutation {
    name: "inviteMember",
    input: "InviteMemberInput",
    selection: "invitation { id }",
    path: "/invitation/id",
};
const ACCEPT_INVITATION: Mutation =
    Mutation { name: "acceptInvitation", input: "AcceptInvitationInput", selection: "member", path: "/member" };
const CREATE_TEAM: Mutation =
    Mutation { name: "createTeam", input: "CreateTeamInput", selection: "team { id }", path: "/team/id" };
const ADD_TEAM_MEMBER: Mutation =
    Mutation { name: "addTeamMember", input: "AddTeamMemberInput", selection: "team { id }", path: "/team/id" };
const GRANT_ACCESS: Mutation =
    Mutation { name: "grantAccess", input: "GrantAccessInput", selection: "grant { id }", path: "/grant/id" };
const RECORD_ACTIVITY: Mutation =
    Mutation { name: "recordActivity", input: "RecordActivityInput", selection: "recorded", path: "" };

fn known<'a>(ids: &'a HashMap<String, String>, name: &str) -> anyhow::Result<&'a str> {
    ids.get(name).map(String::as_str).with_context(|| format!("the demo's data names `{name}`, which is not there"))
}
