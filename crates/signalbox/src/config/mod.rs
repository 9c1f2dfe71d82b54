//! `signalbox.yaml`: each part belongs to the crate that it configures; here they meet.

mod check;
mod document;
mod problem;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_gateway::GatewayConfig;
use signalbox_guard::GuardConfig;
use signalbox_ingest::IngestConfig;
use signalbox_prices::{ModelPrice, PriceBook};
use signalbox_store::StoreConfig;
use signalbox_upstream::{HumanDuration, ProviderConfig, SimulatedConfig, Timeouts, UpstreamConfig};

use problem::Problem;
pub(crate) use problem::Problems;

/// What `signalbox init` writes.
pub(crate) const TEMPLATE: &str = include_str!("template.yaml");
/// The file that is read when none is named and it is there.
pub(crate) const DEFAULT_FILE: &str = "signalbox.yaml";

/// The configuration of Signalbox. Every field has a default; an empty file is a valid one.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Addresses, folder and shutdown.
    pub(crate) server: ServerConfig,
    /// Providers beside those that a key in the environment switches on.
    pub(crate) providers: Vec<ProviderConfig>,
    /// How long to wait for any provider that says nothing else.
    pub(crate) timeouts: Timeouts,
    /// How many idle connections are kept open to each provider. Default 256.
    pub(crate) max_idle_connections: Option<usize>,
    /// The built-in simulated provider, which serves `sim/…` models.
    pub(crate) simulated: SimulatedConfig,
    /// Limits of the gateway.
    pub(crate) gateway: GatewayConfig,
    /// What scanners look for and what is done about it.
    pub(crate) guard: GuardConfig,
    /// Prices of your own, in dollars per million tokens; they come before the built-in ones.
    pub(crate) prices: Vec<ModelPrice>,
    /// Limits of the OTLP receivers.
    pub(crate) ingest: IngestConfig,
    /// The embedded event store.
    pub(crate) store: StoreConfig,
}

/// Addresses, folder and shutdown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// Where gateway, API, web UI and OTLP are served. Example: `0.0.0.0:7300`.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// The standard OTLP/HTTP port; `null` leaves it closed. If it is taken, a warning says so and
    /// OTLP still works on `listen`.
    #[schemars(with = "Option<String>")]
    pub(crate) otlp_http: Option<SocketAddr>,
    /// The standard OTLP/gRPC port; `null` leaves it closed.
    #[schemars(with = "Option<String>")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// How long calls in flight may go on after SIGTERM. Example: `30s`.
    pub(crate) drain_timeout: HumanDuration,
    /// Connections served at once, at most; others wait to be accepted.
    pub(crate) max_connections: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            listen: local(7300),
            otlp_http: Some(local(4318)),
            otlp_grpc: Some(local(4317)),
            data_dir: PathBuf::from("signalbox-data"),
            drain_timeout: HumanDuration(Duration::from_secs(30)),
            max_connections: 10_000,
        }
    }
}

impl Config {
    /// What the provider crate wants to know.
    pub(crate) fn upstream(&self) -> UpstreamConfig {
        UpstreamConfig {
            providers: self.providers.clone(),
            timeouts: self.timeouts,
            max_idle_connections: self.max_idle_connections,
            simulated: self.simulated.clone(),
        }
    }

    /// Reads a file, or the defaults if none is named and there is no `signalbox.yaml`.
    ///
    /// # Errors
    /// The file can't be read, or says something it must not: all of it at once.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let path = match file {
            Some(path) => path,
            None if Path::new(DEFAULT_FILE).exists() => Path::new(DEFAULT_FILE),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("can't read the configuration file `{}` (write one with `signalbox init`)", path.display())
        })?;
        Ok(Self::parse(&path.display().to_string(), &text, &environment)?)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn parse(file: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let failed = |all| Problems { file: file.to_owned(), all };
        let document = document::parse(text, env).map_err(failed)?;
        let problems = check::check(&document, &schema());
        if !problems.is_empty() {
            return Err(failed(problems));
        }
        let config: Self = serde_path_to_error::deserialize(&document.value).map_err(|error| {
            let pointer = pointer(error.path());
            let message = format!("{}: {}", check::path(&pointer), error.inner());
            failed(vec![Problem::new(document.place(&pointer), message)])
        })?;
        config.check_parts(|pointer, message| Problem::new(document.place(pointer), message)).map_err(failed)?;
        Ok(config)
    }

    /// What only the owners of the parts can tell.
    fn check_parts(&self, problem: impl Fn(&str, String) -> Problem) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if let Err(error) = signalbox_guard::Guard::compile(&self.guard) {
            problems.push(problem("/guard", format!("`guard`: {error}")));
        }
        let clock = std::sync::Arc::new(signalbox_types::seam::SystemClock::new());
        if let Err(error) = signalbox_upstream::Upstream::new(&self.upstream(), &|_| None, clock) {
            problems.extend(error.problems.iter().map(|one| {
                problem(&check::pointer_of(&one.path), format!("`{}`: {}", one.path, one.message))
                    .hint(one.hint.clone())
            }));
        }
        if self.server.max_connections == 0 {
            problems.push(problem(
                "/server/max_connections",
                "`server.max_connections` is 0; expected at least 1".to_owned(),
            ));
        }
        if let Err(error) = PriceBook::with_overrides(&self.prices) {
            problems.push(problem("/prices", format!("`prices`: {error}")));
        }
        for (field, expected) in self.gateway.problems() {
            problems.push(problem(&format!("/gateway/{field}"), format!("`gateway.{field}`: {expected}")));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// The JSON Schema of the file, also for editors (`signalbox check --schema`).
pub(crate) fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// The process's environment.
#[expect(clippy::disallowed_methods, reason = "this is where everybody else gets the environment from")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}
