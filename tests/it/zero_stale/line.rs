//! The line between one gateway and Redis, which a test can cut and mend, make slow, or bring out of step.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::RngExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::resp::reply_length;

/// A listening line to a port on loopback.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    down: AtomicBool,
    cut: Notify,
    /// Each way, in milliseconds.
    delay: AtomicU64,
    /// One reply in so many brings its connection out of step; 0: none.
    shift_one_in: AtomicU64,
    shifts: AtomicU64,
}

impl Line {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own, state) = (listener.local_addr().unwrap().port(), Arc::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, Arc::clone(&shared)));
            }
        });
        Self { port: own, state }
    }

    /// Ends every connection and takes no new one.
    pub(super) fn cut(&self) {
        self.state.down.store(true, Ordering::SeqCst);
        self.state.cut.notify_waiters();
    }

    /// Takes connections again.
    pub(super) fn mend(&self) {
        self.state.down.store(false, Ordering::SeqCst);
    }

    /// What is sent from now on arrives so much later.
    pub(super) fn delay(&self, each_way: Duration) {
        self.state.delay.store(u64::try_from(each_way.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// One reply in so many is lost or comes twice, so that the replies after it are those to other questions; 0: none.
    pub(super) fn shift_one_in(&self, replies: u64) {
        self.state.shift_one_in.store(replies, Ordering::SeqCst);
    }

    /// How many times replies were brought out of step.
    pub(super) fn shifts(&self) -> u64 {
        self.state.shifts.load(Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, port: u16, state: Arc<State>) {
    let cut = state.cut.notified();
    if state.down.load(Ordering::SeqCst) {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((questions, to_client), (replies, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pass(questions, to_server, &state, None) => {}
        () = pass(replies, to_client, &state, Some(Step::default())) => {}
        () = cut => {}
    }
}

/// Passes on what comes, each piece when its time has come.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, mut step: Option<Step>) {
    let (send, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let at = Instant::now() + Duration::from_millis(state.delay.load(Ordering::SeqCst));
            let piece = match &mut step {
                Some(step) => step.take(&buffer[..count], state),
                None => buffer[..count].to_vec(),
            };
            if send.send((at, piece)).is_err() {
                return;
            }
        }
    };
    let writing = async {
        while let Some((at, piece)) = due.recv().await {
            if at > Instant::now() {
                sleep_until(at).await;
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

/// Whole replies, in step with the questions or not.
#[derive(Debug, Default)]
struct Step {
    waiting: Vec<u8>,
    last: VecDeque<Vec<u8>>,
}

impl Step {
    fn take(&mut self, bytes: &[u8], state: &State) -> Vec<u8> {
        self.waiting.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(length) = reply_length(&self.waiting) {
            let reply: Vec<u8> = self.waiting.drain(..length).collect();
            self.last.push_back(reply.clone());
            if self.last.len() > 2 {
                self.last.pop_front();
            }
            let one_in = state.shift_one_in.load(Ordering::SeqCst);
            if one_in == 0 || rand::rng().random_range(0..one_in) > 0 {
                out.extend(reply);
                continue;
            }
            state.shifts.fetch_add(1, Ordering::SeqCst);
            match rand::rng().random_range(0..4) {
                // Lost: what follows are the replies to the questions after.
                0 => {}
                // Twice: what follows are the replies to the questions before.
                1 => out.extend([reply.clone(), reply].concat()),
                // A whole answer (an echo and what was asked for) twice: the one shape that only the echo itself tells from a good one.
                _ => {
                    out.extend(reply);
                    out.extend(self.last.iter().flatten());
                }
            }
        }
        out
    }
}
