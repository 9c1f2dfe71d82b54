//! Embeddings and sorted texts, asked of a provider that has them in another form than its caller. Request and answer
//! cross here; chats cross by their dialects' codecs.

use bytes::Bytes;
use signalbox_types::Usage;
use signalbox_upstream::{Operation, Provider};
use signalbox_wire::{WireError, embeddings, rerank};

use crate::endpoint::Endpoint;

/// A call that crosses from one form to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    Embeddings {
        here: embeddings::Form,
        there: embeddings::Form,
    },
    /// Of Cohere's words and Voyage's.
    Rerank,
}

impl Crossing {
    /// None if the provider takes the call as it is, or not at all.
    pub(crate) fn find(endpoint: Endpoint, provider: &Provider) -> Option<Self> {
        if endpoint.operation() == Operation::Rerank {
            return (provider.rerank_form() == rerank::Form::Voyage).then_some(Self::Rerank);
        }
        let here = endpoint.embeddings_form()?;
        let there = provider.embeddings_form(here)?;
        (here != there).then_some(Self::Embeddings { here, there })
    }

    /// What is asked of the provider.
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Rerank => Operation::Rerank,
            Self::Embeddings { there: embeddings::Form::Cohere, .. } => Operation::CohereEmbed,
            // It has one request for one text and another for many, which may be one.
            Self::Embeddings { there: embeddings::Form::Gemini, .. } => Operation::EmbeddingsBatch,
            Self::Embeddings { .. } => Operation::Embeddings,
        }
    }

    /// The request as the provider knows it.
    pub(crate) fn request(self, body: &[u8], model: &str) -> Result<Bytes, WireError> {
        match self {
            Self::Rerank => rerank::to_voyage(body, model),
            Self::Embeddings { here, there } => {
                let mut request = embeddings::decode_request(here, body)?;
                model.clone_into(&mut request.model);
                embeddings::encode_request(there, &request)
            }
        }
    }

    /// What an answer of the provider says was used.
    pub(crate) fn usage(self, body: &[u8]) -> Option<Usage> {
        match self {
            Self::Rerank => None,
            Self::Embeddings { there, .. } => Some(embeddings::usage_of(there, body)),
        }
    }

    /// The answer as the caller knows it; `asked` is the request as it came.
    pub(crate) fn answer(self, body: &[u8], asked: &[u8], model: &str) -> Result<Bytes, WireError> {
        match self {
            Self::Rerank => rerank::of_voyage(body),
            Self::Embeddings { here, there } => {
                let answer = embeddings::decode(there, body)?;
                let mut asked = embeddings::decode_request(here, asked)?;
                model.clone_into(&mut asked.model);
                Ok(embeddings::encode(here, &answer, &asked))
            }
        }
    }
}
