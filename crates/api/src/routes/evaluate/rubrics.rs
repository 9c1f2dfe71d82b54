//! The rubrics that judges can judge by.

use serde::Serialize;
use serde_json::Value;
use signalbox_evals::judge::{self, Rubric};
use signalbox_metrics::{Direction, Input};

use crate::auth::Caller;
use crate::envelope::Json;

/// Every rubric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Rubrics {
    /// By name.
    rubrics: Vec<RubricAbout>,
}

/// A rubric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RubricAbout {
    /// Its name.
    #[schema(example = "faithfulness")]
    name: &'static str,
    /// What it judges, in a line.
    summary: &'static str,
    /// Where its criteria were published.
    source: &'static str,
    /// What a case must have.
    #[schema(value_type = Vec<String>)]
    inputs: &'static [Input],
    /// What the judge sees if a case has it.
    #[schema(value_type = Vec<String>)]
    optional_inputs: &'static [Input],
    /// What counts, in the words that the judge reads.
    criteria: &'static str,
    /// How the judge goes about it.
    steps: &'static [String],
    /// What the judge may say: `kind` is `binary`, `ordinal`, `numeric`, `categorical` or `pairwise`.
    #[schema(value_type = Object)]
    scale: Value,
    /// The least value; absent if there are labels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    /// The highest value; absent if there are labels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// Which values are good: `higher` or `lower`.
    #[schema(value_type = String)]
    direction: Direction,
    /// What passes, unless the request says otherwise; inclusive. Absent if there are labels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
}

/// List the rubrics.
///
/// Every rubric that comes along: what it needs, its criteria and where they come from. Copy one to make your own.
#[utoipa::path(get, path = "/api/v1/rubrics", operation_id = "list_rubrics", tag = "Evaluation",
    responses((status = 200, description = "Every rubric.", body = Rubrics)))]
pub(crate) async fn list(_: Caller) -> Json<Rubrics> {
    Json(Rubrics { rubrics: judge::all().iter().map(about).collect() })
}

fn about(rubric: &'static Rubric) -> RubricAbout {
    let range = rubric.range();
    RubricAbout {
        name: &rubric.name,
        summary: &rubric.summary,
        source: &rubric.source,
        inputs: &rubric.inputs,
        optional_inputs: &rubric.optional,
        criteria: &rubric.criteria,
        steps: &rubric.steps,
        scale: serde_json::to_value(&rubric.scale).unwrap_or_default(),
        low: range.map(|(low, _)| low),
        high: range.map(|(_, high)| high),
        direction: rubric.direction,
        threshold: range.map(|_| rubric.threshold()),
    }
}
