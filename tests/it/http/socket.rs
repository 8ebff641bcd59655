//! GraphQL over WebSocket, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::toy::{Running, serve, serve_with};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

async fn try_open(
    server: &Running,
    protocol: Option<&'static str>,
    headers: &[(&'static str, &str)],
) -> Result<Socket, Error> {
    let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
    }
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| Socket(socket))
}

async fn open(server: &Running) -> Socket {
    try_open(server, Some("graphql-transport-ws"), &[]).await.unwrap()
}

/// A socket whose client is in.
async fn enter(server: &Running, payload: Value) -> Socket {
    let mut socket = open(server).await;
    socket.say(json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
    socket
}

impl Socket {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    /// The next message of the protocol.
    async fn hear(&mut self) -> Value {
        loop {
            match timeout(Duration::from_secs(3), self.0.next()).await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(frame))) => panic!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                other => panic!("ended: {other:?}"),
            }
        }
    }

    /// The first message that is no event, which must come soon.
    async fn hear_end(&mut self) -> Value {
        for _ in 0..100 {
            let message = self.hear().await;
            if message["type"] != "next" {
                return message;
            }
        }
        panic!("events went on and on")
    }

    /// The code of the close, messages before it left aside.
    async fn closed(&mut self) -> u16 {
        loop {
            match timeout(Duration::from_secs(3), self.0.next()).await.expect("a close in time") {
                Some(Ok(Message::Close(frame))) => return frame.expect("a code").code.into(),
                Some(Ok(_)) => {}
                other => panic!("ended without a close: {other:?}"),
            }
        }
    }

    /// That nothing comes for a while.
    async fn silent(&mut self) {
        if let Ok(message) = timeout(Duration::from_millis(150), self.0.next()).await {
            panic!("heard {message:?}");
        }
    }
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_work_and_complete() {
    let server = serve().await;
    let mut socket = enter(&server, json!({ "Authorization": "Bearer alice" })).await;
    for (query, answers) in [
        ("{ viewer }", vec![json!({ "data": { "viewer": "alice" } })]),
        ("mutation { rename(to: \"bob\") }", vec![json!({ "data": { "rename": "bob" } })]),
        ("subscription { count(to: 2) }", vec![json!({ "data": { "count": 1 } }), json!({ "data": { "count": 2 } })]),
    ] {
        socket.subscribe("1", query).await;
        for payload in answers {
            assert_eq!(socket.hear().await, json!({ "type": "next", "id": "1", "payload": payload }));
        }
        assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "1" }));
    }
}

#[tokio::test]
async fn events_are_completed_like_answers() {
    let server = serve().await;
    let mut socket = enter(&server, Value::Null).await;
    socket.subscribe("1", "subscription { people { id secret } }").await;
    assert_eq!(socket.hear().await["payload"]["data"], json!({ "people": { "id": 1, "secret": null } }));
}

#[tokio::test]
async fn request_errors_are_error_messages_and_nothing_follows() {
    let server = serve().await;
    let mut socket = enter(&server, Value::Null).await;
    for (query, code) in [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { count(to: 1) ticks }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(nope: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer }", "UNAUTHENTICATED"),
        ("subscription { forbidden }", "FORBIDDEN"),
    ] {
        socket.subscribe("e", query).await;
        let message = socket.hear().await;
        assert_eq!(
            (message["type"].as_str(), message["payload"][0]["extensions"]["code"].as_str()),
            (Some("error"), Some(code)),
            "{query}"
        );
    }
    let bomb = format!("{{ {} }}", (0..100).map(|n| format!("a{n}: quick")).collect::<Vec<_>>().join(" "));
    socket.subscribe("e", &bomb).await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "DOCUMENT_TOO_LARGE");
    socket.silent().await;
}

#[tokio::test]
async fn a_completed_operation_is_silent_and_its_id_free() {
    let server = serve().await;
    let mut socket = enter(&server, Value::Null).await;
    socket.subscribe("1", "subscription { ticks }").await;
    assert_eq!(socket.hear().await["type"], "next");
    socket.say(json!({ "type": "complete", "id": "1" })).await;
    socket.subscribe("2", "{ quick }").await;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&json!(["complete", "2"])) {
        let message = socket.hear().await;
        kinds.push(json!([message["type"], message["id"]]));
    }
    socket.silent().await;
    socket.subscribe("1", "{ quick }").await;
    assert_eq!(socket.hear().await["id"], "1");
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_with_its_code() {
    let server = serve().await;
    for (text, code) in [
        ("{nope", 4400),
        ("{\"type\":\"start\",\"id\":\"1\"}", 4400),
        ("{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{}}", 4400),
        ("{\"type\":\"connection_init\"}", 4429),
    ] {
        let mut socket = enter(&server, Value::Null).await;
        socket.0.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.closed().await, code, "{text}");
    }
    let mut socket = enter(&server, Value::Null).await;
    socket.0.send(Message::binary(vec![0, 255])).await.unwrap();
    assert_eq!(socket.closed().await, 4400);

    let mut early = open(&server).await;
    early.subscribe("1", "{ quick }").await;
    assert_eq!(early.closed().await, 4401);

    let mut double = enter(&server, Value::Null).await;
    double.subscribe(&"long".repeat(32), "subscription { ticks }").await;
    double.subscribe(&"long".repeat(32), "subscription { ticks }").await;
    assert_eq!(double.closed().await, 4409);
}

#[tokio::test]
async fn a_credential_that_is_not_valid_closes_4403() {
    let server = serve().await;
    for payload in [
        json!({ "authorization": "Bearer forged" }),
        json!({ "Authorization": "nonsense" }),
        json!({ "authorization": ["x"] }),
    ] {
        let mut socket = open(&server).await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.closed().await, 4403);
    }
    let mut socket = open(&server).await;
    socket.say(json!({ "type": "connection_init", "payload": { "authorization": "Bearer down" } })).await;
    assert_eq!(socket.closed().await, 1013);
}

#[tokio::test]
async fn who_does_not_come_in_is_closed_4408() {
    let server = serve_with(|config| config.socket.init = Duration::from_millis(100)).await;
    assert_eq!(open(&server).await.closed().await, 4408);
}

#[tokio::test]
async fn only_the_one_subprotocol_is_spoken() {
    let server = serve().await;
    let chosen = try_open(&server, Some("no-such-protocol, graphql-transport-ws"), &[]).await;
    assert!(chosen.is_ok());
    let mut none = try_open(&server, None, &[]).await.unwrap();
    assert_eq!(none.closed().await, 4406);
    assert!(try_open(&server, Some("graphql-ws"), &[]).await.is_err());
}

#[tokio::test]
async fn pages_of_other_origins_may_not_open_a_socket() {
    let server = serve_with(|config| config.cors_origins = vec!["https://app.example".parse().unwrap()]).await;
    let status = async |origin: &str| match try_open(&server, Some("graphql-transport-ws"), &[("origin", origin)]).await
    {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(status("https://evil.example").await, 403);
    assert_eq!(status("null").await, 403);
    assert_eq!(status("https://app.example").await, 101);
    assert_eq!(status(&format!("http://{}", server.address)).await, 101);
    assert_eq!(status("http://localhost:1").await, 403);
}

#[tokio::test]
async fn pings_are_answered_and_silence_ends_a_socket() {
    let server = serve_with(|config| {
        config.socket.ping = Duration::from_millis(50);
        config.socket.silence = Duration::from_millis(200);
    })
    .await;
    let mut socket = open(&server).await;
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong" }));
    socket.say(json!({ "type": "pong" })).await;
    // A peer that does not read answers no ping.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let ended = timeout(Duration::from_secs(2), async { while matches!(socket.0.next().await, Some(Ok(_))) {} }).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn live_operations_and_messages_are_bounded() {
    let server = serve_with(|config| config.socket.operations = 3).await;
    let mut socket = enter(&server, Value::Null).await;
    for id in ["1", "2", "3", "4"] {
        socket.subscribe(id, "subscription { ticks }").await;
    }
    let message = socket.hear_end().await;
    let code = message["payload"][0]["extensions"]["code"].as_str();
    assert_eq!((message["id"].as_str(), code), (Some("4"), Some("TOO_MANY_OPERATIONS")));
    let mut socket = enter(&server, Value::Null).await;
    let _ = socket.0.send(Message::text("a".repeat(300 * 1024))).await;
    assert_eq!(socket.closed().await, 1009);
}

#[tokio::test]
async fn a_caller_that_is_cut_off_loses_operations_and_socket() {
    let server = serve().await;
    let mut socket = enter(&server, json!({ "authorization": "Bearer alice" })).await;
    socket.subscribe("1", "subscription { ticks }").await;
    assert_eq!(socket.hear().await["type"], "next");
    server.toy.revoke();
    let message = socket.hear_end().await;
    assert_eq!(
        (message["type"].as_str(), message["payload"][0]["extensions"]["code"].as_str()),
        (Some("error"), Some("UNAUTHENTICATED"))
    );
    assert_eq!(socket.closed().await, 4403);
}

#[tokio::test]
async fn whoever_loses_the_right_to_an_operation_loses_the_socket() {
    let server = serve().await;
    let mut socket = enter(&server, json!({ "authorization": "Bearer alice" })).await;
    socket.subscribe("1", "subscription { lost }").await;
    assert_eq!(socket.hear().await["payload"]["data"]["lost"], 1);
    let message = socket.hear_end().await;
    assert_eq!(
        (message["type"].as_str(), message["payload"][0]["extensions"]["code"].as_str()),
        (Some("error"), Some("FORBIDDEN"))
    );
    assert_eq!(socket.closed().await, 4403);

    // What cannot begin, and what is refused within an answer, costs nothing else.
    let mut socket = enter(&server, json!({ "authorization": "Bearer alice" })).await;
    socket.subscribe("1", "subscription { forbidden }").await;
    assert_eq!(socket.hear_end().await["type"], "error");
    socket.subscribe("2", "subscription { people { secret } }").await;
    assert_eq!(socket.hear().await["payload"]["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(socket.hear_end().await["type"], "complete");
    socket.subscribe("3", "{ quick }").await;
    assert_eq!(socket.hear().await["id"], "3");
}

#[tokio::test]
async fn stopping_closes_sockets_1001_and_waits_for_none() {
    let mut server = serve().await;
    let mut socket = enter(&server, Value::Null).await;
    socket.subscribe("1", "subscription { ticks }").await;
    let _deaf = enter(&server, Value::Null).await;
    let stopped = server.stop();
    assert_eq!(socket.closed().await, 1001);
    timeout(Duration::from_secs(4), stopped).await.expect("stops in time").unwrap();
}
