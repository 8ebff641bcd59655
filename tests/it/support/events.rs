//! A subscription as its follower sees it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
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
