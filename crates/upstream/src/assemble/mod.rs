//! Rows, configuration and environment become providers that are on, and reasons why others are off. Reports every
//! problem at once.

mod proof;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{HeaderName, HeaderValue};
use signalbox_types::Secret;
use signalbox_wire::Dialect;

use crate::auth::{Keys, Signer, Vault};
use crate::base::Base;
use crate::client::{Connector, HttpParts, HttpTransport, Network, Places, Root};
use crate::config::{Limits, MaxTokensField, Problem, ProviderConfig, UpstreamConfig, suggest};
use crate::health::Health;
use crate::probe::Probe;
use crate::provider::{Forms, Provider, Transport};
use crate::registry::{self, Paths, Row};
use crate::simulated::{self, Simulator};
use proof::Proof;

/// The kind of a provider that stands in no row.
pub(crate) const CUSTOM: &str = "custom";
const DEFAULT_MAX_IDLE: usize = 256;

/// A provider that we know of, on or off.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: Arc<str>,
    pub(crate) title: String,
    pub(crate) kind: String,
    pub(crate) dialect: Dialect,
    pub(crate) otel_name: String,
    pub(crate) docs: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) model_prefixes: Vec<String>,
    pub(crate) stream_options: bool,
    pub(crate) max_tokens_field: MaxTokensField,
    pub(crate) forms: Forms,
    /// Why it is on; or what switches it on, as an imperative: `set OPENAI_API_KEY`.
    pub(crate) why: String,
    pub(crate) provider: Option<Arc<Provider>>,
}

pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Configured providers in their order, then the rest of the registry by name.
pub(crate) fn assemble(config: &UpstreamConfig, env: Env<'_>, vault: &Vault) -> Result<Vec<Known>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut known = Vec::new();
    let simulator = Arc::new(Simulator::new(config.simulated.options()));
    let network = &keep(network(config, env), &mut problems).unwrap_or_default();
    for (place, own) in config.providers.iter().enumerate() {
        if let Some(earlier) = config.providers.iter().take(place).position(|other| other.name == own.name) {
            problems.push(Problem {
                path: format!("providers[{place}].name"),
                message: format!("`{}` is already the name of providers[{earlier}]", own.name),
                hint: "give each its own name; `kind` may be the same".to_owned(),
            });
            continue;
        }
        let at = At {
            path: format!("providers[{place}]"),
            general: config,
            own,
            env,
            network,
            vault,
            simulator: &simulator,
        };
        match at.known() {
            Ok(one) => known.push(one),
            Err(mut more) => problems.append(&mut more),
        }
    }
    let configured: HashSet<&str> = config.providers.iter().map(|own| own.name.as_str()).collect();
    for row in registry::rows().iter().filter(|row| !configured.contains(row.name.as_str())) {
        let own = ProviderConfig { name: row.name.clone(), ..ProviderConfig::default() };
        let at = At { path: String::new(), general: config, own: &own, env, network, vault, simulator: &simulator };
        match at.known() {
            Ok(one) => known.push(one),
            Err(mut more) => problems.append(&mut more),
        }
    }
    problems.extend(config.timeouts.problems("timeouts"));
    problems.extend(config.simulated.problems());
    if problems.is_empty() { Ok(known) } else { Err(problems) }
}

/// How hosts are reached that say nothing of their own.
pub(crate) fn network(config: &UpstreamConfig, env: Env<'_>) -> Result<Network, Problem> {
    let proxy = config.proxy.as_ref().map(Secret::expose);
    let network = Network::general(proxy, &config.no_proxy, config.ca_file.as_deref(), env);
    network.map_err(|(path, message, hint)| Problem { path, message, hint })
}

/// One provider's settings and where they stand.
struct At<'a> {
    /// `providers[1]`; empty for a row that nobody configured.
    path: String,
    general: &'a UpstreamConfig,
    own: &'a ProviderConfig,
    env: Env<'a>,
    network: &'a Network,
    vault: &'a Vault,
    simulator: &'a Arc<Simulator>,
}

impl At<'_> {
    fn known(&self) -> Result<Known, Vec<Problem>> {
        let own = self.own;
        let mut problems = Vec::new();
        let row = self.row().map_err(|problem| vec![problem])?;
        let dialect = keep(self.dialect(row), &mut problems);
        keep(self.check_name(row), &mut problems);
        problems.extend(own.timeouts.problems(&format!("{}.timeouts", self.path)));
        let base = keep(self.base_url(row, dialect), &mut problems).flatten();
        let probe = keep(self.probe(row, dialect), &mut problems).flatten();
        let credential = self.credential(row);
        let network = keep(self.network(), &mut problems).unwrap_or_default();
        let proof = keep(self.proof(row, dialect, base.as_ref(), credential.as_ref(), &network), &mut problems);
        let headers = keep(self.headers(row, dialect), &mut problems);
        let (Some(dialect), Some(proof), Some((mut fixed, defaults)), true) =
            (dialect, proof, headers, problems.is_empty())
        else {
            return Err(problems);
        };
        let name: Arc<str> = own.name.as_str().into();
        let title = row.filter(|row| row.name == own.name).map_or_else(|| own.name.clone(), |row| row.title.clone());
        let kind = row.map_or(CUSTOM, |row| row.name.as_str());
        let mut known = Known {
            title,
            kind: kind.to_owned(),
            dialect,
            otel_name: row.map_or_else(|| own.name.clone(), |row| row.otel_name.clone()),
            docs: row.and_then(|row| row.docs.clone()),
            models: match (own.models.as_slice(), row) {
                ([], Some(row)) => row.models.clone(),
                (models, _) => models.to_vec(),
            },
            model_prefixes: row.map(|row| row.model_prefixes.clone()).unwrap_or_default(),
            stream_options: row.is_none_or(|row| row.stream_options),
            max_tokens_field: own
                .max_tokens_field
                .unwrap_or_else(|| row.map_or(MaxTokensField::MaxTokens, |row| row.max_tokens_field)),
            forms: row.map(Forms::of).unwrap_or_default(),
            why: String::new(),
            provider: None,
            name,
        };
        let simulated = kind == simulated::KIND && base.is_none();
        match self.switch(row, simulated, base.is_some(), &proof) {
            Err(off) => known.why = off,
            Ok(on) => {
                known.why = on;
                let transport = match base {
                    None => Transport::Simulated(Arc::clone(self.simulator)),
                    Some(base) => {
                        fixed.extend(proof.header);
                        let made =
                            self.http(&known, row, (&base, &network), (fixed, defaults), (proof.signer, proof.keys));
                        made.map_err(|problem| vec![problem])?
                    }
                };
                known.provider = Some(Arc::new(self.provider(&known, probe, transport)));
            }
        }
        Ok(known)
    }

    fn provider(&self, known: &Known, probe: Option<Probe>, transport: Transport) -> Provider {
        Provider {
            name: Arc::clone(&known.name),
            kind: known.kind.clone(),
            title: known.title.clone(),
            otel_name: known.otel_name.clone(),
            dialect: known.dialect,
            models: known.models.clone(),
            model_prefixes: known.model_prefixes.clone(),
            stream_options: known.stream_options,
            max_tokens_field: known.max_tokens_field,
            forms: known.forms.clone(),
            limits: Limits::new(&self.own.timeouts, &self.general.timeouts),
            warm_connections: self.own.warm_connections,
            is_kept_warm: AtomicBool::new(false),
            probe,
            transport,
            health: Health::default(),
        }
    }

    fn problem(&self, field: &str, message: String, hint: String) -> Problem {
        Problem { path: format!("{}.{field}", self.path), message, hint }
    }

    fn row(&self) -> Result<Option<&'static Row>, Problem> {
        let Some(kind) = &self.own.kind else { return Ok(registry::find(&self.own.name)) };
        if kind == CUSTOM {
            return Ok(None);
        }
        let names = registry::rows().iter().map(|row| row.name.as_str()).chain([CUSTOM]);
        registry::find(kind).map(Some).ok_or_else(|| {
            self.problem("kind", format!("there is no kind of provider named `{kind}`"), suggest(kind, names))
        })
    }

    fn check_name(&self, row: Option<&Row>) -> Result<(), Problem> {
        let name = &self.own.name;
        // A server of one's own under that name would be taken for the simulated one. With a `base_url` alone it is a
        // simulated one elsewhere, as any known name with another `base_url` is that provider elsewhere.
        let of_another_kind = row.is_none_or(|row| row.name != simulated::KIND);
        let own_server = self.own.kind.is_none() && self.own.dialect.is_some();
        if name == simulated::KIND && (of_another_kind || own_server) {
            let hint = format!(
                "choose another name; `kind: {name}` is for a simulated provider elsewhere, started with \
                 `signalbox simulate`"
            );
            return Err(self.problem("name", format!("`{name}` is the built-in simulated provider"), hint));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.is_empty() && name.chars().all(fits) {
            return Ok(());
        }
        let hint = "use letters, digits, `-`, `_` and `.`, like `openai-eu`".to_owned();
        Err(self.problem("name", format!("`{name}` can't be a provider's name"), hint))
    }

    fn dialect(&self, row: Option<&Row>) -> Result<Dialect, Problem> {
        let known = signalbox_wire::ALL.iter().map(|codec| codec.dialect().as_str());
        let Some(name) = self.own.dialect.as_deref().or_else(|| row.map(|row| row.dialect.as_str())) else {
            let (message, hint) = if self.own.kind.is_some() {
                ("it is missing".to_owned(), suggest("", known))
            } else {
                let names = registry::rows().iter().map(|row| row.name.as_str());
                let message =
                    format!("it is needed, because `{}` is not the name of a provider we know", self.own.name);
                (
                    message,
                    format!(
                        "say `openai_chat`, `openai_completions`, `openai_responses`, `anthropic_messages`, `gemini`, `bedrock_converse` or `cohere_v2`, or a `kind`: {}",
                        suggest("", names)
                    ),
                )
            };
            return Err(self.problem("dialect", message, hint));
        };
        Dialect::find(name)
            .ok_or_else(|| self.problem("dialect", format!("there is no dialect `{name}`"), suggest(name, known)))
    }

    fn base_url(&self, row: Option<&Row>, dialect: Option<Dialect>) -> Result<Option<Base>, Problem> {
        let dialect = dialect.filter(|_| !row.is_some_and(|row| row.plain_base_url));
        if let Some(url) = &self.own.base_url {
            let parsed = Base::parse(url, dialect);
            return parsed.map(Some).map_err(|(message, hint)| self.problem("base_url", message, hint));
        }
        let Some(row) = row else {
            let hint = "write where the server is, like `http://127.0.0.1:8000/v1`".to_owned();
            return Err(self.problem("base_url", "it is needed for a server of your own".to_owned(), hint));
        };
        if let Some(variable) = &row.base_url_env
            && let Some(url) = self.variable(variable)
        {
            let parsed = Base::parse(&url, dialect);
            return parsed.map(Some).map_err(|(message, hint)| Problem { path: variable.clone(), message, hint });
        }
        if self.missing_variable(row).is_some() {
            return Ok(None);
        }
        let fill = |url: &str| {
            let filled = row.variables.iter().fold(url.to_owned(), |url, (name, variables)| {
                url.replace(&format!("{{{name}}}"), &self.value_of(name, variables).unwrap_or_default())
            });
            // Google's location that is everywhere has no host of its own.
            filled.replace("https://global-", "https://")
        };
        // Our own rows are taken to the letter: some have no path and want none.
        let own = row.base_url.as_deref().map(|url| Base::parse(&fill(url), None));
        own.transpose().map_err(|(message, hint)| self.problem("base_url", message, hint))
    }

    /// How its health is asked for, if it is.
    fn probe(&self, row: Option<&Row>, dialect: Option<Dialect>) -> Result<Option<Probe>, Problem> {
        let Some(own) = &self.own.probe else { return Ok(None) };
        let general = dialect.map(Paths::of);
        // A row's paths are for its own dialect.
        let paths =
            row.filter(|row| dialect.is_some_and(|dialect| row.dialect == dialect.as_str())).map(|row| &row.paths);
        let models = paths.or(general.as_ref()).and_then(|paths| paths.models.as_deref());
        Probe::new(own, models).map(Some).map_err(|(field, message, hint)| {
            let field = if field.is_empty() { "probe".to_owned() } else { format!("probe.{field}") };
            self.problem(&field, message, hint)
        })
    }

    /// How it is reached.
    fn network(&self) -> Result<Network, Problem> {
        let own = self.network.with(self.own.proxy.as_ref().map(Secret::expose), self.own.ca_file.as_deref());
        own.map_err(|(field, message, hint)| self.problem(&field, message, hint))
    }

    fn variable(&self, variable: &str) -> Option<String> {
        (self.env)(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The credential and where it was found: a path or a variable.
    fn credential(&self, row: Option<&Row>) -> Option<(Secret, String)> {
        if let Some(key) = self.own.api_key.as_ref().filter(|key| !key.expose().trim().is_empty()) {
            return Some((Secret::new(key.expose().trim().to_owned()), format!("{}.api_key", self.path)));
        }
        let found = |variable: &String| Some((Secret::new(self.variable(variable)?), variable.clone()));
        row?.key_env.iter().find_map(found)
    }

    /// `Ok` says why it is on, `Err` what switches it on.
    fn switch(&self, row: Option<&Row>, simulated: bool, has_base: bool, proof: &Proof) -> Result<String, String> {
        let configured = !self.path.is_empty();
        if self.own.enabled == Some(false) {
            return Err(format!("remove `enabled: false` from {}", self.path));
        }
        if simulated {
            return match self.general.simulated.enabled {
                Some(false) if !configured => Err("remove `enabled: false` from `simulated`".to_owned()),
                _ => Ok("built in".to_owned()),
            };
        }
        // Asked for, so that calls without it would be wrong; but the environment may say it elsewhere, or later.
        if let (Some(_), Some(missing)) = (&self.own.auth, &proof.missing) {
            return Err(missing.clone());
        }
        let Some(row) = row else { return Ok("configured".to_owned()) };
        if !has_base {
            if let Some((name, variables)) = self.missing_variable(row) {
                let variable = variables.first().map_or("", String::as_str);
                let setting = if configured { format!(" or {}.variables.{name}", self.path) } else { String::new() };
                return Err(format!("set {variable}{setting}"));
            }
            let variable = row.base_url_env.as_deref().unwrap_or_default();
            let example = row.base_url_example.as_deref().unwrap_or_default();
            return Err(format!("set {variable}, for example to {example}"));
        }
        match (&proof.place, &proof.missing) {
            (Some(place), _) => Ok(format!("{place} is set")),
            (None, Some(missing)) if row.key_required && self.own.base_url.is_none() => {
                let key = row.key_env.first().map(|variable| format!("set {variable}, or ")).unwrap_or_default();
                Err(format!("{key}{missing}"))
            }
            // Whoever says another address may well have a server there that wants no key.
            (None, None) if row.key_required && self.own.base_url.is_none() => {
                let variable = row.key_env.first().map_or("", String::as_str);
                Err(if configured {
                    format!("set {variable} or {}.api_key", self.path)
                } else {
                    format!("set {variable}")
                })
            }
            _ if configured => Ok("configured".to_owned()),
            _ => Ok(format!("{} is set", row.base_url_env.as_deref().unwrap_or_default())),
        }
    }

    /// A part of the row's base URL that nobody says.
    fn missing_variable<'r>(&self, row: &'r Row) -> Option<(&'r String, &'r Vec<String>)> {
        row.variables.iter().find(|(name, variables)| self.value_of(name, variables).is_none())
    }

    fn value_of(&self, name: &str, variables: &[String]) -> Option<String> {
        let own = self.own.variables.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        own.or_else(|| variables.iter().find_map(|variable| self.variable(variable)))
    }

    /// Headers that are always set, and headers that are set unless the caller sent them.
    fn headers(&self, row: Option<&Row>, dialect: Option<Dialect>) -> Result<(Headers, Headers), Problem> {
        let mut fixed = Headers::new();
        let mut defaults = Headers::new();
        for (name, value) in &self.own.headers {
            let field = format!("headers.{name}");
            fixed.push(self.header(&field, &format!("{}.{field}", self.path), name, value.expose())?);
        }
        if let Some(row) = row {
            for (name, value) in &row.headers {
                defaults.push(self.header("headers", "headers", name, value)?);
            }
        } else if dialect == Some(Dialect::AnthropicMessages) {
            defaults.push(self.header("headers", "headers", "anthropic-version", "2023-06-01")?);
        }
        Ok((fixed, defaults))
    }

    /// `value_place` is a whole path, or the name of a variable.
    fn header(
        &self,
        name_field: &str,
        value_place: &str,
        name: &str,
        value: &str,
    ) -> Result<(HeaderName, HeaderValue), Problem> {
        let hint = || "write a name like `x-api-key`".to_owned();
        let name = HeaderName::try_from(name)
            .map_err(|_| self.problem(name_field, format!("`{name}` is not a header's name"), hint()))?;
        // The value is not shown: it may be a credential.
        let mut value = HeaderValue::try_from(value).map_err(|_| Problem {
            path: value_place.to_owned(),
            message: "it holds characters that no header may carry".to_owned(),
            hint: "look for line breaks and other invisible characters".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    fn http(
        &self,
        known: &Known,
        row: Option<&Row>,
        (base, network): (&Base, &Network),
        (fixed, defaults): (Headers, Headers),
        (signer, keys): (Option<Signer>, Option<Keys>),
    ) -> Result<Transport, Problem> {
        let wrong = |message: String| {
            self.problem("base_url", message, "write it like `https://api.example.com/v1`".to_owned())
        };
        // A row's paths are for its own dialect.
        let paths = row.filter(|row| row.dialect == known.dialect.as_str()).map(|row| &row.paths);
        let general = Paths::of(known.dialect);
        let paths = paths.unwrap_or(&general);
        let others = paths.others().map(|(operation, path)| Ok((operation, base.join(path).map_err(wrong)?)));
        let has_chats = !paths.chat.is_empty();
        let places = Places {
            chat: has_chats.then(|| base.join(&paths.chat)).transpose().map_err(wrong)?,
            chat_stream: paths.chat_stream.as_deref().map(|path| base.join(path)).transpose().map_err(wrong)?,
            others: others.collect::<Result<_, _>>()?,
        };
        Ok(Transport::Http(Box::new(HttpTransport::new(HttpParts {
            provider: Arc::clone(&known.name),
            stream_type: HeaderValue::from_static(signalbox_wire::codec(known.dialect).framing().content_type()),
            connector: Connector::new(base.origin.clone(), network).map_err(wrong)?,
            host: base.host.clone(),
            root: Root { path: base.path.clone(), query: base.query.clone() },
            places,
            fixed,
            defaults,
            signer,
            keys,
            max_idle: self.general.max_idle_connections.unwrap_or(DEFAULT_MAX_IDLE),
        }))))
    }
}

type Headers = Vec<(HeaderName, HeaderValue)>;

fn keep<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
