//! Whether the time of a refused sign-in tells if the address has an account (abuse case G8).
//!
//! ```text
//! cargo bench --bench sign_in_timing -- --samples 2000
//! ```
//!
//! Starts a gateway with one account on a database of its own, and asks it over HTTP to sign in with a wrong password, for that
//! account and for an address that has none, in pairs whose order is drawn. Prints the medians, Welch's t and the two-sided
//! p of Mann and Whitney, and fails when both say that the two can be told apart: |t| above 4.5 and p below 0.00001, the
//! thresholds that timing laboratories use, so that chance alone does not fail it. It is no test of the suite: it takes minutes,
//! wants a quiet machine, and its answer is a probability.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use gatehouse::{
    cli::open::{Urls, open},
    config::{DeploymentArgs, HttpArgs, HttpConfig, RevocationMode},
    http::{Door, Server, ServiceGateway},
    id::new_id,
    service::user::NewAccount,
};
use rand::RngExt;
use serde_json::{Value, json};

/// Asked before anything is counted, so that every page and connection is warm.
const WARM_UP: usize = 50;
/// Beyond this, two means are told apart.
const TELLING_T: f64 = 4.5;
/// Below this, two ranks are told apart.
const TELLING_P: f64 = 0.000_01;

#[derive(Debug, Parser)]
struct Args {
    /// How many sign-ins of each kind.
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    /// What cargo passes to every benchmark.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.samples >= 100, "with fewer than 100 samples nothing can be said");
    let folder = tempfile::tempdir()?;
    let deployment = DeploymentArgs {
        database_url: format!("sqlite://{}", folder.path().join("gatehouse.db").display()),
        redis_url: None,
        redis_ca_file: None,
        revocation: RevocationMode::Auto,
        deployment: new_id().to_string(),
        secret_file: folder.path().join("secret"),
        mail_url: None,
        mail_dir: folder.path().join("mail"),
        mail_from: "Gatehouse <gate@example.org>".to_owned(),
        database_connections: 8,
        access_token_minutes: 5,
        invitation_only: false,
        sign_up_domains: Vec::new(),
        providers: None,
    };
    let http = HttpArgs {
        listen: "127.0.0.1:0".parse()?,
        // Every attempt comes from an address of its own, or the limits would answer instead of argon2.
        trusted_proxies: vec!["127.0.0.0/8".to_owned()],
        ..HttpArgs::default()
    };
    let config = HttpConfig::try_from(http)?;
    let server = Server::bind(&config).await?;
    let config = config.bound_to(server.address());
    let public = config.public_url.to_string();
    let opened = open(&deployment, &Urls { public: public.clone(), dashboard: public }).await?;
    let account = NewAccount {
        email: "known@example.org".to_owned(),
        password: "correct horse battery".to_owned(),
        name: "Known".to_owned(),
    };
    opened.service.create_account(account).await?;
    let url = format!("http://{}/graphql", server.address());
    let door = Door::new(ServiceGateway::new(opened.service.clone(), opened.cursors.clone()), config)?;
    let serving = tokio::spawn(async move { server.serve(&door, std::future::pending()).await });
    let measured = measure(&url, args.samples).await;
    serving.abort();
    opened.close().await?;
    report(&measured?)
}

/// The seconds that each kind of sign-in took.
struct Measured {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

async fn measure(url: &str, samples: usize) -> Result<Measured> {
    let (client, mut rng) = (reqwest::Client::new(), rand::rng());
    let (mut known, mut unknown) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
    for number in 0..samples + WARM_UP {
        let first = rng.random::<bool>();
        for is_known in [first, !first] {
            let from = format!("10.{}.{}.{}", u8::from(is_known), number / 250 % 250, number % 250);
            let took = sign_in(&client, (url, &from), is_known).await?;
            if number >= WARM_UP {
                if is_known { known.push(took) } else { unknown.push(took) }
            }
        }
    }
    Ok(Measured { known, unknown })
}

/// How many seconds a refused sign-in takes.
async fn sign_in(client: &reqwest::Client, (url, from): (&str, &str), is_known: bool) -> Result<f64> {
    // Of the same length, so that the two differ in nothing else.
    let email = if is_known { "known@example.org" } else { "nobdy@example.org" };
    let document = "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }";
    let input = json!({ "email": email, "password": "a wrong horse battery" });
    let request = client
        .post(url)
        .header("accept", "application/graphql-response+json")
        .header("x-forwarded-for", from)
        .json(&json!({ "query": document, "variables": { "input": input } }));
    let asked = Instant::now();
    let answer = request.send().await?.bytes().await?;
    let took = asked.elapsed().as_secs_f64();
    let answer: Value = serde_json::from_slice(&answer)?;
    if answer.pointer("/data/signIn/userErrors/0/code").and_then(Value::as_str) != Some("WRONG_CREDENTIALS") {
        bail!("a sign-in was not refused as it should be: {answer}");
    }
    Ok(took)
}

fn report(Measured { known, unknown }: &Measured) -> Result<()> {
    let (t, p) = (welch_t(known, unknown), mann_whitney_p(known, unknown));
    println!("refused sign-ins, {} of each kind, over HTTP on this machine", known.len());
    for (kind, sample) in [("known address", known), ("unknown address", unknown)] {
        let (median, (mean, deviation)) = (median(sample).context("no sample")?, mean_and_deviation(sample));
        println!(
            "{kind:>16}: median {:.3} ms, mean {:.3} ms, deviation {:.3} ms",
            1e3 * median,
            1e3 * mean,
            1e3 * deviation
        );
    }
    println!("Welch's t {t:.2}; Mann-Whitney p {p:.4}");
    if t.abs() > TELLING_T && p < TELLING_P {
        bail!("the time of a refused sign-in tells whether the address has an account");
    }
    println!("the two cannot be told apart");
    Ok(())
}

/// Numbers of samples are far below what a float counts exactly.
#[expect(clippy::cast_precision_loss, reason = "at most some thousand samples")]
const fn number(count: usize) -> f64 {
    count as f64
}

fn median(sample: &[f64]) -> Option<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn mean_and_deviation(sample: &[f64]) -> (f64, f64) {
    let count = number(sample.len());
    let mean = sample.iter().sum::<f64>() / count;
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance.sqrt())
}

/// The difference of the means in units of its own deviation, without the assumption that both vary alike (Welch 1947). The
/// slowest twentieth of both is left out: there the machine was busy with something else.
fn welch_t(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<f64> = one.iter().chain(other).copied().collect();
    all.sort_by(f64::total_cmp);
    let limit = all.get(all.len() * 19 / 20).copied().unwrap_or(f64::INFINITY);
    let cropped = |sample: &[f64]| sample.iter().copied().filter(|value| *value < limit).collect::<Vec<_>>();
    let (one, other) = (cropped(one), cropped(other));
    let ((mean, deviation), (other_mean, other_deviation)) = (mean_and_deviation(&one), mean_and_deviation(&other));
    let error = deviation.powi(2) / number(one.len()) + other_deviation.powi(2) / number(other.len());
    (mean - other_mean) / error.sqrt()
}

/// How likely ranks as uneven as these are where both kinds are one, by the normal approximation (Mann and Whitney 1947).
fn mann_whitney_p(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let ranks: f64 = all.iter().enumerate().filter(|(_, (_, is_one))| *is_one).map(|(rank, _)| number(rank + 1)).sum();
    let (n, m) = (number(one.len()), number(other.len()));
    let u = ranks - n * (n + 1.0) / 2.0;
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    two_sided((u - n * m / 2.0).abs() / deviation)
}

/// The probability of being at least so many deviations off on either side of a normal distribution: the complementary error
/// function by Abramowitz and Stegun, 7.1.26, right to seven places.
fn two_sided(deviations: f64) -> f64 {
    let x = deviations / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let terms = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let polynomial = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    (polynomial * (-x * x).exp()).clamp(0.0, 1.0)
}
