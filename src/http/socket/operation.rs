//! One operation on a socket: runs in its own task, reports to the socket's loop.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{Response as Answer, ServerError, Value};
use futures_util::{FutureExt, StreamExt};
use serde_json::value::RawValue;
use tokio::sync::mpsc::Sender;

use super::message::Told;
use crate::http::{
    Admitted, Gateway, OperationKind,
    document::{code, coded},
    graphql::finish,
    router::Inner,
    shape::is_request_error,
};

/// What becomes of an operation after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    More,
    /// It is over.
    Over,
    /// It is over, because the caller lost the right to it meanwhile.
    Lost,
}

/// What an operation reports: a message for the client, and what becomes of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) id: Arc<str>,
    /// Tells this operation from an earlier one of the same id.
    pub(super) serial: u64,
    pub(super) text: String,
    pub(super) next: Next,
}

/// Where an operation reports to.
pub(super) struct Reporter {
    pub(super) id: Arc<str>,
    pub(super) serial: u64,
    pub(super) to: Sender<Report>,
}

impl Reporter {
    /// Reports; gives `false` when nobody listens any more.
    async fn tell(&self, text: String, next: Next) -> bool {
        self.to.send(Report { id: Arc::clone(&self.id), serial: self.serial, text, next }).await.is_ok()
    }
}

/// Runs an operation to its end.
pub(super) async fn run<G: Gateway>(door: Arc<Inner<G>>, caller: G::Caller, admitted: Admitted, reporter: Reporter) {
    let work = AssertUnwindSafe(answer(&door, caller, admitted, &reporter));
    if work.catch_unwind().await.is_err() {
        tracing::error!("an operation on a socket panicked");
        let error = coded(code::INTERNAL, "something went wrong on our side");
        reporter.tell(error_message(&reporter.id, &mut Answer::from_errors(vec![error])), Next::Over).await;
    }
}

async fn answer<G: Gateway>(door: &Inner<G>, caller: G::Caller, admitted: Admitted, reporter: &Reporter) {
    let Admitted { gated, shape } = admitted;
    let id = &reporter.id;
    if gated.operation != OperationKind::Subscription {
        let mut answer = door.gateway.execute(caller, gated).await;
        if is_request_error(&answer) {
            reporter.tell(error_message(id, &mut answer), Next::Over).await;
            return;
        }
        shape.complete(&mut answer);
        if reporter.tell(next_message(id, &mut answer), Next::More).await {
            reporter.tell(complete_message(id), Next::Over).await;
        }
        return;
    }
    let mut answers = door.gateway.subscribe(caller, gated);
    let mut first = true;
    while let Some(mut answer) = answers.next().await {
        // A stream that cannot begin is an error of the request, whatever path upstream gives it.
        let unbegun = first && matches!(answer.data, Value::Null) && !answer.errors.is_empty();
        if unbegun {
            reporter.tell(error_message(id, &mut answer), Next::Over).await;
            return;
        }
        if !first && is_lost(&answer) {
            reporter.tell(error_message(id, &mut answer), Next::Lost).await;
            return;
        }
        first = false;
        shape.complete(&mut answer);
        if !reporter.tell(next_message(id, &mut answer), Next::More).await {
            return;
        }
    }
    reporter.tell(complete_message(id), Next::Over).await;
}

/// Whether the whole answer is that the caller may not have it any more. What is refused within an answer leaves the rest.
fn is_lost(answer: &Answer) -> bool {
    let refused = |error: &ServerError| {
        let told = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        matches!(told, Some(Value::String(told)) if [code::FORBIDDEN, code::UNAUTHENTICATED, code::NOT_FOUND].contains(&told.as_str()))
    };
    matches!(answer.data, Value::Null) && answer.errors.iter().any(refused) && !crate::ablate::off("socket_lost")
}

fn next_message(id: &str, answer: &mut Answer) -> String {
    let payload = finish(answer);
    told("next", id, serde_json::from_slice::<&RawValue>(&payload).ok())
}

/// An `error` message: a list of errors, after which the operation is over.
pub(super) fn error_message(id: &str, answer: &mut Answer) -> String {
    finish(answer);
    told("error", id, serde_json::value::to_raw_value(&answer.errors).ok().as_deref())
}

pub(super) fn complete_message(id: &str) -> String {
    told("complete", id, None)
}

fn told(kind: &'static str, id: &str, payload: Option<&RawValue>) -> String {
    // INVARIANT: three strings and valid JSON can be written.
    serde_json::to_string(&Told { kind, id, payload }).unwrap_or_default()
}
