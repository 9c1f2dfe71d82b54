//! What a call needs that not every model has.

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::{Modality, Part};
use signalbox_wire::{ChatRequest, codec};

use super::Route;
use crate::call::{Call, CallError, Input};
use crate::offload::offload;

/// Something that not every model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Calling tools.
    Tools,
    /// Seeing pictures.
    Images,
    /// Hearing.
    Audio,
    /// Reading documents, e.g. PDF.
    Documents,
    /// Answering in a given JSON shape.
    StructuredOutput,
}

impl Ability {
    const ALL: [Self; 5] = [Self::Tools, Self::Images, Self::Audio, Self::Documents, Self::StructuredOutput];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Documents => "documents",
            Self::StructuredOutput => "structured_output",
        }
    }

    fn is_needed(self, request: &ChatRequest) -> bool {
        let holds = |wanted: Modality| {
            request.messages.iter().flat_map(|message| &message.parts).any(|part| match part {
                Part::Blob { modality, .. } | Part::Uri { modality, .. } => *modality == wanted,
                _ => false,
            })
        };
        match self {
            Self::Tools => !request.tools.is_empty() || !request.other_tools.is_empty(),
            Self::Images => holds(Modality::Image),
            Self::Audio => holds(Modality::Audio),
            Self::Documents => holds(Modality::Document),
            Self::StructuredOutput => request.response_format.is_some(),
        }
    }
}

/// What a call needs, found out only if a target of its route lacks something: for that, its whole body is read. One that
/// we can't read may still be fine for a provider of the same dialect, so it needs nothing.
///
/// # Errors
/// A fault of ours.
pub(super) async fn needs(call: &mut Call, route: &Route) -> Result<Vec<Ability>, CallError> {
    let Input::Raw(body) = &call.input else { return Ok(Vec::new()) };
    if call.endpoint.is_embeddings() || route.config.targets.iter().all(|target| target.lacks.is_empty()) {
        return Ok(Vec::new());
    }
    let (body, dialect) = (body.clone(), call.endpoint.dialect());
    let read = offload(body.len(), move || codec(dialect).decode_request(&body)).await?;
    let Ok(request) = read else { return Ok(Vec::new()) };
    Ok(Ability::ALL.into_iter().filter(|ability| ability.is_needed(&request)).collect())
}
