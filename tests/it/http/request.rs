//! Requests: what is read, what is refused, and in which words.

use serde_json::{Value, json};

use super::toy::{serve, serve_with};

#[tokio::test]
async fn a_query_may_come_by_get_with_its_variables() {
    let server = serve().await;
    let query = "query%20Q(%24n%3A%20String)%20%7B%20hello(name%3A%20%24n)%20%7D%20query%20R%20%7B%20quick%20%7D";
    let path = format!("/graphql?query={query}&operationName=Q&variables=%7B%22n%22%3A%22alice%22%7D&other=1");
    let got = server.get(&path).await;
    assert_eq!((got.status, got.text.as_str()), (200, r#"{"data":{"hello":"hello alice"}}"#));
    assert_eq!(got.header("cache-control"), "no-store");
}

#[tokio::test]
async fn nothing_but_a_query_comes_by_get() {
    let server = serve().await;
    for document in ["mutation{rename(to:\"x\")}", "subscription{ticks}"] {
        let got = server
            .send(server.client.get(server.url("/graphql")).query(&[("query", document)]).bearer_auth("alice"))
            .await;
        assert_eq!(
            (got.status, got.header("allow"), got.code().as_str()),
            (405, "POST", "METHOD_NOT_ALLOWED"),
            "{document}"
        );
    }
    let got = server.send(server.client.put(server.url("/graphql"))).await;
    assert_eq!((got.status, got.header("allow")), (405, "GET, POST"));
}

#[tokio::test]
async fn only_json_is_read() {
    let server = serve().await;
    let body = r#"{"query":"mutation{rename(to:\"x\")}"}"#;
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/json; charset=latin1",
        "application/graphql",
        "",
    ] {
        let got = server
            .send(
                server
                    .client
                    .post(server.url("/graphql"))
                    .header("content-type", media)
                    .bearer_auth("alice")
                    .body(body),
            )
            .await;
        assert_eq!((got.status, got.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{media}");
    }
    let untyped = server.client.post(server.url("/graphql")).bearer_auth("alice").body(body);
    assert_eq!(server.send(untyped).await.status, 415);
    let packed = server.post().header("content-encoding", "gzip").body(body);
    assert_eq!(server.send(packed).await.status, 415);
    let utf8 = server
        .client
        .post(server.url("/graphql"))
        .header("content-type", "application/json; charset=UTF-8")
        .bearer_auth("alice")
        .body(body);
    assert_eq!(server.send(utf8).await.text, r#"{"data":{"rename":"x"}}"#);
}

#[tokio::test]
async fn malformed_requests_are_refused_with_what_is_wrong() {
    let server = serve().await;
    for (body, message) in [
        ("", "the body is not JSON, at line 1, column 0"),
        ("{\"query\":", "the body is not JSON, at line 1, column 9"),
        ("[]", "batches are not supported: send one request at a time"),
        (r#"[{"query":"{hello}"}]"#, "batches are not supported: send one request at a time"),
        ("\"x\"", "the body must be a JSON object"),
        ("{}", "`query` must be a string that holds a document"),
        (r#"{"query":1}"#, "`query` must be a string that holds a document"),
        (r#"{"query":"{hello}","operationName":1}"#, "`operationName` must be a string or null"),
        (r#"{"query":"{hello}","variables":[]}"#, "`variables` must be an object or null"),
        (r#"{"query":"{hello}","extensions":"x"}"#, "`extensions` must be an object or null"),
    ] {
        let got = server.send(server.post().body(body)).await;
        assert_eq!(got.status, 400, "{body}");
        assert_eq!(
            got.json(),
            json!({ "errors": [{ "message": message, "extensions": { "code": "BAD_REQUEST" } }] }),
            "{body}"
        );
    }
    let nested = format!("{{\"query\":\"{{hello}}\",\"variables\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(server.send(server.post().body(nested)).await.status, 400);
    let invalid = server.post().body(b"{\"query\":\"{hello \xff}\"}".to_vec());
    assert_eq!(server.send(invalid).await.status, 400);
}

#[tokio::test]
async fn a_body_has_a_limit_announced_or_not() {
    let server = serve_with(|config| config.body_limit = 2048).await;
    let big = json!({ "query": "{hello}", "variables": { "x": "a".repeat(4096) } }).to_string();
    let got = server.send(server.post().body(big.clone())).await;
    assert_eq!((got.status, got.code().as_str()), (413, "BODY_TOO_LARGE"));
    let raw = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n",
        big.len()
    );
    assert!(super::server::raw(&server, raw.as_bytes()).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_credential_that_is_not_valid_is_refused_before_graphql_in_one_wording() {
    let server = serve().await;
    let mut texts = std::collections::HashSet::new();
    let body = r#"{"query":"{hello}"}"#;
    for authorization in ["Bearer forged", "bearer FORGED", "Bearer", "Basic YWxpY2U6eA==", "Bearer a b"] {
        let got = server.send(server.post().header("authorization", authorization).body(body)).await;
        assert_eq!(
            (got.status, got.header("www-authenticate")),
            (401, "Bearer error=\"invalid_token\""),
            "{authorization}"
        );
        assert_eq!(got.code(), "UNAUTHENTICATED");
        texts.insert(got.text);
    }
    let twice =
        server.post().header("authorization", "Bearer alice").header("authorization", "Bearer alice").body(body);
    texts.insert(server.send(twice).await.text);
    assert_eq!(texts.len(), 1, "{texts:?}");
    let fine = server.send(server.post().header("authorization", "bEARER alice").body(r#"{"query":"{viewer}"}"#)).await;
    assert_eq!(fine.text, r#"{"data":{"viewer":"alice"}}"#);
}

#[tokio::test]
async fn a_stranger_is_asked_to_sign_in_where_a_field_needs_it() {
    let server = serve().await;
    let got = server.ask("{ hello viewer }").await;
    assert_eq!((got.status, got.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(
        got.json(),
        json!({ "errors": [{ "message": "sign in to use `viewer`", "locations": [{ "line": 1, "column": 9 }], "extensions": { "code": "UNAUTHENTICATED" } }] })
    );
}

#[tokio::test]
async fn only_a_trusted_proxy_tells_the_clients_address() {
    let peer = |got: super::toy::Got| got.json()["data"]["peer"].clone();
    let forwarded = |server: &super::toy::Running| {
        server.post().header("x-forwarded-for", "6.6.6.6, 198.51.100.7").body(r#"{"query":"{peer}"}"#)
    };
    let open = serve().await;
    assert_eq!(peer(open.send(forwarded(&open)).await), Value::from("127.0.0.1"));
    let behind = serve_with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    assert_eq!(peer(behind.send(forwarded(&behind)).await), Value::from("198.51.100.7"));
}
