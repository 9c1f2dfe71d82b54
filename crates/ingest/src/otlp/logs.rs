//! OTLP's messages to log records. Events that say how good something was become scores as well.

use prost::Message as _;
use serde_json::{Value, json};
use signalbox_semconv::Attributes;
use signalbox_types::{Events, LogRecord, Score, ScoreSource, SpanId, TraceId};

use super::proto_logs::{self as proto, LogsRequest};
use super::values::{Context, Ids, attributes, feed, filled, moment, resource, shown, text, value};
use super::{Sender, Stored};
use crate::pipeline::{Rejected, Taken};

/// The event by which an evaluator tells of its judgement.
const EVALUATION: &str = "gen_ai.evaluation.result";

impl Stored for LogsRequest {
    fn events(self, sender: &Sender) -> Taken {
        let (mut events, mut rejected) = (Events::default(), Vec::new());
        let mut ids = Ids::default();
        let mut number = 0;
        for of_resource in self.resource_logs {
            let resource = resource(of_resource.resource);
            let resource_schema = text(of_resource.schema_url);
            for of_scope in of_resource.scope_logs.into_iter().filter(|of| !of.log_records.is_empty()) {
                let context = Context::new(&resource, &resource_schema, of_scope.scope, of_scope.schema_url);
                let name = context.name();
                for sent in of_scope.log_records {
                    if sent.body.is_none() && sent.attributes.is_empty() && sent.event_name.is_empty() {
                        let problem = format!("log record {number} has no body, no attributes and no event name");
                        rejected.push(Rejected { reason: "empty_log_record", problem });
                    } else {
                        let id = ids.next(id(name.clone(), &sent, sender));
                        let (log, attributes) = record(&context, sent, id, sender);
                        events.scores.extend(score(&log, &attributes));
                        events.logs.push(log);
                    }
                    number += 1;
                }
            }
        }
        Taken { events, rejected }
    }
}

fn id(mut name: blake3::Hasher, sent: &proto::LogRecord, sender: &Sender) -> blake3::Hasher {
    feed(&mut name, &sent.encode_to_vec());
    if sent.time_unix_nano == 0 && sent.observed_time_unix_nano == 0 {
        // The same line without a time may well be said again.
        name.update(&sender.now.as_micros().to_le_bytes());
    }
    name
}

fn record(context: &Context, sent: proto::LogRecord, id: String, sender: &Sender) -> (LogRecord, Attributes) {
    let observed = moment(sent.observed_time_unix_nano);
    let time = moment(sent.time_unix_nano).or(observed).unwrap_or(sender.now);
    let mut kept = attributes(sent.attributes);
    context.leftovers(&mut kept);
    if sent.dropped_attributes_count > 0 {
        kept.insert("otel.dropped_attributes_count", json!(sent.dropped_attributes_count));
    }
    let mut log = LogRecord::new(sender.project.clone(), id, time);
    log.trace_id = TraceId::from_slice(&sent.trace_id);
    log.span_id = SpanId::from_slice(&sent.span_id);
    // A line is worth keeping without its trace; all zero is how some say that there is none.
    for (name, found, bytes) in [("trace_id", &sent.trace_id, 16), ("span_id", &sent.span_id, 8)] {
        if !found.is_empty() && found.len() != bytes {
            kept.insert(format!("otel.invalid_{name}"), Value::String(shown(found)));
        }
    }
    log.observed_time = observed;
    log.severity_number = u8::try_from(sent.severity_number).ok().filter(|number| (1..=24).contains(number));
    log.severity_text = filled(text(sent.severity_text));
    log.body = sent.body.map(value).filter(|body| !body.is_null());
    // The name was an attribute before it got a field.
    log.event_name = filled(text(sent.event_name)).or_else(|| kept.text(&["event.name"]));
    log.session_id = kept.text(&["session.id", "gen_ai.conversation.id"]);
    log.service_name = context.resource.text(&["service.name"]);
    log.environment = context.resource.text(&["deployment.environment.name", "deployment.environment"]);
    log.key_id = Some(sender.key_id.clone());
    log.attributes = kept.to_texts();
    log.resource_attributes = context.resource.to_texts();
    log.scope_name = filled(context.scope_name.clone());
    log.scope_version = filled(context.scope_version.clone());
    log.schema_url = filled(context.schema_url.clone());
    (log, kept)
}

/// The score that an event tells of, if it says of what.
fn score(log: &LogRecord, attributes: &Attributes) -> Option<Score> {
    if log.event_name.as_deref() != Some(EVALUATION) || log.trace_id.is_none() && log.session_id.is_none() {
        return None;
    }
    let name = attributes.text(&["gen_ai.evaluation.name"])?;
    let mut score = Score::new(log.project_id.clone(), log.id.clone(), name, log.time);
    score.trace_id = log.trace_id;
    score.span_id = log.span_id.filter(|_| log.trace_id.is_some());
    score.session_id.clone_from(&log.session_id);
    score.value = attributes.number(&["gen_ai.evaluation.score.value"]);
    score.label = attributes.text(&["gen_ai.evaluation.score.label"]);
    score.reason = attributes.text(&["gen_ai.evaluation.explanation"]);
    score.source = ScoreSource::Otlp;
    score.author.clone_from(&log.service_name);
    for key in ["gen_ai.response.id", "error.type"] {
        score.metadata.extend(attributes.text(&[key]).map(|text| (key.to_owned(), text)));
    }
    Some(score)
}
