//! Has a streamed answer asked about while it arrives. Its texts are cut into pieces of a sentence or more; an event waits here for
//! the answers about the pieces that it completes, if anything may have to be done about them. An event with which a text ends
//! waits in any case: then the guard says its last word. Each wait is over with the deadline of what is asked.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream as _};
use signalbox_guard::{Answers, Guard};
use signalbox_types::Place;
use signalbox_wire::{Channel, Codec, EventRewriter, SseEvent, StreamDecoder, StreamRewriter, TextFilter};

use super::Asker;

/// What stands between a stream's events and the guard.
pub(crate) struct Gate {
    asker: Asker,
    guard: Guard,
    /// Whether anything may have to be done about what is found.
    waits: bool,
    way: Way,
    texts: Texts,
    under_way: FuturesUnordered<BoxFuture<'static, ()>>,
    held: Option<SseEvent>,
    must_wait: bool,
}

/// The same steps as the guard's windows will see, in advance.
enum Way {
    Same(StreamRewriter),
    Across { decoder: Box<dyn StreamDecoder>, rewriter: EventRewriter },
}

/// The texts that are being written, from where they were last asked about.
struct Texts {
    answers: Arc<Answers>,
    open: Vec<(Channel, String)>,
    pieces: Vec<Arc<str>>,
    has_end: bool,
}

impl Gate {
    /// For a stream of this codec, which goes out in the same dialect or another.
    pub(crate) fn new(asker: Asker, guard: Guard, codec: &'static dyn Codec, same: bool) -> Self {
        let way = match same {
            true => Way::Same(StreamRewriter::new(codec)),
            false => Way::Across { decoder: codec.decode_stream(), rewriter: EventRewriter::default() },
        };
        let answers = Arc::new(Answers::of_running_texts());
        Self {
            asker,
            waits: guard.waits(Place::Output),
            guard,
            way,
            texts: Texts { answers, open: Vec::new(), pieces: Vec::new(), has_end: false },
            under_way: FuturesUnordered::new(),
            held: None,
            must_wait: false,
        }
    }

    /// The guard that will know what is answered.
    pub(crate) fn guard(&self) -> Guard {
        self.guard.answered(&self.texts.answers)
    }

    /// Takes the next event, once the one before has been given back.
    pub(crate) fn offer(&mut self, event: SseEvent) {
        match &mut self.way {
            Way::Same(rewriter) => drop(rewriter.event(&event, &mut self.texts)),
            Way::Across { decoder, rewriter } => {
                // What can't be read is told by whoever reads it next.
                let events = decoder.event(&event).unwrap_or_default();
                drop(rewriter.events(events, &mut self.texts));
            }
        }
        self.held = Some(event);
        self.ask();
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self, last: Option<SseEvent>) {
        if let Some(event) = last {
            self.offer(event);
        }
        self.texts.end_all();
        self.ask();
    }

    /// The event that was taken, as soon as it may pass; `None` if there is none.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<SseEvent>> {
        while let Poll::Ready(Some(())) = Pin::new(&mut self.under_way).poll_next(context) {}
        if self.must_wait && !self.under_way.is_empty() {
            return Poll::Pending;
        }
        self.must_wait = false;
        Poll::Ready(self.held.take())
    }

    /// Services that could not be asked, and why.
    pub(crate) fn failures(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.texts.answers.failures()
    }

    fn ask(&mut self) {
        let pieces = std::mem::take(&mut self.texts.pieces);
        self.must_wait |= std::mem::take(&mut self.texts.has_end) || (self.waits && !pieces.is_empty());
        if pieces.is_empty() {
            return;
        }
        let (asker, guard, answers) = (self.asker.clone(), self.guard.clone(), Arc::clone(&self.texts.answers));
        let asking = async move { asker.ask(&guard, Place::Output, &pieces, &answers).await };
        self.under_way.push(Box::pin(asking));
    }
}

impl Texts {
    fn want(&mut self, piece: &str) {
        self.pieces.extend(self.answers.pieces(piece).map(Arc::<str>::from));
    }

    fn end_all(&mut self) {
        for (channel, _) in self.open.clone() {
            self.close(channel);
        }
    }
}

impl TextFilter for Texts {
    fn push(&mut self, channel: Channel, delta: &str) -> String {
        let place = self.open.iter().position(|(open, _)| *open == channel).unwrap_or_else(|| {
            self.open.push((channel, String::new()));
            self.open.len() - 1
        });
        if let Some((_, text)) = self.open.get_mut(place) {
            text.push_str(delta);
            let mut pieces = Vec::new();
            while let Some(end) = self.answers.piece(text, 0, true) {
                pieces.push(text.drain(..end).collect::<String>());
            }
            pieces.iter().for_each(|piece| self.want(piece));
        }
        delta.to_owned()
    }

    fn again(&mut self, text: &str) -> String {
        self.want(text);
        self.has_end = true;
        text.to_owned()
    }

    fn close(&mut self, channel: Channel) -> String {
        self.has_end = true;
        if let Some(place) = self.open.iter().position(|(open, _)| *open == channel) {
            let (_, rest) = self.open.swap_remove(place);
            self.want(&rest);
        }
        String::new()
    }
}
