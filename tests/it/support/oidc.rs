//! An identity provider of a test's own: it speaks OpenID Connect, signs real tokens, and misbehaves when it is asked to.

use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const CLIENT: &str = "gatehouse";
pub(crate) const SECRET: &str = "a secret: with % and +";

/// A key that the provider signs with.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    algorithm: Algorithm,
    encoding: EncodingKey,
    pub(crate) public: Value,
}

impl Key {
    /// A new key, made as an operator makes one.
    pub(crate) fn new(name: &str, algorithm: Algorithm) -> Self {
        let options: &[&str] = match algorithm {
            Algorithm::ES256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Algorithm::RS256 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            _ => &["-algorithm", "ed25519"],
        };
        let made = Command::new("openssl").arg("genpkey").args(options).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let encoding = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(&made.stdout),
            Algorithm::RS256 => EncodingKey::from_rsa_pem(&made.stdout),
            _ => EncodingKey::from_ed_pem(&made.stdout),
        };
        let encoding = encoding.unwrap();
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&encoding, algorithm).unwrap()).unwrap();
        public["kid"] = json!(name);
        public["use"] = json!("sig");
        Self { name: name.to_owned(), algorithm, encoding, public }
    }

    /// A token of this header and these claims, as they are written.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// The header of its tokens.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "typ": "JWT", "kid": self.name })
    }
}

/// What goes wrong at a path.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It answers this status.
    Status(u16),
    /// It sends whoever asks there.
    Redirect(String),
    /// It answers more than anybody wants to read.
    Huge,
    /// It takes its time.
    Slow,
    /// It answers a page.
    Page,
}

/// Who signs in there next.
pub(crate) fn person(subject: &str, email: &str) -> Value {
    json!({ "sub": subject, "email": email, "email_verified": true, "name": subject })
}

type Change = Box<dyn Fn(&mut Value, &mut Value) + Send>;

struct Inner {
    url: String,
    signs: Mutex<Key>,
    published: Mutex<Vec<Value>>,
    person: Mutex<Value>,
    /// Changes the header and the claims of the tokens to come.
    change: Mutex<Option<Change>>,
    /// What is different in the metadata.
    metadata: Mutex<Value>,
    trouble: Mutex<HashMap<String, Trouble>>,
    asked: Mutex<HashMap<String, usize>>,
    /// Codes that were given out, with what was asked for.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    /// Whether a code counts as often as it comes.
    lax: Mutex<bool>,
}

/// A running provider; ends with the test.
pub(crate) struct OidcProvider {
    inner: Arc<Inner>,
    serving: JoinHandle<()>,
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl OidcProvider {
    /// One that signs with a key of this kind.
    pub(crate) async fn start(algorithm: Algorithm) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = Key::new("first", algorithm);
        let inner = Arc::new(Inner {
            url,
            published: Mutex::new(vec![key.public.clone()]),
            signs: Mutex::new(key),
            person: Mutex::new(person("s-alice", "alice@example.org")),
            change: Mutex::default(),
            metadata: Mutex::new(json!({})),
            trouble: Mutex::default(),
            asked: Mutex::default(),
            codes: Mutex::default(),
            lax: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.inner.url
    }

    /// Who signs in there from now on.
    pub(crate) fn has(&self, person: Value) {
        *self.inner.person.lock().unwrap() = person;
    }

    /// Changes the header and the claims of the tokens to come.
    pub(crate) fn will_change(&self, change: impl Fn(&mut Value, &mut Value) + Send + 'static) {
        *self.inner.change.lock().unwrap() = Some(Box::new(change));
    }

    pub(crate) fn behaves(&self) {
        *self.inner.change.lock().unwrap() = None;
        self.inner.trouble.lock().unwrap().clear();
    }

    /// Takes a code as often as it comes, as no provider should.
    pub(crate) fn takes_codes_again(&self) {
        *self.inner.lax.lock().unwrap() = true;
    }

    /// Publishes other metadata.
    pub(crate) fn says(&self, field: &str, value: Value) {
        self.inner.metadata.lock().unwrap()[field] = value;
    }

    pub(crate) fn has_trouble(&self, path: &str, trouble: Trouble) {
        self.inner.trouble.lock().unwrap().insert(path.to_owned(), trouble);
    }

    /// Signs with this key from now on, without publishing it.
    pub(crate) fn signs_with(&self, key: Key) {
        *self.inner.signs.lock().unwrap() = key;
    }

    /// Publishes these keys and no others.
    pub(crate) fn publishes(&self, keys: Vec<Value>) {
        *self.inner.published.lock().unwrap() = keys;
    }

    pub(crate) fn key(&self) -> Key {
        self.inner.signs.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.inner.asked.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self) -> Value {
        let person = self.inner.person.lock().unwrap().clone();
        claims(&self.inner.url, &person, None)
    }

    /// A good token of the person who is there, as a client gets it by itself.
    pub(crate) fn token(&self) -> String {
        let key = self.key();
        key.sign(&key.header().to_string(), &self.claims().to_string())
    }
}

#[expect(clippy::disallowed_methods, reason = "the provider has a clock of its own")]
fn claims(issuer: &str, person: &Value, nonce: Option<&str>) -> Value {
    let now = chrono::Utc::now().timestamp();
    let mut claims = json!({ "iss": issuer, "aud": CLIENT, "iat": now, "exp": now + 300 });
    for (name, value) in person.as_object().unwrap() {
        claims[name] = value.clone();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    claims
}

impl Inner {
    /// Counts, and answers what the path answers now instead of what it should.
    async fn troubled(&self, path: &str) -> Option<Response> {
        *self.asked.lock().unwrap().entry(path.to_owned()).or_default() += 1;
        let trouble = self.trouble.lock().unwrap().get(path).cloned()?;
        Some(match trouble {
            Trouble::Status(status) => (StatusCode::from_u16(status).unwrap(), "{}").into_response(),
            Trouble::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Trouble::Huge => json_answer(&json!({ "keys": [], "padding": "x".repeat(1 << 20) })),
            Trouble::Page => (StatusCode::OK, "<html>maintenance</html>").into_response(),
            Trouble::Slow => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                StatusCode::OK.into_response()
            }
        })
    }
}

fn json_answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn pairs(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

async fn metadata(State(inner): State<Arc<Inner>>) -> Response {
    if let Some(answer) = inner.troubled("/.well-known/openid-configuration").await {
        return answer;
    }
    let url = &inner.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
    });
    for (name, value) in inner.metadata.lock().unwrap().as_object().unwrap() {
        document[name] = value.clone();
    }
    json_answer(&document)
}

async fn jwks(State(inner): State<Arc<Inner>>) -> Response {
    if let Some(answer) = inner.troubled("/jwks").await {
        return answer;
    }
    let keys = inner.published.lock().unwrap().clone();
    json_answer(&json!({ "keys": keys }))
}

/// The person is there and agrees.
async fn authorize(State(inner): State<Arc<Inner>>, RawQuery(query): RawQuery) -> Response {
    let asked = pairs(&query.unwrap_or_default());
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["client_id"], CLIENT);
    let code = uuid_like();
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
    back.query_pairs_mut().append_pair("iss", &inner.url);
    inner.codes.lock().unwrap().insert(code, asked);
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

fn uuid_like() -> String {
    gatehouse::id::new_id().to_string()
}

/// Codes count once, for who began, and for the client that knows its secret.
async fn token(State(inner): State<Arc<Inner>>, headers: HeaderMap, request: Request) -> Response {
    if let Some(answer) = inner.troubled("/token").await {
        return answer;
    }
    let body = axum::body::to_bytes(Body::new(request.into_body()), 1 << 16).await.unwrap();
    let form = pairs(std::str::from_utf8(&body).unwrap());
    let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", coded(CLIENT), coded(SECRET))));
    let shown = headers.get(header::AUTHORIZATION).map(|given| given.as_bytes() == basic.as_bytes());
    let posted = || form.get("client_secret").is_some_and(|given| given == SECRET) && form["client_id"] == CLIENT;
    let known = shown.unwrap_or_else(posted);
    let lax = *inner.lax.lock().unwrap();
    let asked = {
        let mut codes = inner.codes.lock().unwrap();
        if lax { codes.get(&form["code"]).cloned() } else { codes.remove(&form["code"]) }
    };
    let Some(asked) = asked.filter(|asked| {
        known
            && form["grant_type"] == "authorization_code"
            && form["redirect_uri"] == asked["redirect_uri"]
            && BASE64.encode(Sha256::digest(&form["code_verifier"])) == asked["code_challenge"]
    }) else {
        return (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }).to_string()).into_response();
    };
    let key = inner.signs.lock().unwrap().clone();
    let person = inner.person.lock().unwrap().clone();
    let (mut header, mut claims) = (key.header(), claims(&inner.url, &person, Some(&asked["nonce"])));
    if let Some(change) = inner.change.lock().unwrap().as_ref() {
        change(&mut header, &mut claims);
    }
    let token = key.sign(&header.to_string(), &claims.to_string());
    json_answer(&json!({ "access_token": "opaque", "token_type": "Bearer", "id_token": token }))
}
