//! What a user may say about providers. The doc comments are the manual.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use signalbox_types::Secret;
use signalbox_types::time::parse_duration;

use crate::simulated::SimOptions;

/// Which providers there are and how they are reached.
///
/// Providers whose key stands in the usual environment variable (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`,
/// `GEMINI_API_KEY`, …) are on without any of this.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamConfig {
    /// Providers with settings of their own. One that has the name of a known provider changes that one.
    pub providers: Vec<ProviderConfig>,
    /// How long to wait for any provider that says nothing else.
    pub timeouts: Timeouts,
    /// How many idle connections are kept open to each provider. Default 256.
    pub max_idle_connections: Option<usize>,
    /// A proxy that providers are reached through: `http://HOST:PORT`, `https://` for one behind TLS, perhaps with
    /// `USER:PASSWORD@`; or `none`. Calls to `https://` go through it unread (CONNECT). Default: the environment variables
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`.
    pub proxy: Option<Secret>,
    /// Hosts that are reached without it, with all hosts below them: `internal.example`, `10.0.0.0/8`, `host:8443`, `*`. This
    /// machine always is. Default: `NO_PROXY`.
    pub no_proxy: Vec<String>,
    /// A file of certificates in PEM whose owners are trusted beside the usual ones.
    pub ca_file: Option<String>,
    /// The built-in simulated provider, which serves every model name that starts with `sim/`.
    pub simulated: SimulatedConfig,
}

impl UpstreamConfig {
    /// Whether another configuration means the same by this provider's name.
    pub(crate) fn says_the_same_of(&self, name: &str, other: &Self) -> bool {
        let own = |config: &Self| config.providers.iter().find(|own| own.name == name).cloned();
        let general = |config: &Self| (config.timeouts, config.max_idle_connections, config.simulated.clone());
        own(self) == own(other) && general(self) == general(other) && self.has_network_of(other)
    }

    /// Whether hosts are reached the same way.
    pub(crate) fn has_network_of(&self, other: &Self) -> bool {
        let network = |config: &Self| (config.proxy.clone(), config.no_proxy.clone(), config.ca_file.clone());
        network(self) == network(other)
    }
}

/// One provider.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The part before `/` in a model name: letters, digits, `-`, `_` and `.`. Example: `openai-eu`.
    pub name: String,
    /// Which known provider this is (`openai`, `anthropic`, `groq`, …). Default: the one of the same name; if there is
    /// none, it is a server of your own and `dialect` and `base_url` are needed.
    #[serde(default)]
    pub kind: Option<String>,
    /// What it speaks: `openai_chat`, `openai_completions`, `openai_responses`, `anthropic_messages`, `gemini`,
    /// `bedrock_converse` or `cohere_v2`. Default:
    /// that of the kind.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Where it is. Example: `http://127.0.0.1:11434/v1`. If there is no path, `/v1` is added for OpenAI's dialects.
    /// Default: that of the kind, or the kind's environment variable (`OPENAI_BASE_URL`, …).
    #[serde(default)]
    pub base_url: Option<String>,
    /// Its credential; write `${ENV_VAR}`. Default: the kind's environment variable (`OPENAI_API_KEY`, …).
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// Several credentials instead: calls are spread over them by weight, and one that the provider refuses (401, 403,
    /// 429) rests while the others serve.
    #[serde(default)]
    pub credentials: Vec<CredentialConfig>,
    /// How the credential is sent: `bearer`, `none`, `header: x-api-key` or `query: key`; or how calls are signed:
    /// `aws: {}`, `gcp: {}` or `azure: {}`, each with settings of its own. Default: that of the kind.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// What stands in the kind's base URL: `region` (aws_bedrock), `project` and `location` (vertex_ai). Example:
    /// `region: eu-central-1`. Default: the usual environment variables (`AWS_REGION`, `GOOGLE_CLOUD_PROJECT`, …).
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Models that it serves. A name without a provider that stands here goes to it, and `/v1/models` lists them.
    #[serde(default)]
    pub models: Vec<String>,
    /// Headers that every call to it carries. Example: `x-team: search`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// `false` switches it off. Default `true`.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// The field for the limit of output tokens that it knows, for calls translated into `openai_chat`:
    /// `max_completion_tokens` or `max_tokens`. Default: that of the kind; `max_tokens` for a server of your own.
    #[serde(default)]
    pub max_tokens_field: Option<MaxTokensField>,
    /// How long to wait for it, where that differs from `timeouts` above.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// How many connections are kept open to it also when no calls come, so that the next one needn't wait for address, TCP
    /// and TLS. Default 0.
    #[serde(default)]
    pub warm_connections: usize,
    /// A proxy that only it is reached through, whatever `no_proxy` says; or `none`.
    #[serde(default)]
    pub proxy: Option<Secret>,
    /// A file of certificates in PEM whose owners are trusted, beside the usual ones, to be this provider.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// Asks now and then whether it is well, so that routes leave it alone before a call fails. Default: nobody asks.
    #[serde(default)]
    pub probe: Option<ProbeConfig>,
}

/// How a provider is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeConfig {
    /// How often, give or take a tenth. Default `30s`.
    pub every: HumanDuration,
    /// What is asked for with GET, below the base URL. Default: the list of models, which costs nothing. Example: `/health`.
    pub path: Option<String>,
    /// Asks this model for one token in its place, which shows more and costs a little each time.
    pub model: Option<String>,
    /// How long it may take. Default `5s`.
    pub timeout: HumanDuration,
    /// So many in a row that fail make it unwell. Default 2.
    pub failures: u32,
    /// So many in a row that don't make it well again. Default 1.
    pub successes: u32,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        let seconds = |seconds| HumanDuration(Duration::from_secs(seconds));
        Self { every: seconds(30), path: None, model: None, timeout: seconds(5), failures: 2, successes: 1 }
    }
}

/// One of several credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialConfig {
    /// What spans call it (`signalbox.credential`).
    pub name: String,
    /// The credential; write `${ENV_VAR}`.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The file that holds it, and nothing else. It is read again when it changes.
    #[serde(default)]
    pub file: Option<String>,
    /// Its name in the catalog, where it is set on the Providers page or with `PUT /api/v1/credentials/{name}`, encrypted, and
    /// changed while calls run.
    #[serde(default)]
    pub catalog: Option<String>,
    /// Its share of the calls. Default 1.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// What an `openai_chat` provider calls the limit of output tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// OpenAI's name since its models think; they refuse the other one.
    #[default]
    MaxCompletionTokens,
    /// The older name. Some refuse the newer one; some ignore it, and the answer has no limit.
    MaxTokens,
}

/// How long to wait for a provider. Durations look like `800ms`, `30s`, `5m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For the connection and its encryption to be set up. Default `5s`.
    pub connect: Option<HumanDuration>,
    /// From the request sent to the first byte of the answer's head. Default `120s`.
    pub first_byte: Option<HumanDuration>,
    /// Between two pieces of the answer. Default `60s`.
    pub idle: Option<HumanDuration>,
    /// For the whole call, the answer's last byte included. Default: no limit.
    pub total: Option<HumanDuration>,
}

impl Timeouts {
    /// What can't be meant; `path` is where they stand.
    pub(crate) fn problems(&self, path: &str) -> Vec<Problem> {
        let all =
            [("connect", self.connect), ("first_byte", self.first_byte), ("idle", self.idle), ("total", self.total)];
        all.into_iter()
            .filter(|(_, time)| time.is_some_and(|time| time.0.is_zero()))
            .map(|(field, _)| Problem {
                path: format!("{path}.{field}"),
                message: "it is zero, so every call would fail".to_owned(),
                hint: "write how long to wait, like `30s`, or leave it out for the default".to_owned(),
            })
            .collect()
    }
}

/// How a credential is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer,
    /// In a header of this name.
    Header(String),
    /// In a parameter of the query of this name.
    Query(String),
    /// Calls are signed as Amazon wants it (Signature Version 4).
    Aws(AwsAuth),
    /// With a token of Google Cloud, fetched and fetched anew before it expires.
    Gcp(GcpAuth),
    /// With a token of Microsoft Entra ID, fetched and fetched anew before it expires.
    Azure(AzureAuth),
    /// Not at all.
    None,
}

/// Amazon's keys. What isn't said stands in the usual environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsAuth {
    /// Default: `AWS_ACCESS_KEY_ID`.
    pub access_key_id: Option<Secret>,
    /// Default: `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: Option<Secret>,
    /// Of temporary keys. Default: `AWS_SESSION_TOKEN`, if the keys are the environment's too.
    pub session_token: Option<Secret>,
    /// Default: `variables.region`, that of the host, or `AWS_REGION`.
    pub region: Option<String>,
    /// What the signature is for. Default `bedrock`.
    pub service: Option<String>,
}

/// Google's credentials: a service account's key, or a person's login.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GcpAuth {
    /// The JSON itself; write `${ENV_VAR}`.
    pub credentials: Option<Secret>,
    /// The file that holds it. Default: `GOOGLE_APPLICATION_CREDENTIALS`.
    pub credentials_file: Option<String>,
    /// What the token is for. Default `https://www.googleapis.com/auth/cloud-platform`.
    pub scope: Option<String>,
    /// Where tokens come from. Default: what the credentials say.
    pub token_url: Option<String>,
}

/// An application of Microsoft Entra ID. What isn't said stands in the usual environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AzureAuth {
    /// Default: `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// Default: `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// Default: `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<Secret>,
    /// What the token is for. Default `https://cognitiveservices.azure.com/.default`.
    pub scope: Option<String>,
    /// Where tokens come from. Default: the tenant's endpoint at `AZURE_AUTHORITY_HOST`.
    pub token_url: Option<String>,
}

/// The built-in simulated provider: deterministic answers without any key, for trying things out and for tests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatedConfig {
    /// `false` switches it off. Default `true`.
    pub enabled: Option<bool>,
    /// Changes every answer. Default 0.
    pub seed: u64,
    /// Wait before the answer's head. Example: `40ms`. Default `0s`.
    pub latency: Option<HumanDuration>,
    /// Wait before the first token. Default `0s`.
    pub ttft: Option<HumanDuration>,
    /// Wait between two tokens. Default `0s`.
    pub chunk_delay: Option<HumanDuration>,
    /// About how many tokens an answer has. Default: 20 to 120, by the question.
    pub tokens: Option<u32>,
    /// How many of the calls fail with status 500: 0 to 1. Default 0.
    pub error_rate: f64,
    /// How many of the calls are refused with status 429: 0 to 1. Default 0.
    pub rate_limit_rate: f64,
}

impl SimulatedConfig {
    /// The same for the simulator.
    #[must_use]
    pub fn options(&self) -> SimOptions {
        let time = |duration: Option<HumanDuration>| duration.map_or(Duration::ZERO, |duration| duration.0);
        SimOptions {
            seed: self.seed,
            latency: time(self.latency),
            ttft: time(self.ttft),
            chunk_delay: time(self.chunk_delay),
            tokens: self.tokens,
            error_rate: self.error_rate,
            rate_limit_rate: self.rate_limit_rate,
            record: false,
        }
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        [("error_rate", self.error_rate), ("rate_limit_rate", self.rate_limit_rate)]
            .into_iter()
            .filter(|(_, rate)| !(0.0..=1.0).contains(rate))
            .map(|(field, rate)| Problem {
                path: format!("simulated.{field}"),
                message: format!("`{rate}` is no rate"),
                hint: "write a number from 0 to 1".to_owned(),
            })
            .collect()
    }
}

/// A duration as people write it: a whole number and one of `ms`, `s`, `m`, `h`, `d`, `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = HumanDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration: a whole number and a unit (ms, s, m, h, d, w), like `800ms` or `30s`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HumanDuration, E> {
                parse_duration(text)
                    .map(HumanDuration)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl JsonSchema for HumanDuration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m|h|d|w)$",
            "description": "A duration: a whole number and a unit (ms, s, m, h, d, w).",
            "examples": ["800ms", "30s"],
        })
    }
}

/// The limits that hold for one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Option<Duration>,
}

impl Limits {
    /// What `own` says, else what `general` says, else the default.
    pub(crate) fn new(own: &Timeouts, general: &Timeouts) -> Self {
        let choose = |own: Option<HumanDuration>, general: Option<HumanDuration>| own.or(general).map(|time| time.0);
        Self {
            connect: choose(own.connect, general.connect).unwrap_or(Duration::from_secs(5)),
            first_byte: choose(own.first_byte, general.first_byte).unwrap_or(Duration::from_secs(120)),
            idle: choose(own.idle, general.idle).unwrap_or(Duration::from_secs(60)),
            total: choose(own.total, general.total),
        }
    }
}

/// One thing that is wrong in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `providers[1].dialect`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.path, self.message, self.hint)
    }
}

/// Everything that is wrong in the configuration of providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamConfigError {
    /// In the order of the file; never empty.
    pub problems: Vec<Problem>,
}

impl std::error::Error for UpstreamConfigError {}

impl fmt::Display for UpstreamConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// The name that is most like what was found, if it is like enough to be meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let (distance, name) = known.map(|name| (strsim::damerau_levenshtein(&found, name), name)).min()?;
    (distance <= name.len().max(3) / 3 + 1).then_some(name)
}

/// "did you mean `x`? Known: …", the nearest name first if one is near.
pub(crate) fn suggest<'a>(found: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = nearest(found, known.clone());
    let all = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match near {
        Some(name) => format!("did you mean `{name}`? Known: {all}"),
        None => format!("known: {all}"),
    }
}
