//! The Permissions section of one app: who may hold a role there, one switch per person (`S1.17` to `S1.25`, `S1.33`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AccessGrant, NewAccess, app_role, change,
    taking::{given_above, keeps_app, lacking, may_take_by},
};
use crate::{
    access::{
        Authority, Blueprint, Grant, Grantee, Held, Place,
        delegation::{Gift, fits, may_assign_at, may_give, no_role},
        verb::GrantAccess,
    },
    service::{
        Access, Change, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
        app::{self, SeenApp},
        member::{self, Member},
        page::{Page, PageRequest},
        role::{self, end_of_days, judge},
        team,
    },
    store::{self, facts::Within, grant::HoldersOnApps},
};

/// A role that somebody is to hold on an app, or not.
#[derive(Debug, Clone)]
pub struct AppRoleSwitch {
    /// Where.
    pub app: Uuid,
    /// Who.
    pub member: Uuid,
    /// The role, by its key or another spelling of it.
    pub role: String,
    /// On or off.
    pub on: bool,
}

/// Where a switch stands after it was set.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Switched {
    /// Whose it is.
    pub member: Uuid,
    /// The grant, where it is on.
    pub grant: Option<Uuid>,
}

/// Somebody who may hold a role on an app.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub member: Member,
    /// The grant by which the role is held; `None`: it is not.
    pub grant: Option<AccessGrant>,
    /// What stands in the caller's way of switching it; empty: nothing.
    pub obstacles: Vec<UserError>,
}

impl Service {
    /// Switches a role of a member on an app on or off; where it stands already, nothing happens. Who may give it on this app
    /// may (`Q22`).
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app or a member that the caller does not see, [`ServiceError::Refused`] as for
    /// [`Service::grant_access`] and [`Service::revoke_access`].
    pub async fn set_app_role(
        &self,
        access: &Access,
        switch: AppRoleSwitch,
        idempotency: Option<Idempotency>,
    ) -> Result<Switched, ServiceError> {
        let change = Change::in_organization("setAppRole", access)?.repeatable(idempotency).about("role");
        Ok(self.mutate(change, move |work| Box::pin(async move { set(work, switch).await })).await?.value)
    }

    /// Who may hold a role on an app: the members who have what it builds on, by name (`S1.20`, `S1.21`). `None` for a caller
    /// who does not see what others hold there. Three statements, whatever the size of the page.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn role_candidates(
        &self,
        access: &Access,
        (app, role): (&SeenApp, &str),
        request: &PageRequest,
    ) -> Result<Option<Page<Candidate>>, ServiceError> {
        let standing = access.standing()?;
        let rules = &standing.blueprint.rules;
        let sees = standing.rights.holds_on(rules, "rights.read", &app.place());
        let Some(key) = rules.role_key(role).filter(|_| sees) else { return Ok(None) };
        let Some(role) = rules.document().roles.get(key).filter(|_| rules.roles_on(&app.app.kind).contains(&key))
        else {
            return Ok(None);
        };
        let (reader, visible) = (self.store().read(), standing.rights.visible_members());
        let found = store::member::list_candidates(&reader, &visible, (&role.requires, self.now()), request).await?;
        let ids: Vec<Uuid> = found.items.iter().map(|member| member.id).collect();
        let place = (app.app.id, key);
        let held = store::grant::of_members_on(&reader, standing.place.id, place, &ids).await?;
        let kept: &[&str] = if role.min_holders > 0 { &[key] } else { &[] };
        let holders = store::grant::holders_on_apps(&reader, standing.place.id, kept, end_of_days()).await?;
        let screen = Screen { standing, app, key, holders: &holders };
        let Page { items, has_next, has_previous, total } = found;
        let items = items.into_iter().map(|member| {
            let grant = held.iter().find(|grant| grant.grantee == Grantee::Member(member.id)).cloned();
            Candidate { obstacles: screen.obstacles(&member, grant.as_ref()), member, grant }
        });
        Ok(Some(Page { items: items.collect(), has_next, has_previous, total }))
    }
}

/// One role on one app, as somebody looks at it.
struct Screen<'s> {
    standing: &'s Standing,
    app: &'s SeenApp,
    key: &'s str,
    holders: &'s HoldersOnApps,
}

impl Screen<'_> {
    /// What stands in the way of switching a candidate's role: the very checks of the change itself, asked beforehand.
    fn obstacles(&self, member: &Member, grant: Option<&AccessGrant>) -> Vec<UserError> {
        let Self { standing, app, key, holders } = self;
        let (rights, rules) = (&standing.rights, &standing.blueprint.rules);
        if let Some(missing) = lacking(standing, app) {
            return vec![missing];
        }
        let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
        let held = Held::Role((*key).to_owned());
        let grantee = Grantee::Member(member.id);
        let authority = Authority::Principal(rights);
        match grant {
            None => {
                let gift = Gift { grantee, held: &held, place: &place, ancestors: &app.above.ids };
                let given = judge(may_give(rules, authority, &gift));
                let given = given.and_then(|()| judge(app::grantable(rules, &app.app, grantee)));
                given.err().map(|denial| role::not_given(rules, "role", &denial)).into_iter().collect()
            }
            Some(grant) => match may_take_by(standing, authority, (grant, Some(app)), "role") {
                Err(refusal) => vec![refusal],
                Ok(()) => keeps_app(standing, (app, holders), grant).map(|last| last.at("role")).into_iter().collect(),
            },
        }
    }
}

/// A role that can be held on apps of this kind.
fn role_on<'r>(rules: &'r Blueprint, app: &SeenApp, name: &str) -> Result<&'r str, UserError> {
    let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
    let key = rules.role_key(name).unwrap_or_default();
    if key.is_empty() {
        return Err(role::not_given_on(rules, ("role", &app.app.kind), &no_role(rules, name)));
    }
    let held = Held::Role(key.to_owned());
    let gift = Gift { grantee: Grantee::Member(Uuid::nil()), held: &held, place: &place, ancestors: &[] };
    match judge(fits(rules, &gift)) {
        Ok(()) => Ok(key),
        Err(denial) => Err(role::not_given_on(rules, ("role", &app.app.kind), &denial)),
    }
}

/// A refusal about the grant, which this input does not name.
fn at_role(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused(refusals) => {
            ServiceError::Refused(refusals.into_iter().map(|refusal| refusal.at("role")).collect())
        }
        other => other,
    }
}

async fn set(work: &Work<'_>, switch: AppRoleSwitch) -> Result<Switched, ServiceError> {
    work.authorize_somewhere::<GrantAccess>()?;
    let standing = work.standing()?;
    let app = app::get_seen(work, switch.app).await?;
    work.authorize_on::<GrantAccess>(&app.place())?;
    let key = role_on(&standing.blueprint.rules, &app, &switch.role)?;
    let member = member::get_present(work, switch.member).await?;
    let grantee = Grantee::Member(member.id);
    let before = change::held_by(work, grantee).await?;
    let held = app_role::on_app(&before, key, switch.app);
    let lasting = held.filter(|grant| grant.expires_at.is_none());
    let grant = match (switch.on, lasting, held) {
        // It stands there already; who may not switch it is told so all the same.
        (true, Some(grant), _) => {
            change::may_take_at(work, (grant, Some(&app)), "role")?;
            Some(grant.id)
        }
        (true, None, _) => {
            let new = NewAccess { grantee, held: Held::Role(key.to_owned()), app: Some(switch.app), expires_at: None };
            Some(change::give(work, new, change::Fields::ROLE).await?)
        }
        (false, _, Some(grant)) => {
            change::take(work, grant.id).await.map_err(at_role)?;
            None
        }
        (false, _, None) => {
            let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
            let at = (&place, app.above.ids.as_slice());
            let rules = &standing.blueprint.rules;
            judge(may_assign_at(rules, &standing.rights, key, at))
                .map_err(|denial| role::not_given(rules, "role", &denial))?;
            not_inherited(work, (&member, key), &app).await?;
            None
        }
    };
    Ok(Switched { member: member.id, grant })
}

/// Refuses to switch off what the member has from elsewhere: it would keep it (`S4.R6`).
async fn not_inherited(work: &Work<'_>, (member, key): (&Member, &str), app: &SeenApp) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let within = Within { organization, active: true };
    let crowd = store::facts::load_many(work.tx, organization, &[member.id]).await?;
    let reach = crowd.as_ref().map(|crowd| &crowd.reach);
    let facts = reach.and_then(|reach| Some(reach.facts(reach.principals().first()?, within, None)));
    let held = |grant: &&Grant| match (&grant.held, &grant.place) {
        (Held::Role(role), Place::App { id, .. }) => {
            role == key && (*id == app.app.id || app.above.ids.contains(id)) && grant.is_live(work.now)
        }
        _ => false,
    };
    let Some(grant) = facts.as_ref().and_then(|facts| facts.grants.iter().find(held)) else { return Ok(()) };
    // Only what the author sees is named.
    let above = match &grant.place {
        Place::App { id, .. } if *id != app.app.id => {
            Some(app::get_seen(work, *id).await.ok().map(|seen| seen.app.name))
        }
        Place::App { .. } | Place::Organization => None,
    };
    let team = match grant.grantee {
        Grantee::Team(id) => Some(team::get_seen(work, id).await.ok().map(|team| team.name)),
        Grantee::Member(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => None,
    };
    match (above, team) {
        (_, Some(team)) => {
            let team = team.map_or_else(|| "a team that you do not see".to_owned(), |name| format!("the team {name}"));
            let refusal = UserError::new(UserErrorCode::StateChanged, "role", format!("this comes from {team}"));
            Err(refusal.remedy("Take the member out of it, or revoke it from the team.").into())
        }
        (Some(above), None) => Err(given_above(above.as_deref(), "role").into()),
        (None, None) => Ok(()),
    }
}
