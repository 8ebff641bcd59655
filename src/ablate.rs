//! Guards that can be switched off, so that the tests which hold them can be shown able to fail.
//!
//! Only a build with the feature `ablate` listens to `GATEHOUSE_ABLATE` (names separated by commas); in any other build
//! [`off`] is `false` at compile time. A build with the feature says so at start and serves loopback only.

/// Whether the guard of this name is switched off.
#[cfg(not(feature = "ablate"))]
#[must_use]
#[inline]
pub const fn off(_guard: &str) -> bool {
    false
}

/// Whether the guard of this name is switched off.
#[cfg(feature = "ablate")]
#[must_use]
pub fn off(guard: &str) -> bool {
    use std::{collections::HashSet, sync::OnceLock};

    static OFF: OnceLock<HashSet<String>> = OnceLock::new();
    OFF.get_or_init(|| {
        let names = std::env::var("GATEHOUSE_ABLATE").unwrap_or_default();
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    })
    .contains(guard)
}
