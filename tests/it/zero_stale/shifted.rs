//! R20: a line that brings replies out of step now and then. Nobody is answered with what is another's.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    company::Company,
    fleet::{Fleet, NODES},
};
use crate::support::gateway::{Answer, scale};

/// Questions at the usual scale.
const QUESTIONS: usize = 5_000;
/// One reply in so many brings its connection out of step.
const ONE_IN: u64 = 1_000;
/// Different people and programs who ask.
const ASKERS: usize = 12;
/// Who asks at the same time.
const AT_ONCE: usize = 12;

/// Somebody, and what nobody else is answered.
struct Asker {
    token: String,
    own: Value,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r20_nobody_is_answered_with_what_is_anothers() {
    let fleet = Arc::new(Fleet::start().await);
    let mut askers = Vec::new();
    for number in 0..ASKERS {
        let mut company = Company::new(&fleet, fleet.office.blueprint("crew").await);
        let bob = company.worker(&fleet, &format!("bob{number}"), "chief");
        let (_, program) = company.program();
        company.write(&fleet).await;
        for token in [bob.token, program] {
            let own = who(&fleet.ask(number % NODES, &token, &question()).await.unwrap().ok());
            askers.push(Asker { token, own });
        }
    }
    assert!(askers.iter().enumerate().all(|(at, one)| askers[..at].iter().all(|other| one.own != other.own)));
    let askers = Arc::new(askers);
    for node in &fleet.nodes {
        node.line.shift_one_in(ONE_IN);
    }
    let questions = QUESTIONS * scale();
    let asking = (0..AT_ONCE).map(|first| {
        let (fleet, askers) = (Arc::clone(&fleet), Arc::clone(&askers));
        tokio::spawn(async move {
            let mut foreign = Vec::new();
            for number in (first..questions).step_by(AT_ONCE) {
                // Whoever asks here next is another one, so that a reply to the question before is a foreign one.
                let asker = &askers[(number * 7 + number / askers.len()) % askers.len()];
                let answer = fleet.ask(number % NODES, &asker.token, &question()).await.unwrap().ok();
                if who(&answer) != asker.own {
                    foreign.push(format!("{} is answered {}", asker.own, answer.text));
                }
            }
            foreign
        })
    });
    let foreign: Vec<String> = join_all(asking).await.into_iter().flat_map(Result::unwrap).collect();
    let shifts: u64 = fleet.nodes.iter().map(|node| node.line.shifts()).sum();
    eprintln!("{questions} answers, {} foreign, {shifts} times out of step", foreign.len());
    assert!(foreign.is_empty(), "{} foreign answers:\n{}", foreign.len(), foreign[..foreign.len().min(10)].join("\n"));
    assert!(shifts >= u64::try_from(questions).unwrap() / ONE_IN, "only {shifts} times out of step");
}

fn question() -> Value {
    json!({ "query": "{ viewer { id name organization { id } } }" })
}

fn who(answer: &Answer) -> Value {
    answer.at("viewer").clone()
}
