//! Sessions of browsers: the refresh token is kept in a cookie that no script reads, and stands in no answer.
//!
//! The door gives a request this when a page that may asks for it, and writes the cookie when the request is done; resolvers
//! say only what is to become of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use zeroize::Zeroizing;

/// What becomes of the cookie.
#[derive(Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// It holds this refresh token from now on, for as long as an unused session lives.
    Keep(Zeroizing<String>, Duration),
    /// It is taken away.
    Forget,
}

/// Without the token.
impl std::fmt::Debug for CookieChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep(..) => "Keep(…)",
            Self::Forget => "Forget",
        })
    }
}

/// The cookie of one request: what came, and what goes back.
#[derive(Clone)]
pub struct BrowserSession {
    presented: Option<Arc<Zeroizing<String>>>,
    change: Arc<Mutex<Option<CookieChange>>>,
}

impl std::fmt::Debug for BrowserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrowserSession").field("presented", &self.presented.is_some()).finish_non_exhaustive()
    }
}

impl BrowserSession {
    /// Of a request with this cookie.
    #[must_use]
    pub fn new(presented: Option<String>) -> Self {
        Self { presented: presented.map(|text| Arc::new(Zeroizing::new(text))), change: Arc::default() }
    }

    /// The refresh token that the browser sent.
    #[must_use]
    pub fn presented(&self) -> Option<&str> {
        self.presented.as_ref().map(|text| text.as_str())
    }

    /// Keeps a refresh token in the browser: always a new one, whatever the browser sent (G13).
    pub fn keep(&self, token: Zeroizing<String>, lifetime: Duration) {
        self.put(CookieChange::Keep(token, lifetime));
    }

    /// Takes the cookie away.
    pub fn forget(&self) {
        self.put(CookieChange::Forget);
    }

    /// What is to become of the cookie; of several changes in one request, the last.
    #[must_use]
    pub fn change(&self) -> Option<CookieChange> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }
}
