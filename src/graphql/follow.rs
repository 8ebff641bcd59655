//! Following a state of the organization: the present one at once, then each that differs from the one before.

use async_graphql::{Context, Result};
use futures_util::stream::{self, Stream, StreamExt};

use super::{
    context::InContext,
    error::{bad_input, error},
};
use crate::service::{Access, Service, ServiceError};

/// The states that `read` finds for the caller, as many as it takes; after an error there is none.
///
/// # Errors
/// When `take` is below 1, or the caller has no place to follow.
pub(super) fn states<T, R, F>(
    ctx: &Context<'_>,
    take: Option<i32>,
    read: F,
) -> Result<impl Stream<Item = Result<T>> + use<T, R, F>>
where
    T: PartialEq + Clone,
    R: Future<Output = Result<T, ServiceError>>,
    F: Fn(Service, Access) -> R + Clone,
{
    let most = match take.map(usize::try_from) {
        None => usize::MAX,
        Some(Ok(most)) if most > 0 => most,
        Some(_) => return Err(bad_input("`take` is at least 1")),
    };
    let follow = ctx.service()?.follow(ctx.access()?).map_err(error)?;
    let states = stream::unfold(Some((follow, None)), move |following| {
        let read = read.clone();
        async move {
            let (mut follow, mut last) = following?;
            loop {
                match follow.next(&read).await? {
                    Err(failed) => return Some((Err(error(failed)), None)),
                    Ok(present) if last.as_ref() == Some(&present) => {}
                    Ok(present) => {
                        last = Some(present.clone());
                        return Some((Ok(present), Some((follow, last))));
                    }
                }
            }
        }
    });
    Ok(states.take(most))
}
