//! Every provider that we know, one file each in `providers/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use signalbox_wire::{Dialect, embeddings, rerank};

use crate::Operation;
use crate::config::{Auth, MaxTokensField};

macro_rules! include_provider {
    ($name:literal) => {
        ($name, include_str!(concat!("../providers/", $name, ".toml")))
    };
}

/// Sorted by name; the order is the order in the docs.
static FILES: &[(&str, &str)] = &[
    include_provider!("ai21"),
    include_provider!("aimlapi"),
    include_provider!("anthropic"),
    include_provider!("aws_bedrock"),
    include_provider!("azure"),
    include_provider!("azure_openai"),
    include_provider!("baichuan"),
    include_provider!("baseten"),
    include_provider!("bedrock"),
    include_provider!("cerebras"),
    include_provider!("chutes"),
    include_provider!("cloudflare"),
    include_provider!("cohere"),
    include_provider!("cohere_v2"),
    include_provider!("cortecs"),
    include_provider!("dashscope"),
    include_provider!("databricks"),
    include_provider!("deepinfra"),
    include_provider!("deepseek"),
    include_provider!("docker"),
    include_provider!("featherless"),
    include_provider!("fireworks"),
    include_provider!("friendli"),
    include_provider!("gemini"),
    include_provider!("github"),
    include_provider!("gmi"),
    include_provider!("groq"),
    include_provider!("huggingface"),
    include_provider!("hunyuan"),
    include_provider!("hyperbolic"),
    include_provider!("inception"),
    include_provider!("inference_net"),
    include_provider!("ionos"),
    include_provider!("jan"),
    include_provider!("jina"),
    include_provider!("kluster"),
    include_provider!("lemonade"),
    include_provider!("litellm"),
    include_provider!("llama_api"),
    include_provider!("llamacpp"),
    include_provider!("llamafile"),
    include_provider!("lmstudio"),
    include_provider!("localai"),
    include_provider!("minimax"),
    include_provider!("mistral"),
    include_provider!("moonshot"),
    include_provider!("morph"),
    include_provider!("nebius"),
    include_provider!("novita"),
    include_provider!("nscale"),
    include_provider!("nvidia"),
    include_provider!("ollama"),
    include_provider!("openai"),
    include_provider!("openrouter"),
    include_provider!("ovhcloud"),
    include_provider!("parasail"),
    include_provider!("perplexity"),
    include_provider!("poe"),
    include_provider!("qianfan"),
    include_provider!("reka"),
    include_provider!("replicate"),
    include_provider!("requesty"),
    include_provider!("sambanova"),
    include_provider!("sarvam"),
    include_provider!("scaleway"),
    include_provider!("sglang"),
    include_provider!("siliconflow"),
    include_provider!("sim"),
    include_provider!("snowflake"),
    include_provider!("stepfun"),
    include_provider!("tabbyapi"),
    include_provider!("targon"),
    include_provider!("tgi"),
    include_provider!("together"),
    include_provider!("upstage"),
    include_provider!("v0"),
    include_provider!("venice"),
    include_provider!("vercel"),
    include_provider!("vertex_ai"),
    include_provider!("vertex_anthropic"),
    include_provider!("vllm"),
    include_provider!("volcengine"),
    include_provider!("voyage"),
    include_provider!("wandb"),
    include_provider!("xai"),
    include_provider!("xinference"),
    include_provider!("zai"),
];

/// What we know of a provider: a file in `providers/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name: the part before `/` in a model name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it speaks: `openai_chat`, `openai_completions`, `openai_responses`, `anthropic_messages`, `gemini`,
    /// `bedrock_converse` or `cohere_v2`.
    pub dialect: String,
    /// Where it is; absent if the user must say.
    pub base_url: Option<String>,
    /// A base URL to show where the user must say one.
    pub base_url_example: Option<String>,
    /// The environment variable that says another base URL.
    pub base_url_env: Option<String>,
    /// How the credential is sent.
    pub auth: Auth,
    /// How calls are signed where there is no credential of that kind.
    pub auth_without_key: Option<Auth>,
    /// What stands in the base URL as `{name}`, and the environment variables that say it; the first that is set counts.
    #[serde(default)]
    pub variables: BTreeMap<String, Vec<String>>,
    /// A base URL of the user's is taken to the letter, too.
    #[serde(default)]
    pub plain_base_url: bool,
    /// Environment variables that may hold the credential; the first that is set counts.
    #[serde(default)]
    pub key_env: Vec<String>,
    /// It can't be called without a credential.
    #[serde(default = "yes")]
    pub key_required: bool,
    /// Its name in `gen_ai.provider.name`; the well-known one where OpenTelemetry has it.
    pub otel_name: String,
    /// Its own documentation.
    pub docs: Option<String>,
    /// A bare model name that starts so is its.
    #[serde(default)]
    pub model_prefixes: Vec<String>,
    /// Models to list; not a limit.
    #[serde(default)]
    pub models: Vec<String>,
    /// Where its operations are, below the base URL.
    pub paths: Paths,
    /// It takes OpenAI's `stream_options`. Those that don't report usage in every stream anyway.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// What it calls the limit of output tokens, where that is not OpenAI's newer name.
    #[serde(default)]
    pub max_tokens_field: MaxTokensField,
    /// A cloud that serves Anthropic's API with this version in the body, and with the model in the path alone.
    pub anthropic_version: Option<String>,
    /// How it has embeddings, where its dialect doesn't tell.
    pub embeddings_form: Option<embeddings::Form>,
    /// How it sorts texts, if not as Cohere's callers say it.
    pub rerank_form: Option<rerank::Form>,
    /// Headers that every call carries unless the caller sent them.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// Where a provider's operations are, below its base URL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// Chat completions, or messages; empty if it has none.
    #[serde(default)]
    pub chat: String,
    /// Chat completions as a stream, where that is another path. `{model}` in a path is where the model stands.
    pub chat_stream: Option<String>,
    /// Embeddings, if it has them.
    pub embeddings: Option<String>,
    /// Embeddings of many texts, where that is another path.
    pub embeddings_batch: Option<String>,
    /// Counting the tokens of a request, if it can.
    pub count_tokens: Option<String>,
    /// OpenAI's Responses API, where it is beside the dialect.
    pub responses: Option<String>,
    /// Completions of texts, if it has them.
    pub completions: Option<String>,
    /// Judgements of texts, if it has them.
    pub moderations: Option<String>,
    /// Making pictures, if it can.
    pub images: Option<String>,
    /// Speaking, if it can.
    pub speech: Option<String>,
    /// Understanding speech, if it can.
    pub transcriptions: Option<String>,
    /// Keeping files, if it does.
    pub files: Option<String>,
    /// Batches of requests, if it has them.
    pub batches: Option<String>,
    /// Sorting texts by a question, if it can: in Cohere's words, which others have taken over. A path that begins with `//`
    /// is at the host's root, whatever path the base URL has.
    pub rerank: Option<String>,
    /// Cohere's own embeddings, if it has them.
    pub cohere_embed: Option<String>,
    /// The list of models, if it has one.
    pub models: Option<String>,
}

impl Paths {
    /// All but the chat's.
    pub(crate) fn others(&self) -> impl Iterator<Item = (Operation, &str)> {
        let all = [
            (Operation::Embeddings, &self.embeddings),
            (Operation::EmbeddingsBatch, &self.embeddings_batch),
            (Operation::CountTokens, &self.count_tokens),
            (Operation::Responses, &self.responses),
            (Operation::Completions, &self.completions),
            (Operation::Moderations, &self.moderations),
            (Operation::Images, &self.images),
            (Operation::Speech, &self.speech),
            (Operation::Transcriptions, &self.transcriptions),
            (Operation::Files, &self.files),
            (Operation::Batches, &self.batches),
            (Operation::Rerank, &self.rerank),
            (Operation::CohereEmbed, &self.cohere_embed),
        ];
        all.into_iter().filter_map(|(operation, path)| Some((operation, path.as_deref()?)))
    }

    /// Those of a server that speaks a dialect as its inventor does.
    pub(crate) fn of(dialect: Dialect) -> Self {
        let some = |path: &str| Some(path.to_owned());
        let none = Self { models: some("/models"), ..Self::default() };
        match dialect {
            Dialect::AnthropicMessages => Paths {
                chat: "/v1/messages".to_owned(),
                count_tokens: some("/v1/messages/count_tokens"),
                models: some("/v1/models"),
                ..none
            },
            Dialect::BedrockConverse => Paths {
                chat: "/model/{model}/converse".to_owned(),
                chat_stream: some("/model/{model}/converse-stream"),
                ..Self::default()
            },
            Dialect::CohereV2 => Paths {
                chat: "/v2/chat".to_owned(),
                models: some("/v1/models"),
                rerank: some("/v2/rerank"),
                cohere_embed: some("/v2/embed"),
                ..Self::default()
            },
            Dialect::Gemini => Paths {
                chat: "/models/{model}:generateContent".to_owned(),
                chat_stream: some("/models/{model}:streamGenerateContent?alt=sse"),
                embeddings: some("/models/{model}:embedContent"),
                embeddings_batch: some("/models/{model}:batchEmbedContents"),
                count_tokens: some("/models/{model}:countTokens"),
                ..none
            },
            Dialect::OpenaiChat => Paths {
                chat: "/chat/completions".to_owned(),
                embeddings: some("/embeddings"),
                completions: some("/completions"),
                moderations: some("/moderations"),
                images: some("/images/generations"),
                speech: some("/audio/speech"),
                transcriptions: some("/audio/transcriptions"),
                rerank: some("/rerank"),
                ..none
            },
            Dialect::OpenaiCompletions => {
                Paths { chat: "/completions".to_owned(), completions: some("/completions"), ..none }
            }
            Dialect::OpenaiResponses => Paths { chat: "/responses".to_owned(), responses: some("/responses"), ..none },
        }
    }
}

fn yes() -> bool {
    true
}

/// Every row, sorted by name.
pub fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        FILES
            .iter()
            .filter_map(|(_, text)| toml::from_str(text).map_err(|error| debug_assert!(false, "{error}")).ok())
            .collect()
    });
    &ROWS
}

/// The row of this name.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    rows().iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One file, its name in the registry and what any row must hold.
    fn check(name: &str, text: &str) {
        let row: Row = toml::from_str(text).unwrap_or_else(|error| panic!("providers/{name}.toml: {error}"));
        assert_eq!(row.name, name);
        assert!(Dialect::find(&row.dialect).is_some(), "{name}: dialect {}", row.dialect);
        assert!(!row.title.is_empty() && !row.otel_name.is_empty(), "{name}: title, otel_name");
        if name == crate::simulated::KIND {
            assert!(row.base_url.is_none() && row.key_env.is_empty());
            return;
        }
        assert!(row.docs.is_some_and(|docs| docs.starts_with("https://")), "{name}: docs");
        match &row.base_url {
            Some(url) => assert!(url.starts_with("https://") && !url.ends_with('/'), "{name}: base_url {url}"),
            None => assert!(row.base_url_example.is_some(), "{name}: needs base_url_example"),
        }
        let prefix = row.base_url_env.as_ref().and_then(|env| env.strip_suffix("_BASE_URL"));
        assert!(prefix.is_some(), "{name}: base_url_env");
        assert!(
            row.key_env.iter().all(|env| env.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')),
            "{name}: key_env"
        );
        assert!(row.key_required || row.base_url.is_none(), "{name}: hosted services need keys");
        let own_server = row.base_url_example.as_ref().is_some_and(|url| url.starts_with("http://127.0.0.1"));
        assert!(!row.key_required || !own_server, "{name}: servers of one's own need no keys");
        let signs = matches!(row.auth, Auth::Aws(_) | Auth::Gcp(_) | Auth::Azure(_));
        assert!(!row.key_required || signs || !row.key_env.is_empty(), "{name}: key_env");
        for part in row.base_url.iter().flat_map(|url| url.split('{').skip(1)) {
            let variable = part.split('}').next().unwrap();
            assert!(row.variables.get(variable).is_some_and(|all| !all.is_empty()), "{name}: {variable}");
        }
        let Paths { chat, chat_stream, models, .. } = &row.paths;
        assert!(!chat.is_empty() || row.paths.others().next().is_some(), "{name}: paths");
        let chat = Some(chat).filter(|chat| !chat.is_empty());
        let named = [chat, chat_stream.as_ref(), models.as_ref()].into_iter().flatten().map(String::as_str);
        for path in named.chain(row.paths.others().map(|(_, path)| path)) {
            assert!(path.starts_with('/') && !path.ends_with('/'), "{name}: path {path}");
        }
        for (header, value) in &row.headers {
            header.parse::<http::HeaderName>().unwrap();
            value.parse::<http::HeaderValue>().unwrap();
        }
    }

    #[test]
    fn every_row_holds() {
        for (name, text) in FILES {
            check(name, text);
        }
        assert_eq!(rows().len(), FILES.len());
    }

    #[test]
    fn every_file_is_listed_in_order() {
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert!(listed.is_sorted());
        let files: BTreeSet<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/providers"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, files.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn prefixes_are_disjoint() {
        let prefixes: Vec<&String> = rows().iter().flat_map(|row| &row.model_prefixes).collect();
        for (place, prefix) in prefixes.iter().enumerate() {
            for other in prefixes.iter().skip(place + 1) {
                assert!(!prefix.starts_with(other.as_str()) && !other.starts_with(prefix.as_str()), "{prefix} {other}");
            }
        }
    }
}
