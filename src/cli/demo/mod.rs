//! `gatehouse demo`: a gateway with something in it, to be tried at once.
//!
//! Everything is made through the API's own operations, in the names of the people who would make it; only the accounts and the
//! organizations are the operator's. What may not enter: words of a blueprint; they stand in `data.json`.

mod data;
mod fill;
mod hand;

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use self::fill::Filled;
use super::serve::{self, Ready};
use crate::config::{DeploymentArgs, HttpArgs};

/// How many minutes the demo's access tokens live.
const ACCESS_TOKEN_MINUTES: u64 = 30;

/// Options of `gatehouse demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Print what is needed to use it as one JSON line, before it serves.
    #[arg(long)]
    pub json: bool,
    /// Keep the demo's database, secret and mail in this folder [default: a new temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The door.
    #[command(flatten)]
    pub http: HttpArgs,
}

/// The folder of the demo's files; a temporary one goes with it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn open(asked: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match asked {
            Some(path) => (path.to_owned(), false),
            None => (std::env::temp_dir().join(format!("gatehouse-demo-{}", crate::id::new_id().simple())), true),
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        Ok(Self { path, temporary })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // What is left behind is in the folder for temporary things.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// What the demo prints: the JSON line has exactly these keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    url: &'a str,
    graphql_url: String,
    #[serde(flatten)]
    filled: &'a Filled,
}

/// Runs the command.
///
/// # Errors
/// When the address is taken, the folder cannot be written, or the data cannot be made.
pub async fn run(deployment: DeploymentArgs, args: DemoArgs) -> anyhow::Result<()> {
    let folder = Folder::open(args.data_dir.as_deref())?;
    let ready = serve::prepare(&settle(deployment, &folder.path), args.http).await?;
    let filled = fill::fill(&ready.opened).await.context("cannot make the demo's data")?;
    let url = ready.config.public_url.to_string();
    let url = url.trim_end_matches('/');
    let printed = Printed { url, graphql_url: format!("{url}/graphql"), filled: &filled };
    if args.json {
        println!("{}", serde_json::to_string(&printed)?);
    } else {
        print!("{}", for_people(&printed, &ready, &folder));
    }
    serve::serve(ready, serve::Routine::default()).await?;
    drop(folder);
    Ok(())
}

/// The deployment of a demo: its files in the folder, unless a database is named; access tokens that last for a look around.
fn settle(deployment: DeploymentArgs, folder: &Path) -> DeploymentArgs {
    let named = deployment.database_url != DeploymentArgs::DEFAULT_DATABASE_URL;
    let own = format!("sqlite:{}", folder.join("gatehouse.db").display());
    DeploymentArgs {
        database_url: if named { deployment.database_url } else { own },
        secret_file: folder.join("gatehouse.secret"),
        mail_url: None,
        mail_dir: folder.join("mail"),
        access_token_minutes: ACCESS_TOKEN_MINUTES,
        ..deployment
    }
}

/// The same for people.
fn for_people(printed: &Printed<'_>, ready: &Ready, folder: &Folder) -> String {
    use std::fmt::Write;

    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(format!("Gatehouse demo: GraphQL at {}", printed.graphql_url));
    if ready.config.playground {
        line(format!("GraphiQL:       {}/graphiql", printed.url));
    }
    line(format!(
        "Its files:      {}{}",
        folder.path.display(),
        if folder.temporary { " (removed at the end)" } else { "" }
    ));
    line(String::new());
    line(
        "Sign in as (access tokens are good for 30 minutes; in GraphiQL, sign in with email and password):".to_owned(),
    );
    let users = &printed.filled.users;
    let widest = users.iter().map(|user| user.email.len()).max().unwrap_or_default();
    for (index, user) in users.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| users.get(before));
        if before.is_none_or(|before| before.organization != user.organization) {
            line(format!("  {}, password {}", user.organization, user.password));
        }
        let roles: Vec<&str> = std::iter::once(&user.role).chain(&user.beside).map(String::as_str).collect();
        line(format!("    {:<widest$}  {}", user.email, roles.join(", ")));
    }
    line(String::new());
    line("API tokens, for a day:".to_owned());
    for token in &printed.filled.api_tokens {
        line(format!("  {} ({})", token.organization, token.scopes.join(", ")));
        line(format!("  {}", token.token));
    }
    if let Some(user) = printed.filled.users.first() {
        line(String::new());
        line("Try:".to_owned());
        line(format!(
            "  curl -s {} -H 'content-type: application/json' -H 'authorization: Bearer {}' -d '{}'",
            printed.graphql_url,
            user.access_token,
            r#"{"query":"{ viewer { name organization { name } permissions } }"}"#
        ));
    }
    text
}
