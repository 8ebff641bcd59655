//! GraphQL over WebSocket: the `graphql-transport-ws` protocol, with its close codes.
//!
//! One loop per socket reads messages and writes answers; each operation runs in a task of its own and reports to the loop,
//! so that a slow operation delays none and a slow reader holds back only itself. The same gate and the same credentials as
//! over HTTP. A caller that is cut off loses every operation and the socket with them, 4403; and so it does with the right to one
//! of them, whose client connects again for the others.
//!
//! ```text
//! → {"type":"connection_init","payload":{"authorization":"Bearer …"}}          ← {"type":"connection_ack"}
//! → {"type":"subscribe","id":"1","payload":{"query":"subscription { … }"}}     ← {"type":"next","id":"1","payload":{…}}
//! → {"type":"complete","id":"1"}                                                (nothing: the client said it)
//! ```
//!
//! Protocol: `enisdenjo/graphql-ws`, PROTOCOL.md. async-graphql's own loop closes with other codes and has no bounds.

mod close;
mod message;
mod operation;
mod session;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, WebSocketUpgrade},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use crate::ablate;

use super::{Gateway, credential, document::code, graphql::Refusal, origin, router::Inner};

const PROTOCOL: &str = "graphql-transport-ws";

/// Whether a request wants to become a WebSocket.
pub(super) fn is_upgrade(parts: &Parts) -> bool {
    let wants =
        parts.headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    parts.method == Method::GET && wants
}

/// Upgrades the connection and runs the protocol on it.
pub(super) async fn upgrade<G: Gateway>(door: Arc<Inner<G>>, mut parts: Parts) -> Response {
    // Pages of foreign origins are refused; programs, which send no origin, are not.
    if origin::of(&parts, &door.config) == origin::From::Foreign && !ablate::off("socket_origin") {
        let message = "this origin may not open a socket here";
        return Refusal::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message).into_json();
    }
    // The token of `connection_init` comes first; a client that cannot send one there may send it in the handshake.
    let Ok(credentials) = credential::read(&parts, &door.config) else {
        return Refusal::invalid_token().into_json();
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let status = rejection.into_response().status();
            return Refusal::new(status, code::BAD_REQUEST, "this is no WebSocket handshake").into_json();
        }
    };
    let limit = door.config.socket.message;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(limit).max_frame_size(limit);
    let spoken = upgrade.selected_protocol() == Some(&HeaderValue::from_static(PROTOCOL));
    let tracker = door.tracker.clone();
    let slot = parts.extensions.get::<credential::Slot>().cloned();
    upgrade.on_upgrade(move |socket| {
        tracker.track_future(async move {
            let _slot = slot;
            if spoken {
                session::run(door, socket, credentials).await;
            } else {
                close::Close::PROTOCOL.send(socket).await;
            }
        })
    })
}
