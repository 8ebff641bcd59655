//! What people ask of a gateway, and what they are answered.

use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody with an access token.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    /// Its member in the organization the token is bound to.
    pub(crate) member: Option<Uuid>,
    pub(crate) token: Option<String>,
    pub(super) url: String,
    pub(super) client: reqwest::Client,
}

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Person {
    /// Asks without variables.
    pub(crate) async fn ask(&self, document: &str) -> Answer {
        self.send(document, json!({})).await
    }

    /// Sends a document with variables.
    pub(crate) async fn send(&self, document: &str, variables: Value) -> Answer {
        let mut request = self
            .client
            .post(&self.url)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, text, body }
    }

    /// Sends a mutation with one `$input` of this type: `alice.call("createTeam", json!({…}), "team { id }")`.
    pub(crate) async fn call(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        let mut type_name = mutation.to_owned();
        type_name[..1].make_ascii_uppercase();
        let document = format!(
            "mutation($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code message field remedy }} }} }}"
        );
        self.send(&document, json!({ "input": input })).await
    }

    /// The same person with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }
}

impl Answer {
    /// A value under `data`, by a path such as `organization.members.edges.0.node`; null where there is none.
    pub(crate) fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.body["data"], |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
    }

    /// The codes of the request's errors, in order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("(none)")).collect()
    }

    /// The codes of a mutation's refusals, in order.
    pub(crate) fn refusals(&self, mutation: &str) -> Vec<&str> {
        let errors = self.body["data"][mutation]["userErrors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["code"].as_str().unwrap_or("(none)")).collect()
    }

    /// Asserts that there is no error of any kind, and gives the answer back.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        assert!(self.body.get("errors").is_none(), "{}", self.text);
        let refused = self.body["data"].as_object().into_iter().flatten().any(|(_, field)| {
            field.get("userErrors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        });
        assert!(!refused, "{}", self.text);
        self
    }
}
