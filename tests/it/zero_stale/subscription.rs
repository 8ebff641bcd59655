//! R17: a subscription on one gateway while something is taken away on another. What is published after the change has returned
//! is not delivered, and the socket closes with 4403.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    company::Company,
    dice::Dice,
    fleet::{Fleet, NODES},
    kind::{Kind, is_made, mutation},
    socket::{Said, Socket},
};
use crate::support::gateway::scale;

/// Subscriptions at the usual scale.
const TRIALS: usize = 200;
/// How many are open at once.
const AT_ONCE: usize = 20;
/// For how long a socket is listened to that has nothing more to say.
const SILENCE: Duration = Duration::from_secs(2);
const FOLLOW: &str = "subscription { activityAdded { target { name } } }";

/// What ends what a socket may hear.
const KINDS: [Kind; 4] = [Kind::SessionRevoked, Kind::TokenRevoked, Kind::MemberRemoved, Kind::RoleLowered];

/// What became of a trial.
#[derive(Debug, Default)]
struct Heard {
    /// An event from after the return was delivered.
    late: Option<String>,
    /// With which code the socket closed; 0: it did not.
    closed: u16,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r17_nothing_published_after_a_revocation_is_delivered() {
    let (fleet, dice) = (Arc::new(Fleet::start().await), Arc::new(Dice::new()));
    let blueprint = fleet.office.blueprint("crew").await;
    let trials = TRIALS * scale();
    let all = stream::iter(0..trials).map(|number| {
        let (fleet, dice) = (Arc::clone(&fleet), Arc::clone(&dice));
        tokio::spawn(async move {
            let kind = KINDS[number % KINDS.len()];
            (kind, trial(&fleet, &dice, blueprint, kind).await)
        })
    });
    let heard: Vec<(Kind, Heard)> = all.buffer_unordered(AT_ONCE).map(Result::unwrap).collect().await;
    let late: Vec<_> =
        heard.iter().filter_map(|(kind, heard)| Some(format!("{kind:?}: {}", heard.late.as_ref()?))).collect();
    let open: Vec<_> = heard.iter().filter(|(_, heard)| heard.closed != 4403).collect();
    eprintln!(
        "{trials} subscriptions, {} late events, {} sockets left open; seed {}",
        late.len(),
        open.len(),
        dice.seed
    );
    assert!(late.is_empty(), "{} late events:\n{}", late.len(), late[..late.len().min(10)].join("\n"));
    assert!(open.is_empty(), "{open:?}");
}

async fn trial(fleet: &Fleet, dice: &Dice, blueprint: Uuid, kind: Kind) -> Heard {
    let mut company = Company::new(fleet, blueprint);
    let bob = company.worker(fleet, "bob", "chief");
    let (token, program) = company.program();
    let (_, second) = company.sign_in(fleet, bob.user, None);
    company.write(fleet).await;
    let (alice, here) = (company.alice.token.as_str(), dice.below(NODES));
    let there = (here + 1 + dice.below(NODES - 1)) % NODES;
    let credential = if kind == Kind::TokenRevoked { &program } else { &bob.token };

    let mut socket = Socket::subscribe(&fleet.nodes[here].url(), credential, FOLLOW).await;
    // The first event shows that it listens.
    publish(fleet, (there, alice), "before").await;
    loop {
        match socket.hear(Duration::from_secs(20)).await {
            Said::Message(message) if name(&message) == "before" => break,
            Said::Message(message) => assert_eq!(message["type"], "next", "{kind:?}: {message}"),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
    // Some more while the right is taken away: these may be heard or not.
    let (stir, end) = (publish(fleet, (there, alice), "meanwhile"), async {
        tokio::time::sleep(dice.up_to(40)).await;
        let (by, request) = kind.ending(&bob, token, (alice, &second));
        let answer = fleet.ask(there, by, &request).await.unwrap();
        assert!(is_made(&answer), "{kind:?}: {}", answer.text);
        publish(fleet, (dice.below(NODES), alice), "after").await;
    });
    let listen = async {
        let mut heard = Heard::default();
        loop {
            match socket.hear(SILENCE).await {
                Said::Message(message) if name(&message) == "after" => heard.late = Some(message.to_string()),
                Said::Message(_) => {}
                Said::Closed(code) => heard.closed = code,
                Said::Nothing => return heard,
            }
            if heard.closed != 0 {
                return heard;
            }
        }
    };
    tokio::join!(stir, end, listen).2
}

/// Makes something that followers of the company hear of.
async fn publish(fleet: &Fleet, (node, alice): (usize, &str), name: &str) {
    let answer =
        fleet.ask(node, alice, &mutation("createTeam", &json!({ "slug": name, "name": name }), "")).await.unwrap();
    assert!(is_made(&answer), "{}", answer.text);
}

fn name(message: &Value) -> &str {
    message["payload"]["data"]["activityAdded"]["target"]["name"].as_str().unwrap_or_default()
}
