//! Realistic traffic against a running Signalbox, over HTTP like any other client: a support
//! assistant with retrieval, an agent with tools, a summariser; some failures, some attacks, and a
//! release half way that makes things worse.

mod client;
mod history;
mod otlp;
mod random;
mod scenarios;
mod words;

use std::time::{Duration, Instant};

use anyhow::Result;
use signalbox_gateway::RouteConfig;
use tracing::warn;

use crate::config::Config;

pub(crate) use client::Client;
use random::Random;

/// How much traffic, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// Conversations begun per second, about.
    pub(crate) rate: f64,
    /// How long; `None` = until stopped.
    pub(crate) duration: Option<Duration>,
    /// The release that makes things worse comes after so long.
    pub(crate) regression_after: Duration,
}

/// What the traffic pretends to be at the moment.
#[derive(Debug, Clone, Copy)]
struct Release {
    name: &'static str,
    prompt_version: &'static str,
    /// Extra latency of the model, in milliseconds.
    extra_ms: u64,
    /// Share of calls that fail.
    failures: f64,
}

const BEFORE: Release = Release { name: "2.3.0", prompt_version: "7", extra_ms: 0, failures: 0.02 };
const AFTER: Release = Release { name: "2.4.0", prompt_version: "8", extra_ms: 450, failures: 0.12 };

/// The routes that the traffic uses.
pub(crate) fn routes() -> Result<Vec<RouteConfig>> {
    Ok(Config::parse("the demo's routes", include_str!("route.yaml"), &|_| None)?.routes)
}

/// Some hours of the past, sent as OpenTelemetry spans, so that charts have something to show.
pub(crate) async fn fill_history(client: &Client, spans: impl Fn(usize, usize)) -> Result<()> {
    history::send(client, &mut Random::new(7), spans).await
}

/// Traffic until its time is over, or for ever.
pub(crate) async fn run(client: &Client, traffic: Traffic) {
    let mut random = Random::new(42);
    let began = Instant::now();
    let mut conversations = tokio::task::JoinSet::new();
    while traffic.duration.is_none_or(|duration| began.elapsed() < duration) {
        let release = if began.elapsed() < traffic.regression_after { BEFORE } else { AFTER };
        // Slow answers must not pile conversations up without end.
        while conversations.len() >= 64 {
            conversations.join_next().await;
        }
        let (client, seed, choice) = (client.clone(), random.next(), random.below(10));
        conversations.spawn(async move {
            let mut random = Random::new(seed);
            let outcome = match choice {
                0..5 => scenarios::support::run(&client, release, &mut random).await,
                5..8 => scenarios::agent::run(&client, release, &mut random).await,
                _ => scenarios::summariser::run(&client, release, &mut random).await,
            };
            if let Err(error) = outcome {
                warn!("demo: {error:#}");
            }
        });
        while conversations.try_join_next().is_some() {}
        let pause = random.exponential() / traffic.rate.max(0.01);
        tokio::time::sleep(Duration::from_secs_f64(pause.min(10.0))).await;
    }
    while conversations.join_next().await.is_some() {}
}
