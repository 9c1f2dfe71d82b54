//! What a call needs that not every model has, and what else is read of its body where a route asks for it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use signalbox_types::{Modality, Part};
use signalbox_wire::{ChatRequest, codec};

use super::Route;
use super::complexity::{Complexity, question};
use super::config::StrategyName;
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

/// What a route wants to know of a call beyond the few facts that every call is asked for.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) needs: Vec<Ability>,
    pub(super) complexity: Option<Complexity>,
    /// How like the examples of each target it is; empty if nobody asks.
    pub(super) similarities: Vec<f64>,
}

/// Found out only if the route asks for it: for that, the whole body is read. One that we can't read may still be fine for a
/// provider of the same dialect, so it needs nothing and looks like nothing.
///
/// # Errors
/// A fault of ours.
pub(super) async fn said(call: &mut Call, route: &Arc<Route>) -> Result<Said, CallError> {
    let Input::Raw(body) = &call.input else { return Ok(Said::default()) };
    let strategy = route.config.strategy;
    let lacks = route.config.targets.iter().any(|target| !target.lacks.is_empty());
    let judges = strategy == StrategyName::Complexity || route.examples.is_some();
    if call.endpoint.is_embeddings() || !(lacks || judges) {
        return Ok(Said::default());
    }
    let (body, dialect, route) = (body.clone(), call.endpoint.dialect(), Arc::clone(route));
    offload(body.len(), move || {
        let Ok(request) = codec(dialect).decode_request(&body) else { return Said::default() };
        let similarities = route.examples.as_ref().map(|examples| examples.similarities(&question(&request)));
        Said {
            needs: Ability::ALL.into_iter().filter(|ability| ability.is_needed(&request)).collect(),
            complexity: (strategy == StrategyName::Complexity).then(|| Complexity::of(&request)),
            similarities: similarities.unwrap_or_default(),
        }
    })
    .await
}
