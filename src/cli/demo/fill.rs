//! Makes the demo's people, organizations, apps, teams and activity, once; and tokens, at every start.

use std::collections::HashMap;

use anyhow::Context;
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    data::{self, Organization, Person},
    hand::{
        ACCEPT_INVITATION, ADD_TEAM_MEMBER, CREATE_APP, CREATE_ORGANIZATION, CREATE_ROLE, CREATE_SERVICE_ACCOUNT,
        CREATE_TEAM, GRANT_ACCESS, Hand, INVITE_MEMBER, RECORD_ACTIVITY, RECORD_INVOICE, RECORD_PAYMENT_METHOD,
        RECORD_USAGE, SET_APP_ROLE, UPDATE_PROFILE,
    },
};
use crate::{
    cli::open::Opened,
    service::{
        Access,
        api_token::NewToken,
        organization::{Founder, OrganizationInput, OrganizationState},
    },
    store,
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
    /// The roles beside that.
    #[serde(skip)]
    pub(super) beside: Vec<String>,
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
    let people = demo.organizations.iter().flat_map(|organization| &organization.people);
    let people: Vec<(String, String)> = people.map(|person| (person.email.clone(), person.name.clone())).collect();
    let emails = people.iter().map(|(email, _)| email.clone()).collect();
    opened.service.create_accounts(people, demo.password.clone()).await?;
    let hand = Hand::of(opened, emails, &demo.password).await?;
    let mut filled = Filled::default();
    for organization in &demo.organizations {
        // A folder that is used again has them, as they have become.
        let there = store::organization::find_by_slug(&opened.store.read(), &organization.slug).await?;
        let is_new = there.is_none();
        match there.map(|there| there.state) {
            None => hand.found(organization).await.with_context(|| format!("`{}`", organization.slug))?,
            Some(OrganizationState::Active) => {}
            Some(OrganizationState::Suspended | OrganizationState::Deleted) => continue,
        }
        for person in &organization.people {
            let Some(signed_in) = hand.bound(&person.email, &organization.slug).await? else {
                anyhow::ensure!(!is_new, "{} is not in `{}`", person.name, organization.slug);
                continue;
            };
            filled.users.push(User {
                email: person.email.clone(),
                password: demo.password.clone(),
                organization: organization.slug.clone(),
                role: person.role.clone(),
                beside: person.roles.clone(),
                access_token: signed_in.access.text,
            });
        }
        let created = hand.token(organization).await?;
        if is_new {
            hand.recorded(organization, &created.token).await.with_context(|| format!("`{}`", organization.slug))?;
        }
        filled.api_tokens.push(created);
    }
    Ok(filled)
}

impl Hand<'_> {
    /// Makes an organization with everything in it.
    async fn found(&self, organization: &Organization) -> anyhow::Result<()> {
        let founder = organization.people.first().context("an organization of nobody")?;
        let user = self.signed_in(&founder.email)?.user.clone();
        let input = OrganizationInput {
            name: organization.name.clone(),
            slug: organization.slug.clone(),
            blueprint: organization.blueprint.clone(),
            plan: organization.plan.clone(),
        };
        let founder = Founder { user: user.id, email: user.email, name: user.name };
        let email = founder.email.clone();
        self.service().create_organization_for(founder, input).await?;
        let founder = self.person(&email, Some(&organization.slug)).await?;
        let apps = self.apps(&founder, organization).await?;
        for role in &organization.custom_roles {
            self.change(&founder, CREATE_ROLE, role.clone()).await?;
        }
        let members = self.people(&founder, organization, &apps).await?;
        self.teams(&founder, organization, &apps, &members).await?;
        for section in &organization.profile {
            self.change(&founder, UPDATE_PROFILE, section.clone()).await?;
        }
        for program in &organization.programs {
            let app = program.app.as_ref().map(|app| known(&apps, app)).transpose()?;
            let input = json!({ "name": program.name, "role": program.role, "app": app });
            self.change(&founder, CREATE_SERVICE_ACCOUNT, input).await?;
        }
        for child in &organization.children {
            let input = json!({
                "name": child.name, "slug": child.slug, "blueprint": child.blueprint, "parent": organization.slug,
            });
            self.change(&founder, CREATE_ORGANIZATION, input).await?;
        }
        self.activity(&founder, organization, &apps).await
    }

    /// A ready API token for a day.
    async fn token(&self, organization: &Organization) -> anyhow::Result<ApiToken> {
        let new = NewToken {
            name: organization.token.name.clone(),
            scopes: organization.token.scopes.clone(),
            expires_in_days: 1,
            account: None,
        };
        let created = self.service().create_api_token_as_operator(&organization.slug, new).await?;
        Ok(ApiToken {
            organization: organization.slug.clone(),
            scopes: created.token.scopes,
            token: created.secret.context("a new token has its secret")?.to_string(),
        })
    }

    /// What programs have counted and billed.
    async fn recorded(&self, organization: &Organization, token: &str) -> anyhow::Result<()> {
        let program = self.program(token).await?;
        if !organization.usage.is_empty() {
            self.change(&program, RECORD_USAGE, json!({ "entries": organization.usage })).await?;
        }
        for invoice in &organization.invoices {
            self.change(&program, RECORD_INVOICE, invoice.clone()).await?;
        }
        for method in &organization.payment_methods {
            self.change(&program, RECORD_PAYMENT_METHOD, method.clone()).await?;
        }
        Ok(())
    }

    /// The apps' global ids, by slug.
    async fn apps(&self, founder: &Access, organization: &Organization) -> anyhow::Result<HashMap<String, String>> {
        let mut apps = HashMap::new();
        for app in &organization.apps {
            let parent = app.parent.as_ref().map(|parent| known(&apps, parent)).transpose()?;
            let input = json!({
                "kind": app.kind, "slug": app.slug, "name": app.name, "parent": parent, "visibility": app.visibility,
            });
            apps.insert(app.slug.clone(), self.change(founder, CREATE_APP, input).await?);
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
            let invitation = self.change(founder, INVITE_MEMBER, invitation(person, apps)?).await?;
            let invitee = self.person(&person.email, None).await?;
            let input = json!({ "proof": { "invitation": invitation } });
            let member = self.change(&invitee, ACCEPT_INVITATION, input).await?;
            for switch in &person.switches {
                let app = known(apps, &switch.app)?;
                let input = json!({ "app": app, "member": member, "role": switch.role, "on": switch.on });
                self.change(founder, SET_APP_ROLE, input).await?;
            }
            members.insert(person.email.clone(), member);
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
            let id = self.change(founder, CREATE_TEAM, input).await?;
            for member in &team.members {
                let input =
                    json!({ "team": id, "member": known(members, &member.email)?, "maintainer": member.maintainer });
                self.change(founder, ADD_TEAM_MEMBER, input).await?;
            }
            for grant in &team.grants {
                let app = organization.apps.iter().find(|app| app.slug == grant.app);
                let kind = &app.context("a grant on an app that is not there")?.kind;
                let input = json!({
                    "grantee": { "team": id },
                    "app": known(apps, &grant.app)?,
                    "gives": { "feature": { "kind": kind, "feature": grant.feature, "level": grant.level } },
                });
                self.change(founder, GRANT_ACCESS, input).await?;
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
        if organization.activity.is_empty() {
            return Ok(());
        }
        let now = self.service().now();
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
        self.change(founder, RECORD_ACTIVITY, json!({ "entries": entries })).await?;
        Ok(())
    }
}

/// The input that invites a person.
fn invitation(person: &Person, apps: &HashMap<String, String>) -> anyhow::Result<Value> {
    let (first_name, last_name) = person.name.split_once(' ').context("people of the demo have two names")?;
    let mut ticked = Vec::new();
    for app in &person.access {
        ticked.push(json!({ "app": known(apps, &app.app)?, "features": app.features }));
    }
    let mut app_roles = Vec::new();
    for held in &person.app_roles {
        app_roles.push(json!({ "app": known(apps, &held.app)?, "role": held.role }));
    }
    let roles: Vec<&String> = std::iter::once(&person.role).chain(&person.roles).collect();
    Ok(json!({
        "email": person.email,
        "firstName": first_name,
        "lastName": last_name,
        "name": person.name,
        "roles": roles,
        "appRoles": app_roles,
        // What nobody ticked is as the role begins.
        "access": (!ticked.is_empty()).then_some(ticked),
        "notify": false,
    }))
}

fn known<'a>(ids: &'a HashMap<String, String>, name: &str) -> anyhow::Result<&'a str> {
    ids.get(name).map(String::as_str).with_context(|| format!("the demo's data names `{name}`, which is not there"))
}
