//! The body of a streamed answer: takes the provider's events as they come, has the guard look at
//! them, says them in the caller's dialect, and gathers what is recorded. One poll of this body polls
//! the provider's: nothing is spawned and nothing piles up, a slow caller slows the provider down,
//! and dropping it drops the call upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use signalbox_types::seam::Clock;
use signalbox_types::{Action, ErrorClass, Place};
use signalbox_upstream::UpstreamBody;
use signalbox_wire::{
    Accumulator, Channel, ChannelKind, Codec, Deltas, EventDecoder, EventRewriter, FinishReason, Repeat, SseDecoder,
    SseEvent, StreamDecoder, StreamEncoder, StreamEvent, StreamRewriter, WireError,
};

use crate::call::{Answer, Call, CallError, Incoming, Outcome};
use crate::checks::Gate;
use crate::endpoint::Endpoint;
use crate::out::Out;
use crate::owners::{Kind, Owners};
use crate::restore::Restore;
use crate::stages::encode::start;
use crate::stages::settle::{Settle, millis_since_start, since_start};
use crate::windows::{Ended, Windows};
use crate::{BoxError, Gateway};

/// Bytes that are sent on at once, about.
const PIECE: usize = 16 << 10;

pub(crate) struct Relay {
    /// Gone as soon as the call has ended, well or badly.
    settle: Option<Settle>,
    clock: Arc<dyn Clock>,
    /// Gone when nothing more is wanted of it.
    upstream: Option<UpstreamBody>,
    events: EventDecoder,
    /// Read before the head of the answer went out.
    first: std::vec::IntoIter<SseEvent>,
    codec: &'static dyn Codec,
    decoder: Box<dyn StreamDecoder>,
    repeat: Repeat,
    windows: Option<Windows>,
    /// Events wait here until services have answered about their texts.
    gate: Option<Gate>,
    /// Nothing more comes from the provider.
    is_dry: bool,
    way: Way,
    /// Puts values in the place of placeholders, last of all.
    restore: Option<Restore>,
    /// The caller may have seen the beginning of a tool's call.
    calls_tools: bool,
    /// How many answers have begun.
    choices: u32,
    /// See [`Call::asked_for_usage`].
    hide_usage: bool,
    recorded: Recorded,
    /// Gone when it is noted that the provider keeps this answer, and for whom.
    owners: Option<Arc<Owners>>,
    out: Out,
}

/// How an event gets from the provider to the caller.
enum Way {
    /// As it is, but for what the guard changes.
    /// `ending` has been told the same events, in vain: it knows how to end the answer with a reply, if a policy may want that.
    Same { rewriter: StreamRewriter, ending: Option<Box<dyn StreamEncoder>> },
    /// Said anew in the caller's dialect.
    Across { rewriter: EventRewriter, encoder: Box<dyn StreamEncoder> },
}

impl Relay {
    pub(crate) fn new(mut settle: Settle, incoming: Incoming, gateway: &Gateway) -> Self {
        let Incoming { headers: _, body, events, first, windows, gate } = incoming;
        let call: &mut Call = &mut settle;
        let codec = call.target_codec();
        let start = start(call);
        let way = if call.same_dialect() {
            let rewrites = call.guard.as_ref().is_some_and(|guard| guard.does(Action::Rewrite, Place::Output));
            let ending = rewrites.then(|| call.codec().encode_stream(&start));
            Way::Same { rewriter: StreamRewriter::new(codec), ending }
        } else {
            Way::Across { rewriter: EventRewriter::default(), encoder: call.codec().encode_stream(&start) }
        };
        let restore = Restore::of(call, call.codec());
        let hide_usage = call.asked_for_usage;
        let is_kept = call.endpoint == Endpoint::Responses && call.same_dialect();
        call.answer = Answer::Partial(Box::new(Accumulator::new()));
        Self {
            settle: Some(settle),
            clock: Arc::clone(&gateway.clock),
            upstream: Some(body),
            events,
            first: first.into_iter(),
            codec,
            decoder: codec.decode_stream(),
            repeat: Repeat::default(),
            windows,
            gate,
            is_dry: false,
            hide_usage,
            way,
            restore,
            calls_tools: false,
            choices: 0,
            recorded: Recorded { bytes: 0, most: gateway.config.max_recorded_bytes },
            owners: is_kept.then(|| Arc::clone(&gateway.owners)),
            out: Out::default(),
        }
    }

    fn take(&mut self, event: &SseEvent) {
        if self.settle.is_none() {
            // After the announced end. Same dialect, same bytes; but nothing passes a guard that has gone home.
            let harmless = event.data.is_empty() || self.windows.is_none();
            if harmless && self.upstream.is_some() && matches!(self.way, Way::Same { .. }) {
                self.out.push(event.raw.clone());
            }
            return;
        }
        let told = match &self.way {
            Way::Same { .. } => self.pass_on(event),
            Way::Across { .. } => self.translate(event),
        };
        match told {
            Ok(events) => self.conclude(&events),
            Err(error) => {
                let message = format!("provider `{}` sent a stream that can't be read: {error}", self.provider());
                self.break_off(CallError::upstream(ErrorClass::UpstreamError, message));
            }
        }
    }

    /// The event's own bytes go out, unless the guard changes its texts. What the caller sees is
    /// what is recorded.
    fn pass_on(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        let Way::Same { rewriter, .. } = &mut self.way else { return Ok(Vec::new()) };
        if let Some(windows) = &mut self.windows {
            windows.see(event);
            if windows.is_over() {
                self.note(&[]);
                return Ok(Vec::new());
            }
        }
        let repeated = self.repeat.slot(event);
        let known = repeated.as_ref().map(|slot| StreamEvent::of_delta(slot.channel, slot.text.clone().into_owned()));
        let deltas = match repeated {
            Some(slot) => Deltas { slots: vec![slot], ..Deltas::default() },
            None if self.windows.is_some() || self.repeat.is_learning() => self.codec.deltas(event),
            None => Deltas::default(),
        };
        let bytes = match &mut self.windows {
            Some(windows) => rewriter.apply(event, &deltas, windows),
            None => event.raw.clone(),
        };
        let untouched = bytes.as_ptr() == event.raw.as_ptr() && bytes.len() == event.raw.len();
        let mut events = Vec::new();
        match known {
            Some(known) if untouched => events.push(known),
            None if untouched => {
                events = self.read(event)?;
                self.repeat.learn(event, &deltas, &events);
            }
            _ => {
                let mut again = SseDecoder::with_limit(usize::MAX);
                if again.push(&bytes).is_ok() {
                    while let Some(event) = again.next() {
                        events.append(&mut self.read(&event)?);
                    }
                }
            }
        }
        let is_usage = |event: &StreamEvent| matches!(event, StreamEvent::Usage(_));
        let only_usage = |event: &StreamEvent| is_usage(event) || matches!(event, StreamEvent::Charges(_));
        let hidden = self.hide_usage && untouched && events.iter().any(is_usage) && events.iter().all(only_usage);
        let is_over = self.windows.as_ref().is_some_and(Windows::is_over);
        let mut told = bytes;
        if let Way::Same { ending: Some(ending), .. } = &mut self.way {
            let mut said = BytesMut::new();
            if is_over {
                // What would end with this event ends otherwise: only the texts of it go out.
                events.retain(|event| event.delta().is_some());
            }
            events.iter().for_each(|event| ending.event(event, &mut said));
            if is_over {
                told = said.freeze();
            }
        }
        if !hidden {
            self.send(told);
        }
        self.note(&events);
        Ok(events)
    }

    /// What the caller sees.
    fn send(&mut self, bytes: Bytes) {
        let bytes = match &mut self.restore {
            Some(restore) => restore.events(&bytes),
            None => bytes,
        };
        self.out.push(bytes);
    }

    /// Only what is no JSON is a fault: the caller may well understand what we don't.
    fn read(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        match self.decoder.event(event) {
            Err(error @ WireError::Json { .. }) => Err(error),
            read => Ok(read.unwrap_or_default()),
        }
    }

    fn translate(&mut self, event: &SseEvent) -> Result<Vec<StreamEvent>, WireError> {
        if let Some(slot) = self.repeat.slot(event) {
            let known = StreamEvent::of_delta(slot.channel, slot.text.into_owned());
            return Ok(self.say(vec![known]));
        }
        let events = self.decoder.event(event)?;
        if events.len() == 1 && self.repeat.is_learning() {
            self.repeat.learn(event, &self.codec.deltas(event), &events);
        }
        Ok(self.say(events))
    }

    fn say(&mut self, mut events: Vec<StreamEvent>) -> Vec<StreamEvent> {
        let Way::Across { rewriter, encoder } = &mut self.way else { return events };
        if let Some(settle) = &self.settle
            && events.iter().any(|event| matches!(event, StreamEvent::End))
        {
            encoder.took(millis_since_start(settle, &*self.clock));
        }
        if let Some(windows) = &mut self.windows {
            windows.learn(&events);
            events = if windows.is_over() { Vec::new() } else { rewriter.events(events, windows) };
            if windows.is_over() {
                // No end may be told behind what is blocked.
                events.retain(|event| !matches!(event, StreamEvent::Finish { .. } | StreamEvent::End));
            }
        }
        let mut said = BytesMut::new();
        for event in &events {
            // A failure goes out in our own words, by `conclude`.
            if !matches!(event, StreamEvent::Error(_)) {
                encoder.event(event, &mut said);
            }
        }
        self.send(said.freeze());
        self.note(&events);
        events
    }

    /// For the record.
    fn note(&mut self, events: &[StreamEvent]) {
        let Some(settle) = &mut self.settle else { return };
        let call: &mut Call = settle;
        if let Some(windows) = &mut self.windows {
            call.note(windows.take_findings());
        }
        // At once, so that it can be cancelled while it is still being answered.
        if let Some(owners) = &self.owners
            && let Some(StreamEvent::Start { id: Some(id), .. }) = events.first()
            && let (Some(principal), Some(target)) = (&call.principal, &call.target)
        {
            owners.note(Kind::Response, id, &principal.project, &target.provider.name);
            self.owners = None;
        }
        if call.first_token.is_none() && events.iter().any(is_content) {
            call.first_token = Some(since_start(call, &*self.clock));
        }
        self.calls_tools |= events.iter().any(|event| matches!(event, StreamEvent::ToolCallStart { .. }));
        let last = events.iter().filter_map(StreamEvent::choice).max();
        self.choices = self.choices.max(last.map_or(0, |last| last.saturating_add(1)));
        let texts = events.iter().filter_map(|event| Some(event.delta()?.1.len()));
        call.answer_bytes = call.answer_bytes.saturating_add(texts.sum());
        if let Answer::Partial(answer) = &mut call.answer {
            events.iter().filter(|event| self.recorded.has_room_for(event)).for_each(|event| answer.event(event));
        }
    }

    /// Ends the call if these events, or the guard, say so.
    fn conclude(&mut self, events: &[StreamEvent]) {
        match self.windows.as_mut().and_then(Windows::take_end) {
            Some(Ended::Refused(refusal)) => return self.break_off(refusal),
            // Who has seen the beginning of a tool's call might make it.
            Some(Ended::Replied { otherwise, .. }) if self.calls_tools => return self.break_off(otherwise),
            Some(Ended::Replied { channel, reply, .. }) => return self.reply(channel, &reply),
            None => {}
        }
        for event in events {
            match event {
                StreamEvent::Error(error) => {
                    let told = CallError::of_provider(self.provider(), error.clone());
                    return match self.way {
                        // The provider's own words have just gone out.
                        Way::Same { .. } => self.end(Outcome::Failed(told)),
                        Way::Across { .. } => self.break_off(told),
                    };
                }
                StreamEvent::End => return self.complete(),
                _ => {}
            }
        }
    }

    /// The announced end. The rest of the provider's body is still read, so that its connection can be
    /// used again; but a caller that is satisfied and hangs up now has not cancelled anything.
    fn complete(&mut self) {
        if let Way::Across { encoder, .. } = &mut self.way {
            let mut said = BytesMut::new();
            encoder.finish(&mut said);
            self.send(said.freeze());
        }
        self.end(Outcome::Answered);
    }

    /// Says this in the place of what would follow, and ends as answers end.
    fn reply(&mut self, channel: Channel, reply: &str) {
        let (Way::Across { encoder, .. } | Way::Same { ending: Some(encoder), .. }) = &mut self.way else { return };
        // In dialects that number their parts, another kind of text is another part.
        let index = if channel.kind == ChannelKind::Text { channel.index } else { channel.index.saturating_add(1) };
        let mut events = vec![StreamEvent::TextDelta { choice: channel.choice, index, text: reply.to_owned() }];
        events.extend((0..self.choices.max(channel.choice + 1)).map(|choice| StreamEvent::Finish {
            choice,
            reason: FinishReason::Stop,
            stop_sequence: None,
        }));
        events.push(StreamEvent::End);
        if let Some(settle) = &self.settle {
            encoder.took(millis_since_start(settle, &*self.clock));
        }
        let mut said = BytesMut::new();
        events.iter().for_each(|event| encoder.event(event, &mut said));
        encoder.finish(&mut said);
        self.send(said.freeze());
        self.note(&events);
        if let Some(settle) = &mut self.settle {
            settle.cut = true;
        }
        self.upstream = None;
        self.end(Outcome::Answered);
    }

    /// The provider's body is over.
    fn run_dry(&mut self) {
        if let Some(event) = self.events.finish() {
            self.take(&event);
        }
        self.upstream = None;
        if self.settle.is_none() {
            return;
        }
        match self.decoder.finish() {
            Ok(events) => {
                let events = match self.way {
                    Way::Same { .. } => {
                        self.note(&events);
                        events
                    }
                    Way::Across { .. } => self.say(events),
                };
                self.conclude(&events);
                if self.settle.is_some() {
                    self.complete();
                }
            }
            Err(error) => {
                let message = format!("provider `{}` cut its answer short: {error}", self.provider());
                self.break_off(CallError::upstream(ErrorClass::UpstreamError, message));
            }
        }
    }

    /// Tells the caller that the answer stays incomplete. No proper end follows.
    fn break_off(&mut self, error: CallError) {
        if let Some(restore) = &mut self.restore {
            self.out.push(restore.rest());
        }
        if let Some(settle) = &self.settle {
            self.out.push(settle.codec().encode_stream_error(&error.body()));
        }
        self.upstream = None;
        self.end(Outcome::Failed(error));
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut settle) = self.settle.take() {
            settle.unchecked.extend(self.gate.iter().flat_map(Gate::failures));
            settle.finish(outcome);
        }
    }

    /// The next event that is there and may be looked at.
    fn next_event(&mut self, context: &mut Context<'_>) -> Poll<Option<SseEvent>> {
        loop {
            // Behind the first one, more may have come in the same piece.
            let Some(gate) = self.gate.as_mut().filter(|_| self.settle.is_some()) else {
                return Poll::Ready(self.first.next().or_else(|| self.events.next()));
            };
            if let Some(event) = ready!(gate.poll(context)) {
                return Poll::Ready(Some(event));
            }
            match self.first.next().or_else(|| self.events.next()) {
                Some(event) => gate.offer(event),
                None => return Poll::Ready(None),
            }
        }
    }

    fn provider(&self) -> &str {
        let target = self.settle.as_ref().and_then(|settle| settle.target.as_ref());
        target.map_or("", |target| &target.provider.name)
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            let is_waiting = loop {
                match this.next_event(context) {
                    Poll::Ready(Some(event)) => this.take(&event),
                    next => break next.is_pending(),
                }
            };
            // What came in one burst goes out in one piece.
            let next = match &mut this.upstream {
                Some(_) if is_waiting => Poll::Pending,
                Some(_) if this.is_dry => Poll::Ready(None),
                Some(upstream) if this.out.len() < PIECE => Pin::new(upstream).poll_frame(context),
                _ => Poll::Pending,
            };
            let Poll::Ready(next) = next else {
                return match this.out.take() {
                    Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                    None if this.upstream.is_none() => Poll::Ready(None),
                    None => Poll::Pending,
                };
            };
            match next {
                None if !this.is_dry && this.settle.is_some() => {
                    this.is_dry = true;
                    if let Some(gate) = &mut this.gate {
                        gate.end(this.events.finish());
                    }
                }
                None => this.run_dry(),
                Some(Err(error)) => this.break_off(CallError::upstream(error.class(), error.to_string())),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Err(error) = this.events.push(&data) {
                        let message = format!("provider `{}`: {error}", this.provider());
                        this.break_off(CallError::upstream(ErrorClass::UpstreamError, message));
                    }
                }
            }
        }
    }
}

/// Whether the caller sees something of the answer in it.
pub(crate) fn is_content(event: &StreamEvent) -> bool {
    match event {
        StreamEvent::ToolCallStart { .. } | StreamEvent::ReasoningEncrypted { .. } => true,
        event => event.delta().is_some_and(|(_, text)| !text.is_empty()),
    }
}

/// How much of the answer is kept for the record.
struct Recorded {
    bytes: usize,
    most: usize,
}

impl Recorded {
    fn has_room_for(&mut self, event: &StreamEvent) -> bool {
        // The record holds what was said, not what it rests on.
        if matches!(event, StreamEvent::Citation { .. } | StreamEvent::Logprobs { .. }) {
            return false;
        }
        let Some((_, text)) = event.delta() else { return true };
        self.bytes = self.bytes.saturating_add(text.len());
        self.bytes <= self.most
    }
}
