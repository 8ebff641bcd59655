//! The document gate, over HTTP: statuses and messages. What it counts is tested beside it.

use serde_json::json;

use super::toy::{serve, serve_with};

#[tokio::test]
async fn refusals_are_clear_and_stable() {
    let server = serve().await;
    let wide = format!("{{ {} }}", (0..65).map(|n| format!("a{n}: quick")).collect::<Vec<_>>().join(" "));
    let deep = format!("{{ person {}{{ id }}{} }}", "{ friend ".repeat(16), "}".repeat(16));
    let nested = "{ person { friends(first: 100) { nodes { friends(first: 100) { nodes { id } } } } } }";
    for (query, code, message) in [
        ("{ hello", "GRAPHQL_PARSE_FAILED", "syntax error: unexpected end of the document"),
        ("{ hello ? }", "GRAPHQL_PARSE_FAILED", "syntax error: unexpected `?`"),
        ("", "GRAPHQL_PARSE_FAILED", "syntax error: unexpected end of the document"),
        ("query() { hello }", "GRAPHQL_PARSE_FAILED", "syntax error: `()` holds nothing"),
        ("{ unlisted }", "GRAPHQL_VALIDATION_FAILED", "unknown field `unlisted` at the root of this query"),
        ("{ hello @nope }", "GRAPHQL_VALIDATION_FAILED", "unknown directive `@nope`"),
        ("{ __typename @nope }", "GRAPHQL_VALIDATION_FAILED", "unknown directive `@nope`"),
        ("{ __typename @skip(if: true) @skip(if: true) }", "GRAPHQL_VALIDATION_FAILED", "`@skip` is repeated"),
        ("{ __typename @skip }", "GRAPHQL_VALIDATION_FAILED", "`@skip` takes exactly one argument, `if`"),
        ("{ __typename { x } }", "GRAPHQL_VALIDATION_FAILED", "`__typename` takes neither arguments nor a selection"),
        ("query @nope { hello }", "GRAPHQL_VALIDATION_FAILED", "`@nope` may not stand here"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED", "fragment `F` spreads itself"),
        ("{ count(to: 2147483648) }", "GRAPHQL_VALIDATION_FAILED", "`2147483648` is not a 32-bit `Int`"),
        ("{ count(filter: { limit: 2147483648 }) }", "GRAPHQL_VALIDATION_FAILED", "`2147483648` is not a 32-bit `Int`"),
        (wide.as_str(), "DOCUMENT_TOO_LARGE", "the document has more than 64 aliases, fragments spread"),
        (deep.as_str(), "DOCUMENT_TOO_DEEP", "the document is nested too deep: more than 15 levels of fields"),
        (
            nested,
            "DOCUMENT_TOO_COSTLY",
            "the document may ask for 10100 rows, more than 10000: ask for smaller pages, or for fewer inside each other",
        ),
        (
            "query A { hello } query B { hello }",
            "OPERATION_NOT_FOUND",
            "the document has several operations: `operationName` must name one",
        ),
        (
            "subscription { ticks }",
            "GRAPHQL_VALIDATION_FAILED",
            "a subscription needs a WebSocket (`graphql-transport-ws`) or an event stream (`Accept: text/event-stream`)",
        ),
    ] {
        let got = server.ask(query).await;
        let error = &got.json()["errors"][0];
        assert_eq!(
            (got.status, error["extensions"]["code"].as_str(), error["message"].as_str()),
            (400, Some(code), Some(message)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn variables_fit_their_types_though_nothing_reads_them() {
    let server = serve().await;
    for (query, variables, message) in [
        ("query($n: Int!) { hello }", json!({}), "variable `$n` of type `Int!` must be given"),
        ("query($n: Int!) { hello }", json!({ "n": null }), "variable `$n` of type `Int!` must not be null"),
        (
            "query($n: Int) { count(to: $n) }",
            json!({ "n": 2_147_483_648_i64 }),
            "variable `$n` of type `Int` does not hold a valid `Int`",
        ),
        (
            "query($n: Int) { count(to: $n) }",
            json!({ "n": "1" }),
            "variable `$n` of type `Int` does not hold a valid `Int`",
        ),
        (
            "query($f: Filter) { count(filter: $f) }",
            json!({ "f": {} }),
            "variable `$f` of type `Filter` lacks the field `limit` of `Filter`",
        ),
        (
            "query($f: Filter) { count(filter: $f) }",
            json!({ "f": { "limit": 1, "level": "MUCH" } }),
            "variable `$f` of type `Filter` does not hold a valid `Level`, at `Filter.level`",
        ),
        (
            "query($f: Filter) { count(filter: $f) }",
            json!({ "f": { "limit": 1, "x": 1 } }),
            "variable `$f` of type `Filter` has an unknown field `x` in `Filter`",
        ),
    ] {
        let got = server.ask_with(json!({ "query": query, "variables": variables })).await;
        let error = &got.json()["errors"][0];
        assert_eq!(
            (got.status, error["message"].as_str(), error["extensions"]["code"].as_str()),
            (400, Some(message), Some("BAD_USER_INPUT")),
            "{query}"
        );
    }
    let fine = json!({ "query": "query($f: Filter) { count(filter: $f) }", "variables": { "f": { "limit": 3, "level": "READ" } } });
    assert_eq!(server.ask_with(fine).await.text, r#"{"data":{"count":3}}"#);
}

#[tokio::test]
async fn a_page_asked_by_variable_costs_what_a_literal_costs() {
    let server = serve().await;
    let query = "query($n: Int, $m: Int = 100) { person { friends(first: $n) { nodes { friends(first: $m) { nodes { id } } } } } }";
    let code = |n: i64| {
        let body = json!({ "query": query, "variables": { "n": n } });
        let server = &server;
        async move { server.ask_with(body).await }
    };
    assert_eq!(code(200).await.code(), "DOCUMENT_TOO_COSTLY");
    assert_eq!(code(2_147_483_647).await.code(), "DOCUMENT_TOO_COSTLY");
    assert_eq!(code(2).await.status, 200);
}

#[tokio::test]
async fn fragment_bombs_are_refused_at_once() {
    let server = serve().await;
    let bomb =
        (0..30).map(|n| format!("fragment F{n} on Query{{...F{0} ...F{0}}}", n + 1)).collect::<Vec<_>>().concat();
    let got = server.ask(&format!("{{...F0}}{bomb}fragment F30 on Query{{quick}}")).await;
    assert_eq!(got.status, 400, "{}", got.text);
    assert!(["DOCUMENT_TOO_LARGE", "DOCUMENT_TOO_DEEP"].contains(&got.code().as_str()));
    let tokens = server.ask(&format!("{{ {} }}", "quick ".repeat(10_000))).await;
    assert_eq!(tokens.json()["errors"][0]["message"], "the document has more than 2000 tokens");
    let bytes = server.ask(&format!("{{ quick }} #{}", "x".repeat(70_000))).await;
    assert_eq!(bytes.code(), "DOCUMENT_TOO_LARGE");
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let server = serve_with(|config| config.introspection = false).await;
    for query in
        ["{ __schema { types { name } } }", "{ ...F } fragment F on Query { __type(name: \"Query\") { name } }"]
    {
        let got = server.ask(query).await;
        assert_eq!((got.status, got.code().as_str()), (400, "GRAPHQL_VALIDATION_FAILED"), "{}", got.text);
    }
    assert_eq!(server.ask("{ __typename }").await.text, r#"{"data":{"__typename":"Query"}}"#);
    let open = serve().await;
    let bomb = "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}";
    assert_eq!(open.ask(bomb).await.code(), "DOCUMENT_TOO_DEEP");
}
