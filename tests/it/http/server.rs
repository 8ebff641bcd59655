//! The listener: slow clients, versions, stopping.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::toy::{Running, serve, serve_with};

/// Sends bytes and reads until the server closes or answers.
pub(super) async fn raw(server: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut got = vec![0; 4096];
    let count = stream.read(&mut got).await.unwrap_or(0);
    String::from_utf8_lossy(&got[..count]).into_owned()
}

/// Sends these bytes and nothing after them, and waits until the server ends the connection; a server that does not is let
/// wait for long enough to tell.
async fn cut(server: &Running, bytes: &[u8]) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "never cut: {:?}", String::from_utf8_lossy(bytes));
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut() {
    let server = serve_with(|config| config.budgets.head = Duration::from_millis(300)).await;
    for bytes in [&b""[..], b"P", b"PRI * HT", b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-a"] {
        cut(&server, bytes).await;
    }
}

#[tokio::test]
async fn who_does_not_finish_a_body_is_told_so() {
    let server = serve_with(|config| config.budgets.body = Duration::from_millis(200)).await;
    let head =
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"que";
    let got = raw(&server, head).await;
    assert!(got.starts_with("HTTP/1.1 408 ") && got.contains("REQUEST_TIMEOUT"), "{got}");
}

#[tokio::test]
async fn http2_is_spoken_to_who_begins_with_it() {
    let server = serve().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let got = client.get(server.url("/healthz")).send().await.unwrap();
    assert_eq!((got.version(), got.status().as_u16()), (reqwest::Version::HTTP_2, 200));
}

#[tokio::test]
async fn stopping_waits_for_a_request_and_for_nobody_idle() {
    let mut server = serve().await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    silent.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let request = server.post().body(r#"{"query":"{slow}"}"#).send();
    let (answer, ()) = tokio::join!(request, async {
        server.toy.slow_begun().await;
        let stopped = server.stop();
        tokio::time::timeout(Duration::from_secs(5), stopped).await.expect("stops in time").unwrap();
    });
    assert_eq!(answer.unwrap().text().await.unwrap(), r#"{"data":{"slow":1}}"#);
    drop((idle, silent));
}

#[tokio::test]
async fn stopping_has_a_deadline() {
    let mut server = serve_with(|config| config.budgets.shutdown = Duration::from_millis(300)).await;
    let mut hanging = TcpStream::connect(server.address).await.unwrap();
    hanging
        .write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(3), server.stop()).await.expect("stops in time").unwrap();
}
