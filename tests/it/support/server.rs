//! A server that ends with the process that started it, however that ends.

use std::{
    fs::File,
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A shell starts the server and waits for the end of its own input, whose other end this process holds: when the process
/// is gone, killed or not, so is the server, and its folder.
const SUPERVISE: &str = r#"folder=$1; shift; "$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$folder""#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    _supervisor: Child,
}

impl Server {
    /// Starts `command` (whose words may be made from the port and folder) and waits until it listens.
    pub(crate) fn start(folder: TempDir, command: impl FnOnce(u16, &Path) -> Vec<String>) -> Self {
        Self::start_at(free_port(), folder, command)
    }

    /// The same, on a port that is known beforehand.
    pub(crate) fn start_at(port: u16, folder: TempDir, command: impl FnOnce(u16, &Path) -> Vec<String>) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let supervisor = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(folder.path())
            .args(command(port, folder.path()))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { port, folder, _supervisor: supervisor };
        let begun = Instant::now();
        while let Err(error) = TcpStream::connect(("127.0.0.1", port)) {
            let patient = begun.elapsed() < Duration::from_secs(20) && error.kind() == ErrorKind::ConnectionRefused;
            let log = || std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(patient, "the server does not listen: {error}\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
