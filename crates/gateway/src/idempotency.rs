//! Calls that may be sent again, by their key: those that are under way, and answers that are kept for a while.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use signalbox_types::{ErrorClass, ProjectId, TraceId};
use tokio::sync::watch;

use crate::call::{CallError, Outcome, Source};

/// What an entry takes beside its answer, about.
const ENTRY_BYTES: usize = 512;

/// An answer that may be given again.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Of the call that it was made for.
    pub(crate) trace_id: TraceId,
    /// Why there is no better one.
    failure: Option<(ErrorClass, Source, String)>,
}

/// An answer that was made for another call.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) kept: Arc<Kept>,
    /// It was waited for.
    pub(crate) joined: bool,
}

impl Again {
    /// For header and span.
    pub(crate) fn word(&self) -> &'static str {
        if self.joined { "joined" } else { "kept" }
    }
}

impl Kept {
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.failure {
            None => Outcome::Answered,
            Some((class, Source::Caller, message)) => Outcome::Failed(CallError::caller(*class, message)),
            Some((class, Source::Upstream, message)) => Outcome::Failed(CallError::upstream(*class, message)),
            Some((class, Source::Us, message)) => Outcome::Failed(CallError::us(*class, message)),
        }
    }

    fn weight(&self) -> usize {
        self.body.len() + ENTRY_BYTES
    }

    /// It would be the same if the call were made again.
    fn is_final(&self) -> bool {
        match &self.failure {
            None => true,
            Some((class, source, _)) => {
                use ErrorClass::{GuardrailBlocked, InvalidRequest, NotFound, RequestTooLarge};
                *source == Source::Caller
                    && matches!(class, GuardrailBlocked | InvalidRequest | NotFound | RequestTooLarge)
            }
        }
    }
}

/// A key is its project's own.
pub(crate) type Name = (ProjectId, Arc<str>);
pub(crate) type Fingerprint = [u8; 32];

/// The calls with a key that are under way, and the answers that are kept.
#[derive(Debug, Default)]
pub(crate) struct Register(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Name, Entry>,
    /// The kept ones, the oldest first.
    order: VecDeque<(Name, u64)>,
    kept_bytes: usize,
    /// Of the next entry.
    number: u64,
}

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    number: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Running(watch::Receiver<Option<Arc<Kept>>>),
    Kept {
        kept: Arc<Kept>,
        at: Duration,
        /// The one that it came about by.
        configuration: u64,
    },
}

/// The call that others with its key wait for. Dropped without an answer, it leaves that to the first of them.
#[derive(Debug)]
pub(crate) struct Lead {
    register: Arc<Register>,
    name: Name,
    number: u64,
    told: watch::Sender<Option<Arc<Kept>>>,
    keep: Keep,
}

/// For how long and how much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) time: Duration,
    pub(crate) most_bytes: usize,
    /// Which configuration is in force: what one refuses, the next one may allow.
    pub(crate) configuration: u64,
}

/// What a key leads to.
pub(crate) enum Found {
    Nobody(Lead),
    Running(watch::Receiver<Option<Arc<Kept>>>),
    Kept(Arc<Kept>),
    /// The key stands for another call.
    Other,
}

impl Lead {
    /// The answer has come: it is told to those who wait, and kept if it would be the same another time.
    pub(crate) fn answered(self, kept: Kept, now: Duration) {
        let kept = Arc::new(kept);
        let fits = kept.weight() <= self.keep.most_bytes && !self.keep.time.is_zero();
        if kept.is_final() && fits {
            self.register.0.lock().keep(&self.name, self.number, Arc::clone(&kept), now, self.keep);
        }
        self.told.send_replace(Some(kept));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut inner = self.register.0.lock();
        let mine = |entry: &Entry| entry.number == self.number && matches!(entry.state, State::Running(_));
        if inner.entries.get(&self.name).is_some_and(mine) {
            inner.entries.remove(&self.name);
        }
    }
}

impl Kept {
    pub(crate) fn of(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        trace_id: TraceId,
        error: Option<&CallError>,
    ) -> Self {
        let failure = error.map(|error| (error.class, error.source, error.detail.message.clone()));
        Self { status, headers, body, trace_id, failure }
    }
}

impl Register {
    pub(crate) fn look(self: &Arc<Self>, name: &Name, fingerprint: Fingerprint, now: Duration, keep: Keep) -> Found {
        let mut inner = self.0.lock();
        inner.evict(now, keep);
        inner.forget_refusal(name, keep.configuration);
        if let Some(entry) = inner.entries.get(name) {
            return match &entry.state {
                _ if entry.fingerprint != fingerprint => Found::Other,
                State::Running(told) => Found::Running(told.clone()),
                State::Kept { kept, .. } => Found::Kept(Arc::clone(kept)),
            };
        }
        let (told, hears) = watch::channel(None);
        let number = inner.number;
        inner.number += 1;
        inner.entries.insert(name.clone(), Entry { fingerprint, number, state: State::Running(hears) });
        Found::Nobody(Lead { register: Arc::clone(self), name: name.clone(), number, told, keep })
    }
}

impl Inner {
    fn keep(&mut self, name: &Name, number: u64, kept: Arc<Kept>, now: Duration, keep: Keep) {
        let Some(entry) = self.entries.get_mut(name).filter(|entry| entry.number == number) else { return };
        self.kept_bytes += kept.weight();
        entry.state = State::Kept { kept, at: now, configuration: keep.configuration };
        self.order.push_back((name.clone(), number));
        self.evict(now, keep);
    }

    /// A refusal by a configuration that is no longer in force says nothing of what the call would get now.
    fn forget_refusal(&mut self, name: &Name, configuration: u64) {
        let Some(Entry { state: State::Kept { kept, configuration: by, .. }, .. }) = self.entries.get(name) else {
            return;
        };
        if kept.failure.is_some() && *by != configuration {
            // Its place in the order goes when its turn comes.
            self.kept_bytes -= kept.weight();
            self.entries.remove(name);
        }
    }

    /// Drops what is too old, and the oldest of what is too much.
    fn evict(&mut self, now: Duration, keep: Keep) {
        while let Some((name, number)) = self.order.front() {
            let entry = self.entries.get(name).filter(|entry| entry.number == *number);
            let Some((weight, at)) = entry.and_then(|entry| match &entry.state {
                State::Kept { kept, at, .. } => Some((kept.weight(), *at)),
                State::Running(_) => None,
            }) else {
                self.order.pop_front();
                continue;
            };
            if self.kept_bytes <= keep.most_bytes && now.saturating_sub(at) < keep.time {
                return;
            }
            if let Some((name, _)) = self.order.pop_front() {
                self.entries.remove(&name);
            }
            self.kept_bytes -= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const KEEP: Keep = Keep { time: Duration::from_secs(10), most_bytes: 3 * ENTRY_BYTES, configuration: 0 };

    fn name(key: &str) -> Name {
        (ProjectId::new("p"), key.into())
    }

    fn kept(body: &'static str, error: Option<&CallError>) -> Kept {
        Kept::of(StatusCode::OK, HeaderMap::new(), Bytes::from_static(body.as_bytes()), TraceId::new(), error)
    }

    fn lead(register: &Arc<Register>, key: &str, now: Duration) -> Lead {
        match register.look(&name(key), [1; 32], now, KEEP) {
            Found::Nobody(lead) => lead,
            _ => panic!("`{key}` leads to somebody"),
        }
    }

    fn is_kept(register: &Arc<Register>, key: &str, now: Duration) -> bool {
        matches!(register.look(&name(key), [1; 32], now, KEEP), Found::Kept(_))
    }

    #[test]
    fn an_answer_is_kept_for_a_while_and_to_a_bound() {
        let register = Arc::new(Register::default());
        lead(&register, "a", SECOND).answered(kept("A", None), SECOND);
        assert!(is_kept(&register, "a", SECOND * 10));
        assert!(matches!(register.look(&name("a"), [2; 32], SECOND, KEEP), Found::Other));
        assert!(!is_kept(&register, "a", SECOND * 11));
        for (key, now) in [("a", 20), ("b", 21), ("c", 22)] {
            lead(&register, key, SECOND * now).answered(kept("x", None), SECOND * now);
        }
        // Each is a little more than a third.
        assert!(!is_kept(&register, "a", SECOND * 22));
        assert!(is_kept(&register, "b", SECOND * 22) && is_kept(&register, "c", SECOND * 22));
        // Larger than all together may be: nobody else goes for it.
        let large: &'static str = Box::leak("x".repeat(4 * ENTRY_BYTES).into_boxed_str());
        lead(&register, "d", SECOND * 23).answered(kept(large, None), SECOND * 23);
        assert!(!is_kept(&register, "d", SECOND * 23) && is_kept(&register, "b", SECOND * 23));
    }

    #[test]
    fn what_may_be_better_another_time_is_told_and_not_kept() {
        let register = Arc::new(Register::default());
        let check = |error: CallError, expected: bool| {
            let first = lead(&register, "a", SECOND);
            let Found::Running(told) = register.look(&name("a"), [1; 32], SECOND, KEEP) else { panic!("it runs") };
            first.answered(kept("x", Some(&error)), SECOND);
            assert!(told.borrow().is_some());
            assert_eq!(is_kept(&register, "a", SECOND), expected, "{error:?}");
            register.0.lock().entries.clear();
        };
        check(CallError::upstream(ErrorClass::UpstreamError, "x"), false);
        check(CallError::upstream(ErrorClass::RateLimited, "x"), false);
        check(CallError::us(ErrorClass::Overloaded, "x"), false);
        check(CallError::caller(ErrorClass::RequestTimeout, "x"), false);
        check(CallError::caller(ErrorClass::InvalidRequest, "x"), true);
        check(CallError::caller(ErrorClass::GuardrailBlocked, "x"), true);
    }

    #[test]
    fn a_refusal_ends_with_its_configuration_and_an_answer_does_not() {
        let register = Arc::new(Register::default());
        lead(&register, "a", SECOND).answered(kept("A", None), SECOND);
        let error = CallError::caller(ErrorClass::GuardrailBlocked, "x");
        lead(&register, "b", SECOND).answered(kept("B", Some(&error)), SECOND);
        assert!(is_kept(&register, "a", SECOND) && is_kept(&register, "b", SECOND));
        let next = Keep { configuration: 1, ..KEEP };
        assert!(matches!(register.look(&name("a"), [1; 32], SECOND, next), Found::Kept(_)));
        let Found::Nobody(again) = register.look(&name("b"), [1; 32], SECOND, next) else { panic!("it is kept") };
        again.answered(kept("now", None), SECOND);
        assert!(is_kept(&register, "b", SECOND));
        let inner = register.0.lock();
        assert_eq!(inner.kept_bytes, 2 * ENTRY_BYTES + "A".len() + "now".len());
    }

    #[test]
    fn who_leaves_without_an_answer_leaves_nothing() {
        let register = Arc::new(Register::default());
        drop(lead(&register, "a", SECOND));
        drop(lead(&register, "a", SECOND));
        assert!(register.0.lock().entries.is_empty());
    }
}
