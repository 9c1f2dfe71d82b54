//! The guard of a streamed answer: a window for each running text, and calls of tools once they are complete.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_guard::{Guard, Released, ToolCall, Window};
use signalbox_types::{ErrorClass, Finding, Place, Verdict};
use signalbox_wire::{Channel, ChannelKind, Codec, SseEvent, StreamDecoder, StreamEvent, TextFilter};

use crate::call::CallError;
use crate::verdict::refusal;

pub(crate) const ADVICE: &str = "the model's answer is withheld";
/// Longer arguments are judged before they are complete.
const MOST_ARGUMENTS: usize = 1 << 20;

/// A window for each running text of a stream.
pub(crate) struct Windows {
    guard: Guard,
    open: Vec<(Channel, Window)>,
    calls: Option<Calls>,
    findings: Vec<Finding>,
    ended: Option<Ended>,
    /// Nothing passes any more.
    over: bool,
}

/// How a policy ends a stream.
pub(crate) enum Ended {
    Refused(CallError),
    /// This is said in the running text, and the answer ends as answers do. Or it is refused, where that can't be said.
    Replied {
        channel: Channel,
        reply: Arc<str>,
        otherwise: CallError,
    },
}

/// The calls of tools in a stream.
struct Calls {
    codec: &'static dyn Codec,
    /// Reads the events before the texts in them are looked at: they name the tools.
    decoder: Box<dyn StreamDecoder>,
    names: HashMap<(u32, u32), String>,
    arguments: HashMap<Channel, String>,
}

impl Windows {
    /// `codec` is the provider's.
    pub(crate) fn new(guard: Guard, codec: &'static dyn Codec) -> Self {
        let calls = guard.watches_calls(Place::Output).then(|| Calls {
            codec,
            decoder: codec.decode_stream(),
            names: HashMap::new(),
            arguments: HashMap::new(),
        });
        Self { guard, open: Vec::new(), calls, findings: Vec::new(), ended: None, over: false }
    }

    /// Learns from an event which tools are called; before its texts are looked at.
    pub(crate) fn see(&mut self, event: &SseEvent) {
        let Some(calls) = &mut self.calls else { return };
        let events = match calls.decoder.event(event) {
            Ok(events) => events,
            // A call that can't be seen can't be let pass where it might have to be stopped.
            Err(error) if self.guard.acts_on(Place::Output) => {
                let message = format!("the provider sent a stream that the guardrails can't read: {error}");
                return self.refuse(CallError::upstream(ErrorClass::UpstreamError, message));
            }
            Err(_) => Vec::new(),
        };
        self.learn(&events);
        let Some(calls) = &mut self.calls else { return };
        for channel in calls.take_whole(event, &events) {
            self.judge(channel);
        }
    }

    /// The same, of events that were read by others.
    pub(crate) fn learn(&mut self, events: &[StreamEvent]) {
        let Some(calls) = &mut self.calls else { return };
        calls.learn(events);
        for channel in calls.bare(events) {
            self.judge(channel);
        }
    }

    fn refuse(&mut self, error: CallError) {
        self.over = true;
        self.ended = Some(Ended::Refused(error));
    }

    /// Nothing may pass any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// What was found since the last time.
    pub(crate) fn take_findings(&mut self) -> impl Iterator<Item = Finding> + '_ {
        self.findings.drain(..)
    }

    /// How a policy ends the stream here, if one does.
    pub(crate) fn take_end(&mut self) -> Option<Ended> {
        self.ended.take()
    }

    fn release(&mut self, channel: Channel, released: Released) -> String {
        if released.blocked && !self.over {
            self.over = true;
            let refusal = refusal(&released.findings, None, ADVICE);
            self.ended = Some(match released.reply {
                Some(reply) => Ended::Replied { channel, reply, otherwise: refusal },
                None => Ended::Refused(refusal),
            });
        }
        self.findings.extend(released.findings);
        released.text
    }

    fn window(&self, channel: Channel) -> Window {
        match channel.kind {
            ChannelKind::Text => self.guard.window(Place::Output),
            ChannelKind::Reasoning | ChannelKind::Refusal | ChannelKind::ToolArguments => {
                self.guard.aside().window(Place::Output)
            }
        }
    }

    fn pass(&mut self, channel: Channel, delta: &str) -> String {
        let place = self.open.iter().position(|(open, _)| *open == channel).unwrap_or_else(|| {
            self.open.push((channel, self.window(channel)));
            self.open.len() - 1
        });
        match self.open.get_mut(place) {
            Some((_, window)) => {
                let released = window.push(delta);
                self.release(channel, released)
            }
            None => String::new(),
        }
    }

    /// Looks at a call whose arguments are complete, and gives them if it may be made.
    fn judge(&mut self, channel: Channel) -> Option<String> {
        let calls = self.calls.as_mut()?;
        let arguments = calls.arguments.remove(&channel)?;
        let name = calls.names.get(&(channel.choice, channel.index)).cloned().unwrap_or_default();
        let check = self.guard.check_call(Place::Output, &ToolCall { name: &name, arguments: &arguments });
        if check.verdict == Verdict::Block {
            // A call can't be made a text of: the caller may have seen its beginning.
            self.refuse(refusal(&check.findings, None, ADVICE));
            self.findings.extend(check.findings);
            return None;
        }
        self.findings.extend(check.findings);
        Some(arguments)
    }

    /// The same, and lets them pass.
    fn judged(&mut self, channel: Channel) -> String {
        self.judge(channel).map(|arguments| self.pass(channel, &arguments)).unwrap_or_default()
    }
}

impl Calls {
    fn learn(&mut self, events: &[StreamEvent]) {
        for event in events {
            if let StreamEvent::ToolCallStart { choice, index, name, .. } = event {
                self.names.insert((*choice, *index), name.clone());
                // A call without arguments is one, too.
                let channel = Channel { choice: *choice, kind: ChannelKind::ToolArguments, index: *index };
                self.arguments.entry(channel).or_default();
            }
        }
    }

    /// Takes arguments that this event tells whole and not as a text, as Google does, and says of which calls they are.
    fn take_whole(&mut self, event: &SseEvent, events: &[StreamEvent]) -> Vec<Channel> {
        let slots = self.codec.deltas(event).slots;
        let mut whole = Vec::new();
        for (channel, text) in events.iter().filter_map(StreamEvent::delta) {
            if channel.kind == ChannelKind::ToolArguments
                && !slots.iter().any(|slot| slot.channel == channel)
                && let Some(arguments) = self.arguments.get_mut(&channel)
            {
                arguments.push_str(text);
                whole.push(channel);
            }
        }
        whole
    }

    /// Calls that end with these events and were given no arguments: nothing of theirs will be closed.
    fn bare(&self, events: &[StreamEvent]) -> Vec<Channel> {
        let ends = |choice: u32| {
            events.iter().any(|event| match event {
                StreamEvent::Finish { choice: ended, .. } => *ended == choice,
                StreamEvent::End => true,
                _ => false,
            })
        };
        let is_told =
            |channel: Channel| events.iter().any(|event| event.delta().is_some_and(|(own, _)| own == channel));
        let empty = self.arguments.iter().filter(|(_, arguments)| arguments.is_empty()).map(|(channel, _)| *channel);
        empty.filter(|channel| ends(channel.choice) && !is_told(*channel)).collect()
    }
}

impl TextFilter for Windows {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        if self.over {
            return String::new();
        }
        if channel.kind == ChannelKind::ToolArguments
            && let Some(calls) = &mut self.calls
            && let Some(arguments) = calls.arguments.get_mut(&channel)
        {
            arguments.push_str(delta);
            return if arguments.len() > MOST_ARGUMENTS { self.judged(channel) } else { String::new() };
        }
        self.pass(channel, delta)
    }

    /// What it holds was found when it was told in pieces, but for servers that tell it only whole.
    fn again(&mut self, text: &str) -> String {
        if self.over {
            return String::new();
        }
        let channel = Channel { choice: 0, kind: ChannelKind::Text, index: 0 };
        // Nobody says of what kind it is.
        let mut window = self.guard.aside().window(Place::Output);
        let (mut released, rest) = (window.push(text), window.finish());
        released.text.push_str(&rest.text);
        if released.blocked || rest.blocked {
            released.blocked = true;
            released.reply = released.reply.or(rest.reply);
            released.findings.extend(rest.findings);
            return self.release(channel, released);
        }
        released.text
    }

    fn close(&mut self, channel: Channel) -> String {
        let mut out = if self.over { String::new() } else { self.judged(channel) };
        let Some(place) = self.open.iter().position(|(open, _)| *open == channel) else { return out };
        let (_, mut window) = self.open.swap_remove(place);
        if self.over {
            return out;
        }
        let released = window.finish();
        out.push_str(&self.release(channel, released));
        out
    }
}
