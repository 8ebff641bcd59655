//! An SMTP server of a test's own (`smtp_server.py`, on aiosmtpd).

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::server::Server;

/// A running mail server.
pub(crate) struct SmtpServer(Server);

impl SmtpServer {
    /// On any port.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self(Server::start(folder, |port, folder| command(port, folder, options)))
    }

    /// On this port.
    pub(crate) fn start_at(port: u16, options: &[&str]) -> Self {
        Self(Server::start_at(port, tempfile::tempdir().unwrap(), |port, folder| command(port, folder, options)))
    }

    /// By TLS from the start, with a certificate that it has given itself.
    pub(crate) fn start_with_own_certificate() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).display().to_string();
        let (key, certificate) = (name("key.pem"), name("certificate.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", &key, "-out", &certificate])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let options = ["--certificate", &certificate, "--key", &key];
        Self(Server::start(folder, |port, folder| command(port, folder, &options)))
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    /// Where the certificate is that it has given itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.folder.path().join("certificate.pem")
    }

    /// What it answers to the mails to come, one after the other.
    pub(crate) fn will_answer(&self, answers: &[&str]) {
        std::fs::write(self.0.folder.path().join("answers"), format!("{}\n", answers.join("\n"))).unwrap();
    }

    /// The mails it has taken, oldest first.
    pub(crate) fn mails(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.0.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "eml")).collect();
        paths.sort();
        paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

fn command(port: u16, folder: &Path, options: &[&str]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/smtp_server.py");
    // Debian's own, which has the package.
    let start = ["/usr/bin/python3", script, "--port", &port.to_string(), "--folder", folder.to_str().unwrap()];
    start.iter().chain(options).map(|word| (*word).to_owned()).collect()
}
