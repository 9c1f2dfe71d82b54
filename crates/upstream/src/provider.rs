//! A provider that is on: a registry row joined with its configuration and credential.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use serde::Serialize;
use signalbox_types::Secret;
use signalbox_types::seam::Clock;
use signalbox_wire::{Dialect, anthropic_in_cloud, embeddings, rerank};

use crate::client::{HttpTransport, Place, Root};
use crate::config::{Limits, MaxTokensField};
use crate::health::{Health, HealthSnapshot};
use crate::hide::{without, without_body};
use crate::probe::{Probe, ProbeStatus};
use crate::registry::Row;
use crate::simulated::{self, Simulator};
use crate::{Operation, UpstreamCall};

/// A provider that can be called.
#[derive(Debug)]
pub struct Provider {
    /// Its name: the part before `/` in a model name.
    pub name: Arc<str>,
    /// Its registry row, or `custom`.
    pub kind: String,
    /// Its name for people.
    pub title: String,
    /// Its name in `gen_ai.provider.name`.
    pub otel_name: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Models that it is known to serve; not a limit.
    pub models: Vec<String>,
    /// It takes OpenAI's `stream_options`; one that doesn't refuses the whole call.
    pub stream_options: bool,
    /// What it calls the limit of output tokens, where it speaks OpenAI's dialect.
    pub max_tokens_field: MaxTokensField,
    pub(crate) forms: Forms,
    pub(crate) model_prefixes: Vec<String>,
    pub(crate) limits: Limits,
    /// So many connections are kept open to it.
    pub(crate) warm_connections: usize,
    pub(crate) is_kept_warm: AtomicBool,
    /// Asks whether it is well, if somebody wants that.
    pub(crate) probe: Option<Probe>,
    pub(crate) transport: Transport,
    pub(crate) health: Health,
}

/// Where what a provider takes is not quite what its dialect says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forms {
    /// The version of Anthropic's API that stands in the body here, in the model's place.
    anthropic_version: Option<String>,
    embeddings: Option<embeddings::Form>,
    rerank: Option<rerank::Form>,
}

impl Forms {
    pub(crate) fn of(row: &Row) -> Self {
        let anthropic_version = row.anthropic_version.clone();
        Self { anthropic_version, embeddings: row.embeddings_form, rerank: row.rerank_form }
    }
}

#[derive(Debug)]
pub(crate) enum Transport {
    Http(Box<HttpTransport>),
    Simulated(Arc<Simulator>),
}

impl Provider {
    /// Says a call as this provider wants it, where that is not quite as its dialect has it.
    pub(crate) fn fit(&self, call: &mut UpstreamCall) {
        let Some(version) = &self.forms.anthropic_version else { return };
        let names_model = match call.operation {
            Operation::Chat => false,
            Operation::CountTokens => true,
            _ => return,
        };
        // What is no object the provider may refuse itself.
        if let Ok(body) = anthropic_in_cloud(&call.body, version, names_model) {
            call.body = body;
        }
    }

    /// In which form a caller's embeddings are best asked of it: the same, if it has that; none if it has none.
    #[must_use]
    pub fn embeddings_form(&self, caller: embeddings::Form) -> Option<embeddings::Form> {
        let has_coheres = self.has(Operation::CohereEmbed);
        if caller == embeddings::Form::Cohere && has_coheres {
            return Some(caller);
        }
        let by_dialect = || match self.dialect {
            Dialect::Gemini => embeddings::Form::Gemini,
            _ => embeddings::Form::Openai,
        };
        if self.has(Operation::Embeddings) {
            return Some(self.forms.embeddings.unwrap_or_else(by_dialect));
        }
        has_coheres.then_some(embeddings::Form::Cohere)
    }

    /// How it sorts texts.
    #[must_use]
    pub fn rerank_form(&self) -> rerank::Form {
        self.forms.rerank.unwrap_or(rerank::Form::Cohere)
    }

    /// It has a path for this.
    #[must_use]
    pub fn has(&self, operation: Operation) -> bool {
        match &self.transport {
            Transport::Http(http) => http.places.find(operation, false).is_some(),
            Transport::Simulated(_) => simulated::has(self.dialect, operation),
        }
    }

    /// What is asked of it by a call of a path below its base URL, if that is an operation that it is known for. Not if the
    /// path names the model.
    #[must_use]
    pub fn operation_at(&self, path: &str) -> Option<Operation> {
        let known = match &self.transport {
            Transport::Http(http) => http.places.at(http.root.through(path)?.path()),
            Transport::Simulated(_) => simulated::operation_at(self.dialect, path),
        };
        // What is said there in words of its own is not what callers know by that name.
        known.filter(|operation| match operation {
            Operation::Embeddings => self.forms.embeddings.is_none(),
            Operation::Rerank => self.forms.rerank.is_none(),
            _ => true,
        })
    }

    /// What is kept, of this kind, that a path below its base URL leads to: what stands behind the operation's own path.
    #[must_use]
    pub fn below(&self, operation: Operation, path: &str) -> Option<String> {
        let (asked, own) = match &self.transport {
            Transport::Http(http) => {
                let Place::Fixed(own) = http.places.find(operation, false)? else { return None };
                (http.root.through(path)?.path().to_owned(), own.path())
            }
            Transport::Simulated(_) => simulated::below(self.dialect, operation, path)?,
        };
        asked.strip_prefix(own).filter(|rest| rest.is_empty() || rest.starts_with('/')).map(str::to_owned)
    }

    /// Whether a path can be one below its base URL.
    #[must_use]
    pub fn has_below(&self, path: &str) -> bool {
        match &self.transport {
            Transport::Http(http) => http.root.through(path).is_some(),
            Transport::Simulated(_) => Root::default().through(path).is_some(),
        }
    }

    /// What a caller of this dialect is best answered in: the same one, if the provider has an API for it beside the
    /// dialect that it is known by.
    #[must_use]
    pub fn dialect_for(&self, caller: Dialect) -> Dialect {
        match caller {
            Dialect::OpenaiResponses if self.has(Operation::Responses) => caller,
            Dialect::OpenaiCompletions if self.has(Operation::Completions) => caller,
            _ => self.dialect,
        }
    }

    /// Why it is taken to be unwell, if its health is asked for and it is.
    #[must_use]
    pub fn unwell(&self) -> Option<String> {
        self.probe.as_ref()?.unwell()
    }

    /// What it answers when it is asked whether it is well; none if nobody asks, or not yet.
    #[must_use]
    pub fn probe_status(&self) -> Option<ProbeStatus> {
        self.probe.as_ref()?.status()
    }

    /// What it says, without our credentials: one that refuses them may show them.
    #[must_use]
    pub fn without_credentials(&self, body: Bytes) -> Bytes {
        without_body(body, self.secrets().iter())
    }

    /// The same of a text.
    #[must_use]
    pub fn text_without_credentials(&self, text: String) -> String {
        without(text, self.secrets().iter())
    }

    /// Why it can't be called, for want of a credential.
    pub(crate) fn lacking(&self) -> Option<String> {
        if let Transport::Http(http) = &self.transport { http.keys.as_ref()?.lacking() } else { None }
    }

    pub(crate) fn credentials(&self, clock: &dyn Clock) -> Vec<CredentialStatus> {
        match &self.transport {
            Transport::Http(http) => http.keys.as_ref().map(|keys| keys.status(clock.elapsed())).unwrap_or_default(),
            Transport::Simulated(_) => Vec::new(),
        }
    }

    pub(crate) fn snapshot(&self, clock: &dyn Clock) -> HealthSnapshot {
        HealthSnapshot { probe: self.probe_status(), ..self.health.snapshot(clock) }
    }

    fn secrets(&self) -> Vec<Secret> {
        if let Transport::Http(http) = &self.transport { http.secrets() } else { Vec::new() }
    }

    /// It is the simulated provider in this process.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        matches!(self.transport, Transport::Simulated(_)) && &*self.name == simulated::KIND
    }

    /// It is the simulated provider, here or elsewhere: headers that start with
    /// [`HEADER_PREFIX`](crate::simulated::HEADER_PREFIX) may go to it, and to no other.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.kind == crate::simulated::KIND
    }
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// The model as that provider calls it.
    pub model: String,
}

/// A model that callers can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ModelEntry {
    /// What callers write: `provider/model`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The model as the provider calls it.
    pub model: String,
}

/// A provider as the status page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ProviderStatus {
    /// Its name: the part before `/` in a model name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Its registry row, or `custom`.
    pub kind: String,
    /// What it speaks.
    pub dialect: String,
    /// Its name in `gen_ai.provider.name`.
    pub otel_name: String,
    /// Calls can go to it.
    pub on: bool,
    /// Why it is on, or what switches it on.
    pub why: String,
    /// Models that it is known to serve; not a limit.
    pub models: Vec<String>,
    /// Its own documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its credentials, where it has several or one from the catalog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialStatus>,
    /// How it has been doing.
    pub health: HealthSnapshot,
}

/// One of a provider's credentials, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CredentialStatus {
    /// What spans call it.
    pub name: String,
    /// Its name in the catalog, if it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<String>,
    /// Why it has no value, if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// How long it still rests after it was refused, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_ms: Option<u64>,
}
