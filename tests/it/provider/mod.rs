//! Identity providers of others: signing in by them, and what must fail.

mod account;
mod browser;
mod linked;
mod outbound;
mod token;

use std::collections::BTreeMap;

use gatehouse::provider::{ClientAuthentication, ProviderOptions, Providers};
use jsonwebtoken::Algorithm;
use reqwest::{
    header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Gateway},
    oidc::{CLIENT, OidcProvider, SECRET},
};

/// Where browsers land.
const LANDING: &str = "https://app.example.org";

/// A gateway with one provider, `acme`.
struct Scene {
    gateway: Gateway,
    acme: OidcProvider,
    folder: TempDir,
}

impl Scene {
    /// With more lines in the provider's table.
    async fn with(lines: &str) -> Self {
        Self::on(TestDatabase::sqlite().await, lines).await
    }

    async fn on(database: TestDatabase, lines: &str) -> Self {
        Self::of(OidcProvider::start(Algorithm::EdDSA).await, database, lines).await
    }

    async fn of(acme: OidcProvider, database: TestDatabase, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, secret) = (folder.path().join("providers.toml"), folder.path().join("secret"));
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let text = format!(
            "[provider.acme]\ntitle = \"Acme\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"{}\"\n{lines}\n",
            acme.url(),
            secret.display(),
        );
        std::fs::write(&file, text).unwrap();
        let gateway = Gateway::configured(database, None, |args| args.providers = Some(file)).await;
        Self { gateway, acme, folder }
    }

    fn browser(&self) -> Browser<'_> {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Browser { gateway: &self.gateway, client, cookies: BTreeMap::new() }
    }

    /// Signs in by a token that a client got by itself.
    async fn present(&self, token: &str) -> Answer {
        let input = json!({ "provider": "acme", "token": token });
        self.gateway.stranger().call("signInWithProvider", input, "accessToken user { id email }").await
    }

    async fn users(&self) -> i64 {
        self.gateway.database.count("SELECT count(*) FROM user_account").await
    }

    async fn links(&self) -> i64 {
        self.gateway.database.count("SELECT count(*) FROM external_identity").await
    }

    /// A local account, as its holder opens it, or has it opened.
    async fn account(&self, email: &str, verified: bool) -> Value {
        let account = json!({ "email": email, "password": "correct horse battery", "name": "Local" });
        let answer = self.gateway.stranger().call("signUp", account, "user { id }").await.ok();
        if verified {
            let sql = "UPDATE user_account SET email_verified_at = created_at WHERE email = $1";
            self.gateway.database.run(sql, [email.into()]).await.unwrap();
        }
        answer.at("signUp.user.id").clone()
    }
}

/// A browser: it keeps cookies, and goes where it is sent only when it is told to.
struct Browser<'a> {
    gateway: &'a Gateway,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// What a browser was answered.
struct Went {
    status: u16,
    location: String,
    set: Vec<String>,
}

impl Browser<'_> {
    async fn go(&mut self, url: &str) -> Went {
        let ours = url.starts_with(&self.gateway.url);
        let mut request = self.client.get(url);
        if ours && !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let response = request.send().await.unwrap();
        let header = |name| response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        let (set, location) = (header(SET_COOKIE).collect::<Vec<_>>(), header(LOCATION).next().unwrap_or_default());
        for set in set.iter().filter(|_| ours) {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Went { status: response.status().as_u16(), location, set }
    }

    /// Leaves for the provider, which sends it back; the address it is to come back to.
    async fn leave(&mut self) -> String {
        let there = self.go(&format!("{}/sign-in/acme", self.gateway.url)).await;
        assert_eq!(there.status, 303, "{}", there.location);
        let back = self.go(&there.location).await;
        assert_eq!(back.status, 302, "the provider sends it back");
        back.location
    }

    /// The whole way; where it lands.
    async fn sign_in(&mut self) -> String {
        let back = self.leave().await;
        let landed = self.go(&back).await;
        assert_eq!(landed.status, 303);
        landed.location
    }

    /// Who this browser is signed in as.
    async fn who(&mut self) -> Value {
        let Some(cookie) = self.cookies.get("gatehouse") else { return Value::Null };
        let document = "mutation { refreshSession(input: {}) { user { id email } organization { slug } } }";
        let request = self.client.post(format!("{}/graphql", self.gateway.url)).json(&json!({ "query": document }));
        let request = request.header("Gatehouse-Session", "cookie").header(ORIGIN, &self.gateway.url);
        let response = request.header(COOKIE, format!("gatehouse={cookie}")).send().await.unwrap();
        let set = response.headers().get(SET_COOKIE).map(|set| set.to_str().unwrap().to_owned());
        if let Some(value) = set.as_deref().and_then(|set| set.split(';').next()?.strip_prefix("gatehouse=")) {
            self.cookies.insert("gatehouse".to_owned(), value.to_owned());
        }
        let body: Value = response.json().await.unwrap();
        body["data"]["refreshSession"].clone()
    }
}

/// Where a browser lands that is not signed in, for this reason.
fn refused(code: &str) -> String {
    format!("{LANDING}?signInError={code}")
}

/// The rooms of a gateway that ask the provider, alone.
fn providers(acme: &OidcProvider) -> Providers {
    let options = ProviderOptions {
        key: "acme".to_owned(),
        title: "Acme".to_owned(),
        issuer: acme.url().to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        client_authentication: ClientAuthentication::Basic,
        algorithms: vec!["EdDSA".to_owned()],
        scopes: vec!["openid".to_owned()],
        linking: false,
        sign_up: true,
        allowed_domains: Vec::new(),
        email_verified_claim: "email_verified".to_owned(),
        accept_tokens: true,
        audiences: Vec::new(),
        redirect_url: "http://127.0.0.1/sign-in/acme/callback".to_owned(),
        landing: LANDING.to_owned(),
        key_refresh: std::time::Duration::from_secs(30),
    };
    Providers::new(vec![options], &[7; 32]).unwrap()
}
