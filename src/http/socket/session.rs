//! The loop of one socket.

use std::{collections::HashMap, future, sync::Arc, time::Duration};

use async_graphql::Response as Answer;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::SplitSink};
use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    close::Close,
    message::{self, ACK, PONG, Said},
    operation::{self, Next, Report, Reporter},
};
use crate::{
    ablate,
    http::{
        AuthRefusal, Credentials, DocumentRequest, Gateway, OperationKind, Transport,
        document::{code, coded},
        router::Inner,
    },
};

/// Reports waiting for the loop; an operation whose reader is slow waits too.
const WAITING_REPORTS: usize = 16;

/// How far the client has come.
enum Phase<C> {
    Opened,
    Entering,
    Entered(C),
}

struct Live {
    serial: u64,
    /// Ends the task with the operation, except a mutation's: what it began it finishes.
    _task: Option<AbortOnDropHandle<()>>,
}

struct Session<G: Gateway> {
    door: Arc<Inner<G>>,
    sink: SplitSink<WebSocket, Message>,
    credentials: Credentials,
    phase: Phase<G::Caller>,
    entering: BoxFuture<'static, Result<G::Caller, AuthRefusal>>,
    revoked: BoxFuture<'static, ()>,
    live: HashMap<Arc<str>, Live>,
    reports: Sender<Report>,
    serial: u64,
}

/// `Err` ends the loop: with a close, or without one when the peer is gone.
type Step = Result<(), Option<Close>>;

/// Runs the protocol until either side closes.
pub(super) async fn run<G: Gateway>(door: Arc<Inner<G>>, socket: WebSocket, credentials: Credentials) {
    let limits = door.config.socket.clone();
    let (sink, mut incoming) = socket.split();
    let (reports, mut reported) = mpsc::channel(WAITING_REPORTS);
    let stop = door.stop.clone();
    let mut session = Session {
        door,
        sink,
        credentials,
        phase: Phase::Opened,
        entering: future::pending().boxed(),
        revoked: future::pending().boxed(),
        live: HashMap::new(),
        reports,
        serial: 0,
    };
    let mut init = std::pin::pin!(sleep(limits.init));
    let mut ping = interval_at(Instant::now() + limits.ping, limits.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let ended = loop {
        let outcome = tokio::select! {
            () = stop.cancelled() => Err(Some(Close::STOPPING)),
            () = &mut session.revoked, if !ablate::off("socket_revoked") => session.cut().await,
            () = &mut init, if !matches!(session.phase, Phase::Entered(_)) => Err(Some(Close::INIT_TIMEOUT)),
            entered = &mut session.entering, if matches!(session.phase, Phase::Entering) => session.enter(entered).await,
            Some(report) = reported.recv() => session.forward(report).await,
            message = incoming.next() => {
                heard = Instant::now();
                session.hear(message).await
            }
            _ = ping.tick() => {
                if heard.elapsed() > limits.silence { Err(None) } else { session.write(Message::Ping("".into())).await }
            }
        };
        if let Err(ended) = outcome {
            break ended;
        }
    };
    session.live.clear();
    if let Some(close) = ended {
        close.finish(&mut session.sink, &mut incoming).await;
    }
}

impl<G: Gateway> Session<G> {
    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        match message {
            None | Some(Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => Err(Some(Close::bad_message("messages are text, not binary"))),
            Some(Ok(Message::Text(text))) => match message::read(&text) {
                Ok(said) => self.obey(said).await,
                Err(close) => Err(Some(close)),
            },
            // The cause is only told by its text.
            Some(Err(error)) if error.to_string().contains("too long") => Err(Some(Close::TOO_BIG)),
            Some(Err(_)) => Err(Some(Close::BROKEN)),
        }
    }

    async fn obey(&mut self, said: Said) -> Step {
        match said {
            Said::Ping => self.tell(PONG.to_owned()).await,
            Said::Pong => Ok(()),
            Said::Init(payload) => match self.phase {
                Phase::Opened => {
                    let mut credentials = self.credentials.clone();
                    match message::bearer(&payload) {
                        Ok(Some(token)) => credentials.bearer = Some(token),
                        Ok(None) => {}
                        Err(_) => return Err(Some(Close::FORBIDDEN)),
                    }
                    let gateway = self.door.gateway.clone();
                    self.entering = async move { gateway.authenticate(credentials).await }.boxed();
                    self.phase = Phase::Entering;
                    Ok(())
                }
                Phase::Entering | Phase::Entered(_) => Err(Some(Close::SECOND_INIT)),
            },
            Said::Subscribe(id, request) => match &self.phase {
                Phase::Entered(caller) => {
                    let caller = caller.clone();
                    self.begin(id.into(), *request, caller).await
                }
                Phase::Opened | Phase::Entering => Err(Some(Close::NOT_ACKNOWLEDGED)),
            },
            Said::Complete(id) => {
                self.live.remove(id.as_str());
                Ok(())
            }
        }
    }

    async fn enter(&mut self, entered: Result<G::Caller, AuthRefusal>) -> Step {
        match entered {
            Ok(caller) => {
                self.revoked = self.door.gateway.revoked(&caller);
                self.phase = Phase::Entered(caller);
                self.tell(ACK.to_owned()).await
            }
            Err(AuthRefusal::Invalid) => Err(Some(Close::FORBIDDEN)),
            Err(AuthRefusal::Unavailable) => Err(Some(Close::UNAVAILABLE)),
        }
    }

    async fn begin(&mut self, id: Arc<str>, request: DocumentRequest, caller: G::Caller) -> Step {
        if self.live.contains_key(&id) {
            return Err(Some(Close::duplicate(&id)));
        }
        let limit = self.door.config.socket.operations;
        if self.live.len() >= limit && !ablate::off("socket_operations") {
            let message = format!("this socket has {limit} live operations already");
            return self.refuse(&id, coded(code::TOO_MANY_OPERATIONS, message)).await;
        }
        let authenticated = self.door.gateway.is_authenticated(&caller);
        let admitted = match self.door.gate.admit(request, Transport::Socket, authenticated) {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(&id, refusal.into_error()).await,
        };
        self.serial += 1;
        let serial = self.serial;
        let mutation = admitted.gated.operation == OperationKind::Mutation;
        let reporter = Reporter { id: Arc::clone(&id), serial, to: self.reports.clone() };
        let task = self.door.tracker.spawn(operation::run(Arc::clone(&self.door), caller, admitted, reporter));
        let task = (!mutation).then(|| AbortOnDropHandle::new(task));
        self.live.insert(id, Live { serial, _task: task });
        Ok(())
    }

    /// Hands a report to the client, unless the client has completed the operation, or is cut off in this very moment.
    async fn forward(&mut self, report: Report) -> Step {
        if self.live.get(&report.id).is_none_or(|live| live.serial != report.serial) {
            return Ok(());
        }
        if !ablate::off("socket_revoked") && (&mut self.revoked).now_or_never().is_some() {
            return self.cut().await;
        }
        if report.next != Next::More {
            self.live.remove(&report.id);
        }
        self.tell(report.text).await?;
        // The other operations are told nothing: a client that connects again asks for them again.
        if report.next == Next::Lost { Err(Some(Close::LOST)) } else { Ok(()) }
    }

    /// Ends every operation with an error, then the socket.
    async fn cut(&mut self) -> Step {
        let live = std::mem::take(&mut self.live);
        let mut ids: Vec<_> = live.keys().cloned().collect();
        drop(live);
        ids.sort();
        for id in ids {
            self.refuse(&id, coded(code::UNAUTHENTICATED, "this caller was cut off")).await?;
        }
        Err(Some(Close::FORBIDDEN))
    }

    async fn refuse(&mut self, id: &str, error: async_graphql::ServerError) -> Step {
        self.tell(operation::error_message(id, &mut Answer::from_errors(vec![error]))).await
    }

    async fn tell(&mut self, text: String) -> Step {
        self.write(Message::Text(text.into())).await
    }

    async fn write(&mut self, message: Message) -> Step {
        let within: Duration = self.door.config.socket.write;
        match timeout(within, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // Gone, or too slow to count as there.
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }
}
