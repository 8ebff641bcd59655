//! A subscription as its follower sees it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::gateway::{Gateway, Person};

/// A stream of events.
#[derive(Debug)]
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
        Self::of(response)
    }

    pub(super) fn of(response: reqwest::Response) -> Self {
        Self { response, read: String::new() }
    }

    /// The answer of the next event; `None` when the stream is complete.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if event.starts_with("event: complete") {
                    return None;
                }
                if let Some((_, data)) = event.split_once("data: ") {
                    return Some(serde_json::from_str(data).unwrap());
                }
            }
            let chunk = timeout(Duration::from_secs(20), self.response.chunk()).await.expect("an event in time");
            self.read.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }
}
