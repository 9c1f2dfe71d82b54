//! All providers: which one serves a model, and calls to it.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use signalbox_types::seam::Clock;
use tokio::time::Instant;

use crate::assemble::{Known, assemble, network};
use crate::auth::Vault;
use crate::client::{CredentialName, Source, UpstreamBody};
use crate::config::{UpstreamConfig, UpstreamConfigError, nearest, suggest};
use crate::health::InFlight;
use crate::provider::Transport;
use crate::unpack::Unpacker;
use crate::{
    ModelEntry, Operation, Poster, Provider, ProviderStatus, SendError, Target, UnknownModel, UpstreamCall,
    UpstreamReply,
};
use crate::{probe, warm};

/// All providers of one configuration; calls go through it concurrently.
#[derive(Debug)]
pub struct Upstream {
    known: Vec<Known>,
    /// Those that are on.
    by_name: HashMap<Box<str>, Arc<Provider>>,
    /// Bare model names that the configuration gives to a provider; the first wins.
    by_model: HashMap<Box<str>, Arc<Provider>>,
    /// Prefixes of bare model names, of providers that are on; the first that fits wins.
    by_prefix: Vec<(Box<str>, Arc<Provider>)>,
    /// What they were made of.
    config: UpstreamConfig,
    clock: Arc<dyn Clock>,
    vault: Vault,
    poster: Arc<Poster>,
}

/// What is wrong with the network was told with the rest of the configuration.
fn poster(config: &UpstreamConfig, env: &dyn Fn(&str) -> Option<String>) -> Arc<Poster> {
    Arc::new(Poster::new(network(config, env).unwrap_or_default()))
}

impl Upstream {
    /// Joins the registry, the configuration and the environment.
    ///
    /// # Errors
    /// Everything that is wrong in the configuration, each with its path.
    pub fn new(
        config: &UpstreamConfig,
        env: &dyn Fn(&str) -> Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, UpstreamConfigError> {
        Self::with_vault(config, env, clock, Vault::default())
    }

    /// The same, where credentials may stand in the catalog, too.
    ///
    /// # Errors
    /// As [`Upstream::new`]. That one isn't in the catalog is none: it may come later.
    pub fn with_vault(
        config: &UpstreamConfig,
        env: &dyn Fn(&str) -> Option<String>,
        clock: Arc<dyn Clock>,
        vault: Vault,
    ) -> Result<Self, UpstreamConfigError> {
        let known = assemble(config, env, &vault).map_err(|problems| UpstreamConfigError { problems })?;
        Ok(Self::of(known, config, clock, vault, poster(config, env)))
    }

    /// The providers of another configuration. One of which it says the same is the same one: it keeps its connections and
    /// its numbers.
    ///
    /// # Errors
    /// As [`Upstream::new`].
    pub fn reconfigured(
        &self,
        config: &UpstreamConfig,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, UpstreamConfigError> {
        let mut known = assemble(config, env, &self.vault).map_err(|problems| UpstreamConfigError { problems })?;
        let is_on = |one: &&mut Known| one.provider.is_some();
        for one in known.iter_mut().filter(is_on).filter(|one| self.config.says_the_same_of(&one.name, config)) {
            let before = self.known.iter().find(|before| before.name == one.name);
            if let Some(before) = before.and_then(|before| before.provider.as_ref()) {
                one.provider = Some(Arc::clone(before));
            }
        }
        let poster = match self.config.has_network_of(config) {
            true => Arc::clone(&self.poster),
            false => poster(config, env),
        };
        Ok(Self::of(known, config, Arc::clone(&self.clock), self.vault.clone(), poster))
    }

    /// Begins to keep connections open to those providers that are configured so, and to ask others whether they are well.
    /// Within a runtime.
    pub fn keep_warm(&self) {
        for provider in self.known.iter().filter_map(|known| known.provider.as_ref()) {
            warm::keep(provider, &self.clock);
            probe::keep(provider, &self.clock);
        }
    }

    /// Who asks others than providers, by the same ways.
    #[must_use]
    pub fn poster(&self) -> &Arc<Poster> {
        &self.poster
    }

    fn of(
        known: Vec<Known>,
        config: &UpstreamConfig,
        clock: Arc<dyn Clock>,
        vault: Vault,
        poster: Arc<Poster>,
    ) -> Self {
        let mut upstream = Self {
            known,
            by_name: HashMap::new(),
            by_model: HashMap::new(),
            by_prefix: Vec::new(),
            config: config.clone(),
            clock,
            vault,
            poster,
        };
        for provider in upstream.known.iter().filter_map(|known| known.provider.as_ref()) {
            upstream.by_name.insert(provider.name.as_ref().into(), Arc::clone(provider));
            let own = config.providers.iter().find(|own| own.name == *provider.name);
            for model in own.map(|own| own.models.as_slice()).unwrap_or_default() {
                upstream.by_model.entry(model.as_str().into()).or_insert_with(|| Arc::clone(provider));
            }
            let prefixes = provider.model_prefixes.iter();
            upstream.by_prefix.extend(prefixes.map(|prefix| (prefix.as_str().into(), Arc::clone(provider))));
        }
        upstream
    }

    /// Which provider serves a model: `provider/model`, a name that the configuration gives to a provider, or a name
    /// that starts as one provider's models do (`gpt-…`, `claude-…`).
    ///
    /// # Errors
    /// [`UnknownModel`] says what would work.
    pub fn resolve(&self, model: &str) -> Result<Target, UnknownModel> {
        if let Some((name, rest)) = model.split_once('/')
            && !rest.is_empty()
            && let Some(provider) = self.by_name.get(name)
        {
            return Ok(Target { provider: Arc::clone(provider), model: rest.to_owned() });
        }
        let provider = self.by_model.get(model).or_else(|| {
            let by_prefix = self.by_prefix.iter().find(|(prefix, _)| model.starts_with(&**prefix));
            by_prefix.map(|(_, provider)| provider)
        });
        match provider {
            Some(provider) => Ok(Target { provider: Arc::clone(provider), model: model.to_owned() }),
            None => Err(self.unknown(model)),
        }
    }

    fn unknown(&self, model: &str) -> UnknownModel {
        let short: String = model.chars().take(100).collect();
        let mut on = String::new();
        for provider in self.known.iter().filter_map(|known| known.provider.as_ref()) {
            let example = provider.models.first().map_or("…", String::as_str);
            let comma = if on.is_empty() { "" } else { ", " };
            on.push_str(&format!("{comma}`{}` (`{}/{example}`)", provider.name, provider.name));
        }
        let on = if on.is_empty() { "No provider is on.".to_owned() } else { format!("On now: {on}.") };
        let named = short.split_once('/').map(|(name, _)| name);
        if let Some(problem) = half_a_name(&short) {
            let first =
                |name: &str| self.by_name.get(name)?.models.first().map(|model| format!(", like `{name}/{model}`"));
            let example = named.and_then(first).unwrap_or_default();
            return UnknownModel { model: short, problem, hint: format!("Write `provider/model`{example}. {on}") };
        }
        let off = self.known.iter().filter(|known| known.provider.is_none()).find(|known| match named {
            Some(name) => *known.name == *name,
            None => known.model_prefixes.iter().any(|prefix| short.starts_with(prefix)),
        });
        let (problem, hint) = match (off, named) {
            (Some(off), _) => (
                format!("The model `{short}` belongs to provider `{}`, which is off.", off.name),
                format!("To switch it on, {}. {on}", off.why),
            ),
            (None, Some(name)) => (
                format!("There is no provider `{name}` for the model `{short}`."),
                format!("For the name before `/`: {}. {on}", self.suggest_provider(name)),
            ),
            (None, None) => (
                format!("No provider serves a model named `{short}`."),
                format!(
                    "Write `provider/model`. {on} To switch others on, set their key, e.g. OPENAI_API_KEY, \
                     ANTHROPIC_API_KEY or GEMINI_API_KEY."
                ),
            ),
        };
        UnknownModel { model: short, problem, hint }
    }

    /// The provider for what OpenAI's callers ask without naming a model: the one named `openai`, else the first one of
    /// that kind.
    #[must_use]
    pub fn openai(&self) -> Option<Target> {
        const OPENAI: &str = "openai";
        let on = || self.known.iter().filter_map(|known| known.provider.as_ref());
        let named = on().find(|provider| &*provider.name == OPENAI);
        let found = named.or_else(|| on().find(|provider| provider.kind == OPENAI))?;
        Some(Target { provider: Arc::clone(found), model: String::new() })
    }

    /// The provider of this name, if it is on; of what names no model.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<Target> {
        let provider = Arc::clone(self.by_name.get(name)?);
        Some(Target { provider, model: String::new() })
    }

    /// The providers that are on and have a path for this, in the order of the configuration.
    pub fn having(&self, operation: Operation) -> impl Iterator<Item = Target> + '_ {
        let on = self.known.iter().filter_map(|known| known.provider.as_ref());
        let having = on.filter(move |provider| provider.has(operation));
        having.map(|provider| Target { provider: Arc::clone(provider), model: String::new() })
    }

    /// Why there is no provider of this name that is on, and what would work.
    #[must_use]
    pub fn unknown_provider(&self, name: &str) -> String {
        let short: String = name.chars().take(100).collect();
        if let Some(off) = self.known.iter().find(|known| *known.name == *short && known.provider.is_none()) {
            return format!("provider `{short}` is off; to switch it on, {}", off.why);
        }
        let on = self.known.iter().filter(|known| known.provider.is_some()).map(|known| &*known.name);
        format!("there is no provider `{short}`; {}", suggest(&short, on))
    }

    /// "did you mean `x`? There are: …": the nearest one of those that are configured or on, else of all that are known. The
    /// known ones are too many to be listed.
    #[must_use]
    pub fn suggest_provider(&self, name: &str) -> String {
        let all = || self.known.iter().map(|known| &*known.name);
        let is_own = |known: &&Known| {
            known.provider.is_some() || self.config.providers.iter().any(|own| own.name == *known.name)
        };
        let own = || self.known.iter().filter(is_own).map(|known| &*known.name);
        let near = nearest(name, own()).or_else(|| nearest(name, all()));
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let own: Vec<String> = own().map(|name| format!("`{name}`")).collect();
        if own.is_empty() {
            return format!("{near}configure one below `providers`, or set the key of a known one");
        }
        format!("{near}configured or on: {}", own.join(", "))
    }

    /// The models of every provider that is on, as far as they are known.
    #[must_use]
    pub fn models(&self) -> Vec<ModelEntry> {
        let on = self.known.iter().filter_map(|known| known.provider.as_ref());
        on.flat_map(|provider| {
            provider.models.iter().map(|model| ModelEntry {
                id: format!("{}/{model}", provider.name),
                provider: provider.name.to_string(),
                model: model.clone(),
            })
        })
        .collect()
    }

    /// Every provider, on or off, for the status page: configured ones first, then the rest by name.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let status = |known: &Known| {
            let provider = known.provider.as_deref();
            let lacking = provider.and_then(Provider::lacking);
            ProviderStatus {
                name: known.name.to_string(),
                title: known.title.clone(),
                kind: known.kind.clone(),
                dialect: known.dialect.as_str().to_owned(),
                otel_name: known.otel_name.clone(),
                on: provider.is_some() && lacking.is_none(),
                why: lacking.unwrap_or_else(|| known.why.clone()),
                models: known.models.clone(),
                docs: known.docs.clone(),
                credentials: provider.map(|provider| provider.credentials(&*self.clock)).unwrap_or_default(),
                health: provider.map(|provider| provider.snapshot(&*self.clock)).unwrap_or_default(),
            }
        };
        self.known.iter().map(status).collect()
    }

    /// Calls a provider and waits for the head of its reply. Any status is a reply. Dropping the future cancels the
    /// call, as does dropping the body later.
    ///
    /// # Errors
    /// [`SendError`] if there was no reply.
    pub async fn send(&self, target: &Target, mut call: UpstreamCall) -> Result<UpstreamReply, SendError> {
        let provider = &target.provider;
        provider.fit(&mut call);
        let limits = &provider.limits;
        let total = limits.total.map(|total| (total, Instant::now() + total));
        let in_flight = InFlight::begin(provider);
        let began = self.clock.elapsed();
        let sent = match &provider.transport {
            Transport::Http(http) => {
                http.send(call, &target.model, limits, &provider.health, &*self.clock).await.map(|(reply, lease)| {
                    let (head, body) = reply.into_parts();
                    (head, Source::Http(body, Some(lease)))
                })
            }
            Transport::Simulated(simulator) => {
                let sent = simulator.send(provider, &target.model, call).await;
                sent.map(|reply| {
                    let (head, body) = reply.into_parts();
                    (head, Source::Simulated(body))
                })
            }
        };
        match sent {
            Ok((mut head, source)) => {
                let credential = head.extensions.get::<CredentialName>().map(|name| Arc::clone(&name.0));
                let took = self.clock.elapsed().saturating_sub(began);
                provider.health.answered(head.status, took, &*self.clock);
                let mut body =
                    UpstreamBody::new(source, in_flight, Arc::clone(provider), Arc::clone(&self.clock), total);
                // A part of a packed body can't be unpacked, and what can't be read the caller may understand.
                if head.status != StatusCode::PARTIAL_CONTENT
                    && let Ok(Some(unpacker)) = Unpacker::take(&mut head.headers)
                {
                    body = body.unpacked(unpacker);
                }
                Ok(UpstreamReply { status: head.status, headers: head.headers, credential, body })
            }
            Err(error) => {
                // That a caller stops sending is no fault of the provider.
                if !matches!(error, SendError::Upload { .. }) {
                    provider.health.failed(error.class(), error.to_string(), &*self.clock);
                }
                Err(error)
            }
        }
    }
}

/// What is missing before or after `/`.
fn half_a_name(model: &str) -> Option<String> {
    match model.split_once('/')? {
        ("", "") => Some("The model `/` names neither a provider nor a model.".to_owned()),
        ("", model) => Some(format!("The provider's name is missing before `/{model}`.")),
        (provider, "") => Some(format!("The model's name is missing after `{provider}/`.")),
        _ => None,
    }
}
