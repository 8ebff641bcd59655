//! The ready operations of event apps, each run by a test as the person who sees that screen.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{Scene, scene, switch};
use crate::support::gateway::{Answer, Person};

/// Runs an operation, named as `system/screen`; whatever it is answered.
pub(super) async fn send(person: &Person, name: &str, variables: Value) -> Answer {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("docs/operations/{name}.graphql"));
    person.send(&fs::read_to_string(path).unwrap(), variables).await
}

/// Runs an operation as somebody for whom it is meant: no error of any kind.
pub(super) async fn run(person: &Person, name: &str, variables: Value) -> Answer {
    send(person, name, variables).await.ok()
}

/// S1.24: each screen is one query, for the Owner, an Admin and the holder of a module role alike.
#[tokio::test]
async fn every_screen_is_one_query() {
    let Scene { gateway: _serving, alice, bob, dora, fair, .. } = scene().await;
    switch(&alice, &bob, (fair, "verifier", true)).await.ok();
    for person in [&alice, &dora, &bob] {
        for name in ["event-apps/home", "event-apps/app", "event-apps/people"] {
            let shown = run(person, name, json!({ "organization": "acme", "app": "fair" })).await;
            assert!(!shown.at("organization").is_null(), "{name}");
        }
        for name in ["event-apps/permissions_section", "event-apps/module_roles"] {
            run(person, name, json!({ "organization": "acme", "app": "fair", "role": "app_manager" })).await;
        }
    }
}
