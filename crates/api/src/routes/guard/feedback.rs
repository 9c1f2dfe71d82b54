//! What people say of findings: false alarms and misses, kept to train and to measure with.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::json;
use signalbox_catalog::{Feedback, KeptFeedback};
use signalbox_guard::registry;
use signalbox_types::{KeyId, Timestamp};

use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;

const MOST_LISTED: u32 = 500;
const MOST_EXPORTED: u32 = 100_000;

/// What is said of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedbackLabel {
    /// It was found, and is nothing.
    FalsePositive,
    /// It wasn't found, and should have been.
    Missed,
}

impl FeedbackLabel {
    fn as_str(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::Missed => "missed",
        }
    }
}

/// Something to say of a finding, or of a text in which one is missing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "false_positive", "scanner": "prompt_injection", "text": "Ignore the previous e-mail, please."}))]
pub(crate) struct SayFeedback {
    /// What is wrong.
    label: FeedbackLabel,
    /// The scanner that is meant.
    scanner: String,
    /// Its rule, if it found something.
    #[serde(default)]
    rule: Option<String>,
    /// The text that was looked at. It is kept as it is.
    text: String,
    /// What else is to be said.
    #[serde(default)]
    note: Option<String>,
    /// Where it came up.
    #[serde(default)]
    trace_id: Option<String>,
}

/// What was said of a finding.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SaidFeedback {
    /// Its number.
    id: i64,
    /// When it was said.
    time: Timestamp,
    /// The key that said it.
    actor: KeyId,
    /// What is wrong.
    label: FeedbackLabel,
    /// The scanner that is meant.
    scanner: String,
    /// Its rule, if it found something.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The text that was looked at.
    text: String,
    /// What else was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Where it came up.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

/// What was said of findings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AllFeedback {
    /// The latest first, at most 500.
    feedback: Vec<SaidFeedback>,
}

impl SaidFeedback {
    fn of(kept: KeptFeedback) -> Self {
        let KeptFeedback { id, time, actor, said } = kept;
        let is_missed = said.label == FeedbackLabel::Missed.as_str();
        let label = if is_missed { FeedbackLabel::Missed } else { FeedbackLabel::FalsePositive };
        let Feedback { scanner, rule, text, note, trace_id, .. } = said;
        Self { id, time, actor, label, scanner, rule, text, note, trace_id }
    }
}

/// Say that a finding is wrong, or missing.
#[utoipa::path(post, path = "/api/v1/guard/feedback", operation_id = "say_guard_feedback", tag = "Guardrails", request_body = SayFeedback,
    responses((status = 201, description = "It is kept.", body = SaidFeedback)))]
pub(crate) async fn say(
    Caller(caller): Caller,
    State(app): State<App>,
    Json(said): Json<SayFeedback>,
) -> Result<(StatusCode, Json<SaidFeedback>), ApiError> {
    let Some(entry) = registry::entry(&said.scanner) else {
        let known: Vec<&str> = registry::entries().iter().map(|entry| entry.about().name).collect();
        let problem = format_args!("unknown scanner `{}` (known: {})", said.scanner, known.join(", ")).to_string();
        return Err(ApiError::invalid("scanner", problem));
    };
    if let Some(rule) = said.rule.as_deref().filter(|rule| entry.about().rule(rule).is_none()) {
        return Err(ApiError::invalid("rule", format_args!("scanner `{}` has no rule `{rule}`", said.scanner)));
    }
    let SayFeedback { label, scanner, rule, text, note, trace_id } = said;
    let said = Feedback { label: label.as_str().to_owned(), scanner, rule, text, note, trace_id };
    let kept = app.catalog.keep_feedback(&caller, said).await?;
    Ok((StatusCode::CREATED, Json(SaidFeedback::of(kept))))
}

/// List what was said of findings.
#[utoipa::path(get, path = "/api/v1/guard/feedback", operation_id = "list_guard_feedback", tag = "Guardrails",
    responses((status = 200, description = "What was said in this project.", body = AllFeedback)))]
pub(crate) async fn list(Caller(caller): Caller, State(app): State<App>) -> Result<Json<AllFeedback>, ApiError> {
    let kept = app.catalog.feedback(&caller.project, MOST_LISTED).await?;
    Ok(Json(AllFeedback { feedback: kept.into_iter().map(SaidFeedback::of).collect() }))
}

/// Forget what was said of a finding.
#[utoipa::path(delete, path = "/api/v1/guard/feedback/{id}", operation_id = "forget_guard_feedback", tag = "Guardrails",
    params(("id" = String, Path, description = "Its number.")), responses(
    (status = 204, description = "Forgotten."),
    (status = 404, description = "Nobody said it in this project.", body = crate::envelope::ErrorAnswer),
))]
pub(crate) async fn forget(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let gone = match id.parse() {
        Ok(number) => app.catalog.forget_feedback(&caller, number).await?,
        Err(_) => false,
    };
    match gone {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(format!("there is no feedback `{id}`"))),
    }
}

/// Export what was said of findings.
///
/// JSON lines as the scanners are trained and measured with: `text`, `label` (1 where something should be found, 0 where it is
/// nothing), `scanner` and `source` (`feedback`).
#[utoipa::path(get, path = "/api/v1/guard/feedback/export", operation_id = "export_guard_feedback", tag = "Guardrails",
    responses((status = 200, description = "One JSON object a line, the oldest first.", body = String, content_type = "application/x-ndjson")))]
pub(crate) async fn export(Caller(caller): Caller, State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let kept = app.catalog.feedback(&caller.project, MOST_EXPORTED).await?;
    let mut lines = String::new();
    for one in kept.into_iter().rev() {
        let label = u8::from(one.said.label == FeedbackLabel::Missed.as_str());
        let row = json!({
            "id": format!("feedback-{}", one.id), "text": one.said.text, "label": label, "source": "feedback",
            "scanner": one.said.scanner, "rule": one.said.rule, "note": one.said.note,
        });
        lines.push_str(&row.to_string());
        lines.push('\n');
    }
    let name = "attachment; filename=\"guard-feedback.jsonl\"";
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson"), (header::CONTENT_DISPOSITION, name)], lines))
}
