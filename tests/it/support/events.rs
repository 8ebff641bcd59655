//! A subscription over an event stream, event by event.

use std::time::Duration;

use serde_json::{Value, json};

use super::gateway::{Gateway, Person};

/// An open stream.
pub(crate) struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    /// Opens a stream as this person.
    pub(crate) async fn open(gateway: &Gateway, person: &Person, document: &str) -> Self {
        let request = reqwest::Client::new()
            .post(format!("{}/graphql", gateway.url))
            .header("accept", "text/event-stream")
            .bearer_auth(person.token.as_deref().unwrap())
            .json(&json!({ "query": document }));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "the stream opens");
        Self { response, read: String::new() }
    }

    /// The next answer; `None` when the stream is complete. Waits for at most ten seconds.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if event.starts_with("event: complete") {
                    return None;
                }
                if let Some((_, data)) = event.split_once("data: ") {
                    return Some(serde_json::from_str(data).unwrap());
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await;
            match chunk.expect("an event in time").unwrap() {
                Some(bytes) => self.read.push_str(&String::from_utf8_lossy(&bytes)),
                None => return None,
            }
        }
    }
}
