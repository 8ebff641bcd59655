//! One process at a time on an embedded database.
//!
//! Grants are cached in the memory of the process that serves, so a second process must not write past it: `serve` holds a
//! lock on a file beside the database, and commands that write ask for the same lock first.

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
};

use anyhow::Context;

/// Held while this process uses the database; the system releases it when the process ends, however that ends.
#[derive(Debug)]
pub struct DatabaseLock(#[expect(dead_code, reason = "it is held, not read")] Option<File>);

impl DatabaseLock {
    /// Takes the lock of an embedded database; a server's needs none.
    ///
    /// # Errors
    /// When another process holds it. `instead` says what to do then.
    pub fn take(database_url: &str, instead: &str) -> anyhow::Result<Self> {
        let Some(path) = lock_file(database_url) else { return Ok(Self(None)) };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open the lock `{}`", path.display()))?;
        match file.try_lock() {
            _ if crate::ablate::off("database_lock") => Ok(Self(None)),
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => anyhow::bail!("another gatehouse uses `{database_url}`: {instead}"),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
        }
    }
}

/// The lock beside the database's file; none for a server, or for a database in memory.
fn lock_file(database_url: &str) -> Option<PathBuf> {
    database_file(database_url).map(|path| PathBuf::from(format!("{path}.lock")))
}

/// The file of an embedded database; none for a server, or for a database in memory.
pub(super) fn database_file(database_url: &str) -> Option<&str> {
    let path = database_url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let in_memory = database_url.contains("mode=memory") || path.is_empty() || path == ":memory:";
    (!in_memory).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_lies_beside_the_file() {
        for url in ["sqlite:a/b.db", "sqlite://a/b.db", "sqlite:a/b.db?mode=rwc"] {
            assert_eq!(lock_file(url), Some(PathBuf::from("a/b.db.lock")), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite:x?mode=memory", "postgres://localhost/x"] {
            assert_eq!(lock_file(url), None, "{url}");
        }
    }

    #[test]
    fn a_second_process_is_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("gatehouse.db").display());
        let held = DatabaseLock::take(&url, "stop it first").unwrap();
        let refused = DatabaseLock::take(&url, "use the mutation `createApiToken`").unwrap_err().to_string();
        assert!(refused.contains("`createApiToken`"), "{refused}");
        drop(held);
        DatabaseLock::take(&url, "").unwrap();
    }
}
