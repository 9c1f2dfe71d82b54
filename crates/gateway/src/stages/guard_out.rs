//! Looks at every text that comes out. A whole answer is looked at here; a stream gets windows that
//! look at it as it passes and hold back no more than what could become a hit.

use http::header::CONTENT_TYPE;
use signalbox_guard::{Guard, Window};
use signalbox_types::{ErrorClass, Finding, Place, Verdict};
use signalbox_upstream::Operation;
use signalbox_wire::along::{Shape, answer_texts};
use signalbox_wire::{Channel, TextFilter, splice, without_probabilities};

use crate::call::{Answer, Call, CallError, Reply};
use crate::endpoint::Endpoint;
use crate::verdict::{clean, refusal};
use crate::{Gateway, Unread};

pub(crate) fn guard_out(call: &mut Call, gateway: &Gateway, reply: Reply) -> Result<Reply, CallError> {
    // Embeddings are numbers, and so is a count; pictures and sound can't be read.
    let says_something =
        call.endpoint.is_chat() || matches!(call.endpoint.operation(), Operation::Transcriptions | Operation::Through);
    let guard = call.guard.as_ref().unwrap_or(&gateway.guard).clone();
    if !guard.watches(Place::Output) || !says_something {
        return Ok(reply);
    }
    match reply {
        Reply::Whole { headers, body } => {
            let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let texts = match call.endpoint {
                Endpoint::Through(_) => Shape::of(kind, &body).texts(&body),
                endpoint if endpoint.passes_along() => answer_texts(&body),
                _ => call.target_codec().response_texts(&body),
            };
            let texts = match texts {
                Ok(texts) => texts,
                // What can't be looked at must not pass where something could have to be done about it.
                Err(error) if guard.acts_on(Place::Output) => return Err(unreadable(call, &error)),
                Err(_) => return Ok(Reply::Whole { headers, body }),
            };
            let mut edits = Vec::new();
            let mut blocked = None;
            for slot in texts {
                let check = guard.check(Place::Output, &slot.text);
                if let Some(clean) = clean(&slot.text, &check) {
                    edits.push(slot.edit(&clean));
                }
                if blocked.is_none() && check.verdict == Verdict::Block {
                    blocked = Some(refusal(&check.findings, ADVICE));
                }
                call.note(check.findings);
            }
            if !edits.is_empty() && call.endpoint.is_chat() {
                // What was redacted is not to be read off its tokens.
                edits.extend(without_probabilities(&body));
                edits.sort_by_key(|(range, _)| range.start);
            }
            let body = splice(&body, &edits);
            match blocked {
                None => Ok(Reply::Whole { headers, body }),
                Some(error) => {
                    call.answer = Answer::Raw(body);
                    Err(error)
                }
            }
        }
        Reply::Passing(passing) if matches!(call.endpoint, Endpoint::Through(_)) => {
            call.unread = true;
            if guard.acts_on(Place::Output) && gateway.config.unread == Unread::Refuse {
                let message = "no guardrail can read this answer, and such answers are refused here (gateway.unread)";
                return Err(CallError::caller(ErrorClass::GuardrailBlocked, message));
            }
            Ok(Reply::Passing(passing))
        }
        Reply::Passing(passing) => {
            if passing.is_stream && guard.acts_on(Place::Output) {
                let message = "a guardrail must see a transcription whole; send `stream` as false";
                return Err(CallError::caller(ErrorClass::InvalidRequest, message));
            }
            Ok(Reply::Passing(passing))
        }
        Reply::Stream(mut incoming) => {
            incoming.windows = Some(Windows::new(guard));
            Ok(Reply::Stream(incoming))
        }
    }
}

const ADVICE: &str = "the model's answer is withheld";

fn unreadable(call: &Call, error: &signalbox_wire::WireError) -> CallError {
    let provider = call.target.as_ref().map_or("", |target| &target.provider.name);
    let message = format!("provider `{provider}` sent an answer that the guardrails can't read: {error}");
    CallError::upstream(ErrorClass::UpstreamError, message)
}

/// A window for each running text of a stream.
pub(crate) struct Windows {
    guard: Guard,
    open: Vec<(Channel, Window)>,
    findings: Vec<Finding>,
    blocked: Option<CallError>,
}

impl Windows {
    fn new(guard: Guard) -> Self {
        Self { guard, open: Vec::new(), findings: Vec::new(), blocked: None }
    }

    /// What was found since the last time.
    pub(crate) fn take_findings(&mut self) -> impl Iterator<Item = Finding> + '_ {
        self.findings.drain(..)
    }

    /// The refusal, if a policy ends the stream here. Nothing passes any more.
    pub(crate) fn take_refusal(&mut self) -> Option<CallError> {
        self.blocked.take()
    }

    fn release(&mut self, released: signalbox_guard::Released) -> String {
        if released.blocked && self.blocked.is_none() {
            self.blocked = Some(refusal(&released.findings, ADVICE));
        }
        self.findings.extend(released.findings);
        released.text
    }
}

impl TextFilter for Windows {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        if self.blocked.is_some() {
            return String::new();
        }
        let place = self.open.iter().position(|(open, _)| *open == channel).unwrap_or_else(|| {
            self.open.push((channel, self.guard.window(Place::Output)));
            self.open.len() - 1
        });
        match self.open.get_mut(place) {
            Some((_, window)) => {
                let released = window.push(delta);
                self.release(released)
            }
            None => String::new(),
        }
    }

    /// What it holds was found when it was told in pieces, but for servers that tell it only whole.
    fn again(&mut self, text: &str) -> String {
        if self.blocked.is_some() {
            return String::new();
        }
        let mut window = self.guard.window(Place::Output);
        let (mut released, rest) = (window.push(text), window.finish());
        released.text.push_str(&rest.text);
        if released.blocked || rest.blocked {
            released.blocked = true;
            released.findings.extend(rest.findings);
            return self.release(released);
        }
        released.text
    }

    fn close(&mut self, channel: Channel) -> String {
        let Some(place) = self.open.iter().position(|(open, _)| *open == channel) else { return String::new() };
        let (_, mut window) = self.open.swap_remove(place);
        if self.blocked.is_some() {
            return String::new();
        }
        let released = window.finish();
        self.release(released)
    }
}
