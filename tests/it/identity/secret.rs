//! The root secret: what is refused, and the file it may live in.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::Arc,
};

use gatehouse::identity::{RootSecret, SecretError};

use super::SECRET;

#[test]
fn empty_short_and_guessable_secrets_are_refused_with_a_way_out() {
    let refused = [
        "",
        "   ",
        "hunter2",
        "4b1f0e2a9c7d8836b5e1f0a2c4d6987",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "please-CHANGEME-before-going-live-0918273645",
        "gatehouse-4b1f0e2a9c7d8836b5e1f0a2c4d6987e",
        "0123456789abcdef0123456789abcdef",
        "my-super-secret-jwt-token-with-at-least-32-characters",
        "00000000000000000000000000000001",
    ];
    for text in refused {
        let error = RootSecret::from_text(text).unwrap_err();
        assert!(error.to_string().contains("openssl rand -hex 32"), "{text:?}: {error}");
    }
    for good in [SECRET, " 4b1f0e2a9c7d8836b5e1f0a2c4d6987e\n", "kJ8/2bQ+xw0Zr5T1vYc7LmNp3sDfGhA="] {
        assert!(RootSecret::from_text(good).is_ok(), "{good:?}");
    }
}

#[test]
fn keys_of_different_labels_differ_and_the_same_label_gives_the_same() {
    let secret = RootSecret::from_text(SECRET).unwrap();
    assert_eq!(*secret.derive("cursor"), *RootSecret::from_text(SECRET).unwrap().derive("cursor"));
    assert_ne!(*secret.derive("cursor"), *secret.derive("cache-mac"));
    assert_eq!(format!("{secret:?}"), "RootSecret(…)");
}

#[test]
fn a_file_is_made_once_private_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let made = RootSecret::from_file(&path, &mut rand::rng()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let read = RootSecret::from_file(&path, &mut rand::rng()).unwrap();
    assert_eq!(*made.derive("x"), *read.derive("x"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, SECRET).unwrap();
    for mode in [0o640, 0o604, 0o666, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = RootSecret::from_file(&path, &mut rand::rng()).unwrap_err();
        assert!(matches!(error, SecretError::Exposed { .. }) && error.to_string().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(RootSecret::from_file(&path, &mut rand::rng()).is_ok());
}

#[test]
fn a_folder_an_empty_file_and_a_dangling_link_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(RootSecret::from_file(folder.path(), &mut rand::rng()).is_err());
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(RootSecret::from_file(&empty, &mut rand::rng()), Err(SecretError::Empty)));
    let link = folder.path().join("link");
    symlink(folder.path().join("nowhere"), &link).unwrap();
    assert!(RootSecret::from_file(&link, &mut rand::rng()).is_err());
}

#[test]
fn of_many_who_start_at_once_all_get_the_same() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let folder = Arc::clone(&folder);
            std::thread::spawn(move || RootSecret::from_file(&folder.path().join("secret"), &mut rand::rng()))
        })
        .collect();
    let names: std::collections::HashSet<_> = threads
        .into_iter()
        .map(|thread| super::keys_of(&thread.join().unwrap().unwrap()).signing_id(super::noon()).unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 1);
}
