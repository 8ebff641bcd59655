//! Where a deployment's Redis is: by its URL, or wherever in a cluster the one slot of the deployment lies.

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates, aio::MultiplexedConnection,
};

/// How many times a cluster may send us on before we give up for now.
const SENT_ON: usize = 3;

/// A Redis by its URL, and the key that says which of a cluster's nodes is meant.
pub(super) struct Place {
    client: Client,
    /// Any key of the deployment: all of them lie in one slot.
    key: String,
}

impl Place {
    /// By this URL; with TLS it proves itself by these authorities (PEM), else by those that everyone knows.
    pub(super) fn new(url: &str, authorities: Option<Vec<u8>>, key: String) -> RedisResult<Self> {
        let info = url.into_connection_info()?;
        let client = match authorities {
            None => Client::open(info)?,
            Some(_) if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) => {
                return Err(
                    (ErrorKind::InvalidClientConfig, "a certificate is expected where the URL asks for none").into()
                );
            }
            root_cert => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })?,
        };
        Ok(Self { client, key })
    }

    /// Connects to the node that has the deployment's keys.
    pub(super) async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let mut client = self.client.clone();
        for _ in 0..=SENT_ON {
            let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
            let found: RedisResult<()> = redis::cmd("EXISTS").arg(&self.key).query_async(&mut connection).await;
            match found {
                Err(error) if is_elsewhere(&error) => {
                    let address = error.redirect_node().map_or("", |(address, _)| address);
                    tracing::info!(address, "the cluster keeps this deployment's keys at another node");
                    client = Client::open(at(&client, address)?)?;
                }
                // What else may be wrong is seen by whoever asks for something.
                _ => return Ok(connection),
            }
        }
        Err((ErrorKind::ClusterConnectionNotFound, "the cluster sends us from node to node").into())
    }
}

/// Whether a cluster keeps what was asked for at another node.
pub(super) fn is_elsewhere(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::Moved)
}

/// The same server at another address, as a cluster names it: with the same user, password and authorities.
fn at(client: &Client, address: &str) -> RedisResult<redis::ConnectionInfo> {
    let info = client.get_connection_info();
    let unknown = || RedisError::from((ErrorKind::ClusterConnectionNotFound, "the cluster names no address"));
    let (named, port) = address.rsplit_once(':').ok_or_else(unknown)?;
    let port = port.parse().map_err(|_| unknown())?;
    // A node that does not know its own name means the address it was asked at.
    let host = |asked: &str| if named.is_empty() { asked.to_owned() } else { named.to_owned() };
    let addr = match info.addr() {
        ConnectionAddr::Tcp(asked, _) => ConnectionAddr::Tcp(host(asked), port),
        ConnectionAddr::TcpTls { host: asked, insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host: host(asked), port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        _ => return Err(unknown()),
    };
    Ok(info.clone().set_addr(addr))
}
