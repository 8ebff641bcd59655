//! Why a socket closes: the protocol's codes, and a reason that fits a close frame.

use std::{borrow::Cow, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::timeout;

/// A control frame holds 125 bytes, two of them the code (RFC 6455, 5.5).
const LONGEST_REASON: usize = 123;
/// How long a peer has to answer the close, and how many of its messages are read meanwhile.
const GOODBYE: (Duration, usize) = (Duration::from_secs(1), 1_000);

/// A code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

impl Close {
    pub(super) const STOPPING: Self = Self::of(1001, "the server is stopping");
    pub(super) const BROKEN: Self = Self::of(1002, "broken frame");
    pub(super) const TOO_BIG: Self = Self::of(1009, "message too large");
    pub(super) const UNAVAILABLE: Self = Self::of(1013, "rights cannot be checked now; try again in a moment");
    pub(super) const NOT_ACKNOWLEDGED: Self = Self::of(4401, "subscribe before connection_ack");
    pub(super) const FORBIDDEN: Self = Self::of(4403, "the credential is not valid: sign in again");
    pub(super) const LOST: Self =
        Self::of(4403, "the right to a subscription was taken away: connect again for the others");
    pub(super) const PROTOCOL: Self = Self::of(4406, "only the subprotocol graphql-transport-ws is spoken here");
    pub(super) const INIT_TIMEOUT: Self = Self::of(4408, "connection_init did not come in time");
    pub(super) const SECOND_INIT: Self = Self::of(4429, "too many connection_init");

    const fn of(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// The message is none of the protocol.
    pub(super) fn bad_message(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: 4400, reason: reason.into() }
    }

    /// The id belongs to an operation that is live.
    pub(super) fn duplicate(id: &str) -> Self {
        Self { code: 4409, reason: format!("an operation with id {id} is live").into() }
    }

    /// The frame, its reason cut to what fits.
    pub(super) fn into_frame(self) -> Message {
        let mut reason = self.reason.into_owned();
        let mut end = reason.len().min(LONGEST_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Message::Close(Some(CloseFrame { code: self.code, reason: reason.into() }))
    }

    /// Closes a socket that nothing was said on.
    pub(super) async fn send(self, socket: WebSocket) {
        let (mut sink, mut incoming) = socket.split();
        self.finish(&mut sink, &mut incoming).await;
    }

    /// Says goodbye, and waits a moment for the peer's, so that the frame is not lost with the connection.
    pub(super) async fn finish<E>(
        self,
        sink: &mut (impl Sink<Message> + Unpin),
        incoming: &mut (impl Stream<Item = Result<Message, E>> + Unpin),
    ) {
        let (time, count) = GOODBYE;
        let _ = timeout(time, async {
            if sink.send(self.into_frame()).await.is_ok() {
                for _ in 0..count {
                    if !matches!(incoming.next().await, Some(Ok(_))) {
                        break;
                    }
                }
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_never_exceeds_a_control_frame() {
        let Message::Close(Some(frame)) = Close::duplicate(&"ö".repeat(200)).into_frame() else { panic!("a close") };
        assert!(frame.reason.len() <= LONGEST_REASON && frame.reason.len() > 110, "{}", frame.reason.len());
    }
}
