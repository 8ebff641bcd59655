//! Origins and the public URL: what browsers name us by.

use std::{fmt, net::SocketAddr, str::FromStr};

use axum::http::Uri;

/// A web origin, as browsers send it: scheme, host and port, nothing behind them (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin in the spelling of the `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = PublicUrl::from_str(text)?;
        if url.path.is_empty() {
            Ok(url.origin)
        } else {
            Err("must be an origin: a scheme and a host, no path behind it")
        }
    }
}

/// Where people reach this gateway: links, cookies and the allowed origin come from it alone, never from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: Origin,
    path: String,
    secure: bool,
}

impl PublicUrl {
    /// The URL of a plain listener, for whoever sits at this machine.
    #[must_use]
    pub fn of_socket(listen: SocketAddr) -> Self {
        let origin = match listen.ip() {
            ip if ip.is_unspecified() => format!("http://localhost:{}", listen.port()),
            _ => format!("http://{listen}"),
        };
        let origin = origin.strip_suffix(":80").unwrap_or(&origin).to_owned();
        Self { origin: Origin(origin), path: String::new(), secure: false }
    }

    /// The origin of the URL.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The URL of a path below this one; `path` begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.path)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("must begin with `https://` or `http://`"),
        };
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user name or password");
        }
        if uri.query().is_some() {
            return Err("must not hold a query");
        }
        let host = authority.host().to_ascii_lowercase();
        let scheme = if secure { "https" } else { "http" };
        let standard = if secure { 443 } else { 80 };
        let port = match authority.port_u16() {
            Some(port) if port != standard => format!(":{port}"),
            _ => String::new(),
        };
        Ok(Self {
            origin: Origin(format!("{scheme}://{host}{port}")),
            path: uri.path().trim_end_matches('/').to_owned(),
            secure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_normalized() {
        let url: PublicUrl = "HTTPS://Id.Example.com:443/gate/".parse().unwrap();
        assert_eq!(url.to_string(), "https://id.example.com/gate");
        assert_eq!(url.join("/graphql"), "https://id.example.com/gate/graphql");
    }

    #[test]
    fn an_origin_with_a_path_or_a_foreign_scheme_is_refused() {
        assert!("https://app.example/x".parse::<Origin>().is_err());
        assert!("ftp://app.example".parse::<Origin>().is_err());
        assert!("*".parse::<Origin>().is_err());
        assert_eq!("http://localhost:3000/".parse::<Origin>().unwrap().as_str(), "http://localhost:3000");
    }
}
