//! A PostgreSQL, and databases copied from a migrated template.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use gatehouse::{
    id::new_id,
    store::{ConnectOptions, Store},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::server::Server;

/// The run's PostgreSQL (`GATEHOUSE_TEST_POSTGRES_URL`, without a database's name), or this process's own.
pub(crate) fn url() -> String {
    std::env::var("GATEHOUSE_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        static OWN: OnceLock<Server> = OnceLock::new();
        format!("postgres://postgres@127.0.0.1:{}", OWN.get_or_init(start).port)
    })
}

/// A PostgreSQL of the caller's own. It does not sync its files: what it holds may be lost with the machine.
pub(crate) fn start() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    // PostgreSQL refuses to run as root.
    let user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    let prefix: Vec<String> = if root { user.map(str::to_owned).to_vec() } else { Vec::new() };
    if root {
        assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
    }
    let data = folder.path().join("data");
    let initdb = program("initdb");
    let initdb = [initdb.to_str().unwrap(), "-D", data.to_str().unwrap()]
        .into_iter()
        .chain(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"])
        .map(str::to_owned);
    let words: Vec<String> = prefix.iter().cloned().chain(initdb).collect();
    let made = Command::new(&words[0]).args(&words[1..]).current_dir("/").output().unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let server = Server::start(folder, |port, folder| {
        let settings = [
            format!("unix_socket_directories={}", folder.display()),
            "listen_addresses=127.0.0.1".to_owned(),
            "fsync=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "max_connections=200".to_owned(),
            "shared_preload_libraries=pg_stat_statements".to_owned(),
        ];
        let postgres = program("postgres").to_str().unwrap().to_owned();
        let mut words = prefix;
        words.extend([postgres, "-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()]);
        words.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        words
    });
    // It listens a moment before it answers.
    std::thread::sleep(Duration::from_millis(300));
    server
}

/// A new migrated database; drop it with [`drop_database`].
pub(crate) async fn create_database() -> String {
    let server = url();
    let name = format!("t_{}", new_id().simple());
    let mut admin = connect(&server).await;
    let template = template(&server, &mut admin).await;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"))).await.unwrap();
    format!("{server}/{name}")
}

/// A new database without a table.
pub(crate) async fn create_empty_database() -> String {
    let server = url();
    let name = format!("t_{}", new_id().simple());
    connect(&server).await.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    format!("{server}/{name}")
}

/// Removes a test's database, its connections included.
pub(crate) fn drop_database(url: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let (server, sql) = (server.to_owned(), AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
    // Called from a destructor, which may run inside a runtime: another thread has one of its own.
    let drop = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { connect(&server).await.execute(sql).await.map(|_| ()) })
    };
    if let Ok(Err(error)) = std::thread::spawn(drop).join() {
        eprintln!("{name} is left behind: {error}");
    }
}

async fn connect(server: &str) -> PgConnection {
    for _ in 0..50 {
        match PgConnection::connect(&format!("{server}/postgres")).await {
            Ok(connection) => return connection,
            Err(_starting) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("PostgreSQL at {server} does not answer")
}

/// The migrated database that others are copied from; whoever comes first makes it.
async fn template(server: &str, admin: &mut PgConnection) -> &'static str {
    const NAME: &str = "gatehouse_template";
    admin.execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(NAME)
        .fetch_optional(&mut *admin)
        .await
        .unwrap();
    if found.is_none() {
        // One that failed half way may be there.
        admin.execute("DROP DATABASE IF EXISTS gatehouse_template_new WITH (FORCE)").await.unwrap();
        admin.execute("CREATE DATABASE gatehouse_template_new").await.unwrap();
        let url = format!("{server}/gatehouse_template_new");
        let options = ConnectOptions { url, max_connections: 2, acquire_timeout: Duration::from_secs(10) };
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await.unwrap();
        for attempt in 0.. {
            // A closed connection's server side may take a moment longer.
            match admin.execute("ALTER DATABASE gatehouse_template_new RENAME TO gatehouse_template").await {
                Ok(_) => break,
                Err(error) => assert!(attempt < 50, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    admin.execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    NAME
}

/// A program of PostgreSQL's: Debian keeps them out of the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.sort();
    found.pop().filter(|path| Path::is_file(path)).unwrap_or_else(|| PathBuf::from(name))
}
