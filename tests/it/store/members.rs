//! Members: invited, accepted, counted, gone.

use chrono::TimeDelta;
use gatehouse::{
    access::{
        Grantee, Held, Place, SystemTask,
        verb::{
            AssignRole, InviteMember, LeaveOrganization, RemoveMember, RevokeInvitation, SettleInvitation, StepDown,
        },
    },
    id::new_id,
    store::{
        StoreError,
        grant::{self, HeldRole, NewGrant, RoleGrant},
        invitation::{self, InvitationStanding, NewInvitation, Settling},
        member::{self, Activation, Departure, Invited, Invitee, MemberState, NewMember, Removal},
        seat::{self, SeatCount},
    },
};
use uuid::Uuid;

use super::{
    permit::{by_owner, by_system, for_row, write},
    seed,
};
use crate::support::database::{TestDatabase, for_each_database};

fn invitee(organization: Uuid, name: &str, role: &str) -> Invitee {
    let id = new_id();
    let member = NewMember {
        id,
        organization_id: organization,
        user_id: None,
        email: Some(format!("{name}@example.org")),
        handle: None,
        name: name.to_owned(),
        first_name: None,
        last_name: None,
        now: seed::noon(),
    };
    let role = NewGrant {
        id: new_id(),
        grantee: Grantee::Member(id),
        held: Held::Role(role.to_owned()),
        place: Place::Organization,
        expires_at: None,
    };
    let invitation = NewInvitation {
        id: new_id(),
        token_hash: id.as_bytes().to_vec(),
        expires_at: seed::noon() + TimeDelta::days(7),
    };
    Invitee { member, grants: vec![role], invitation }
}

async fn invite(db: &TestDatabase, organization: Uuid, name: &str, role: &str) -> Result<Invited, StoreError> {
    let invitee = invitee(organization, name, role);
    let permit = by_system::<InviteMember>(organization);
    write(db, organization, move |tx| Box::pin(member::invite(tx, permit, invitee))).await
}

async fn seats(db: &TestDatabase, organization: Uuid, days: i64) -> (u32, u32) {
    let roles = ["owner".to_owned(), "writer".to_owned()];
    let now = seed::noon() + TimeDelta::days(days);
    let SeatCount { active, pending } = seat::count(&db.store.read(), organization, &roles, now).await.unwrap();
    (active, pending)
}

/// `Q21`, `Q28`: who takes a seat.
#[tokio::test]
async fn q21_q28_active_members_and_live_invitations_take_seats_once_each() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let alice = seed::member(db, acme, "alice", None).await;
        let guest = seed::member(db, acme, "guest", None).await;
        seed::grant(db, acme, ("member", Some(alice)), "owner", None).await;
        seed::grant(db, acme, ("member", Some(alice)), "writer", None).await;
        seed::grant(db, acme, ("member", Some(guest)), "guest", None).await;
        assert_eq!(seats(db, acme, 0).await, (1, 0));

        let bob = invite(db, acme, "bob", "writer").await.unwrap();
        assert_eq!(seats(db, acme, 0).await, (1, 1), "a pending invitation takes a seat");
        assert_eq!(seats(db, acme, 7).await, (1, 0), "one that expired does not");

        let activation = Activation {
            organization: acme,
            member: bob.member.id,
            invitation: bob.invitation.id,
            user: seed::user(db, "bob").await,
            now: seed::noon(),
        };
        let permit = for_row::<SettleInvitation>(SystemTask::SettleInvitation, acme, bob.invitation.id);
        let active = write(db, acme, move |tx| Box::pin(member::activate(tx, permit, activation))).await.unwrap();
        assert_eq!(active.unwrap().state, MemberState::Active);
        let permit = by_system::<SettleInvitation>(acme);
        let again = write(db, acme, move |tx| Box::pin(member::activate(tx, permit, activation))).await.unwrap();
        assert_eq!(again, None, "only a pending member is activated");
        assert_eq!(seats(db, acme, 0).await, (2, 0), "accepting counts no second time");

        db.run("UPDATE member SET state = 'suspended' WHERE id = $1", [bob.member.id.into()]).await.unwrap();
        assert_eq!(seats(db, acme, 0).await, (1, 0), "a suspended member takes none");
        assert_eq!(seat::count(&db.store.read(), acme, &[], seed::noon()).await.unwrap(), SeatCount::default());
    })
    .await;
}

#[tokio::test]
async fn an_address_is_invited_once_until_it_is_free_again() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let bob = invite(db, acme, "bob", "writer").await.unwrap();
        assert_eq!((bob.grants.len(), bob.member.state), (1, MemberState::Pending));

        let twice = invite(db, acme, "bob", "writer").await.unwrap_err();
        assert!(
            matches!(&twice, StoreError::Conflict { constraint } if constraint == "member_organization_id_email_key"),
            "{twice:?}"
        );

        let settling = Settling { organization: acme, id: bob.invitation.id, now: seed::noon() };
        let permit = by_system::<RevokeInvitation>(acme);
        let revoked = write(db, acme, move |tx| Box::pin(invitation::revoke(tx, permit, settling))).await.unwrap();
        assert_eq!(revoked.unwrap().standing(seed::noon()), InvitationStanding::Revoked);
        let permit = by_system::<SettleInvitation>(acme);
        let late = write(db, acme, move |tx| Box::pin(invitation::accept(tx, permit, settling))).await.unwrap();
        assert_eq!(late, None, "one that was taken back cannot be accepted");
        let place = member::find_by_id(&db.store.read(), acme, bob.member.id).await.unwrap().unwrap();
        assert_eq!(place.state, MemberState::Archived);
        assert_eq!(db.count("SELECT count(*) FROM access_grant").await, 0);

        invite(db, acme, "bob", "writer").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_resent_invitation_is_the_same_with_another_secret() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let bob = invite(db, acme, "bob", "writer").await.unwrap().invitation;
        let now = seed::noon() + TimeDelta::days(8);
        assert_eq!(bob.standing(now), InvitationStanding::Expired);

        let again = NewInvitation { id: bob.id, token_hash: vec![9; 32], expires_at: now + TimeDelta::days(7) };
        let settling = Settling { organization: acme, id: bob.id, now };
        let permit = by_system::<InviteMember>(acme);
        let sent = write(db, acme, move |tx| Box::pin(invitation::resend(tx, permit, settling, again)))
            .await
            .unwrap()
            .unwrap();

        assert_eq!((sent.id, sent.sends, sent.standing(now)), (bob.id, 2, InvitationStanding::Pending));
        let reader = db.store.read();
        assert_eq!(invitation::find_by_token_hash(&reader, &bob.token_hash).await.unwrap(), None);
        assert_eq!(invitation::find_by_token_hash(&reader, &[9; 32]).await.unwrap(), Some(sent.clone()));
        let offered = invitation::pending_for_email(&reader, "bob@example.org", now).await.unwrap();
        assert_eq!(
            offered.iter().map(|to| (&*to.organization_slug, to.invitation.id)).collect::<Vec<_>>(),
            [("acme", bob.id)]
        );
    })
    .await;
}

#[tokio::test]
async fn who_goes_leaves_nothing_that_works() {
    for_each_database(async |db| {
        for removal in [Removal::Archive, Removal::Purge] {
            let acme = seed::organization(db, &format!("acme-{removal:?}").to_lowercase(), None).await;
            let user = seed::user(db, &format!("bob-{removal:?}")).await;
            let alice = seed::member(db, acme, "alice", None).await;
            let bob = seed::member(db, acme, "bob", Some(user)).await;
            let team = seed::team(db, acme, "team", None).await;
            seed::join(db, acme, team, bob, "member").await;
            seed::grant(db, acme, ("member", Some(bob)), "owner", None).await;
            seed::grant(db, acme, ("member", Some(alice)), "owner", None).await;
            seed::token(db, acme, None, Some(bob)).await;

            let departure = Departure { organization: acme, member: bob, removal, now: seed::noon() };
            let permit = by_owner::<RemoveMember>(acme, alice);
            let gone = write(db, acme, move |tx| Box::pin(member::remove(tx, permit, departure))).await.unwrap();

            assert_eq!(gone.id, bob);
            let kept = member::find_by_id(&db.store.read(), acme, bob).await.unwrap();
            assert_eq!(
                kept.map(|member| (member.state, member.user_id)),
                match removal {
                    Removal::Archive => Some((MemberState::Archived, None)),
                    Removal::Purge => None,
                }
            );
            let left = |sql: &str| {
                let sql = sql.to_owned();
                async move { db.rows(&sql, [bob.into()]).await.len() }
            };
            assert_eq!(left("SELECT 1 FROM team_member WHERE member_id = $1").await, 0);
            assert_eq!(left("SELECT 1 FROM access_grant WHERE grantee_id = $1").await, 0);
            assert_eq!(left("SELECT 1 FROM api_token WHERE member_id = $1 AND revoked_at IS NULL").await, 0);
            seed::member(db, acme, &format!("bob-{removal:?}-again"), Some(user)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_permit_to_leave_is_for_oneself_and_for_ones_own_organization() {
    for_each_database(async |db| {
        let (acme, evil) = (seed::organization(db, "acme", None).await, seed::organization(db, "evil", None).await);
        let (alice, bob) = (seed::member(db, acme, "alice", None).await, seed::member(db, acme, "bob", None).await);
        let leave = async |organization, author, member| {
            let departure = Departure { organization, member, removal: Removal::Purge, now: seed::noon() };
            let permit = by_owner::<LeaveOrganization>(organization, author);
            write(db, organization, move |tx| Box::pin(member::leave(tx, permit, departure))).await
        };

        assert!(matches!(leave(acme, alice, bob).await, Err(StoreError::PermitMismatch(id)) if id == bob));
        assert!(matches!(leave(evil, bob, bob).await, Err(StoreError::PermitMismatch(id)) if id == bob));
        assert_eq!(leave(acme, bob, bob).await.unwrap().id, bob);
    })
    .await;
}

/// The primary holder is the longest-standing active one.
#[tokio::test]
async fn the_longest_standing_holder_is_primary_and_the_mark_passes_on() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let (alice, bob) = (seed::member(db, acme, "alice", None).await, seed::member(db, acme, "bob", None).await);
        for (days, holder) in [(1, bob), (2, alice)] {
            let now = seed::noon() + TimeDelta::days(days);
            let held = HeldRole { organization: acme, grantee: Grantee::Member(holder), role: "owner".to_owned() };
            let role = RoleGrant { id: new_id(), held, expires_at: None, now };
            let permit = by_system::<AssignRole>(acme);
            write(db, acme, move |tx| Box::pin(grant::assign_role(tx, permit, role))).await.unwrap();
        }
        let reader = db.store.read();
        let now = seed::later();
        assert_eq!(member::count_holders(&reader, acme, "owner", now).await.unwrap(), 2);
        assert_eq!(member::primary_holder(&reader, acme, "owner", now).await.unwrap(), Some(bob));
        let mut roles = member::roles_of_members(&reader, acme, &[alice, bob], now).await.unwrap();
        roles.sort_unstable();
        assert_eq!(roles, [(alice, "owner".to_owned()), (bob, "owner".to_owned())]);

        db.run("UPDATE member SET state = 'suspended' WHERE id = $1", [bob.into()]).await.unwrap();
        assert_eq!(member::count_holders(&reader, acme, "owner", now).await.unwrap(), 1);
        assert_eq!(member::primary_holder(&reader, acme, "owner", now).await.unwrap(), Some(alice));

        // Nobody gives up what is another's.
        let (permit, role) = (by_owner::<StepDown>(acme, bob), "owner".to_owned());
        let held = HeldRole { organization: acme, grantee: Grantee::Member(alice), role };
        let refused = write(db, acme, move |tx| Box::pin(grant::give_up_role(tx, permit, held))).await;
        assert!(matches!(refused, Err(StoreError::PermitMismatch(row)) if row == alice), "{refused:?}");

        let permit = by_system::<AssignRole>(acme);
        let held = HeldRole { organization: acme, grantee: Grantee::Member(alice), role: "owner".to_owned() };
        write(db, acme, move |tx| Box::pin(grant::remove_role(tx, permit, held))).await.unwrap().unwrap();
        assert_eq!(member::primary_holder(&reader, acme, "owner", now).await.unwrap(), None);
    })
    .await;
}
