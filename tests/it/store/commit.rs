//! A commit whose answer is lost: the database is asked what became of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gatehouse::store::{ConnectOptions, Reader, Store, StoreError, WriteScope};
use sea_orm::ConnectionTrait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::database::TestDatabase;

/// What the line does to the next `COMMIT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Passes it on and cuts before the answer.
    BeforeAnswer,
    /// Cuts instead of passing it on.
    BeforeCommit,
}

/// A line to PostgreSQL that is cut at the first `COMMIT`, and then works again.
async fn line(target: String, cut: Cut) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let done = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(carry(client, server, cut, done.clone()));
        }
    });
    port
}

async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Cut, done: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let commit = asked[..count].windows(6).any(|word| word == b"COMMIT");
                let cutting = commit && !done.swap(commit, Ordering::SeqCst);
                if cutting && cut == Cut::BeforeCommit {
                    return;
                }
                server.write_all(&asked[..count]).await.unwrap();
                if cutting {
                    // The answer is read, so that the commit has taken place, and kept back.
                    let _answer = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn write_through(cut: Cut) -> (Result<(), StoreError>, i64) {
    let db = TestDatabase::postgres().await;
    db.run("CREATE TABLE note (id integer)", []).await.unwrap();
    let (server, name) = db.url.rsplit_once('/').unwrap();
    let target = server.rsplit_once('@').unwrap().1.to_owned();
    let url = format!("postgres://postgres@127.0.0.1:{}/{name}", line(target, cut).await);
    let acquire_timeout = Duration::from_secs(5);
    let store = Store::connect(&ConnectOptions { url, max_connections: 2, acquire_timeout }).await.unwrap();

    let write = store.write(WriteScope::default(), |tx| {
        Box::pin(async move {
            tx.connection().execute_unprepared("INSERT INTO note (id) VALUES (1)").await?;
            Ok::<_, StoreError>(())
        })
    });
    let result = write.await.map(|_| ());
    (result, db.count("SELECT count(*) FROM note").await)
}

#[tokio::test]
async fn a_commit_that_took_place_is_a_success_though_its_answer_is_lost() {
    let (result, rows) = write_through(Cut::BeforeAnswer).await;
    result.unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_a_failure() {
    let (result, rows) = write_through(Cut::BeforeCommit).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    assert_eq!(rows, 0);
}
