//! Which provider of ours a model of LiteLLM's is served by.

use serde_json::{Map, Value};
use signalbox_upstream::Row;

use super::secrets;

/// A provider to be written, unless its key in the environment switches it on anyway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: String,
    /// A known one; none for a server of one's own.
    pub(super) kind: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<String>,
    /// What stands in its base URL: name and value.
    pub(super) variables: Vec<(&'static str, String)>,
    /// Amazon's keys, where they stand in variables of other names than the usual ones.
    pub(super) aws: Vec<(&'static str, String)>,
    /// What each call to it carries.
    pub(super) headers: Vec<(String, String)>,
}

impl Provider {
    /// What is known of its kind.
    pub(super) fn row(&self) -> Option<&'static Row> {
        signalbox_upstream::rows().iter().find(|row| Some(&row.name) == self.kind.as_ref())
    }
}

/// Every provider that the models need, each once.
#[derive(Debug, Default)]
pub(super) struct Providers(Vec<Provider>);

/// LiteLLM's prefixes that are called otherwise here.
const NAMES: &[(&str, &str)] = &[
    ("azure_ai", "azure"),
    ("bedrock", "aws_bedrock"),
    ("bedrock_converse", "aws_bedrock"),
    ("cohere_chat", "cohere"),
    ("custom_openai", "openai"),
    ("fireworks_ai", "fireworks"),
    ("hosted_vllm", "vllm"),
    ("jina_ai", "jina"),
    ("lm_studio", "lmstudio"),
    ("meta_llama", "llama_api"),
    ("nvidia_nim", "nvidia"),
    ("ollama_chat", "ollama"),
    ("openai_like", "openai"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vercel_ai_gateway", "vercel"),
];

/// Why models of these can't be translated.
const MISSING: &[(&str, &str)] =
    &[("sagemaker", "SageMaker is not there yet"), ("watsonx", "watsonx is not there yet")];

/// Beginnings of models that need no prefix.
const BARE: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("chatgpt-", "openai"),
    ("claude-", "anthropic"),
    ("text-embedding-", "openai"),
];

impl Providers {
    /// The provider and the model's name there.
    pub(super) fn of(&mut self, model: &str, params: &Map<String, Value>) -> Result<(String, String), String> {
        let (prefix, rest) = match model.split_once('/') {
            Some(parts) => parts,
            None => match BARE.iter().find(|(start, _)| model.starts_with(start)) {
                Some((_, provider)) => (*provider, model),
                None => return Err(format!("it isn't said whose model `{model}` is; write `provider/{model}`")),
            },
        };
        if let Some((_, why)) = MISSING.iter().find(|(name, _)| prefix.starts_with(name)) {
            return Err((*why).to_owned());
        }
        let kind = NAMES.iter().find(|(theirs, _)| *theirs == prefix).map_or(prefix, |(_, ours)| ours);
        // Vertex AI has Claude behind another API than Gemini.
        let kind = if kind == "vertex_ai" && rest.starts_with("claude-") { "vertex_anthropic" } else { kind };
        if !signalbox_upstream::rows().iter().any(|row| row.name == kind) {
            return Err(format!(
                "there is no provider `{prefix}`; one that speaks OpenAI's dialect can be written with its `base_url`"
            ));
        }
        let text = |name: &str| params.get(name).and_then(Value::as_str).map(variable);
        let (api_key, base_url) = (text("api_key"), text("api_base").or_else(|| text("base_url")));
        let base_url = base_url.map(|url| if kind == "azure" { azure(&url) } else { url });
        let mut provider = Provider { kind: Some(kind.to_owned()), base_url, api_key, ..Provider::default() };
        let mut rest = rest;
        if kind == "aws_bedrock" {
            provider.base_url = provider.base_url.or_else(|| text("aws_bedrock_runtime_endpoint"));
            let (model, region) = bedrock(rest);
            rest = model;
            let region = region.map(str::to_owned).or_else(|| text("aws_region_name"));
            provider
                .variables
                .extend(region.filter(|region| region != "${AWS_REGION}").map(|region| ("region", region)));
            let own = AWS.iter().filter_map(|(theirs, ours, usual)| {
                let value = text(theirs).filter(|value| *value != format!("${{{usual}}}"))?;
                Some((*ours, value))
            });
            provider.aws.extend(own);
        }
        if kind.starts_with("vertex_") {
            let set = [("project", "vertex_project"), ("location", "vertex_location")];
            provider.variables.extend(set.into_iter().filter_map(|(ours, theirs)| Some((ours, text(theirs)?))));
        }
        provider.headers = headers(params);
        Ok((self.named(kind, provider), rest.to_owned()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|one| one.name == name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Provider> {
        self.0.iter_mut()
    }

    fn named(&mut self, kind: &str, mut provider: Provider) -> String {
        let same = |one: &&Provider| Provider { name: String::new(), ..(*one).clone() } == provider;
        if let Some(known) = self.0.iter().find(same) {
            return known.name.clone();
        }
        let others = self.0.iter().filter(|one| one.kind.as_deref() == Some(kind)).count();
        let name = if others == 0 { kind.to_owned() } else { format!("{kind}-{}", others + 1) };
        provider.name.clone_from(&name);
        self.0.push(provider);
        name
    }

    /// Those that must be written.
    pub(super) fn written(&self) -> impl Iterator<Item = &Provider> {
        let said = |one: &&Provider| {
            let is_set = one.base_url.is_some() || one.api_key.is_some();
            is_set
                || Some(&one.name) != one.kind.as_ref()
                || !one.variables.is_empty()
                || !one.aws.is_empty()
                || !one.headers.is_empty()
        };
        self.0.iter().filter(said)
    }
}

/// Amazon's keys: LiteLLM's names, ours, and the variable that is read without a word.
pub(super) const AWS: &[(&str, &str, &str)] = &[
    ("aws_access_key_id", "access_key_id", "AWS_ACCESS_KEY_ID"),
    ("aws_secret_access_key", "secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    ("aws_session_token", "session_token", "AWS_SESSION_TOKEN"),
];

/// A model of Bedrock's without the API that LiteLLM would call, and the region that may stand before it.
fn bedrock(model: &str) -> (&str, Option<&str>) {
    let model =
        ["converse/", "converse_like/", "invoke/"].iter().find_map(|way| model.strip_prefix(way)).unwrap_or(model);
    let is_region = |text: &str| {
        let mut parts = text.split('-');
        parts.next().is_some_and(|area| area.len() == 2)
            && text.ends_with(|c: char| c.is_ascii_digit())
            && parts.count() >= 2
    };
    match model.split_once('/') {
        Some((region, model)) if is_region(region) => (model, Some(region)),
        _ => (model, None),
    }
}

/// Azure's endpoint, at which its newer API serves models by the names of their deployments.
fn azure(url: &str) -> String {
    let base = url.trim_end_matches('/');
    if base.contains("/openai") || base.starts_with("${") { base.to_owned() } else { format!("{base}/openai/v1") }
}

/// What each call carries beside its key: `extra_headers`, and whom OpenAI books it to.
fn headers(params: &Map<String, Value>) -> Vec<(String, String)> {
    let organization =
        params.get("organization").and_then(Value::as_str).map(|id| ("OpenAI-Organization", id.to_owned()));
    let extra = params.get("extra_headers").and_then(Value::as_object).into_iter().flatten();
    let extra =
        extra.map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let all = organization.into_iter().chain(extra);
    // `$` by itself stands twice.
    let written = |value: &str| match value.strip_prefix(secrets::ENVIRONMENT) {
        Some(_) => variable(value),
        None => value.replace('$', "$$"),
    };
    all.map(|(name, value)| (name.to_owned(), written(&value))).collect()
}

/// `os.environ/NAME` as it is written here.
fn variable(text: &str) -> String {
    text.strip_prefix(secrets::ENVIRONMENT).map_or_else(|| text.to_owned(), |name| format!("${{{name}}}"))
}
