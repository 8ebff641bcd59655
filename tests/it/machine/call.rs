//! Steps as mutations.

use gatehouse::{
    access::{Grantee, Held, Place},
    graphql::node::NodeType,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Machine,
    step::{Choice, Part, Selection, Step},
    world::Gift,
};

/// The roles that somebody is to have: alone, or one for each slot.
fn name_roles(input: &mut Value, roles: &[String]) {
    match roles {
        [role] => input["role"] = json!(role),
        roles => input["roles"] = json!(roles),
    }
}

/// How access is chosen, as the fields of a form.
fn choose(input: &mut Value, choice: &Choice) {
    match choice {
        Choice::Initial => {}
        Choice::All => input["accessMode"] = json!("ALL"),
        Choice::Tree(tree) => {
            let feature = |(feature, level): &(String, Option<String>)| json!({ "feature": feature, "level": level });
            let app = |(app, features): &(Uuid, Vec<_>)| {
                let features: Vec<Value> = features.iter().map(feature).collect();
                json!({ "app": NodeType::App.id(*app), "features": features })
            };
            input["access"] = tree.iter().map(app).collect();
        }
    }
}

/// What a role of the organization's own is to give.
fn select(input: &mut Value, selection: &Selection) {
    let part = |part: &Part| match &part.level {
        Some(level) => json!({ "kind": part.kind, "feature": part.feature, "level": level }),
        None => json!({ "kind": part.kind, "feature": part.feature, "actions": part.actions }),
    };
    input["permissions"] = json!(selection.permissions);
    input["access"] = selection.access.iter().map(part).collect();
}

/// Who is invited, to what.
fn invite(email: &str, (roles, on_apps): (&[String], &[(Uuid, String)]), choice: &Choice) -> Value {
    let on_app = |(app, role): &(Uuid, String)| json!({ "app": NodeType::App.id(*app), "role": role });
    let on_apps: Vec<Value> = on_apps.iter().map(on_app).collect();
    let mut input = json!({ "email": email, "appRoles": on_apps, "notify": false });
    input["name"] = json!("Some One");
    input["firstName"] = json!("Some");
    input["lastName"] = json!("One");
    name_roles(&mut input, roles);
    choose(&mut input, choice);
    input
}

/// What is given, to whom, where.
fn give(gift: &Gift) -> Value {
    let grantee = match gift.grantee {
        Grantee::Member(id) => json!({ "member": NodeType::Member.id(id) }),
        Grantee::Team(id) => json!({ "team": NodeType::Team.id(id) }),
        Grantee::ServiceAccount(_) | Grantee::Everyone => json!({ "everyone": true }),
    };
    let gives = match &gift.held {
        Held::Role(role) => json!({ "role": role }),
        Held::Feature { kind, feature, level } => {
            json!({ "feature": { "kind": kind, "feature": feature, "level": level } })
        }
    };
    let place = match &gift.place {
        Place::Organization => Value::Null,
        Place::App { id, .. } => json!(NodeType::App.id(*id)),
    };
    json!({ "grantee": grantee, "gives": gives, "app": place })
}

impl Machine<'_> {
    /// The mutation of a step.
    pub(super) fn call(&self, step: &Step) -> (&'static str, Value) {
        let member = |id: &Uuid| NodeType::Member.id(*id);
        let team = |id: &Uuid| NodeType::Team.id(*id);
        let app = |id: &Uuid| NodeType::App.id(*id);
        match step {
            Step::Invite { person, roles, on_apps, choice } => {
                ("inviteMember", invite(&self.people[*person].email, (roles, on_apps), choice))
            }
            Step::Accept => unreachable!("asked apart"),
            Step::Become { member: id, role } => ("changeMemberRole", json!({ "member": member(id), "role": role })),
            Step::Add { member: id, role } => ("addMemberRole", json!({ "member": member(id), "role": role })),
            Step::Drop { member: id, role } => ("removeMemberRole", json!({ "member": member(id), "role": role })),
            Step::Suspend(id) => ("suspendMember", json!({ "member": member(id) })),
            Step::Reactivate(id) => ("reactivateMember", json!({ "member": member(id) })),
            Step::Restore { member: id, roles, choice } => {
                let mut input = json!({ "member": member(id) });
                name_roles(&mut input, roles);
                choose(&mut input, choice);
                ("restoreMember", input)
            }
            Step::Save { member: id, choice } => {
                let mut input = json!({ "member": member(id) });
                choose(&mut input, choice);
                match choice {
                    Choice::Tree(_) => ("updateMemberAccess", input),
                    Choice::All | Choice::Initial => ("updateMember", input),
                }
            }
            Step::Toggle { app: id, member: who, role, on } => {
                ("setAppRole", json!({ "app": app(id), "member": member(who), "role": role, "on": on }))
            }
            Step::Give(gift) => ("grantAccess", give(gift)),
            Step::Take(id) => ("revokeAccess", json!({ "grant": NodeType::Grant.id(*id) })),
            Step::Remove(id) => ("removeMember", json!({ "member": member(id), "confirm": true })),
            Step::Leave => ("leaveOrganization", json!({ "confirm": true })),
            Step::Found { slug, parent } => {
                ("createTeam", json!({ "slug": slug, "name": slug, "parent": parent.as_ref().map(team) }))
            }
            Step::Join { team: id, member: who, maintainer } => {
                ("addTeamMember", json!({ "team": team(id), "member": member(who), "maintainer": maintainer }))
            }
            Step::Part { team: id, member: who } => {
                ("removeTeamMember", json!({ "team": team(id), "member": member(who) }))
            }
            Step::Move { team: id, parent } => {
                ("updateTeam", json!({ "team": team(id), "parent": parent.as_ref().map(team) }))
            }
            Step::Dissolve(id) => ("deleteTeam", json!({ "team": team(id) })),
            Step::Make { slug, kind, parent } => {
                let parent = parent.as_ref().map(app);
                ("createApp", json!({ "slug": slug, "name": slug, "kind": kind, "parent": parent }))
            }
            Step::Switch { app: id, enabled } => {
                let state = if *enabled { "ACTIVE" } else { "DISABLED" };
                ("updateApp", json!({ "app": app(id), "state": state }))
            }
            Step::Carry { app: id, parent } => {
                ("updateApp", json!({ "app": app(id), "parent": parent.as_ref().map(app) }))
            }
            Step::Delete(id) => {
                let slug = self.world.apps.iter().find(|app| app.id == *id).map(|app| app.slug.clone());
                ("deleteApp", json!({ "app": app(id), "confirm": slug }))
            }
            Step::Plan(plan) => ("changePlan", json!({ "plan": plan })),
            Step::Default { kind, feature, level } => {
                ("setDefaultAccess", json!({ "appKind": kind, "feature": feature, "level": level }))
            }
            Step::Shape { slug, base, selection } => {
                let mut input = json!({ "key": slug, "base": base, "label": slug });
                select(&mut input, selection);
                ("createRole", input)
            }
            Step::Reshape { role, selection, enabled } => {
                let mut input = json!({ "role": role, "enabled": enabled });
                if let Some(selection) = selection {
                    select(&mut input, selection);
                }
                ("updateRole", input)
            }
            Step::Scrap(role) => ("deleteRole", json!({ "role": role })),
        }
    }
}
