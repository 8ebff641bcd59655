//! Sessions of browsers: the refresh token is in a cookie, which counts for pages that may call the API and for nobody else.

use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::gateway::Gateway;

const PASSWORD: &str = "correct horse battery";
const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken refreshToken } }";
const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken userErrors { code } } }";
const REFRESH: &str = "mutation { refreshSession(input: {}) { accessToken refreshToken user { email } } }";
const SIGN_OUT: &str = "mutation { signOut(input: {}) { endedSessions } }";

/// What a page's request was answered.
struct Reply {
    status: u16,
    body: Value,
    /// The `Set-Cookie` headers.
    set: Vec<String>,
}

impl Reply {
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// The refresh token that the browser was given to keep.
    fn kept(&self) -> String {
        let [set] = self.set.as_slice() else { panic!("one cookie is set: {:?}", self.set) };
        let value = set.strip_prefix("gatehouse=").and_then(|rest| rest.split(';').next()).unwrap();
        assert!(value.starts_with("grt_"), "{set}");
        value.to_owned()
    }
}

/// A request of a page, in all its parts.
struct Page<'a> {
    gateway: &'a Gateway,
    origin: Option<String>,
    asks: bool,
    cookie: Option<String>,
    token: Option<String>,
}

impl<'a> Page<'a> {
    /// A page of our own, which asks for the cookie.
    fn ours(gateway: &'a Gateway) -> Self {
        Self { gateway, origin: Some(gateway.url.clone()), asks: true, cookie: None, token: None }
    }

    fn with_cookie(self, token: &str) -> Self {
        Self { cookie: Some(format!("gatehouse={token}")), ..self }
    }

    async fn send(&self, document: &str, input: Value) -> Reply {
        let body = json!({ "query": document, "variables": { "input": input } }).to_string();
        let request = reqwest::Client::new().post(format!("{}/graphql", self.gateway.url)).body(body);
        let mut request = request.header(CONTENT_TYPE, "application/json");
        if let Some(origin) = &self.origin {
            request = request.header(ORIGIN, origin);
        }
        if self.asks {
            request = request.header("Gatehouse-Session", "cookie");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let set = response.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned());
        let (status, set) = (response.status().as_u16(), set.collect());
        Reply { status, body: response.json().await.unwrap(), set }
    }

    async fn sign_up(&self, name: &str) -> Reply {
        let account = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "name": name });
        self.send(SIGN_UP, account).await
    }
}

#[tokio::test]
async fn g13_a_browsers_refresh_token_is_in_a_cookie_and_in_no_answer() {
    let gateway = Gateway::sqlite().await;
    let signed_up = Page::ours(&gateway).sign_up("alice").await;
    assert!(signed_up.body["data"]["signUp"]["accessToken"].is_string(), "{}", signed_up.body);
    assert!(signed_up.body["data"]["signUp"]["refreshToken"].is_null(), "{}", signed_up.body);
    let first = signed_up.kept();
    let attributes = signed_up.set[0].split_once("; ").unwrap().1;
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict; Max-Age=10800");

    let input = json!({ "email": "alice@example.org", "password": PASSWORD });
    let signed_in = Page::ours(&gateway).send(SIGN_IN, input.clone()).await;
    assert!(signed_in.body["data"]["signIn"]["refreshToken"].is_null(), "{}", signed_in.body);
    assert_ne!(signed_in.kept(), first, "another session");
    let refused =
        Page::ours(&gateway).send(SIGN_IN, json!({ "email": "alice@example.org", "password": "wrong" })).await;
    assert!(refused.set.is_empty(), "who is refused is given nothing: {:?}", refused.set);
    // A program gets it in the answer, and no cookie.
    let program = Page { origin: None, asks: false, ..Page::ours(&gateway) }.send(SIGN_IN, input).await;
    assert!(program.set.is_empty() && program.body["data"]["signIn"]["refreshToken"].is_string(), "{}", program.body);
}

#[tokio::test]
async fn d9_each_refresh_by_cookie_uses_it_up_and_sets_the_next() {
    let gateway = Gateway::sqlite().await;
    let first = Page::ours(&gateway).sign_up("alice").await.kept();
    let refreshed = Page::ours(&gateway).with_cookie(&first).send(REFRESH, json!({})).await;
    assert_eq!(refreshed.body["data"]["refreshSession"]["user"]["email"], "alice@example.org", "{}", refreshed.body);
    assert!(refreshed.body["data"]["refreshSession"]["refreshToken"].is_null());
    let second = refreshed.kept();
    assert_ne!(first, second);
    let third = Page::ours(&gateway).with_cookie(&second).send(REFRESH, json!({})).await.kept();

    // A copy of a used one ends the session, and is taken away.
    let copied = Page::ours(&gateway).with_cookie(&first).send(REFRESH, json!({})).await;
    assert_eq!(copied.code(), "UNAUTHENTICATED", "{}", copied.body);
    assert_eq!(copied.set, ["gatehouse=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"]);
    let newest = Page::ours(&gateway).with_cookie(&third).send(REFRESH, json!({})).await;
    assert_eq!(newest.code(), "UNAUTHENTICATED", "{}", newest.body);
    let without = Page::ours(&gateway).send(REFRESH, json!({})).await;
    assert_eq!(without.code(), "UNAUTHENTICATED", "{}", without.body);
}

#[tokio::test]
async fn g13_a_cookie_that_somebody_else_set_is_not_adopted() {
    let gateway = Gateway::sqlite().await;
    let planted = Page::ours(&gateway).sign_up("mallory").await.kept();
    let alice = Page::ours(&gateway).with_cookie(&planted).sign_up("alice").await;
    let hers = alice.kept();
    assert_ne!(hers, planted, "signing in always opens a session of one's own");
    // What was planted still says mallory, and never alice.
    let refreshed = Page::ours(&gateway).with_cookie(&planted).send(REFRESH, json!({})).await;
    assert_eq!(refreshed.body["data"]["refreshSession"]["user"]["email"], "mallory@example.org");
    // Planted beside hers: two of one name are none.
    let both = Page { cookie: Some(format!("gatehouse={planted}; gatehouse={hers}")), ..Page::ours(&gateway) };
    assert_eq!(both.send(REFRESH, json!({})).await.code(), "UNAUTHENTICATED");
    let refreshed = Page::ours(&gateway).with_cookie(&hers).send(REFRESH, json!({})).await;
    assert_eq!(refreshed.body["data"]["refreshSession"]["user"]["email"], "alice@example.org");
    for made_up in ["grt_", "mallory", "grt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "gat_x"] {
        let answer = Page::ours(&gateway).with_cookie(made_up).send(REFRESH, json!({})).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{made_up}");
    }
}

#[tokio::test]
async fn f17_the_cookie_counts_for_no_page_of_another_site() {
    let gateway = Gateway::sqlite().await;
    let token = Page::ours(&gateway).sign_up("alice").await.kept();
    let loopback = gateway.url.replace("127.0.0.1", "localhost");
    for origin in ["https://evil.example", "null", "", &loopback, &format!("{}.evil.example", gateway.url)] {
        let page = Page { origin: Some(origin.to_owned()), ..Page::ours(&gateway) }.with_cookie(&token);
        let answer = page.send(REFRESH, json!({})).await;
        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"), "{origin}: {}", answer.body);
        assert!(answer.set.is_empty(), "{origin}");
    }
    let nowhere = Page { origin: None, ..Page::ours(&gateway) }.with_cookie(&token).send(REFRESH, json!({})).await;
    assert_eq!((nowhere.status, nowhere.code()), (403, "FORBIDDEN"), "{}", nowhere.body);

    // What a form or a link of another site could have the browser send: no header of ours, so no cookie either.
    let unasked = Page { asks: false, ..Page::ours(&gateway) }.with_cookie(&token).send(REFRESH, json!({})).await;
    assert_eq!(unasked.code(), "BAD_USER_INPUT", "{}", unasked.body);
    let client = reqwest::Client::new();
    let url = format!("{}/graphql", gateway.url);
    let form = client.post(&url).header(COOKIE, format!("gatehouse={token}")).header(CONTENT_TYPE, "text/plain");
    let form = form.header("Gatehouse-Session", "cookie").header(ORIGIN, &gateway.url);
    let form = form.body(json!({ "query": REFRESH }).to_string()).send().await.unwrap();
    assert_eq!(form.status(), 415);
    let link = client.get(&url).query(&[("query", "{ viewer { id } }")]).header("Gatehouse-Session", "cookie");
    assert_eq!(link.header(ORIGIN, &gateway.url).send().await.unwrap().status(), 400);

    // Nothing of that used the token up.
    let refreshed = Page::ours(&gateway).with_cookie(&token).send(REFRESH, json!({})).await;
    assert_eq!(refreshed.body["data"]["refreshSession"]["user"]["email"], "alice@example.org");
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_and_ends_its_session() {
    let gateway = Gateway::sqlite().await;
    let signed_up = Page::ours(&gateway).sign_up("alice").await;
    let (kept, access) = (signed_up.kept(), signed_up.body["data"]["signUp"]["accessToken"].as_str().unwrap());
    let page = Page { token: Some(access.to_owned()), ..Page::ours(&gateway) }.with_cookie(&kept);
    let signed_out = page.send(SIGN_OUT, json!({})).await;
    assert_eq!(signed_out.body["data"]["signOut"]["endedSessions"], 1, "{}", signed_out.body);
    assert_eq!(signed_out.set, ["gatehouse=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"]);
    let kept = Page::ours(&gateway).with_cookie(&kept).send(REFRESH, json!({})).await;
    assert_eq!(kept.code(), "UNAUTHENTICATED", "{}", kept.body);
}

/// A page whose access token is over has nothing but the cookie to sign out with.
#[tokio::test]
async fn the_cookie_alone_signs_out() {
    let gateway = Gateway::sqlite().await;
    let kept = Page::ours(&gateway).sign_up("alice").await.kept();
    let foreign = Page { origin: Some("https://evil.example".to_owned()), ..Page::ours(&gateway) }.with_cookie(&kept);
    assert_eq!(foreign.send(SIGN_OUT, json!({})).await.status, 403);
    let unasked = Page { asks: false, ..Page::ours(&gateway) }.with_cookie(&kept);
    assert_eq!(unasked.send(SIGN_OUT, json!({})).await.code(), "UNAUTHENTICATED");
    let signed_out = Page::ours(&gateway).with_cookie(&kept).send(SIGN_OUT, json!({})).await;
    assert_eq!(signed_out.body["data"]["signOut"]["endedSessions"], 1, "{}", signed_out.body);
    assert_eq!(signed_out.set, ["gatehouse=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"]);
    let over = Page::ours(&gateway).with_cookie(&kept).send(REFRESH, json!({})).await;
    assert_eq!(over.code(), "UNAUTHENTICATED", "{}", over.body);
    let wrong = Page::ours(&gateway).with_cookie("grt_wrong").send(SIGN_OUT, json!({})).await;
    assert_eq!(wrong.code(), "UNAUTHENTICATED");
    assert_eq!(wrong.set, ["gatehouse=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"], "it is good for nothing");
}

/// A password that is changed gives the browser the next cookie; an account that is deleted takes it away.
#[tokio::test]
async fn the_cookie_follows_a_changed_password_and_goes_with_the_account() {
    let gateway = Gateway::sqlite().await;
    let page = Page::ours(&gateway);
    let first = page.sign_up("alice").await;
    let token = |reply: &Reply, field: &str| reply.body["data"][field]["accessToken"].as_str().unwrap().to_owned();
    let page = Page { token: Some(token(&first, "signUp")), ..page }.with_cookie(&first.kept());
    let change =
        "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { accessToken refreshToken } }";
    let changed = page.send(change, json!({ "password": PASSWORD, "newPassword": "another horse battery" })).await;
    assert!(changed.body["data"]["changePassword"]["refreshToken"].is_null(), "{}", changed.body);
    assert_ne!(changed.kept(), first.kept());

    let page = Page { token: Some(token(&changed, "changePassword")), ..page }.with_cookie(&changed.kept());
    let delete = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deleted } }";
    let refused = page.send(delete, json!({ "password": "wrong password" })).await;
    assert!(refused.set.is_empty(), "{:?}", refused.set);
    let deleted = page.send(delete, json!({ "password": "another horse battery" })).await;
    assert_eq!(deleted.body["data"]["deleteAccount"]["deleted"], true, "{}", deleted.body);
    assert!(deleted.set[0].starts_with("gatehouse=;") && deleted.set[0].contains("Max-Age=0"), "{:?}", deleted.set);
}
