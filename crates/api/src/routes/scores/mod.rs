//! Scores: judgements of traces, spans and sessions, by whoever makes them.

mod check;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State;
use axum::http::StatusCode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_types::{Events, ScoreSource, SpanId, Timestamp, TraceId};
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::Caller;
use crate::envelope::{Json, JsonOrList};
use crate::error::ApiError;
use crate::parts::App;

/// A score to store. It judges a trace, one of its spans or a session, and says a `value`, a `label`
/// or `passed`, or several of them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "name": "helpfulness",
    "value": 0.8, "passed": true, "source": "user_feedback", "reason": "It answered the question."
}))]
pub(crate) struct NewScore {
    /// Its id; one is made if it is absent. A score that is sent again with the same id replaces the
    /// earlier one.
    #[serde(default)]
    #[schema(max_length = 200)]
    id: Option<String>,
    /// The trace it judges: 32 hexadecimal digits. Absent if it judges a session.
    #[serde(default)]
    trace_id: Option<TraceId>,
    /// The span it judges: 16 hexadecimal digits. Absent if it judges the whole trace.
    #[serde(default)]
    span_id: Option<SpanId>,
    /// The session it judges or belongs to.
    #[serde(default)]
    session_id: Option<String>,
    /// When it was judged; now if absent.
    #[serde(default)]
    time: Option<Timestamp>,
    /// What was judged.
    #[schema(example = "helpfulness", min_length = 1, max_length = 200)]
    name: String,
    /// How much; the range is up to the metric.
    #[serde(default)]
    value: Option<f64>,
    /// Which of several kinds.
    #[serde(default)]
    #[schema(example = "off_topic", max_length = 200)]
    label: Option<String>,
    /// Good enough?
    #[serde(default)]
    passed: Option<bool>,
    /// Who judged; `api` if absent.
    #[serde(default)]
    source: ScoreSource,
    /// Why, for people.
    #[serde(default)]
    reason: Option<String>,
    /// The person, judge or program by name.
    #[serde(default)]
    #[schema(max_length = 200)]
    author: Option<String>,
    /// Anything else. Values are kept as text, other types as JSON.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: BTreeMap<String, Value>,
}

/// One score, or a list of them.
#[derive(Debug)]
pub(crate) enum NewScores {
    One(Box<NewScore>),
    Many(Vec<NewScore>),
}

/// A score in a list. Derived code takes a list for an object, by the order of its fields: nobody
/// means that.
struct Object(NewScore);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only;

        impl<'de> Visitor<'de> for Only {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, written {…}")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                NewScore::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Only)
    }
}

/// By hand: an untagged enum forgets which field was wrong.
impl<'de> Deserialize<'de> for NewScores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = NewScores;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a score or a list of scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NewScores, A::Error> {
                NewScore::deserialize(MapAccessDeserializer::new(map)).map(|one| NewScores::One(Box::new(one)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<NewScores, A::Error> {
                let mut many = Vec::new();
                while let Some(Object(one)) = list.next_element()? {
                    many.push(one);
                }
                Ok(NewScores::Many(many))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl PartialSchema for NewScores {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name("NewScore");
        let list = ArrayBuilder::new().items(Ref::from_schema_name("NewScore")).min_items(Some(1));
        let list = list.max_items(Some(check::MAX_SCORES));
        OneOfBuilder::new().description(Some("One score, or a list of them.")).item(one).item(list).into()
    }
}

impl ToSchema for NewScores {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewScore::name().into_owned(), NewScore::schema()));
        NewScore::schemas(schemas);
    }
}

/// What was stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StoredScores {
    /// The ids of the scores, in the order they were sent.
    ids: Vec<String>,
}

/// Store scores.
///
/// One, or a list: all of them are stored, or none. They are on disk when this is answered, and the
/// next query finds them in the table `scores`. The trace need not have arrived yet.
#[utoipa::path(post, path = "/api/v1/scores", operation_id = "create_scores", tag = "Scores",
    request_body = NewScores,
    responses((status = 201, description = "They are stored.", body = StoredScores)))]
pub(crate) async fn create(
    Caller(caller): Caller,
    State(app): State<App>,
    JsonOrList(sent): JsonOrList<NewScores>,
) -> Result<(StatusCode, Json<StoredScores>), ApiError> {
    let scores = check::scores(sent, &caller.project, app.clock.now())?;
    let ids = scores.iter().map(|score| score.id.clone()).collect();
    app.store.append(Events::from(scores)).await?;
    Ok((StatusCode::CREATED, Json(StoredScores { ids })))
}
