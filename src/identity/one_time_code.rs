//! One-time codes: the secrets in letters about an account, each good for one purpose (D11), and the links they are in.

use super::{
    invitation::PublicUrl,
    opaque::{OpaqueToken, Purpose},
};

/// The purpose of a code that proves the account's address.
#[derive(Debug)]
pub enum VerifyEmail {}

impl Purpose for VerifyEmail {
    const PREFIX: &'static str = "gcv_";
    const NAME: &'static str = "a code that proves an address";
}

/// The purpose of a code that sets another password.
#[derive(Debug)]
pub enum ResetPassword {}

impl Purpose for ResetPassword {
    const PREFIX: &'static str = "gcr_";
    const NAME: &'static str = "a code that sets another password";
}

/// The purpose of a code by which the present address agrees to another one.
#[derive(Debug)]
pub enum LeaveEmail {}

impl Purpose for LeaveEmail {
    const PREFIX: &'static str = "gcl_";
    const NAME: &'static str = "a code that agrees to another address";
}

/// The purpose of a code by which the new address agrees.
#[derive(Debug)]
pub enum TakeEmail {}

impl Purpose for TakeEmail {
    const PREFIX: &'static str = "gct_";
    const NAME: &'static str = "a code that confirms a new address";
}

impl PublicUrl {
    /// The link that brings a code back, to this page of the dashboard. The code is in the fragment, which browsers send to no
    /// server and put in no `Referer`.
    #[must_use]
    pub fn code<P: Purpose>(&self, page: &str, code: &OpaqueToken<P>) -> String {
        format!("{}/{page}#{}", self.as_str(), code.to_text().as_str())
    }
}
