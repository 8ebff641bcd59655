//! `gatehouse demo`, as somebody tries it first: the program itself, its one line, and what can be done with it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running demo; ends with the test.
struct Demo {
    program: Child,
    printed: Value,
    folder: TempDir,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn start(folder: TempDir) -> Demo {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gatehouse"))
        .args(["demo", "--json", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let printed = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    Demo { program, printed, folder }
}

impl Demo {
    async fn ask(&self, token: Option<&str>, document: &str, variables: Value) -> Value {
        self.ask_as(token, None, document, variables).await
    }

    /// The same, as this member sees it.
    async fn ask_as(&self, token: Option<&str>, member: Option<&str>, document: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(self.printed["graphqlUrl"].as_str().unwrap());
        let request = request.json(&json!({ "query": document, "variables": variables }));
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let request = member.into_iter().fold(request, |request, member| request.header("Gatehouse-View-As", member));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{document}: {answer}");
        answer["data"].clone()
    }

    fn users(&self) -> &[Value] {
        self.printed["users"].as_array().unwrap()
    }

    fn user(&self, email: &str) -> &Value {
        self.users().iter().find(|user| user["email"] == email).unwrap()
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The README's first query answers as it says.
#[tokio::test]
async fn the_readme_tells_the_truth_about_its_first_query() {
    let readme = include_str!("../../README.md");
    let (_, from) = readme.split_once("-d '").unwrap();
    let sent: Value = serde_json::from_str(from.split_once('\'').unwrap().0).unwrap();
    let (_, from) = readme.split_once("{\"data\":").unwrap();
    let told: Value = serde_json::from_str(from.lines().next().unwrap().strip_suffix('}').unwrap()).unwrap();
    let demo = start(tempfile::tempdir().unwrap());
    let token = demo.printed["apiTokens"][0]["token"].as_str().unwrap();
    assert_eq!(demo.ask(Some(token), sent["query"].as_str().unwrap(), json!({})).await, told);
}

#[tokio::test]
async fn the_demo_prints_one_line_and_everything_in_it_works() {
    let demo = start(tempfile::tempdir().unwrap());
    assert_eq!(keys(&demo.printed), ["url", "graphqlUrl", "users", "apiTokens"]);
    let viewer =
        "{ viewer { email organization { slug blueprint { name } apps { totalCount edges { node { kind { key } } } }
                   members { totalCount } activity { totalCount } } } }";
    let mut blueprints = std::collections::BTreeSet::new();
    for user in demo.users() {
        assert_eq!(keys(user), ["email", "password", "organization", "role", "accessToken"]);
        // The printed token is good at once, and so are address and password.
        let me = "{ viewer { email organization { slug blueprint { name } } } }";
        let data = demo.ask(user["accessToken"].as_str(), me, json!({})).await;
        assert_eq!(data["viewer"]["email"], user["email"]);
        assert_eq!(data["viewer"]["organization"]["slug"], user["organization"]);
        blueprints.insert(data["viewer"]["organization"]["blueprint"]["name"].as_str().unwrap().to_owned());
        let sign_in = "mutation($i: SignInInput!) { signIn(input: $i) { accessToken userErrors { code } } }";
        let input =
            json!({ "email": user["email"], "password": user["password"], "organization": user["organization"] });
        let data = demo.ask(None, sign_in, json!({ "i": input })).await;
        assert!(data["signIn"]["accessToken"].is_string(), "{data}");
    }
    let six = ["business-suite", "cloud-console", "code-hosting", "event-apps", "support-hub", "workspace"];
    assert_eq!(blueprints.iter().map(String::as_str).collect::<Vec<_>>(), six, "one organization of each");
    let organizations: std::collections::BTreeSet<_> =
        demo.users().iter().map(|user| user["organization"].as_str().unwrap().to_owned()).collect();
    assert_eq!(organizations.len(), 6);
    for organization in organizations {
        let people: Vec<_> =
            demo.users().iter().filter(|user| user["organization"].as_str() == Some(organization.as_str())).collect();
        let roles: std::collections::BTreeSet<_> = people.iter().map(|user| user["role"].to_string()).collect();
        assert!(people.len() > roles.len() && roles.len() > 1, "several people, in several roles: {people:?}");
    }
    for (email, apps, kinds) in
        [("alice@acme.example", 4, 4), ("erin@octo.example", 4, 1), ("tara@brightside.example", 5, 5)]
    {
        let data = demo.ask(demo.user(email)["accessToken"].as_str(), viewer, json!({})).await;
        let organization = &data["viewer"]["organization"];
        assert_eq!(organization["apps"]["totalCount"], apps, "{organization}");
        let edges = organization["apps"]["edges"].as_array().unwrap();
        let found: std::collections::BTreeSet<_> =
            edges.iter().map(|edge| edge["node"]["kind"]["key"].to_string()).collect();
        assert_eq!(found.len(), kinds, "apps of every kind");
        assert!(organization["activity"]["totalCount"].as_i64().unwrap() > 5, "{organization}");
    }
    // A member sees the apps that were ticked, and no others.
    let data = demo
        .ask(
            demo.user("bob@acme.example")["accessToken"].as_str(),
            "{ viewer { organization { apps { edges { node { slug } } } } } }",
            json!({}),
        )
        .await;
    let apps = data["viewer"]["organization"]["apps"]["edges"].as_array().unwrap();
    let mut slugs: Vec<&str> = apps.iter().map(|edge| edge["node"]["slug"].as_str().unwrap()).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["ask", "helpdesk"]);
    for token in demo.printed["apiTokens"].as_array().unwrap() {
        assert_eq!(keys(token), ["organization", "scopes", "token"]);
        let data = demo
            .ask(token["token"].as_str(), "{ viewer { organization { slug members { totalCount } } } }", json!({}))
            .await;
        assert_eq!(data["viewer"]["organization"]["slug"], token["organization"]);
    }
    let page = reqwest::get(format!("{}/graphiql", demo.printed["url"].as_str().unwrap())).await.unwrap();
    assert!(page.status().is_success());
}

/// What the README says of looking through somebody's eyes, with the blueprint as it is in the box.
#[tokio::test]
async fn a_super_admin_of_the_demo_sees_what_a_member_sees() {
    let demo = start(tempfile::tempdir().unwrap());
    let token = |email: &str| demo.user(email)["accessToken"].as_str();
    let find = "{ viewer { permissions organization { members(first: 100) { edges { node { id email } } } } } }";
    let found = demo.ask(token("alice@acme.example"), find, json!({})).await;
    assert!(found["viewer"]["permissions"].as_array().unwrap().contains(&json!("members.view_as")), "{found}");
    let members = found["viewer"]["organization"]["members"]["edges"].as_array().unwrap();
    let bob = members.iter().find(|edge| edge["node"]["email"] == "bob@acme.example").unwrap();
    let bob = bob["node"]["id"].as_str();
    let seen = "{ viewer { name permissions apps { totalCount edges { node { slug } } } } }";
    let through = demo.ask_as(token("alice@acme.example"), bob, seen, json!({})).await;
    assert_eq!(through, demo.ask(token("bob@acme.example"), seen, json!({})).await);
    assert_eq!(through["viewer"]["apps"]["totalCount"], 2, "{through}");
    // It is written down, for whoever reads the activity.
    let told = "{ viewer { organization { activity(first: 1, category: ACCESS) { edges { node {
        action actor { name } target { id } } } } } } }";
    let told = demo.ask(token("alice@acme.example"), told, json!({})).await;
    let entry = &told["viewer"]["organization"]["activity"]["edges"][0]["node"];
    assert_eq!((&entry["action"], entry["target"]["id"].as_str()), (&json!("member.viewed_as"), bob), "{told}");
}

#[tokio::test]
async fn a_demo_in_a_folder_goes_on_where_it_was() {
    let mut demo = start(tempfile::tempdir().unwrap());
    let members = "{ viewer { organization { members { totalCount } } } }";
    let before = demo.ask(demo.user("alice@acme.example")["accessToken"].as_str(), members, json!({})).await;
    // Somebody leaves, and somebody else takes another password.
    let token = |email: &str| demo.user(email)["accessToken"].as_str().unwrap().to_owned();
    let leave = "mutation { leaveOrganization(input: { confirm: true }) { __typename } }";
    demo.ask(Some(&token("ivan@octo.example")), leave, json!({})).await;
    let change = "mutation($old: String!) { changePassword(input: { password: $old, newPassword: \"another horse\" }) { accessToken } }";
    let old = json!({ "old": demo.user("mateo@nimbus.example")["password"] });
    demo.ask(Some(&token("mateo@nimbus.example")), change, old).await;
    demo.program.kill().unwrap();
    demo.program.wait().unwrap();
    let folder = std::mem::replace(&mut demo.folder, tempfile::tempdir().unwrap());
    let again = start(folder);
    let after = again.ask(again.user("alice@acme.example")["accessToken"].as_str(), members, json!({})).await;
    assert_eq!(before, after);
    assert_eq!(demo.users().len(), again.users().len() + 2);
}
