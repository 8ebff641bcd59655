//! A process of a test's own that can be killed, stalled and started again, and that ends with the test however that ends.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A shell starts the process, says its number, and waits for the end of its own input, whose other end the test holds. The
/// shell does not wait for the process before that, so that its number stays its own.
const SUPERVISE: &str = r#"log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & process=$!; echo $process; cat >/dev/null
kill -KILL $process 2>/dev/null; wait $process 2>/dev/null"#;

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    number: u32,
    supervisor: Child,
}

impl Process {
    /// Starts `command` in this folder; what it prints goes to the end of the folder's `log`.
    pub(super) fn start(folder: &Path, command: &[String]) -> Self {
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(folder.join("log"))
            .args(command)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { number: number.trim().parse().unwrap(), supervisor }
    }

    /// Stops it where it stands (`STOP`), lets it go on (`CONT`) or ends it (`KILL`).
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.number.to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    /// Whether it has not ended.
    pub(super) fn is_running(&self) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", self.number)).unwrap_or_default();
        state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}
