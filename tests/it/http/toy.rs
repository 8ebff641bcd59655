//! A small gateway behind the real door: what is needed to see the door work, and nothing of the product.
#![expect(clippy::unused_async, reason = "a resolver is async whether it waits or not")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_graphql::futures_util::{StreamExt as _, stream::BoxStream};
use async_graphql::{
    Context, Enum, Error, ErrorExtensions, InputObject, Interface, Object, Response, Result, Schema, SimpleObject,
    Subscription, Union,
};
use futures_util::{Stream, future::BoxFuture, stream};
use gatehouse::{
    config::{HttpArgs, HttpConfig},
    http::{
        Access, AuthRefusal, Credentials, Door, GatedRequest, Gateway, OperationKind, Readiness, RootFields, Server,
        ViewRefusal,
    },
};
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};

/// The caller of the toy: a stranger, or somebody by name.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) name: Option<String>,
    pub(super) peer: String,
}

fn refused(code: &'static str) -> Error {
    Error::new(format!("refused: {code}")).extend_with(|_, extensions| extensions.set("code", code))
}

/// How far a person's access goes.
#[derive(Enum, Copy, Clone, PartialEq, Eq)]
enum Level {
    Read,
    Write,
}

struct Book {
    id: i32,
    title: String,
}

#[Object]
impl Book {
    async fn id(&self) -> i32 {
        self.id
    }

    async fn title(&self) -> &str {
        &self.title
    }
}

struct Person {
    id: i32,
}

#[Object]
impl Person {
    async fn id(&self) -> i32 {
        self.id
    }

    /// Ready later than what is asked after it.
    async fn name(&self) -> String {
        tokio::time::sleep(Duration::from_millis(5)).await;
        format!("person {}", self.id)
    }

    /// Nullable, and fails.
    async fn secret(&self) -> Result<Option<String>> {
        Err(refused("FORBIDDEN"))
    }

    /// Not nullable, and fails.
    async fn broken(&self) -> Result<String> {
        Err(refused("INTERNAL"))
    }

    async fn friend(&self) -> Option<Person> {
        Some(Person { id: self.id + 1 })
    }

    async fn friends(&self, first: Option<i32>) -> PersonConnection {
        PersonConnection { nodes: (1..=first.unwrap_or(2)).map(|id| Person { id }).collect() }
    }
}

#[derive(SimpleObject)]
struct PersonConnection {
    nodes: Vec<Person>,
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "i32"))]
enum Node {
    Book(Book),
    Person(Person),
}

#[derive(Union)]
enum Found {
    Book(Book),
    Person(Person),
}

#[derive(InputObject)]
struct Filter {
    limit: i32,
    level: Option<Level>,
}

struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("hello {}", name.unwrap_or_else(|| "stranger".into()))
    }

    async fn viewer(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_unchecked::<Caller>().name.clone()
    }

    async fn peer(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Caller>().peer.clone()
    }

    async fn person(&self) -> Option<Person> {
        Some(Person { id: 1 })
    }

    async fn solid(&self) -> Person {
        Person { id: 1 }
    }

    async fn people(&self) -> Vec<Person> {
        vec![Person { id: 1 }, Person { id: 2 }]
    }

    async fn nobody(&self) -> Option<Person> {
        None
    }

    async fn nodes(&self) -> Vec<Option<Node>> {
        vec![Some(Node::Book(Book { id: 7, title: "gates".into() })), None, Some(Node::Person(Person { id: 1 }))]
    }

    async fn found(&self) -> Vec<Found> {
        vec![Found::Person(Person { id: 1 }), Found::Book(Book { id: 7, title: "gates".into() })]
    }

    async fn doomed(&self) -> Result<i32> {
        Err(refused("INTERNAL"))
    }

    async fn unavailable(&self) -> Result<Option<i32>> {
        Err(refused("AUTHZ_UNAVAILABLE"))
    }

    async fn slow(&self, ctx: &Context<'_>) -> i32 {
        ctx.data_unchecked::<Arc<Notify>>().notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
        1
    }

    async fn quick(&self) -> i32 {
        2
    }

    async fn count(&self, filter: Option<Filter>, to: Option<i32>) -> i32 {
        to.or(filter.map(|filter| filter.limit)).unwrap_or(0)
    }

    async fn panics(&self) -> i32 {
        assert!(std::hint::black_box(false), "on purpose");
        0
    }

    /// In the schema, and in no table.
    async fn unlisted(&self) -> i32 {
        1
    }
}

#[derive(InputObject)]
struct SignInInput {
    email: String,
    password: String,
}

#[derive(SimpleObject)]
struct UserError {
    message: String,
}

#[derive(SimpleObject)]
struct SignInPayload {
    access_token: Option<String>,
    refresh_token: Option<String>,
    user_errors: Vec<UserError>,
}

struct Mutation;

#[Object]
impl Mutation {
    async fn rename(&self, to: String) -> String {
        to
    }

    async fn sign_in(&self, input: SignInInput) -> SignInPayload {
        if input.password == "password" {
            let name = input.email.split('@').next().unwrap_or_default().to_owned();
            SignInPayload { access_token: Some(name), refresh_token: None, user_errors: Vec::new() }
        } else {
            let message = "email or password is wrong".to_owned();
            SignInPayload { access_token: None, refresh_token: None, user_errors: vec![UserError { message }] }
        }
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn ticks(&self) -> impl Stream<Item = i32> {
        stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((n, n + 1))
        })
    }

    async fn people(&self) -> impl Stream<Item = Person> {
        stream::iter([Person { id: 1 }, Person { id: 2 }])
    }

    /// One event, then nothing more for this caller.
    async fn lost(&self) -> impl Stream<Item = Result<i32>> {
        stream::iter([Ok(1), Err(refused("FORBIDDEN"))])
    }

    async fn forbidden(&self) -> Result<stream::Empty<i32>> {
        Err(refused("FORBIDDEN"))
    }
}

type ToySchema = Schema<Query, Mutation, Subscriptions>;

/// The toy. Tokens are names; `forged` is no name, `down` is asked while the store is away.
#[derive(Clone)]
pub(super) struct Toy {
    schema: ToySchema,
    slow: Arc<Notify>,
    revoked: Arc<watch::Sender<bool>>,
    ready: Arc<watch::Sender<bool>>,
}

impl Toy {
    pub(super) fn new() -> Self {
        let slow = Arc::new(Notify::new());
        let schema =
            Schema::build(Query, Mutation, Subscriptions).data(Arc::clone(&slow)).disable_suggestions().finish();
        Self { schema, slow, revoked: Arc::new(watch::Sender::new(false)), ready: Arc::new(watch::Sender::new(true)) }
    }

    /// Waits until the slow field is being answered.
    pub(super) async fn slow_begun(&self) {
        self.slow.notified().await;
    }

    /// Cuts every caller.
    pub(super) fn revoke(&self) {
        self.revoked.send_replace(true);
    }

    /// Says whether the toy is ready.
    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.send_replace(ready);
    }
}

impl Gateway for Toy {
    type Caller = Caller;

    async fn authenticate(&self, credentials: Credentials) -> Result<Caller, AuthRefusal> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let peer = credentials.peer.to_string();
        match credentials.bearer.as_deref() {
            None => Ok(Caller { name: None, peer }),
            Some("down") => Err(AuthRefusal::Unavailable),
            Some(name) if name.bytes().all(|byte| byte.is_ascii_lowercase()) && name != "forged" => {
                Ok(Caller { name: Some(name.to_owned()), peer })
            }
            Some(_) => Err(AuthRefusal::Invalid),
        }
    }

    async fn view_as(&self, _caller: Caller, _member: String) -> Result<Caller, ViewRefusal> {
        Err(ViewRefusal::NotFound)
    }

    fn is_authenticated(&self, caller: &Caller) -> bool {
        caller.name.is_some()
    }

    async fn execute(&self, caller: Caller, request: GatedRequest) -> Response {
        self.schema.execute(request.request.data(caller)).await
    }

    fn subscribe(&self, caller: Caller, request: GatedRequest) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request.request.data(caller)).boxed()
    }

    fn revoked(&self, _caller: &Caller) -> BoxFuture<'static, ()> {
        let mut revoked = self.revoked.subscribe();
        Box::pin(async move {
            let _ = revoked.wait_for(|revoked| *revoked).await;
        })
    }

    fn sdl(&self) -> String {
        self.schema.sdl()
    }

    fn root_fields(&self) -> RootFields {
        use Access::{Authenticated, Public};
        use OperationKind::{Mutation, Query, Subscription};
        RootFields::new([
            (Query, "hello", Public),
            (Query, "viewer", Authenticated),
            (Query, "peer", Public),
            (Query, "person", Public),
            (Query, "solid", Public),
            (Query, "people", Public),
            (Query, "nobody", Public),
            (Query, "nodes", Public),
            (Query, "found", Public),
            (Query, "doomed", Public),
            (Query, "unavailable", Public),
            (Query, "slow", Public),
            (Query, "quick", Public),
            (Query, "count", Public),
            (Query, "panics", Public),
            (Mutation, "rename", Authenticated),
            (Mutation, "signIn", Public),
            (Subscription, "count", Public),
            (Subscription, "ticks", Public),
            (Subscription, "lost", Public),
            (Subscription, "people", Public),
            (Subscription, "forbidden", Public),
        ])
    }

    fn published_keys(&self) -> Value {
        json!({ "keys": [] })
    }

    async fn ready(&self) -> Readiness {
        Readiness { checks: vec![("store".into(), *self.ready.borrow())] }
    }
}

/// A toy that serves on a port of its own until it is dropped or stopped.
pub(super) struct Running {
    pub(super) toy: Toy,
    pub(super) address: SocketAddr,
    pub(super) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first error.
    pub(super) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned()
    }
}

/// Serves a toy with the defaults.
pub(super) async fn serve() -> Running {
    serve_with(|_| {}).await
}

/// Serves a toy with a changed configuration.
pub(super) async fn serve_with(change: impl FnOnce(&mut HttpConfig)) -> Running {
    serve_at("127.0.0.1:0", change).await
}

async fn serve_at(listen: &str, change: impl FnOnce(&mut HttpConfig)) -> Running {
    let args = HttpArgs { listen: listen.parse().unwrap(), ..HttpArgs::default() };
    let mut config = HttpConfig::try_from(args).unwrap();
    change(&mut config);
    let server = Server::bind(&config).await.unwrap();
    let address = server.address();
    let config = config.bound_to(address);
    let toy = Toy::new();
    let door = Door::new(toy.clone(), config).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        server
            .serve(&door, async {
                let _ = stopped.await;
            })
            .await;
    });
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    Running { toy, address, client, stop: Some(stop), task: Some(task) }
}

impl Running {
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a document, accepting `application/graphql-response+json`.
    pub(super) async fn ask(&self, query: &str) -> Got {
        self.ask_with(json!({ "query": query })).await
    }

    /// Posts a whole request body.
    pub(super) async fn ask_with(&self, body: Value) -> Got {
        self.send(self.post().header("accept", "application/graphql-response+json").body(body.to_string())).await
    }

    /// A POST to /graphql, of JSON.
    pub(super) fn post(&self) -> reqwest::RequestBuilder {
        self.client.post(self.url("/graphql")).header("content-type", "application/json")
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.send(self.client.get(self.url(path))).await
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }

    /// Asks the server to stop; the handle ends when it has.
    pub(super) fn stop(&mut self) -> tokio::task::JoinHandle<()> {
        drop(self.stop.take());
        self.task.take().unwrap()
    }
}

/// Serves the toy for programs that judge servers from outside, until it is killed:
/// `GATEHOUSE_TOY_LISTEN=127.0.0.1:8090 cargo test --test it serve_the_toy -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "serves until it is killed"]
async fn serve_the_toy() {
    let listen = std::env::var("GATEHOUSE_TOY_LISTEN").unwrap_or_else(|_| "127.0.0.1:8090".into());
    let mut running = serve_at(&listen, |_| {}).await;
    running.task.take().unwrap().await.unwrap();
}
