//! Mail as files in a folder: for development, for the demo, and for tests. Any mail program opens them.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{Letter, MailError, Outbox};

/// A folder that every mail is written to, one file each, named so that sorting by name is sorting by time.
#[derive(Debug, Clone)]
pub struct FolderOutbox {
    folder: PathBuf,
    from: Mailbox,
}

impl FolderOutbox {
    /// An outbox in this folder, which is made where it is missing; mails are from this address.
    ///
    /// # Errors
    /// When the address is none or the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>, from: &str) -> Result<Self, MailError> {
        let folder = folder.into();
        let from = from.parse().map_err(|_| MailError::Address(from.to_owned()))?;
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, from })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[async_trait]
impl Outbox for FolderOutbox {
    async fn send(&self, letter: &Letter, id: Uuid, now: DateTime<Utc>) -> Result<(), MailError> {
        let bytes = letter.message(&self.from, id, now)?.formatted();
        let name = format!("{}-{}.eml", now.format("%Y%m%dT%H%M%S%.6fZ"), id.simple());
        let draft = self.folder.join(format!(".{name}.new"));
        // Links in mails are secrets: only the owner reads the file, and it appears whole or not at all.
        // A draft may lie there from an attempt that was cut off.
        let mut file = tokio::fs::OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&draft).await?;
        let written = async {
            file.write_all(&bytes).await?;
            file.sync_all().await?;
            tokio::fs::rename(&draft, self.folder.join(name)).await
        };
        if let Err(error) = written.await {
            let _ = tokio::fs::remove_file(&draft).await;
            return Err(error.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        id::new_id,
        mail::{InvitationMail, Reader},
    };

    #[tokio::test]
    async fn mails_are_whole_private_files_in_order_of_time() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let outbox = FolderOutbox::open(folder.path().join("mail"), "Gatehouse <gate@example.com>").unwrap();
        for second in [2, 1] {
            let letter = InvitationMail {
                to: format!("bob{second}@example.com"),
                organization: "Gizmo".into(),
                invited_by: None,
                link: "https://gate.example/invitation#giv_x".into(),
                expires_at: DateTime::UNIX_EPOCH,
                reader: Reader::default(),
            }
            .letter();
            outbox.send(&letter, new_id(), DateTime::UNIX_EPOCH + TimeDelta::seconds(second)).await.unwrap();
        }

        let mut files: Vec<_> =
            std::fs::read_dir(outbox.folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|file| std::fs::metadata(file).unwrap().permissions().mode() & 0o777 == 0o600));
        assert!(std::fs::read_to_string(&files[0]).unwrap().contains("To: bob1@example.com"));
        assert!(std::fs::read_to_string(&files[1]).unwrap().contains("To: bob2@example.com"));
    }
}
