//! What services said lately, and how they are doing. Bounded in time and number.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_guard::{Judgement, ServiceConfig};
use signalbox_types::Place;

/// Agents send what was said before with every call; but a list behind a service may change.
const KEPT: Duration = Duration::from_secs(60);
const MOST_KEPT: usize = 10_000;
/// What has more to say is asked again.
const MOST_SPANS: usize = 10;
/// After so many failures in a row…
const MOST_FAILURES: u32 = 5;
/// … it isn't asked for so long; and again so after each further one, until it answers.
const REST: Duration = Duration::from_secs(10);

/// A service as it is configured: what another one of the same name said is not its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Who([u8; 32]);

impl Who {
    pub(crate) fn of(service: &ServiceConfig) -> Self {
        let headers = service.headers.iter().flat_map(|(name, value)| [name.as_str(), value.expose()]);
        let mut hasher = blake3::Hasher::new();
        for field in [service.name.as_str(), service.url.expose()].into_iter().chain(headers) {
            hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    fn about(&self, place: Place, text: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(place.as_str().as_bytes()).update(b"\0").update(text.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Remembers for all calls.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    said: Mutex<Said>,
    doing: Mutex<HashMap<Who, Doing>>,
}

#[derive(Debug, Default)]
struct Said {
    /// Until when, and what.
    known: HashMap<[u8; 32], (Duration, Arc<Judgement>)>,
    /// The oldest first.
    order: VecDeque<([u8; 32], Duration)>,
}

#[derive(Debug, Default)]
struct Doing {
    failures: u32,
    rests_until: Duration,
}

impl Memory {
    pub(crate) fn recall(&self, who: &Who, place: Place, text: &str, now: Duration) -> Option<Arc<Judgement>> {
        let key = who.about(place, text);
        let said = self.said.lock();
        said.known.get(&key).filter(|(until, _)| now < *until).map(|(_, judgement)| Arc::clone(judgement))
    }

    pub(crate) fn keep(&self, who: &Who, place: Place, text: &str, judgement: Arc<Judgement>, now: Duration) {
        if judgement.spans.len() > MOST_SPANS {
            return;
        }
        let (key, until) = (who.about(place, text), now + KEPT);
        let mut said = self.said.lock();
        let Said { known, order } = &mut *said;
        while let Some((oldest, its_end)) = order.front().copied() {
            if order.len() < MOST_KEPT && now < its_end {
                break;
            }
            order.pop_front();
            // It may have been said anew.
            if known.get(&oldest).is_some_and(|(until, _)| *until == its_end) {
                known.remove(&oldest);
            }
        }
        known.insert(key, (until, judgement));
        order.push_back((key, until));
    }

    pub(crate) fn may_ask(&self, who: &Who, now: Duration) -> bool {
        self.doing.lock().get(who).is_none_or(|doing| now >= doing.rests_until)
    }

    pub(crate) fn went_well(&self, who: &Who) {
        self.doing.lock().remove(who);
    }

    pub(crate) fn failed(&self, who: &Who, now: Duration) {
        let mut doing = self.doing.lock();
        let doing = doing.entry(*who).or_default();
        doing.failures = doing.failures.saturating_add(1);
        if doing.failures >= MOST_FAILURES {
            doing.rests_until = now + REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(url: &str) -> Who {
        let service = serde_json::json!({"name": "s", "url": url, "headers": {"x": "y"}});
        Who::of(&serde_json::from_value(service).unwrap())
    }

    fn good() -> Arc<Judgement> {
        Arc::new(Judgement { flagged: false, score: 0.0, spans: Vec::new() })
    }

    #[test]
    fn what_was_said_counts_for_the_same_text_place_and_service_and_not_for_long() {
        let (memory, who) = (Memory::default(), who("http://a"));
        memory.keep(&who, Place::Input, "text", good(), Duration::ZERO);
        let knows = |who: &Who, place, text, now| memory.recall(who, place, text, now).is_some();
        assert!(knows(&who, Place::Input, "text", KEPT - Duration::from_nanos(1)));
        assert!(!knows(&who, Place::Input, "text", KEPT));
        assert!(!knows(&who, Place::Output, "text", Duration::ZERO));
        assert!(!knows(&who, Place::Input, "texts", Duration::ZERO));
        assert!(!knows(&self::who("http://b"), Place::Input, "text", Duration::ZERO));
    }

    #[test]
    fn it_has_a_bound() {
        let (memory, who) = (Memory::default(), who("http://a"));
        for text in 0..MOST_KEPT + 50 {
            memory.keep(&who, Place::Input, &text.to_string(), good(), Duration::ZERO);
        }
        assert_eq!(memory.said.lock().known.len(), MOST_KEPT);
        assert!(memory.recall(&who, Place::Input, "0", Duration::ZERO).is_none());
        memory.keep(&who, Place::Input, "later", good(), KEPT);
        assert_eq!(memory.said.lock().known.len(), 1);
    }

    #[test]
    fn who_fails_again_and_again_is_left_alone_for_a_while() {
        let (memory, who) = (Memory::default(), who("http://a"));
        for _ in 1..MOST_FAILURES {
            memory.failed(&who, Duration::ZERO);
            assert!(memory.may_ask(&who, Duration::ZERO));
        }
        memory.failed(&who, Duration::ZERO);
        assert!(!memory.may_ask(&who, REST - Duration::from_nanos(1)) && memory.may_ask(&who, REST));
        memory.failed(&who, REST);
        assert!(!memory.may_ask(&who, REST));
        memory.went_well(&who);
        assert!(memory.may_ask(&who, REST));
    }
}
