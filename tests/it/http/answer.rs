//! Answers: media types, statuses, and data completed as the specification asks.

use serde_json::json;

use super::toy::{Running, serve};

/// The answer's text to a document, exactly.
async fn text(server: &Running, query: &str) -> String {
    let got = server.ask(query).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.text
}

#[tokio::test]
async fn the_media_type_is_negotiated_and_a_request_error_is_told_by_it() {
    let server = serve().await;
    for (accept, media, status) in [
        (None, "application/json; charset=utf-8", 200),
        (Some("*/*"), "application/json; charset=utf-8", 200),
        (Some("application/json"), "application/json; charset=utf-8", 200),
        (Some("application/graphql-response+json"), "application/graphql-response+json; charset=utf-8", 400),
        (
            Some("application/json;q=0.1, application/graphql-response+json"),
            "application/graphql-response+json; charset=utf-8",
            400,
        ),
    ] {
        for query in ["{ hello", "{ nope }", "{ hello(nope: 1) }"] {
            let mut request = server.post().body(json!({ "query": query }).to_string());
            if let Some(accept) = accept {
                request = request.header("accept", accept);
            }
            let got = server.send(request).await;
            assert_eq!((got.status, got.header("content-type")), (status, media), "{accept:?} {query}");
            assert!(got.json().get("data").is_none(), "{}", got.text);
        }
    }
    let got = server.send(server.post().header("accept", "text/html").body(r#"{"query":"{hello}"}"#)).await;
    assert_eq!((got.status, got.code().as_str()), (406, "NOT_ACCEPTABLE"));
}

#[tokio::test]
async fn fields_stand_as_selected_not_as_they_were_ready() {
    let server = serve().await;
    assert_eq!(text(&server, "{ slow quick }").await, r#"{"data":{"slow":1,"quick":2}}"#);
    assert_eq!(
        text(&server, "{ person { ...F id } } fragment F on Person { name b: id }").await,
        r#"{"data":{"person":{"name":"person 1","b":1,"id":1}}}"#
    );
}

#[tokio::test]
async fn a_failed_nullable_field_is_null_and_its_siblings_stay() {
    let server = serve().await;
    assert_eq!(
        text(&server, "{ person { id secret name } }").await,
        r#"{"data":{"person":{"id":1,"secret":null,"name":"person 1"}},"errors":[{"message":"refused: FORBIDDEN","locations":[{"line":1,"column":15}],"path":["person","secret"],"extensions":{"code":"FORBIDDEN"}}]}"#
    );
}

#[tokio::test]
async fn an_object_whose_every_field_failed_is_no_null() {
    let server = serve().await;
    let got = server.ask("{ person { secret } nobody { secret } solid { secret } }").await.json();
    assert_eq!(got["data"], json!({ "person": { "secret": null }, "nobody": null, "solid": { "secret": null } }));
}

#[tokio::test]
async fn a_failed_non_null_field_takes_its_nearest_nullable_parent_with_it() {
    let server = serve().await;
    let data = async |query: &str| server.ask(query).await.json()["data"].clone();
    assert_eq!(data("{ hello person { id broken } }").await, json!({ "hello": "hello stranger", "person": null }));
    assert_eq!(data("{ person { friend { x: broken } id } }").await, json!({ "person": { "friend": null, "id": 1 } }));
    // A non-null list of non-null objects at a non-null field: all the way up.
    assert_eq!(data("{ hello people { broken } }").await, json!(null));
    assert_eq!(data("{ hello solid { id broken } }").await, json!(null));
    assert_eq!(data("{ doomed }").await, json!(null));
    let got = server.ask("{ doomed }").await;
    assert_eq!((got.status, got.json().get("data").is_some()), (200, true), "{}", got.text);
}

#[tokio::test]
async fn below_an_interface_or_union_the_concrete_type_decides() {
    let server = serve().await;
    assert_eq!(
        text(&server, "{ nodes { id ... on Book { title } ...P } } fragment P on Person { secret }").await,
        r#"{"data":{"nodes":[{"id":7,"title":"gates"},null,{"id":1,"secret":null}]},"errors":[{"message":"refused: FORBIDDEN","locations":[{"line":1,"column":68}],"path":["nodes",2,"secret"],"extensions":{"code":"FORBIDDEN"}}]}"#
    );
    let got = server.ask("{ found { kind: __typename ... on Person { secret } ... on Node { id } } }").await.json();
    assert_eq!(
        got["data"],
        json!({ "found": [{ "kind": "Person", "secret": null, "id": 1 }, { "kind": "Book", "id": 7 }] })
    );
    // Nullable items take the failure of a non-null field.
    let got = server.ask("{ nodes { ... on Person { broken } } }").await.json();
    assert_eq!(got["data"], json!({ "nodes": [{}, null, null] }));
}

#[tokio::test]
async fn skipped_fields_are_not_missing_ones() {
    let server = serve().await;
    let query = "query($no: Boolean = false) { hello @include(if: $no) quick @skip(if: true) }";
    assert_eq!(text(&server, query).await, r#"{"data":{}}"#);
    assert_eq!(text(&server, "{ solid { id @skip(if: true) } }").await, r#"{"data":{"solid":{}}}"#);
    let body = json!({ "query": query, "variables": { "no": true } });
    assert_eq!(server.ask_with(body).await.text, r#"{"data":{"hello":"hello stranger"}}"#);
    // A default that lets a field in, and one that leaves another out.
    let query = "query($yes: Boolean! = true) { hello @include(if: $yes) quick @skip(if: $yes) }";
    assert_eq!(text(&server, query).await, r#"{"data":{"hello":"hello stranger"}}"#);
    let nested = "query($yes: Boolean = true) { solid { id @include(if: $yes) } }";
    let shown = server.ask(nested).await.json();
    assert_eq!(shown["data"], server.ask("{ solid { id } }").await.json()["data"]);
    assert!(!shown["data"]["solid"]["id"].is_null());
}

#[tokio::test]
async fn one_field_selected_twice_is_one_field() {
    let server = serve().await;
    assert_eq!(
        text(&server, "{ person { name } quick person { id secret } }").await.split(",\"errors\"").next().unwrap(),
        r#"{"data":{"person":{"name":"person 1","id":1,"secret":null},"quick":2}"#
    );
}

#[tokio::test]
async fn facts_that_cannot_be_read_answer_503() {
    let server = serve().await;
    let got = server.ask("{ quick unavailable }").await;
    assert_eq!((got.status, got.header("retry-after")), (503, "1"));
    let got = server.send(server.post().bearer_auth("down").body(r#"{"query":"{hello}"}"#)).await;
    assert_eq!((got.status, got.code().as_str()), (503, "AUTHZ_UNAVAILABLE"));
}

#[tokio::test]
async fn every_error_has_a_code_and_there_are_never_too_many() {
    let server = serve().await;
    let fields = (0..60).map(|n| format!("nope{n}")).collect::<Vec<_>>().join(" ");
    let got = server.ask(&format!("{{ person {{ {fields} }} }}")).await.json();
    let errors = got["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 51);
    assert!(errors.iter().all(|error| error["extensions"]["code"].is_string()));
    assert_eq!(errors[50]["message"], "10 further errors are not shown");
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_lives() {
    let server = serve().await;
    let got = server.ask("{ panics }").await;
    assert_eq!((got.status, got.code().as_str()), (500, "INTERNAL"));
    assert!(!got.text.contains("on purpose"));
    assert_eq!(server.ask("{ quick }").await.text, r#"{"data":{"quick":2}}"#);
}

#[tokio::test]
async fn introspection_answers_the_tools_query() {
    let server = serve().await;
    let got = server.ask(include_str!("introspection.graphql")).await;
    assert_eq!(got.status, 200, "{}", &got.text[..got.text.len().min(300)]);
    assert_eq!(got.json()["data"]["__schema"]["queryType"]["name"], "Query");
}
