//! One call: what is known about it so far, and how it ended.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Method, Request, StatusCode};
use signalbox_catalog::Principal;
use signalbox_guard::Guard;
use signalbox_prices::Units;
use signalbox_types::{Cost, Finding, Timestamp, Usage, Verdict};
use signalbox_upstream::{Target, UpstreamBody};
use signalbox_wire::canonical::{Charges, ChatRequest, ChatResponse};
use signalbox_wire::{Accumulator, Codec, EventDecoder, Peek, SseEvent, codec};

use crate::along::Passing;
pub(crate) use crate::call_error::{CallError, Retry, Source};
use crate::checks::Gate;
use crate::endpoint::Endpoint;
use crate::exchange::Sent;
use crate::headers::{Labels, Trace, on_their_own};
use crate::held::Held;
use crate::idempotency::{Again, Lead};
use crate::own::Own;
use crate::route::Routed;
use crate::through::Through;
use crate::upload::Upload;
use crate::vaults::Shared;
use crate::windows::Windows;
use crate::{RequestBody, bedrock, gemini, kept};

/// Everything that is known about a call. Stages fill it in; what is left at the end is recorded.
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    /// Taken by `decode`.
    pub(crate) body: Option<RequestBody>,
    pub(crate) trace: Trace,
    pub(crate) started: Timestamp,
    /// On the measuring clock.
    pub(crate) started_at: Duration,
    pub(crate) principal: Option<Principal>,
    pub(crate) peek: Option<Peek>,
    /// The model, where the path names it.
    pub(crate) path_model: Option<String>,
    /// What stands in the path behind that of all things of a kind.
    pub(crate) below: Option<String>,
    /// It is one of our own, not a caller's.
    pub(crate) own: Option<Box<Own>>,
    /// It was sent to a provider by its name.
    pub(crate) through: Option<Box<Through>>,
    /// What of its body is still arriving, to be passed on unread.
    pub(crate) upload: Option<Upload>,
    /// Bytes of that, so far.
    pub(crate) uploaded: Option<Arc<AtomicU64>>,
    /// Something of it passed that no scanner could read.
    pub(crate) unread: bool,
    /// Services that could not be asked about its texts, and why.
    pub(crate) unchecked: Vec<(Arc<str>, Arc<str>)>,
    /// A stream goes out as one JSON list.
    pub(crate) as_list: bool,
    pub(crate) input: Input,
    /// Who answers, or was asked last.
    pub(crate) target: Option<Target>,
    /// How a route is dealing with it.
    pub(crate) routed: Option<Box<Routed>>,
    /// It is a copy for comparison, of a call of this route: its answer goes to nobody, and it counts in no sum.
    pub(crate) mirror_of: Option<Arc<str>>,
    /// Usage in the stream was asked for by us, not by the caller, who must not see the event for it.
    pub(crate) asked_for_usage: bool,
    /// Settings of the call that the provider's API can't say, and that were left out.
    pub(crate) dropped: Vec<String>,
    pub(crate) answer: Answer,
    /// The policies for this call, where they depend on what it says.
    pub(crate) guard: Option<Guard>,
    /// Placeholders that its texts have in the place of values, if a policy wants them.
    pub(crate) vocabulary: Option<Shared>,
    /// What a policy answers in the place of a model.
    pub(crate) reply: Option<Arc<str>>,
    /// A policy ended its stream with a reply: what the model used by then nobody says.
    pub(crate) cut: bool,
    pub(crate) findings: Vec<Finding>,
    pub(crate) verdict: Verdict,
    /// Which of the provider's credentials the call was answered with, where it has several.
    pub(crate) credential: Option<Arc<str>>,
    /// From the start to the first byte that the provider sent.
    pub(crate) first_byte: Option<Duration>,
    /// From the start to the first content.
    pub(crate) first_token: Option<Duration>,
    pub(crate) usage: Usage,
    /// What changes the price of that.
    pub(crate) charges: Charges,
    /// What isn't counted in tokens.
    pub(crate) units: Units,
    /// The provider didn't come to say how much it was.
    pub(crate) usage_is_estimated: bool,
    /// Bytes of text in the answer so far, for that estimate.
    pub(crate) answer_bytes: usize,
    pub(crate) cost: Option<Cost>,
    /// How the provider called its answer.
    pub(crate) replied: Option<StatusCode>,
    /// What the caller got; none if it was gone before.
    pub(crate) status: Option<StatusCode>,
    pub(crate) held: Held,
    /// What its answer takes while it is read whole.
    pub(crate) answer_held: Held,
    /// Given back when the call has ended.
    pub(crate) permit: Option<Held>,
    /// The same call may be sent again, and then waits for the answer of this one.
    pub(crate) lead: Option<Lead>,
    /// Its answer is that of another call.
    pub(crate) again: Option<Again>,
}

/// What went in, in the form that was needed last.
pub(crate) enum Input {
    Nothing,
    /// In the caller's dialect, with redactions.
    Raw(Bytes),
    Decoded(Box<ChatRequest>),
}

/// What came out, in the form that was needed last.
pub(crate) enum Answer {
    Nothing,
    /// In the provider's dialect, with redactions.
    Raw(Bytes),
    Decoded(Box<ChatResponse>),
    /// A stream, as far as it came.
    Partial(Box<Accumulator>),
}

impl Call {
    pub(crate) fn begin(
        request: Request<RequestBody>,
        endpoint: Endpoint,
        now: Timestamp,
        elapsed: Duration,
        held: Held,
    ) -> Self {
        let (mut parts, body) = request.into_parts();
        let mut query = parts.uri.query().map(str::to_owned);
        let (mut path_model, mut as_list) = (None, false);
        if let Endpoint::Gemini(method) = endpoint {
            let read = gemini::Query::read(query.as_deref());
            read.give_key(&mut parts.headers);
            path_model = gemini::find(parts.uri.path()).map(|(_, model)| model);
            as_list = method == gemini::Method::Stream && !read.events;
            query = read.rest;
        }
        path_model = path_model.or_else(|| bedrock::find(parts.uri.path()).map(|(_, model)| model));
        let below = kept::find(parts.uri.path()).and_then(|(_, below)| below);
        Self {
            endpoint,
            method: parts.method,
            query,
            trace: Trace::read(&parts.headers),
            headers: on_their_own(parts.headers),
            body: Some(body),
            started: now,
            started_at: elapsed,
            principal: None,
            peek: None,
            path_model,
            below,
            own: parts.extensions.remove().map(Box::new),
            through: None,
            upload: None,
            uploaded: None,
            unread: false,
            unchecked: Vec::new(),
            as_list,
            input: Input::Nothing,
            target: None,
            routed: None,
            mirror_of: None,
            asked_for_usage: false,
            dropped: Vec::new(),
            answer: Answer::Nothing,
            guard: None,
            vocabulary: None,
            reply: None,
            cut: false,
            findings: Vec::new(),
            verdict: Verdict::Allow,
            credential: None,
            first_byte: None,
            first_token: None,
            usage: Usage::default(),
            charges: Charges::default(),
            units: Units::default(),
            usage_is_estimated: false,
            answer_bytes: 0,
            cost: None,
            replied: None,
            status: None,
            answer_held: held.another(),
            held,
            permit: None,
            lead: None,
            again: None,
        }
    }

    /// It was sent to a provider by its name, and perhaps with the key in the query as Google's SDKs send it.
    pub(crate) fn goes_through(&mut self, through: Through) {
        gemini::Query::read(self.query.as_deref()).give_key(&mut self.headers);
        if self.path_model.is_none() {
            self.path_model = through.model();
        }
        self.below = through.below();
        self.through = Some(Box::new(through));
    }

    /// What the caller says that its body is.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The caller's codec.
    pub(crate) fn codec(&self) -> &'static dyn Codec {
        codec(self.endpoint.dialect())
    }

    /// The codec of whoever answers: the provider's, once it is known.
    pub(crate) fn target_codec(&self) -> &'static dyn Codec {
        let own = self.endpoint.dialect();
        codec(self.target.as_ref().map_or(own, |target| target.provider.dialect_for(own)))
    }

    /// Caller and provider speak the same dialect, so bytes pass through.
    pub(crate) fn same_dialect(&self) -> bool {
        self.codec().dialect() == self.target_codec().dialect()
    }

    pub(crate) fn stream(&self) -> bool {
        self.peek.as_ref().is_some_and(|peek| peek.stream)
    }

    /// What went in, for whoever is asked the same.
    pub(crate) fn asked_again(&self) -> Input {
        match &self.input {
            Input::Raw(body) => Input::Raw(body.clone()),
            Input::Nothing | Input::Decoded(_) => Input::Nothing,
        }
    }

    /// A copy for comparison, below this call's span.
    pub(crate) fn copy_for(&self, target: Target, route: Arc<str>, held: Held) -> Self {
        let input = self.asked_again();
        Self {
            endpoint: self.endpoint,
            method: self.method.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: None,
            trace: self.trace.below(),
            started: self.started,
            started_at: self.started_at,
            principal: self.principal.clone(),
            peek: self.peek.clone(),
            path_model: self.path_model.clone(),
            below: self.below.clone(),
            own: self.own.clone(),
            through: None,
            upload: None,
            uploaded: None,
            unread: false,
            unchecked: Vec::new(),
            // Nobody reads it.
            as_list: false,
            input,
            target: Some(target),
            routed: None,
            mirror_of: Some(route),
            asked_for_usage: false,
            dropped: Vec::new(),
            answer: Answer::Nothing,
            guard: self.guard.clone(),
            // Nobody reads it.
            vocabulary: None,
            reply: None,
            cut: false,
            findings: Vec::new(),
            verdict: Verdict::Allow,
            credential: None,
            first_byte: None,
            first_token: None,
            usage: Usage::default(),
            charges: Charges::default(),
            units: Units::default(),
            usage_is_estimated: false,
            answer_bytes: 0,
            cost: None,
            replied: None,
            status: None,
            answer_held: held.another(),
            held,
            permit: None,
            lead: None,
            again: None,
        }
    }

    /// Takes over an answer that has begun, and how it was asked for.
    pub(crate) fn adopt(&mut self, sent: Sent) -> Reply {
        self.input = sent.input;
        self.asked_for_usage = sent.asked_for_usage;
        self.dropped = sent.dropped;
        self.credential = sent.credential;
        self.answer_held = sent.held;
        self.first_byte = Some(sent.first_byte.saturating_sub(self.started_at));
        self.replied = Some(sent.status);
        sent.reply
    }

    /// Takes what was read from the body, and adds what the path says.
    pub(crate) fn know(&mut self, mut peek: Peek) {
        if let Some(model) = &self.path_model {
            peek.model.clone_from(model);
            peek.stream = self.endpoint.is_stream();
            peek.wants_stream_usage = peek.stream;
        }
        self.peek = Some(peek);
    }

    pub(crate) fn labels(&self) -> Labels {
        Labels::read(&self.headers)
    }

    /// Notes what scanners found; the strongest action is the verdict.
    pub(crate) fn note(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.verdict = self.verdict.max(finding.action.into());
            if self.findings.len() < MAX_FINDINGS {
                self.findings.push(finding);
            }
        }
    }

    /// What it costs, with that of answers that a policy blocked before another target was asked.
    pub(crate) fn cost_of_all(&self) -> Option<Cost> {
        let blocked = self.routed.as_ref().and_then(|routed| routed.blocked.as_ref());
        blocked.map_or(self.cost, |blocked| blocked.with(&self.usage, self.cost).1)
    }

    /// Bytes that this call keeps in memory until it is written down.
    pub(crate) fn weight(&self) -> usize {
        let input = match &self.input {
            Input::Nothing => 0,
            Input::Raw(bytes) => bytes.len(),
            Input::Decoded(_) => self.held.bytes(),
        };
        let answer = match &self.answer {
            Answer::Raw(bytes) => bytes.len(),
            Answer::Nothing | Answer::Decoded(_) | Answer::Partial(_) => {
                usize::try_from(self.usage.output_tokens.unwrap_or(0))
                    .unwrap_or(usize::MAX)
                    .saturating_mul(BYTES_PER_TOKEN)
            }
        };
        input.saturating_add(answer).saturating_add(std::mem::size_of::<Self>())
    }
}

/// A body full of hits must not fill the span.
const MAX_FINDINGS: usize = 200;
/// A rough size of text per token, for the bound of the settle queue.
const BYTES_PER_TOKEN: usize = 6;

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered,
    Failed(CallError),
}

/// What the provider answered, or what is left of it after the output guard.
pub(crate) enum Reply {
    Whole {
        headers: HeaderMap,
        body: Bytes,
    },
    Stream(Box<Incoming>),
    /// Passed along as it comes.
    Passing(Box<Passing>),
}

/// A stream whose first event has arrived.
pub(crate) struct Incoming {
    pub(crate) headers: HeaderMap,
    pub(crate) body: UpstreamBody,
    pub(crate) events: EventDecoder,
    /// Read while looking whether the stream begins with an error; not yet acted upon.
    pub(crate) first: Vec<SseEvent>,
    /// Attached by `guard_out` where a policy watches.
    pub(crate) windows: Option<Windows>,
    /// Attached, too, where a policy asks services.
    pub(crate) gate: Option<Gate>,
}
