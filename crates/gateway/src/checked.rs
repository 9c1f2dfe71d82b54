//! Looks at a whole answer, in its provider's dialect: as the stage `guard_out`, or as soon as it is there, where a route asks
//! another target when one's answer is blocked.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use signalbox_guard::{Answers, Guard, ToolCall};
use signalbox_types::{ErrorClass, Part, Place, Verdict};
use signalbox_upstream::Operation;
use signalbox_wire::along::{Shape, answer_texts};
use signalbox_wire::{FinishReason, TextSlot, WireError, splice, without_probabilities};

use crate::Gateway;
use crate::call::{Answer, Call, CallError, Reply};
use crate::endpoint::Endpoint;
use crate::verdict::{clean, refusal, said};
use crate::windows::ADVICE;

/// The policies that look at the answer of a call, if any do: embeddings are numbers, and so is a count; pictures and sound
/// can't be read.
pub(crate) fn watching(call: &Call, gateway: &Gateway) -> Option<Guard> {
    let says_something =
        call.endpoint.is_chat() || matches!(call.endpoint.operation(), Operation::Transcriptions | Operation::Through);
    let guard = call.guard.clone().unwrap_or_else(|| gateway.guard_for(call));
    (says_something && guard.watches(Place::Output)).then_some(guard)
}

/// # Errors
/// A policy blocks it, or it can't be looked at where something could have to be done about it.
pub(crate) async fn whole(
    call: &mut Call,
    gateway: &Gateway,
    mut guard: Guard,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply, CallError> {
    if guard.asks(Place::Output) {
        // What can't be read is told below.
        let texts = texts_of(call, &headers, &body).unwrap_or_default();
        let texts: Vec<Arc<str>> = texts.iter().map(|slot| Arc::from(&*slot.text)).collect();
        let answers = Arc::new(Answers::of_whole_texts());
        gateway.asker().ask_whole(&guard, Place::Output, &texts, &answers).await;
        guard = guard.answered(&answers);
        call.unchecked.extend(answers.failures());
    }
    judge(call, gateway, &guard, headers, body)
}

/// The same, once all is known that services say of it.
fn judge(
    call: &mut Call,
    gateway: &Gateway,
    guard: &Guard,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply, CallError> {
    let texts = match texts_of(call, &headers, &body) {
        Ok(texts) => texts,
        // What can't be looked at must not pass where something could have to be done about it.
        Err(error) if guard.acts_on(Place::Output) => return Err(unreadable(call, &error)),
        Err(_) => return Ok(Reply::Whole { headers, body }),
    };
    let (answers, calls) = match parts_of(call, guard, &body) {
        Ok(parts) => parts,
        Err(error) if guard.watches_calls(Place::Output) && guard.acts_on(Place::Output) => {
            return Err(unreadable(call, &error));
        }
        Err(_) => (None, Vec::new()),
    };
    let aside = guard.aside();
    let (mut edits, mut blocked, mut reply) = (Vec::new(), None, None);
    let mut stop = |check: &signalbox_guard::Check| {
        if check.verdict == Verdict::Block && blocked.is_none() {
            match &check.reply {
                Some(text) => {
                    reply = reply.take().or_else(|| Some((Arc::clone(text), refusal(&check.findings, None, ADVICE))))
                }
                None => blocked = Some(refusal(&check.findings, None, ADVICE)),
            }
        }
    };
    for slot in texts {
        let is_answer = answers.as_ref().is_none_or(|answers| answers.contains(&*slot.text));
        let check = if is_answer { guard } else { &aside }.check(Place::Output, &slot.text);
        if let Some(clean) = clean(&slot.text, &check) {
            edits.push(slot.edit(&clean));
        }
        stop(&check);
        call.note(check.findings);
    }
    for (name, arguments) in &calls {
        let check = guard.check_call(Place::Output, &ToolCall { name, arguments });
        stop(&check);
        call.note(check.findings);
    }
    if !edits.is_empty() && call.endpoint.is_chat() {
        // What was redacted is not to be read off its tokens.
        edits.extend(without_probabilities(&body));
        edits.sort_by_key(|(range, _)| range.start);
    }
    let body = splice(&body, &edits);
    let error = match (blocked, reply) {
        (None, None) => return Ok(Reply::Whole { headers, body }),
        (None, Some((text, otherwise))) => match replied(call, &body, &text) {
            Some(body) => return Ok(Reply::Whole { headers, body }),
            None => otherwise,
        },
        (Some(error), _) => error,
    };
    blocked_is_paid(call, gateway, &body);
    call.answer = Answer::Raw(body);
    Err(error)
}

/// What nobody gets to see has been made all the same.
fn blocked_is_paid(call: &mut Call, gateway: &Gateway, body: &[u8]) {
    if call.endpoint.is_chat()
        && let Ok(response) = call.target_codec().decode_response(body)
    {
        (call.usage, call.charges) = (response.usage, response.charges);
        gateway.settler.price(call);
    }
}

fn texts_of<'a>(call: &Call, headers: &HeaderMap, body: &'a [u8]) -> Result<Vec<TextSlot<'a>>, WireError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match call.endpoint {
        Endpoint::Through(_) => Shape::of(kind, body).texts(body),
        endpoint if endpoint.passes_along() => answer_texts(body),
        _ => call.target_codec().response_texts(body),
    }
}

/// The texts that are the answer itself, where that must be known, and the calls of tools with their arguments, where a policy looks
/// at them.
type Parts = (Option<HashSet<String>>, Vec<(String, String)>);

fn parts_of(call: &Call, guard: &Guard, body: &[u8]) -> Result<Parts, WireError> {
    let (tells, watches) = (guard.tells_answers(), guard.watches_calls(Place::Output));
    if !call.endpoint.is_chat() || !(tells || watches) {
        return Ok((None, Vec::new()));
    }
    let response = call.target_codec().decode_response(body)?;
    let (mut answers, mut calls) = (HashSet::new(), Vec::new());
    for part in response.messages.into_iter().flat_map(|message| message.parts) {
        match part {
            Part::Text { content } => {
                answers.insert(content);
            }
            Part::ToolCall { name, arguments, .. } if watches => {
                let arguments = match arguments {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                calls.push((name, arguments));
            }
            _ => {}
        }
    }
    Ok((tells.then_some(answers), calls))
}

/// The answer with a safe reply in the place of all that it says; `None` where that can't be said.
fn replied(call: &Call, body: &[u8], text: &str) -> Option<Bytes> {
    if !call.endpoint.is_chat() {
        return None;
    }
    let codec = call.target_codec();
    let mut response = codec.decode_response(body).ok()?;
    for message in &mut response.messages {
        *message = said(text);
    }
    response.finish_reasons.fill(FinishReason::Stop);
    // What is told beside a text, its tokens and sources, is of the text that is gone.
    response.notes.clear();
    response.stop_sequence = None;
    codec.encode_response(&response).ok()
}

fn unreadable(call: &Call, error: &signalbox_wire::WireError) -> CallError {
    let provider = call.target.as_ref().map_or("", |target| &target.provider.name);
    let message = format!("provider `{provider}` sent an answer that the guardrails can't read: {error}");
    CallError::upstream(ErrorClass::UpstreamError, message)
}
