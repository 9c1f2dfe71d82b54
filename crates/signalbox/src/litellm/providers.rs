//! Which provider of ours a model of LiteLLM's is served by.

use serde_json::{Map, Value};

/// A provider to be written, unless its key in the environment switches it on anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: String,
    /// A known one; none for a server of one's own.
    pub(super) kind: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<String>,
}

impl Provider {
    /// How its credential is written: a key that stood in the file itself comes from the environment from now on.
    pub(super) fn credential(&self) -> Option<String> {
        let key = self.api_key.as_ref()?;
        Some(if key.starts_with("${") { key.clone() } else { format!("${{{}}}", self.variable()) })
    }

    fn variable(&self) -> String {
        format!("{}_API_KEY", self.name.to_ascii_uppercase().replace(['-', '.'], "_"))
    }
}

/// Every provider that the models need, each once.
#[derive(Debug, Default)]
pub(super) struct Providers(Vec<Provider>);

/// LiteLLM's prefixes that are called otherwise here.
const NAMES: &[(&str, &str)] = &[
    ("azure_ai", "azure"),
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
const MISSING: &[(&str, &str)] = &[
    ("sagemaker", "SageMaker is not there yet"),
    ("watsonx", "watsonx is not there yet"),
    ("bedrock", "Bedrock is reached by its OpenAI-compatible endpoint with an API key: see provider `bedrock`"),
];

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
        Ok((self.named(kind, base_url, api_key), rest.to_owned()))
    }

    fn named(&mut self, kind: &str, base_url: Option<String>, api_key: Option<String>) -> String {
        let same =
            |one: &&Provider| one.kind.as_deref() == Some(kind) && one.base_url == base_url && one.api_key == api_key;
        if let Some(known) = self.0.iter().find(same) {
            return known.name.clone();
        }
        let others = self.0.iter().filter(|one| one.kind.as_deref() == Some(kind)).count();
        let name = if others == 0 { kind.to_owned() } else { format!("{kind}-{}", others + 1) };
        self.0.push(Provider { name: name.clone(), kind: Some(kind.to_owned()), base_url, api_key });
        name
    }

    /// Variables for keys that stood in the file itself.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        let literal = |one: &&Provider| one.api_key.as_ref().is_some_and(|key| !key.starts_with("${"));
        self.0.iter().filter(literal).map(Provider::variable)
    }

    /// Those that must be written.
    pub(super) fn written(&self) -> impl Iterator<Item = &Provider> {
        let said =
            |one: &&Provider| one.base_url.is_some() || one.api_key.is_some() || Some(&one.name) != one.kind.as_ref();
        self.0.iter().filter(said)
    }
}

/// Azure's endpoint, at which its newer API serves models by the names of their deployments.
fn azure(url: &str) -> String {
    let base = url.trim_end_matches('/');
    if base.contains("/openai") || base.starts_with("${") { base.to_owned() } else { format!("{base}/openai/v1") }
}

/// `os.environ/NAME` as it is written here.
fn variable(text: &str) -> String {
    text.strip_prefix("os.environ/").map_or_else(|| text.to_owned(), |name| format!("${{{name}}}"))
}
