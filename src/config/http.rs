//! Options of the door: where it listens, whom it trusts, how much it takes in.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use clap::{ArgAction, Args};
use ipnet::IpNet;

use super::{ConfigError, Origin, PublicUrl};

/// Where the gateway listens unless it is told otherwise: this machine alone can reach it there.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Options of `serve` that concern HTTP, as they are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// Where to listen; an option of the whole program, so that one line of options does for every command.
    #[arg(skip = DEFAULT_LISTEN)]
    pub listen: SocketAddr,

    /// Where people reach this gateway; links and cookies come from it alone [default: the address itself]
    #[arg(long, env = "GATEHOUSE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// The dashboard that links in mail lead to; its origin may call the API [default: the public URL]
    #[arg(long, env = "GATEHOUSE_DASHBOARD_URL", value_name = "URL")]
    pub dashboard_url: Option<String>,

    /// Origin whose pages may call the API, such as `https://app.example.com` (may be repeated)
    #[arg(long = "cors-origin", env = "GATEHOUSE_CORS_ORIGIN", value_delimiter = ',', value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,

    /// Address or network of a proxy whose `X-Forwarded-For` is believed (may be repeated)
    #[arg(long = "trusted-proxy", env = "GATEHOUSE_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK")]
    pub trusted_proxies: Vec<String>,

    /// Serve GraphiQL at /graphiql [default: only when listening on loopback]
    #[arg(long, env = "GATEHOUSE_PLAYGROUND", action = ArgAction::Set, value_name = "BOOL")]
    pub playground: Option<bool>,

    /// Answer introspection queries [default: only when listening on loopback]
    #[arg(long, env = "GATEHOUSE_INTROSPECTION", action = ArgAction::Set, value_name = "BOOL")]
    pub introspection: Option<bool>,

    /// Largest request body, in bytes
    #[arg(long, env = "GATEHOUSE_BODY_LIMIT", default_value_t = 1 << 20, value_name = "BYTES")]
    pub body_limit: usize,

    /// Deepest nesting of fields in a document
    #[arg(long, env = "GATEHOUSE_DEPTH_LIMIT", default_value_t = 15, value_name = "LEVELS")]
    pub depth_limit: u32,

    /// Most rows that one document may ask for, nested pages multiplied
    #[arg(long, env = "GATEHOUSE_COST_LIMIT", default_value_t = 10_000, value_name = "ROWS")]
    pub cost_limit: u64,
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            public_url: None,
            dashboard_url: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            playground: None,
            introspection: None,
            body_limit: 1 << 20,
            depth_limit: 15,
            cost_limit: 10_000,
        }
    }
}

/// The door's configuration, validated.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where people reach us.
    pub public_url: PublicUrl,
    /// Where links in mail lead.
    pub dashboard_url: PublicUrl,
    /// Foreign origins whose pages may call the API; the origins of the two URLs are allowed besides.
    pub cors_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether GraphiQL is served.
    pub playground: bool,
    /// Whether introspection is answered.
    pub introspection: bool,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// What a document may be at most.
    pub document: DocumentLimits,
    /// What a socket may do at most.
    pub socket: SocketLimits,
    /// How long each part of a connection may take.
    pub budgets: Budgets,
}

impl HttpConfig {
    /// Every origin whose pages may call the API with credentials.
    pub fn allowed_origins(&self) -> impl Iterator<Item = &Origin> {
        [self.public_url.origin(), self.dashboard_url.origin()].into_iter().chain(&self.cors_origins)
    }

    /// This configuration once the listener is bound: with port 0 the address is known only now, and with it the URLs that
    /// were to be the address itself.
    #[must_use]
    pub fn bound_to(mut self, address: SocketAddr) -> Self {
        let unbound = PublicUrl::of_socket(self.listen);
        for url in [&mut self.public_url, &mut self.dashboard_url] {
            if *url == unbound {
                *url = PublicUrl::of_socket(address);
            }
        }
        self.listen = address;
        self
    }

    /// Whether people come through a proxy that is not believed: TLS ends before the gateway, and nobody's `X-Forwarded-For` counts.
    /// Whoever comes through it then has the proxy's address.
    #[must_use]
    pub fn hides_clients(&self) -> bool {
        self.public_url.is_secure() && self.trusted_proxies.is_empty()
    }

    /// The name of the cookie that holds the refresh token: host-bound over https, plain on loopback without it.
    #[must_use]
    pub fn cookie_name(&self) -> &'static str {
        if self.public_url.is_secure() { "__Host-gatehouse" } else { "gatehouse" }
    }

    /// The name of the cookie that a browser takes along to an identity provider and back.
    #[must_use]
    pub fn sign_in_cookie_name(&self) -> &'static str {
        if self.public_url.is_secure() { "__Host-gatehouse-sign-in" } else { "gatehouse-sign-in" }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        let listen = HttpArgs::default().listen;
        let public_url = PublicUrl::of_socket(listen);
        Self {
            listen,
            dashboard_url: public_url.clone(),
            public_url,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            playground: true,
            introspection: true,
            body_limit: 1 << 20,
            document: DocumentLimits::default(),
            socket: SocketLimits::default(),
            budgets: Budgets::default(),
        }
    }
}

impl TryFrom<HttpArgs> for HttpConfig {
    type Error = ConfigError;

    fn try_from(args: HttpArgs) -> Result<Self, Self::Error> {
        let loopback = args.listen.ip().is_loopback();
        let public_url = match &args.public_url {
            Some(text) => parse("--public-url", text)?,
            None => PublicUrl::of_socket(args.listen),
        };
        let dashboard_url = match &args.dashboard_url {
            Some(text) => parse("--dashboard-url", text)?,
            None => public_url.clone(),
        };
        let limits = DocumentLimits { depth: args.depth_limit, cost: args.cost_limit, ..DocumentLimits::default() };
        if args.body_limit < 1024 {
            return Err(ConfigError::Invalid {
                option: "--body-limit",
                value: args.body_limit.to_string(),
                problem: "is below 1024 bytes, which refuses ordinary requests",
            });
        }
        Ok(Self {
            listen: args.listen,
            public_url,
            dashboard_url,
            cors_origins: parse_all("--cors-origin", &args.cors_origins)?,
            trusted_proxies: args.trusted_proxies.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
            playground: args.playground.unwrap_or(loopback),
            introspection: args.introspection.unwrap_or(loopback),
            body_limit: args.body_limit,
            document: limits,
            socket: SocketLimits::default(),
            budgets: Budgets::default(),
        })
    }
}

/// What a document may be at most. Everything is counted with fragments spread, in one walk that never spreads them.
#[derive(Debug, Clone)]
pub struct DocumentLimits {
    /// Bytes of source text.
    pub bytes: usize,
    /// Lexical tokens outside strings and comments.
    pub tokens: usize,
    /// Operations and fragments.
    pub definitions: usize,
    /// Fields, with every fragment spread.
    pub selections: u64,
    /// Nested fields; introspection may go as deep as the tools' own query, [`DocumentLimits::introspection_depth`].
    pub depth: u32,
    /// Nested fields below `__schema` and `__type`.
    pub introspection_depth: u32,
    /// Aliased fields.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Fields at the root of a mutation.
    pub mutations: usize,
    /// Rows, nested pages multiplied.
    pub cost: u64,
    /// Rows a connection is charged when it is asked without `first` and `last`.
    pub page: u64,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 2_000,
            definitions: 100,
            selections: 2_000,
            depth: 15,
            introspection_depth: 20,
            aliases: 64,
            directives: 64,
            mutations: 10,
            cost: 10_000,
            page: 20,
        }
    }
}

/// What a socket may do at most.
#[derive(Debug, Clone)]
pub struct SocketLimits {
    /// Operations live at once.
    pub operations: usize,
    /// Largest message, in bytes.
    pub message: usize,
    /// How long the client may take to be let in.
    pub init: Duration,
    /// How often an idle peer is pinged.
    pub ping: Duration,
    /// How long a peer may be silent, pings unanswered, before it counts as gone.
    pub silence: Duration,
    /// How long one message may take to be written to a slow peer.
    pub write: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            operations: 100,
            message: 256 * 1024,
            init: Duration::from_secs(5),
            ping: Duration::from_secs(15),
            silence: Duration::from_secs(40),
            write: Duration::from_secs(10),
        }
    }
}

/// How long each part of a connection may take.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// The whole body.
    pub body: Duration,
    /// From the signal to stop until what is still open is cut.
    pub shutdown: Duration,
    /// Connections open at once; the next one waits in the kernel's queue.
    pub connections: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            shutdown: Duration::from_secs(15),
            connections: 10_000,
        }
    }
}

fn parse<T: FromStr<Err = &'static str>>(option: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|problem| ConfigError::Invalid { option, value: text.to_owned(), problem })
}

fn parse_all<T: FromStr<Err = &'static str>>(option: &'static str, texts: &[String]) -> Result<Vec<T>, ConfigError> {
    texts.iter().map(|text| parse(option, text.trim())).collect()
}

fn network(text: &str) -> Result<IpNet, ConfigError> {
    let text = text.trim();
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| ConfigError::Invalid {
        option: "--trusted-proxy",
        value: text.to_owned(),
        problem: "is neither an address nor a network such as `10.0.0.0/8`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_playground_is_on_only_on_loopback_unless_said() {
        let open = HttpArgs { listen: "0.0.0.0:80".parse().unwrap(), ..HttpArgs::default() };
        let config = HttpConfig::try_from(open.clone()).unwrap();
        assert!(!config.playground && !config.introspection);
        assert_eq!(config.public_url.to_string(), "http://localhost");
        assert!(HttpConfig::try_from(HttpArgs { playground: Some(true), ..open }).unwrap().playground);
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_option() {
        let args = HttpArgs { trusted_proxies: vec!["10.0.0.0/8".into(), "nonsense".into()], ..HttpArgs::default() };
        assert_eq!(
            HttpConfig::try_from(args).unwrap_err().to_string(),
            "--trusted-proxy: `nonsense` is neither an address nor a network such as `10.0.0.0/8`"
        );
    }

    #[test]
    fn a_free_port_is_in_the_urls_once_it_is_known() {
        let args = HttpArgs { listen: "127.0.0.1:0".parse().unwrap(), ..HttpArgs::default() };
        let config = HttpConfig::try_from(args).unwrap().bound_to("127.0.0.1:4711".parse().unwrap());
        assert_eq!(config.public_url.to_string(), "http://127.0.0.1:4711");
        assert_eq!(config.dashboard_url, config.public_url);
    }

    #[test]
    fn an_https_address_without_a_trusted_proxy_hides_everybody_behind_one() {
        let args = HttpArgs { public_url: Some("https://id.example.com".into()), ..HttpArgs::default() };
        let hides = |args| HttpConfig::try_from(args).unwrap().hides_clients();
        assert!(hides(args.clone()));
        assert!(!hides(HttpArgs { trusted_proxies: vec!["10.0.0.0/8".into()], ..args }));
        assert!(!hides(HttpArgs::default()), "without TLS there need be no proxy");
    }

    #[test]
    fn the_cookie_is_host_bound_over_https() {
        let args = HttpArgs { public_url: Some("https://id.example.com".into()), ..HttpArgs::default() };
        assert_eq!(HttpConfig::try_from(args).unwrap().cookie_name(), "__Host-gatehouse");
        assert_eq!(HttpConfig::default().cookie_name(), "gatehouse");
    }
}
