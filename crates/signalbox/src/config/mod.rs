//! `signalbox.yaml`: each part belongs to the crate that it configures; here they meet.

mod address;
mod check;
mod document;
mod origin;
mod price_file;
mod problem;
mod salvage;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_evals::online::EvalsConfig;
use signalbox_gateway::{GatewayConfig, RouteConfig, Routes};
use signalbox_guard::GuardConfig;
use signalbox_ingest::IngestConfig;
use signalbox_prices::{Discount, ModelPrice, PriceBook};
use signalbox_store::StoreConfig;
use signalbox_types::Secret;
use signalbox_upstream::{HumanDuration, ProviderConfig, SimulatedConfig, Timeouts, Upstream, UpstreamConfig};
use signalbox_watch::WatchConfig;

pub(crate) use address::Address;
pub(crate) use origin::Origin;
use price_file::PriceFile;
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
    /// A proxy that providers are reached through: `http://HOST:PORT`, `https://` for one behind TLS, perhaps with
    /// `USER:PASSWORD@`; or `none`. Calls to `https://` go through it unread (CONNECT). Default: the environment variables
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`.
    pub(crate) proxy: Option<Secret>,
    /// Hosts that are reached without it, with all hosts below them: `internal.example`, `10.0.0.0/8`, `host:8443`, `*`. This
    /// machine always is. Default: `NO_PROXY`.
    pub(crate) no_proxy: Vec<String>,
    /// A file of certificates in PEM whose owners are trusted, beside the usual ones, to be providers.
    pub(crate) ca_file: Option<String>,
    /// The built-in simulated provider, which serves `sim/…` models.
    pub(crate) simulated: SimulatedConfig,
    /// Names for several targets at once: which of them gets a call, and who gets it when that one fails.
    pub(crate) routes: Vec<RouteConfig>,
    /// Limits of the gateway.
    pub(crate) gateway: GatewayConfig,
    /// What scanners look for and what is done about it.
    pub(crate) guard: GuardConfig,
    /// Prices of your own, in dollars per million tokens; they come before the built-in ones.
    pub(crate) prices: Vec<ModelPrice>,
    /// A file of prices in the format of LiteLLM's `model_prices_and_context_window.json`; they come before the
    /// built-in ones and after `prices`. Read at the start.
    pub(crate) price_file: Option<PriceFile>,
    /// What contracts with providers take off their list prices, those of the file of prices included.
    pub(crate) discounts: Vec<Discount>,
    /// Limits of the OTLP receivers.
    pub(crate) ingest: IngestConfig,
    /// Evaluation of what arrives.
    pub(crate) evals: EvalsConfig,
    /// The embedded event store.
    pub(crate) store: StoreConfig,
    /// What is watched, and who is told.
    pub(crate) watch: WatchConfig,
    /// Where all this stands.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Addresses, folder and shutdown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// Where gateway, API, web UI and OTLP are served. Example: `0.0.0.0:7300` or
    /// `localhost:7300`.
    pub(crate) listen: Address,
    /// The standard OTLP/HTTP port; `null` leaves it closed. If it is taken, a warning says so and
    /// OTLP still works on `listen`.
    pub(crate) otlp_http: Option<Address>,
    /// The standard OTLP/gRPC port; `null` leaves it closed.
    pub(crate) otlp_grpc: Option<Address>,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// How long calls in flight may go on after SIGTERM. Example: `30s`.
    pub(crate) drain_timeout: HumanDuration,
    /// Connections served at once, at most; others wait to be accepted.
    pub(crate) max_connections: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let local = |port| Address::new("127.0.0.1", port);
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
            proxy: self.proxy.clone(),
            no_proxy: self.no_proxy.clone(),
            ca_file: self.ca_file.clone(),
            simulated: self.simulated.clone(),
        }
    }

    /// Prices that stand here, then those of the file of prices, then the built-in ones.
    ///
    /// # Errors
    /// The file can't be used.
    pub(crate) fn price_book(&self) -> anyhow::Result<PriceBook> {
        let imported = match &self.price_file {
            Some(file) => file.read().map_err(anyhow::Error::msg).context("`price_file` can't be used")?,
            None => Vec::new(),
        };
        let book = PriceBook::with(&self.prices, &imported).context("`prices` can't be used")?;
        Ok(book.discounted(self.discounts.clone()))
    }

    /// Reads a file, or the defaults if none is named and there is no `signalbox.yaml`.
    ///
    /// # Errors
    /// The file can't be read, or says something it must not: all of it at once.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let path = match file {
            Some(path) => path,
            None if Path::new(DEFAULT_FILE).exists() => Path::new(DEFAULT_FILE),
            None => {
                let mut config = Self::default();
                config.origin.file = Some(PathBuf::from(DEFAULT_FILE));
                return Ok(config);
            }
        };
        Ok(Self::of_file(path, &Self::text_of(path)?)?)
    }

    /// What a file says.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn text_of(path: &Path) -> anyhow::Result<String> {
        std::fs::read_to_string(path).with_context(|| {
            format!("can't read the configuration file `{}` (write one with `signalbox init`)", path.display())
        })
    }

    /// Takes what a file says.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub(crate) fn of_file(path: &Path, text: &str) -> Result<Self, Problems> {
        let mut config = Self::parse(&path.display().to_string(), text, &environment)?;
        config.origin.file = Some(path.to_owned());
        config.origin.is_there = true;
        Ok(config)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// All that is wrong with it: what its schema doesn't allow, and what only the owners of the parts can tell.
    pub(crate) fn parse(file: &str, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let failed = |all| Problems { file: file.to_owned(), all };
        let mut document = document::parse(text, env).map_err(failed)?;
        let faults = check::check(&mut document, &schema());
        let mut problems = faults.problems;
        let (sound, mut more) = salvage::read::<Self>(&document, &faults.pointers);
        if let Some((config, places)) = &sound {
            config.check_parts(|pointer, problem| {
                // What lost items may lack them: no news.
                if !places.lost_items(pointer) {
                    more.push(places.problem(&document, pointer, problem));
                }
            });
        }
        problems.append(&mut more);
        // What stands where a variable is missing is wrong only because it is.
        let unread: Vec<_> = document.problems.iter().map(|problem| problem.place).collect();
        problems.retain(|problem| !unread.contains(&problem.place));
        problems.extend(document.problems);
        problems.sort_by_key(|problem| problem.place);
        problems.dedup();
        match sound {
            Some((config, _)) if problems.is_empty() => Ok(Self { origin: Origin::of(&document.value), ..config }),
            _ => Err(failed(problems)),
        }
    }

    /// What only the owners of the parts can tell: a pointer and what is wrong there.
    fn check_parts(&self, mut report: impl FnMut(&str, Finding)) {
        for error in signalbox_guard::Guard::problems(&self.guard) {
            report(&check::pointer_of(&format!("guard.{}", error.path)), Finding::new(error.problem.to_string()));
        }
        let clock = std::sync::Arc::new(signalbox_types::seam::SystemClock::new());
        let upstream = Upstream::new(&self.upstream(), &|_| None, clock);
        // Which providers there are is known only if all of them are sound.
        let problems = match upstream {
            Ok(upstream) => {
                let mut problems = Routes::problems(&self.routes, &upstream);
                problems.extend(self.gateway.provider_problems(&upstream));
                self.check_embedding_models(&upstream, &mut report);
                problems
            }
            Err(error) => error.problems,
        };
        for one in problems {
            report(&check::pointer_of(&one.path), Finding { message: one.message, hint: Some(one.hint) });
        }
        if self.server.max_connections == 0 {
            report("/server/max_connections", Finding::new("expected at least 1, found 0"));
        }
        if let Some(Err(problem)) = self.price_file.as_ref().map(PriceFile::read) {
            report("/price_file", Finding::new(problem));
        }
        for (path, error) in PriceBook::problems(&self.prices) {
            report(&check::pointer_of(&format!("prices{path}")), Finding::new(error.to_string()));
        }
        for problem in self.watch.problems() {
            report(&check::pointer_of(&format!("watch.{}", problem.field)), Finding::new(problem.message));
        }
        let targets = |route: &RouteConfig| -> Vec<String> {
            route.targets.iter().map(|target| format!("{}/{}", target.provider, target.model)).collect()
        };
        let routes = self.routes.iter().map(|route| (route.name.clone(), targets(route))).collect();
        for problem in self.watch.unknown_routes(&routes) {
            report(&check::pointer_of(&format!("watch.{}", problem.field)), Finding::new(problem.message));
        }
        for (field, expected) in self.gateway.problems() {
            report(&format!("/gateway/{field}"), Finding::new(expected));
        }
    }

    /// What is no mistake and yet hardly meant, by these environment variables: routes that no call can take.
    pub(crate) fn warnings(&self, env: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let clock = std::sync::Arc::new(signalbox_types::seam::SystemClock::new());
        let Ok(upstream) = Upstream::new(&self.upstream(), env, clock) else { return Vec::new() };
        let off = |route: &RouteConfig| route.targets.iter().all(|one| upstream.provider(&one.provider).is_none());
        let told = |route: &RouteConfig| {
            let mut why: Vec<String> =
                route.targets.iter().map(|target| upstream.unknown_provider(&target.provider)).collect();
            why.dedup();
            format!("the route `{}` has no target that can be asked: {}", route.name, why.join("; "))
        };
        self.routes.iter().filter(|route| off(route)).map(told).collect()
    }

    /// Drift checks that name a model of nobody. Of a name without a provider only a call can tell: keys aren't read here.
    fn check_embedding_models(&self, upstream: &Upstream, report: &mut impl FnMut(&str, Finding)) {
        let providers = upstream.providers();
        for (i, check) in self.watch.drift.iter().enumerate() {
            let Some(model) = check.embedding_model.as_deref() else { continue };
            let Some((name, _)) = model.split_once('/') else { continue };
            let is_known = self.routes.iter().any(|route| route.name == model)
                || providers.iter().any(|provider| provider.name == name)
                || self.providers.iter().any(|provider| provider.models.iter().any(|one| one == model));
            if !is_known {
                let finding = Finding {
                    message: format!(
                        "there is no provider `{name}` for the model `{model}`, and no route of that name"
                    ),
                    hint: Some(upstream.suggest_provider(name)),
                };
                report(&format!("/watch/drift/{i}/embedding_model"), finding);
            }
        }
    }
}

/// A YAML text of another tool as JSON values.
///
/// # Errors
/// It is no YAML.
pub(crate) fn yaml(file: &str, text: &str) -> Result<serde_json::Value, Problems> {
    // `${NAME}` stays as it stands.
    let document = document::parse(text, &|name| Some(format!("${{{name}}}")));
    document.map(|document| document.value).map_err(|all| Problems { file: file.to_owned(), all })
}

/// What the owner of a part says about it.
#[derive(Debug)]
struct Finding {
    message: String,
    hint: Option<String>,
}

impl Finding {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
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
