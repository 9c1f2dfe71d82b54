//! What a path's dialect and operation mean for the stages.

use signalbox_upstream::{Operation, Provider};
use signalbox_wire::{Dialect, Peek, TextSlot, WireError, codec, embeddings};

use crate::call::Endpoint;
use crate::{bedrock, gemini};

impl Endpoint {
    /// The facts that stages need of a body.
    pub(crate) fn peek(self, body: &[u8]) -> Result<Peek, WireError> {
        match (self.is_embeddings(), self.dialect()) {
            (true, Dialect::Gemini) => embeddings::gemini_peek(body),
            (true, _) => embeddings::peek(body),
            (false, dialect) => codec(dialect).peek(body),
        }
    }

    /// The texts of a body.
    pub(crate) fn texts(self, body: &[u8]) -> Result<Vec<TextSlot<'_>>, WireError> {
        match (self.is_embeddings(), self.dialect()) {
            (true, Dialect::Gemini) => embeddings::gemini_texts(body),
            (true, _) => embeddings::texts(body),
            (false, dialect) => codec(dialect).texts(body),
        }
    }

    /// The path says that a stream is wanted.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Gemini(gemini::Method::Stream) | Self::Bedrock(bedrock::Method::ConverseStream))
    }

    pub(crate) fn is_embeddings(self) -> bool {
        matches!(self.operation(), Operation::Embeddings | Operation::EmbeddingsBatch)
    }

    /// The answer says something, and not only numbers.
    pub(crate) fn is_chat(self) -> bool {
        self.operation() == Operation::Chat
    }

    /// What is asked of a provider of this dialect.
    pub(crate) fn operation_at(self, target: Dialect) -> Operation {
        match self.operation() {
            Operation::EmbeddingsBatch if target != Dialect::Gemini => Operation::Embeddings,
            // Others have one request for one text and for many.
            Operation::Embeddings if target == Dialect::Gemini && self.dialect() != target => {
                Operation::EmbeddingsBatch
            }
            // Some have both of OpenAI's APIs, at two paths.
            Operation::Chat if target == Dialect::OpenaiResponses && self == Self::Responses => Operation::Responses,
            operation => operation,
        }
    }

    /// Why a provider can't be asked this, if it can't.
    pub(crate) fn unanswerable_by(self, provider: &Provider) -> Option<String> {
        let name = &provider.name;
        if self.is_embeddings() && !embeddings::has(provider.dialect) {
            return Some(format!("provider `{name}` has no embeddings endpoint; choose a model of another provider"));
        }
        if self == Self::Gemini(gemini::Method::CountTokens) && provider.dialect != Dialect::Gemini {
            return Some(format!(
                "provider `{name}` speaks `{}`, which can't count the tokens of a Gemini request; choose a model of a provider that speaks `gemini`",
                provider.dialect
            ));
        }
        None
    }
}
