//! A line between the gateway and a server, which a test can cut and mend.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// A listening line to a server on loopback.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    down: AtomicBool,
    cut: Notify,
}

impl Proxy {
    /// A line to this port on loopback.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own, state) = (listener.local_addr().unwrap().port(), Arc::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let cut = state.cut.notified();
                    if state.down.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        tokio::select! {
                            _ = copy_bidirectional(&mut client, &mut server) => {}
                            () = cut => {}
                        }
                    }
                });
            }
        });
        Self { port: own, state }
    }

    /// Ends every connection and takes no new one.
    pub(crate) fn cut(&self) {
        self.state.down.store(true, Ordering::SeqCst);
        self.state.cut.notify_waiters();
    }

    /// Takes connections again.
    pub(crate) fn mend(&self) {
        self.state.down.store(false, Ordering::SeqCst);
    }
}
