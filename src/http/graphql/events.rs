//! Answers as an event stream: graphql-sse in its distinct connections mode, one operation per request.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_graphql::Response as Answer;
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream, stream::BoxStream};
use tokio::time::Interval;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use super::{finish, media::EVENTS};
use crate::http::{
    Admitted, Gateway, OperationKind, Shape,
    document::{code, coded},
    router::Inner,
};

/// How often an idle stream says that it is there, so that proxies keep it.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

struct Events {
    answers: BoxStream<'static, Answer>,
    shape: Shape,
    revoked: BoxFuture<'static, ()>,
    stop: CancellationToken,
    keep_alive: Interval,
    ended: bool,
    _tracked: TaskTrackerToken,
}

/// The response that streams an operation's answers until it completes, the caller is cut off, or the server stops.
pub(super) fn stream<G: Gateway>(door: &Arc<Inner<G>>, caller: G::Caller, admitted: Admitted) -> Response {
    let revoked = door.gateway.revoked(&caller);
    let answers = match admitted.gated.operation {
        OperationKind::Subscription => door.gateway.subscribe(caller, admitted.gated),
        OperationKind::Query | OperationKind::Mutation => {
            let gateway = door.gateway.clone();
            stream::once(async move { gateway.execute(caller, admitted.gated).await }).boxed()
        }
    };
    let events = Events {
        answers,
        shape: admitted.shape,
        revoked,
        stop: door.stop.clone(),
        keep_alive: tokio::time::interval(KEEP_ALIVE),
        ended: false,
        _tracked: door.tracker.token(),
    };
    let body = stream::unfold(events, |mut events| async move {
        let chunk = events.next().await?;
        Some((Ok::<_, Infallible>(chunk), events))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENTS);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = &mut self.revoked => Some(self.cut()),
            answer = self.answers.next() => {
                let Some(mut answer) = answer else {
                    self.ended = true;
                    return Some(Bytes::from_static(COMPLETE));
                };
                // What was ready in the same moment as a revocation must not pass it.
                if (&mut self.revoked).now_or_never().is_some() {
                    return Some(self.cut());
                }
                self.shape.complete(&mut answer);
                Some(event(&finish(&mut answer)).into())
            }
            _ = self.keep_alive.tick() => Some(Bytes::from_static(b":\n\n")),
        }
    }

    /// The last words to a caller that is cut off.
    fn cut(&mut self) -> Bytes {
        self.ended = true;
        let error = coded(code::UNAUTHENTICATED, "this caller was cut off");
        let mut chunk = event(&finish(&mut Answer::from_errors(vec![error])));
        chunk.extend_from_slice(COMPLETE);
        chunk.into()
    }
}

const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

fn event(json: &[u8]) -> Vec<u8> {
    [b"event: next\ndata: ", json, b"\n\n"].concat()
}
