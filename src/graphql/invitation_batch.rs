//! Inviting many people at once, with a report.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    invitation::{Invitation, InvitedPersonInput},
    member::Member,
};
use crate::service::{
    Idempotency,
    invitation::{Invited, Row},
};

/// Who is to be invited.
#[derive(InputObject)]
pub struct InviteMembersInput {
    /// The people, 1 to 100.
    people: Vec<InvitedPersonInput>,
    /// Makes repeating safe: the same key gives who was invited the first answer again, for 24 hours, and sends no second mail.
    idempotency_key: Option<String>,
}

/// What became of one person of a batch.
#[derive(Default, SimpleObject)]
pub struct InvitedRow {
    /// The address as it was given.
    email: String,
    /// The pending member, or the one who was there already; null when it was refused.
    member: Option<Member>,
    /// The invitation; null when it was refused, and where somebody is there already.
    invitation: Option<Invitation>,
    /// Whether a mail has gone out by now. False where none is written: it was not asked for, or somebody else has invited the person
    /// before. One that the mail server puts off is tried again for two days; one that it refuses is given up.
    mail_sent: bool,
    /// Why this person was not invited, every mistake at once, at fields of its own; empty: it was.
    user_errors: Vec<UserError>,
}

/// What became of inviting many.
#[derive(Default, SimpleObject)]
pub struct InviteMembersPayload {
    /// What became of each, in the order they were given; empty when the batch itself was refused.
    rows: Vec<InvitedRow>,
    /// How many were invited.
    invited: i32,
    /// Why nobody was invited: what is wrong with the batch itself. A person that was refused is told in its row.
    user_errors: Vec<UserError>,
}

/// Inviting many.
#[derive(Debug, Default)]
pub struct InvitationBatchMutation;

#[Object]
impl InvitationBatchMutation {
    /// Invites many people, each by itself, and reports on each: one that is refused undoes no other. Needs what `inviteMember`
    /// needs, for each of them.
    async fn invite_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is invited, to what.")] input: InviteMembersInput,
    ) -> Result<InviteMembersPayload> {
        let emails: Vec<String> = input.people.iter().map(|person| person.email().to_owned()).collect();
        let people = input.people.into_iter().map(InvitedPersonInput::asked).collect::<Result<Vec<_>>>()?;
        let idempotency = Idempotency::of(input.idempotency_key, &people).map_err(error)?;
        let report = match settle(ctx.service()?.invite_members(ctx.access()?, people, idempotency).await)? {
            Ok(report) => report,
            Err(user_errors) => return Ok(InviteMembersPayload { user_errors, ..InviteMembersPayload::default() }),
        };
        let invited = report.iter().filter(|row| row.is_ok()).count();
        let mut rows = Vec::with_capacity(report.len());
        for (email, came_of_it) in emails.into_iter().zip(report) {
            rows.push(row(ctx, email, came_of_it).await?);
        }
        Ok(InviteMembersPayload { rows, invited: i32::try_from(invited).unwrap_or(i32::MAX), user_errors: Vec::new() })
    }
}

async fn row(ctx: &Context<'_>, email: String, came_of_it: Row) -> Result<InvitedRow> {
    Ok(match came_of_it {
        Ok(Invited { member, invitation, mail_sent }) => InvitedRow {
            email,
            member: Member::find(ctx, member).await?,
            invitation: Invitation::given(ctx, invitation).await?,
            mail_sent,
            user_errors: Vec::new(),
        },
        Err(mistakes) => {
            let user_errors = mistakes.into_iter().map(UserError::from).collect();
            InvitedRow { email, user_errors, ..InvitedRow::default() }
        }
    })
}
