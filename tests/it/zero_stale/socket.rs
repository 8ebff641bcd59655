//! A client of `graphql-transport-ws`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

/// An open socket.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a socket says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// A message of the protocol.
    Message(Value),
    /// It closed, with this code.
    Closed(u16),
    /// It was silent for so long.
    Nothing,
}

impl Socket {
    /// Opens a socket as this caller, and subscribes.
    pub(super) async fn subscribe(url: &str, token: &str, document: &str) -> Self {
        let mut request = format!("{}/graphql", url.replace("http://", "ws://")).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let mut socket = Self(connect_async(request).await.unwrap().0);
        socket
            .say(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }))
            .await;
        assert_eq!(socket.hear(Duration::from_secs(20)).await, Said::Message(json!({ "type": "connection_ack" })));
        socket.say(&json!({ "type": "subscribe", "id": "1", "payload": { "query": document } })).await;
        socket
    }

    async fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// What comes next, within this time.
    pub(super) async fn hear(&mut self, within: Duration) -> Said {
        loop {
            match timeout(within, self.0.next()).await {
                Err(_) => return Said::Nothing,
                Ok(Some(Ok(Message::Text(text)))) => return Said::Message(serde_json::from_str(&text).unwrap()),
                Ok(Some(Ok(Message::Close(frame)))) => {
                    return Said::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => return Said::Closed(1006),
            }
        }
    }
}
