//! Identifiers: UUIDv7, so that the order of ids is the order of creation and keyset pages need no other key.

use uuid::Uuid;

/// A new identifier, greater than every one this process made before.
#[expect(clippy::disallowed_methods, reason = "this is the one place where ids are made")]
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
