//! Items made of what happened: the one click between a trace and a dataset.

use std::collections::HashMap;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use signalbox_catalog::{DatasetCommit, DatasetItem, ItemChange, MAIN};
use signalbox_types::query::{Operator, Order};
use signalbox_types::table::SPANS;
use signalbox_types::{Filter, Message, Part, ProjectId, Query, Role, SpanId, SpanKind, TimeRange, Timestamp, TraceId};

use super::shape::DatasetVersionInfo;
use crate::auth::Caller;
use crate::envelope::Json;
use crate::error::ApiError;
use crate::parts::App;
use crate::rows;

const MOST_SPANS: usize = 1_000;
/// Steps of a trace that are looked at for what was retrieved.
const STEPS: u32 = 2_000;

/// Which spans become items, and where these go.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"spans": [{"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}], "split": "test"}))]
pub(crate) struct FromTraces {
    /// Spans, up to 1000.
    #[serde(default)]
    spans: Vec<SpanName>,
    /// Or those that a question finds.
    #[serde(default)]
    query: Option<SpanQuestion>,
    /// The branch; `main` if absent.
    #[serde(default)]
    branch: Option<String>,
    /// What is changed and why; made of the numbers if absent.
    #[serde(default)]
    message: String,
    /// The split of the items.
    #[serde(default)]
    split: Option<String>,
    /// What was answered is the `reference` too: it was right.
    #[serde(default)]
    output_is_reference: bool,
    /// Only show the items; nothing is added.
    #[serde(default)]
    preview: bool,
}

/// A span.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpanName {
    /// Its trace.
    trace_id: TraceId,
    /// The span; if absent, the root of the trace, or the first call where the root says nothing.
    #[serde(default)]
    span_id: Option<SpanId>,
}

/// A question that finds spans, newest first.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpanQuestion {
    /// When; the last hour if absent.
    #[serde(default)]
    time: TimeRange,
    /// Which spans, as in a `Query` on `spans`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    filter: Option<Filter>,
    /// What must occur in them, as in a `Query`.
    #[serde(default)]
    search: Option<String>,
    /// Spans at most: 1 to 1000, by default 100.
    #[serde(default)]
    limit: Option<u32>,
}

/// What became of the spans.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AddedItems {
    /// The items that they make.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// Items that are new in the dataset.
    added: u64,
    /// Items that it had already, by id; they stay as they are.
    known: u64,
    /// Spans that say nothing, and make no item.
    silent: u64,
    /// The head of the branch; absent in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<DatasetVersionInfo>,
}

/// Add items from traces.
///
/// Each span makes an item: `input` and `output` of its messages, `context` of what was retrieved before in its trace, `tools`,
/// `metadata` and its `source`. Its id is the span's, so that adding it twice changes nothing.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/from-traces", operation_id = "add_to_dataset", tag = "Datasets",
    params(("name" = String, Path, description = "The dataset.")), request_body = FromTraces,
    responses((status = 200, description = "They are in the dataset, or would be.", body = AddedItems)))]
pub(crate) async fn add(
    Caller(caller): Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(wanted): Json<FromTraces>,
) -> Result<Json<AddedItems>, ApiError> {
    // A preview may be of a dataset that isn't made yet.
    let before = match wanted.preview {
        true => None,
        false => Some(app.catalog.dataset(&caller.project, &name).await?),
    };
    let steps = wanted.find(&app, &caller.project).await?;
    let mut context = Context { app: &app, project: &caller.project, known: HashMap::new() };
    let (mut items, mut silent) = (Vec::new(), 0);
    for step in &steps {
        match step.item(&mut context, &wanted).await? {
            Some(item) => items.push(item),
            None => silent += 1,
        }
    }
    let shown = items.iter().cloned().map(Value::Object).collect();
    if before.is_none() {
        return Ok(Json(AddedItems { items: shown, added: 0, known: 0, silent, version: None }));
    }
    if items.is_empty() {
        let problem = format!("no item can be made: of {} spans found, none has input or output", steps.len());
        return Err(
            ApiError::invalid("spans", problem).hint("were bodies kept? The trace's page shows what was recorded")
        );
    }
    let branch = wanted.branch.unwrap_or_else(|| MAIN.to_owned());
    let refs = app.catalog.dataset_refs(&caller.project, &name).await?;
    let head = refs.into_iter().find(|one| one.name == branch).and_then(|one| one.version);
    let items: Vec<DatasetItem> = items
        .into_iter()
        .map(|fields| DatasetItem::new(fields).map_err(|problem| ApiError::invalid("spans", problem)))
        .collect::<Result<_, _>>()?;
    let offered = items.len() as u64;
    let changes = items.into_iter().map(ItemChange::Offer).collect();
    let commit = DatasetCommit { branch, message: wanted.message, changes, ..DatasetCommit::default() };
    let version = app.catalog.commit_dataset(&caller, &name, commit).await?;
    let added = if head.as_ref() == Some(&version.id) { 0 } else { version.added };
    let known = offered - added.min(offered);
    Ok(Json(AddedItems { items: shown, added, known, silent, version: Some(version.into()) }))
}

/// What an item is made of.
#[derive(Debug, Deserialize)]
struct Step {
    trace_id: TraceId,
    span_id: SpanId,
    start_time: Timestamp,
    name: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    tools: Option<Value>,
    #[serde(default)]
    input_messages: Option<Vec<Message>>,
    #[serde(default)]
    output_messages: Option<Vec<Message>>,
    #[serde(default)]
    input: Option<Value>,
    #[serde(default)]
    output: Option<Value>,
}

const COLUMNS: [&str; 12] = [
    "trace_id",
    "span_id",
    "start_time",
    "name",
    "model",
    "session_id",
    "user_id",
    "tools",
    "input_messages",
    "output_messages",
    "input",
    "output",
];

impl FromTraces {
    async fn find(&self, app: &App, project: &ProjectId) -> Result<Vec<Step>, ApiError> {
        let query = match &self.query {
            Some(_) if !self.spans.is_empty() => {
                return Err(ApiError::invalid("query", "expected either `spans` or `query`"));
            }
            Some(question) => question.query()?,
            None if (1..=MOST_SPANS).contains(&self.spans.len()) => {
                let mut steps = Vec::new();
                for span in &self.spans {
                    steps.push(span.find(app, project).await?);
                }
                return Ok(steps);
            }
            None => {
                let problem = format!("it has {} spans; expected 1 to {MOST_SPANS}, or a `query`", self.spans.len());
                return Err(ApiError::invalid("spans", problem));
            }
        };
        rows::read(&app.store.query(project, &query).await?)
    }
}

impl SpanQuestion {
    fn query(&self) -> Result<Query, ApiError> {
        let limit = self.limit.unwrap_or(100);
        if limit == 0 || limit as usize > MOST_SPANS {
            return Err(ApiError::invalid(
                "query.limit",
                format!("`{limit}` is out of range; expected 1 to {MOST_SPANS}"),
            ));
        }
        let (filter, search) = (self.filter.clone(), self.search.clone());
        Ok(Query { time: self.time, filter, search, limit: Some(limit), ..steps() })
    }
}

fn steps() -> Query {
    Query {
        table: SPANS.name.to_owned(),
        time: TimeRange::all(),
        select: COLUMNS.map(str::to_owned).to_vec(),
        ..Query::default()
    }
}

impl SpanName {
    async fn find(&self, app: &App, project: &ProjectId) -> Result<Step, ApiError> {
        let trace = Filter::equals("trace_id", self.trace_id.to_string());
        let order = vec![Order { by: "start_time".to_owned(), desc: false }];
        let query = match self.span_id {
            Some(span) => {
                let filter = Filter::All(vec![trace, Filter::equals("span_id", span.to_string())]);
                Query { filter: Some(filter), limit: Some(1), ..steps() }
            }
            None => {
                let root = Filter::Not(Box::new(Filter::compare("parent_span_id", Operator::Exists, Value::Null)));
                let call = Filter::equals("kind", SpanKind::Llm.as_str());
                let filter = Filter::All(vec![trace, Filter::Any(vec![root, call])]);
                Query { filter: Some(filter), order, limit: Some(20), ..steps() }
            }
        };
        let found: Vec<Step> = rows::read(&app.store.query(project, &query).await?)?;
        let telling = found.iter().position(Step::tells).unwrap_or_default();
        found.into_iter().nth(telling).ok_or_else(|| {
            let span = self.span_id.map(|span| format!("span `{span}` in ")).unwrap_or_default();
            ApiError::not_found(format!("there is no {span}trace `{}` in this project", self.trace_id))
        })
    }
}

impl Step {
    fn tells(&self) -> bool {
        let said = |messages: &Option<Vec<Message>>| messages.as_ref().is_some_and(|messages| !messages.is_empty());
        said(&self.input_messages) || said(&self.output_messages) || self.input.is_some() || self.output.is_some()
    }

    async fn item(
        &self,
        context: &mut Context<'_>,
        wanted: &FromTraces,
    ) -> Result<Option<Map<String, Value>>, ApiError> {
        if !self.tells() {
            return Ok(None);
        }
        let messages = self.input_messages.as_deref().filter(|messages| !messages.is_empty());
        let input = messages.map(asked).or_else(|| self.input.clone());
        let messages = self.output_messages.as_deref().filter(|messages| !messages.is_empty());
        let output = messages.map(answered).or_else(|| self.output.clone());
        let retrieved = context.before(self.trace_id, self.start_time).await?;
        let source = json!({ "trace_id": self.trace_id, "span_id": self.span_id, "session_id": self.session_id,
            "user_id": self.user_id });
        let source: Map<String, Value> =
            source.as_object().cloned().unwrap_or_default().into_iter().filter(|(_, value)| !value.is_null()).collect();
        let mut metadata = Map::from_iter([("name".to_owned(), Value::from(self.name.clone()))]);
        metadata.extend(self.model.as_ref().map(|model| ("model".to_owned(), Value::from(model.clone()))));
        let reference = output.clone().filter(|_| wanted.output_is_reference);
        let fields = [
            ("id", Some(Value::from(self.span_id.to_string()))),
            ("split", wanted.split.clone().map(Value::from)),
            ("input", input),
            ("context", retrieved),
            ("output", output),
            ("reference", reference),
            ("tools", self.tools.clone().filter(|tools| tools.as_array().is_some_and(|tools| !tools.is_empty()))),
            ("metadata", Some(Value::Object(metadata))),
            ("source", Some(Value::Object(source))),
        ];
        Ok(Some(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()))
    }
}

/// One text of a person is that text; a conversation stays one.
fn asked(messages: &[Message]) -> Value {
    match messages {
        [Message { role: Role::User, parts, .. }] => text(parts),
        _ => None,
    }
    .unwrap_or_else(|| json!(messages))
}

/// Text is text, calls of tools are calls, and what is both or neither stays messages.
fn answered(messages: &[Message]) -> Value {
    let parts: Vec<&Part> = messages
        .iter()
        .flat_map(|message| &message.parts)
        .filter(|part| !matches!(part, Part::Reasoning { .. }))
        .collect();
    let texts: Option<Vec<&str>> = parts.iter().map(|part| plain(part)).collect();
    if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
        return Value::from(texts.join("\n"));
    }
    let call = |part: &&Part| match part {
        Part::ToolCall { name, arguments, .. } => Some(json!({ "name": name, "arguments": arguments })),
        _ => None,
    };
    let calls: Option<Vec<Value>> = parts.iter().map(call).collect();
    calls.filter(|calls| !calls.is_empty()).map_or_else(|| json!(messages), Value::Array)
}

fn text(parts: &[Part]) -> Option<Value> {
    let texts: Vec<&str> = parts.iter().map(plain).collect::<Option<_>>()?;
    (!texts.is_empty()).then(|| Value::from(texts.join("\n")))
}

fn plain(part: &Part) -> Option<&str> {
    match part {
        Part::Text { content } | Part::Refusal { content } => Some(content),
        _ => None,
    }
}

/// What was retrieved in traces; each is read once.
struct Context<'a> {
    app: &'a App,
    project: &'a ProjectId,
    known: HashMap<TraceId, Vec<Retrieved>>,
}

#[derive(Debug, Deserialize)]
struct Retrieved {
    end_time: Timestamp,
    #[serde(default)]
    output: Option<Value>,
}

impl Context<'_> {
    /// The documents that the steps before this moment had brought.
    async fn before(&mut self, trace: TraceId, time: Timestamp) -> Result<Option<Value>, ApiError> {
        if !self.known.contains_key(&trace) {
            let filter = Filter::All(vec![
                Filter::equals("trace_id", trace.to_string()),
                Filter::equals("kind", SpanKind::Retriever.as_str()),
            ]);
            let query = Query {
                filter: Some(filter),
                select: vec!["end_time".to_owned(), "output".to_owned()],
                order: vec![Order { by: "start_time".to_owned(), desc: false }],
                limit: Some(STEPS),
                ..steps()
            };
            self.known.insert(trace, rows::read(&self.app.store.query(self.project, &query).await?)?);
        }
        let steps = self.known.get(&trace).map_or(&[][..], Vec::as_slice);
        let before = steps.iter().filter(|step| step.end_time <= time);
        let texts: Vec<Value> = before.filter_map(|step| step.output.as_ref()).flat_map(documents).collect();
        Ok((!texts.is_empty()).then_some(Value::Array(texts)))
    }
}

/// The texts of documents, however a retriever tells of them.
fn documents(output: &Value) -> Vec<Value> {
    const TEXT: [&str; 6] = ["content", "page_content", "text", "document.content", "document", "body"];
    match output {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => documents(&inner),
            _ => vec![output.clone()],
        },
        Value::Array(list) => list.iter().flat_map(documents).collect(),
        Value::Object(object) => {
            if let Some(list) = ["documents", "results", "matches", "chunks"].iter().find_map(|name| object.get(*name))
            {
                return documents(list);
            }
            match TEXT.iter().find_map(|name| object.get(*name)) {
                Some(Value::String(text)) => vec![Value::from(text.as_str())],
                Some(inner) => documents(inner),
                None => vec![Value::from(output.to_string())],
            }
        }
        Value::Null => Vec::new(),
        other => vec![Value::from(other.to_string())],
    }
}
