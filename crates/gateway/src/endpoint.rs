//! What a path's dialect and operation mean for the stages.

use bytes::Bytes;
use http::Method;
use signalbox_upstream::{Operation, Provider};
use signalbox_wire::along::{Along, Shape, glance};
use signalbox_wire::{Dialect, ErrorBody, Peek, TextSlot, WireError, codec, embeddings, files};

use crate::along::{self, Surface};
use crate::owners::Kind;
use crate::{bedrock, gemini, kept, through};

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Messages,
    Responses,
    Completions,
    Embeddings,
    Cohere,
    Gemini(gemini::Method),
    Bedrock(bedrock::Method),
    Along(&'static Surface),
    Kept(&'static kept::Shelf),
    /// Whatever a provider of this dialect has.
    Through(Dialect),
}

impl Endpoint {
    pub(crate) fn find(path: &str) -> Option<Self> {
        const FIXED: [Endpoint; 6] = [
            Endpoint::Chat,
            Endpoint::Messages,
            Endpoint::Responses,
            Endpoint::Completions,
            Endpoint::Embeddings,
            Endpoint::Cohere,
        ];
        let fixed = FIXED.into_iter().find(|one| one.path() == path);
        fixed
            .or_else(|| gemini::find(path).map(|(method, _)| Self::Gemini(method)))
            .or_else(|| bedrock::find(path).map(|(method, _)| Self::Bedrock(method)))
            .or_else(|| along::find(path).map(Self::Along))
            .or_else(|| kept::find(path).map(|(shelf, _)| Self::Kept(shelf)))
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
            Self::Responses => "/v1/responses",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Cohere => "/v2/chat",
            Self::Gemini(method) => method.path(),
            Self::Bedrock(method) => method.path(),
            Self::Along(surface) => surface.path,
            Self::Kept(shelf) => shelf.path,
            Self::Through(_) => through::PATH,
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Chat | Self::Embeddings => Dialect::OpenaiChat,
            Self::Messages => Dialect::AnthropicMessages,
            Self::Responses => Dialect::OpenaiResponses,
            Self::Kept(shelf) => shelf.dialect(),
            Self::Through(dialect) => dialect,
            Self::Completions => Dialect::OpenaiCompletions,
            Self::Along(surface) => surface.dialect,
            Self::Cohere => Dialect::CohereV2,
            Self::Gemini(_) => Dialect::Gemini,
            Self::Bedrock(_) => Dialect::BedrockConverse,
        }
    }

    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Chat | Self::Messages | Self::Cohere | Self::Bedrock(_) => Operation::Chat,
            Self::Responses => Operation::Responses,
            Self::Kept(shelf) => shelf.kind.operation(),
            Self::Through(_) => Operation::Through,
            Self::Completions => Operation::Completions,
            Self::Along(surface) => surface.operation,
            Self::Embeddings => Operation::Embeddings,
            Self::Gemini(gemini::Method::Generate | gemini::Method::Stream) => Operation::Chat,
            Self::Gemini(gemini::Method::CountTokens) => Operation::CountTokens,
            Self::Gemini(gemini::Method::Embed) => Operation::Embeddings,
            Self::Gemini(gemini::Method::BatchEmbed) => Operation::EmbeddingsBatch,
        }
    }
}

impl Endpoint {
    /// The facts that stages need of a body.
    pub(crate) fn peek(self, body: &[u8]) -> Result<Peek, WireError> {
        if let Self::Kept(_) | Self::Through(_) = self {
            return Ok(glance(body));
        }
        if let Some(along) = self.read_along() {
            return along.peek(body);
        }
        match (self.is_embeddings(), self.dialect()) {
            (true, Dialect::Gemini) => embeddings::gemini_peek(body),
            (true, _) => embeddings::peek(body),
            (false, dialect) => codec(dialect).peek(body),
        }
    }

    /// The texts of a body.
    pub(crate) fn texts<'a>(self, content_type: Option<&str>, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
        if self.holds_files(content_type) {
            return Ok(files::read(body)?.texts);
        }
        if let Self::Kept(_) | Self::Through(_) = self {
            return Shape::of(content_type, body).texts(body);
        }
        if let Some(along) = self.read_along() {
            return along.texts(body);
        }
        match (self.is_embeddings(), self.dialect()) {
            (true, Dialect::Gemini) => embeddings::gemini_texts(body),
            (true, _) => embeddings::texts(body),
            (false, dialect) => codec(dialect).texts(body),
        }
    }

    /// A body that was read whole is a form with files that are kept.
    pub(crate) fn holds_files(self, content_type: Option<&str>) -> bool {
        matches!(self, Self::Kept(shelf) if shelf.kind == Kind::File) && Shape::of(content_type, b"") == Shape::Form
    }

    /// The path says that a stream is wanted.
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Gemini(gemini::Method::Stream) | Self::Bedrock(bedrock::Method::ConverseStream))
    }

    /// The content of a file that a provider keeps is fetched.
    pub(crate) fn is_content(self) -> bool {
        matches!(self, Self::Kept(shelf) if shelf.is_content())
    }

    pub(crate) fn is_embeddings(self) -> bool {
        matches!(self.operation(), Operation::Embeddings | Operation::EmbeddingsBatch)
    }

    /// In which form a caller asks for embeddings here, if that is what is asked.
    pub(crate) fn embeddings_form(self) -> Option<embeddings::Form> {
        match self {
            Self::Embeddings => Some(embeddings::Form::Openai),
            Self::Gemini(gemini::Method::Embed | gemini::Method::BatchEmbed) => Some(embeddings::Form::Gemini),
            Self::Along(surface) if surface.operation == Operation::CohereEmbed => Some(embeddings::Form::Cohere),
            _ => None,
        }
    }

    /// How a request is read that is none of the dialect's.
    fn read_along(self) -> Option<Along> {
        match self {
            Self::Along(surface) => surface.read,
            _ => None,
        }
    }

    /// A model answers in words.
    pub(crate) fn is_chat(self) -> bool {
        // Every endpoint is named: the guard of answers hangs on this.
        match self {
            Self::Chat | Self::Messages | Self::Responses | Self::Completions => true,
            Self::Cohere | Self::Bedrock(_) => true,
            Self::Gemini(method) => matches!(method, gemini::Method::Generate | gemini::Method::Stream),
            Self::Embeddings | Self::Along(_) | Self::Kept(_) | Self::Through(_) => false,
        }
    }

    /// Request and answer are passed along as they are.
    pub(crate) fn passes_along(self) -> bool {
        matches!(self, Self::Along(_) | Self::Kept(_) | Self::Through(_))
    }

    pub(crate) fn takes(self, method: &Method) -> bool {
        match self {
            Self::Kept(shelf) => shelf.methods().any(|one| one == method),
            // The provider knows.
            Self::Through(_) => *method != Method::CONNECT && *method != Method::TRACE,
            _ => *method == Method::POST,
        }
    }

    /// For who used another one.
    pub(crate) fn methods(self) -> Vec<&'static str> {
        match self {
            Self::Kept(shelf) => shelf.methods().map(Method::as_str).collect(),
            Self::Through(_) => vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            _ => vec!["POST"],
        }
    }

    /// Whoever has it answers in the caller's words, whatever else it speaks.
    pub(crate) fn has_one_form(self) -> bool {
        match self {
            Self::Along(surface) => surface.is_coheres,
            Self::Kept(_) | Self::Through(_) => true,
            _ => false,
        }
    }

    /// An error as callers of it expect it.
    pub(crate) fn encode_error(self, error: &ErrorBody) -> Bytes {
        match self {
            Self::Along(surface) if surface.is_coheres => {
                serde_json::json!({ "message": error.message }).to_string().into()
            }
            other => codec(other.dialect()).encode_error(error),
        }
    }

    /// The word for the record and for `/metrics`.
    pub(crate) fn operation_name(self, method: &Method) -> &'static str {
        match self {
            Self::Kept(shelf) => shelf.operation(method),
            other => other.operation().as_str(),
        }
    }

    /// What is asked of a provider of this dialect.
    pub(crate) fn operation_at(self, target: Dialect) -> Operation {
        match self.operation() {
            // Who has several of OpenAI's APIs has a path for each.
            Operation::Responses if target != Dialect::OpenaiResponses => Operation::Chat,
            Operation::Completions if target != Dialect::OpenaiCompletions => Operation::Chat,
            operation => operation,
        }
    }

    /// Why a provider can't be asked this, if it can't.
    pub(crate) fn unanswerable_by(self, provider: &Provider) -> Option<String> {
        let name = &provider.name;
        let embeds = self.embeddings_form();
        if embeds.is_some_and(|form| provider.embeddings_form(form).is_none()) {
            return Some(format!("provider `{name}` has no embeddings endpoint; choose a model of another provider"));
        }
        if self.is_chat() && !provider.has(Operation::Chat) {
            return Some(format!("provider `{name}` has no chats; choose a model of another provider"));
        }
        if let Self::Along(surface) = self
            && embeds.is_none()
            && ((surface.dialect != provider.dialect && !surface.is_coheres) || !provider.has(surface.operation))
        {
            let why = match surface.operation {
                Operation::CountTokens => format!(
                    "provider `{name}` speaks `{}` and can't count the tokens of an Anthropic request; choose a model of a provider that speaks `{}`",
                    provider.dialect, surface.dialect
                ),
                operation => format!(
                    "provider `{name}` has no {} endpoint; choose a model of another provider",
                    operation.as_str()
                ),
            };
            return Some(why);
        }
        if let Self::Kept(shelf) = self
            && !provider.has(shelf.kind.operation())
        {
            return Some(match shelf.kind {
                Kind::Response => format!("provider `{name}` has no Responses API, so it keeps no responses"),
                Kind::File | Kind::Batch | Kind::Results => {
                    format!("provider `{name}` keeps no files and has no batches; ask another one for that")
                }
            });
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
