//! Event streams: graphql-sse, distinct connections mode.

use std::time::Duration;

use super::toy::{Running, serve};

fn stream(server: &Running, query: &str) -> reqwest::RequestBuilder {
    server.post().header("accept", "text/event-stream").body(serde_json::json!({ "query": query }).to_string())
}

#[tokio::test]
async fn a_subscription_streams_and_completes() {
    let server = serve().await;
    let got = server.send(stream(&server, "subscription { count(to: 2) }")).await;
    assert_eq!((got.status, got.header("content-type")), (200, "text/event-stream; charset=utf-8"));
    let events: Vec<_> = got.text.split("\n\n").filter(|event| !event.starts_with(':') && !event.is_empty()).collect();
    assert_eq!(
        events,
        [
            "event: next\ndata: {\"data\":{\"count\":1}}",
            "event: next\ndata: {\"data\":{\"count\":2}}",
            "event: complete\ndata:"
        ]
    );
}

#[tokio::test]
async fn a_query_streams_once_and_a_refused_one_not_at_all() {
    let server = serve().await;
    assert!(
        server
            .send(stream(&server, "{ quick }"))
            .await
            .text
            .contains("event: next\ndata: {\"data\":{\"quick\":2}}\n\n")
    );
    let got = server.send(stream(&server, "subscription { nope }")).await;
    assert_eq!((got.status, got.code().as_str()), (400, "GRAPHQL_VALIDATION_FAILED"));
    let got = server
        .send(
            server
                .client
                .get(server.url("/graphql"))
                .header("accept", "text/event-stream")
                .query(&[("query", "mutation{rename(to:\"x\")}")]),
        )
        .await;
    assert_eq!(got.status, 405);
}

#[tokio::test]
async fn a_caller_that_is_cut_off_hears_it_and_the_stream_ends() {
    let server = serve().await;
    let open = stream(&server, "subscription { ticks }").send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    server.toy.revoke();
    let text = tokio::time::timeout(Duration::from_secs(2), open.text()).await.unwrap().unwrap();
    assert!(text.contains("{\"data\":{\"ticks\":0}}"), "{text}");
    assert!(text.ends_with("\"code\":\"UNAUTHENTICATED\"}}]}\n\nevent: complete\ndata:\n\n"), "{text}");
}

#[tokio::test]
async fn stopping_ends_streams() {
    let mut server = serve().await;
    let open = stream(&server, "subscription { ticks }").send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(3), server.stop()).await.expect("stops in time").unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), open.text()).await.is_ok());
}
