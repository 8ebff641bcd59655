//! Routes and what every answer carries.

use super::toy::{serve, serve_with};

#[tokio::test]
async fn health_is_of_the_process_and_readiness_of_what_it_needs() {
    let server = serve().await;
    assert_eq!(server.get("/readyz").await.text, r#"{"status":"ready","checks":{"store":"ok"}}"#);
    server.toy.set_ready(false);
    let got = server.get("/readyz").await;
    assert_eq!((got.status, got.text.as_str()), (503, r#"{"status":"unavailable","checks":{"store":"unavailable"}}"#));
    let got = server.get("/healthz").await;
    assert_eq!((got.status, got.text.as_str()), (200, r#"{"status":"ok"}"#));
}

#[tokio::test]
async fn a_request_id_is_kept_if_well_formed_and_made_otherwise() {
    let server = serve().await;
    let with = async |id: &str| {
        let request = server.client.get(server.url("/healthz")).header("x-request-id", id);
        server.send(request).await.header("x-request-id").to_owned()
    };
    assert_eq!(with("trace-0123.abc").await, "trace-0123.abc");
    for forged in ["short", "a b c d e f g h", "x\"y\"zzzzzzz", &"a".repeat(65)] {
        let made = with(forged).await;
        assert_eq!(made.len(), 32, "{made}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let server = serve().await;
    for path in ["/healthz", "/graphql?query=%7Bquick%7D", "/nowhere", "/graphql"] {
        let got = server.get(path).await;
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(got.header("cache-control"), "no-store", "{path}");
        assert!(got.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
    assert_eq!(server.get("/nowhere").await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn only_configured_origins_may_read_answers() {
    let server = serve_with(|config| config.cors_origins = vec!["https://app.example".parse().unwrap()]).await;
    let preflight = async |origin: &str| {
        let request = server
            .client
            .request(reqwest::Method::OPTIONS, server.url("/graphql"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization");
        server.send(request).await
    };
    let fine = preflight("https://app.example").await;
    assert_eq!(fine.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(fine.header("access-control-allow-credentials"), "true");
    assert_eq!(preflight("https://evil.example").await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn the_playground_is_served_from_the_binary_or_not_at_all() {
    let server = serve().await;
    let page = server.get("/graphiql").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'self';"));
    assert!(!page.text.contains("http"), "nothing from elsewhere");
    for (asset, media) in [
        ("graphiql.min.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("boot.js", "text/javascript; charset=utf-8"),
    ] {
        let got = server.get(&format!("/graphiql/{asset}")).await;
        assert_eq!((got.status, got.header("content-type")), (200, media));
    }
    assert_eq!(server.get("/graphiql/..%2f..%2fCargo.toml").await.status, 404);
    assert_eq!(server.get("/").await.header("location"), "graphiql");
    let browser = server.client.get(server.url("/graphql")).header("accept", "text/html,application/xhtml+xml");
    assert_eq!(server.send(browser).await.header("location"), "graphiql");

    let closed = serve_with(|config| config.playground = false).await;
    for path in ["/", "/graphiql", "/graphiql/boot.js"] {
        assert_eq!(closed.get(path).await.status, 404, "{path}");
    }
}
