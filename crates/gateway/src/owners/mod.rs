//! Which project made what a provider keeps, and which provider that is: only who made a thing may have it again. It stands
//! in memory, bounded, and is written down behind the calls, so that a restart forgets nothing. What wasn't used for long is
//! forgotten, and so is what very many later things came after. Who asks then is told so.

mod written;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_catalog::{KeptBounds, KeptThing};
use signalbox_types::seam::Clock;
use signalbox_types::{ProjectId, Timestamp};
use signalbox_upstream::Operation;
use tokio::sync::{Notify, watch};

use crate::GatewayConfig;

/// Longer than any id.
const MAX_ID_BYTES: usize = 256;
/// Providers choose ids at random; more projects have the same one only if a provider doesn't.
const MAX_OWNERS: usize = 8;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// What a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Response,
    File,
    Batch,
    /// A file that holds the results of a batch: it is known as a file, too.
    Results,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Response, Self::File, Self::Batch, Self::Results];

    /// The word for messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::File => "file",
            Self::Batch => "batch",
            Self::Results => "results",
        }
    }

    /// What is asked of who keeps it.
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Response => Operation::Responses,
            Self::File | Self::Results => Operation::Files,
            Self::Batch => Operation::Batches,
        }
    }
}

/// What is known of an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The asking project made it, at the provider of this name.
    Yours(Arc<str>),
    /// Another project made it.
    Anothers,
    Unknown,
}

/// Who made what. One for all calls.
#[derive(Debug)]
pub(crate) struct Owners {
    most: usize,
    /// What wasn't used for so long is forgotten.
    lasts: Duration,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    /// Something is to be written down.
    news: Arc<Notify>,
    /// How much of what was noted stands in the catalog; the sender's half is dropped where nothing is written.
    written: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    things: HashMap<Key, Thing>,
    /// Every use, the oldest first. What was used again later stands in it twice.
    uses: VecDeque<(u64, Key)>,
    turn: u64,
    /// What is not written down yet, each once: at most as much as there is.
    unwritten: HashSet<Key>,
    /// How much was noted so far.
    noted: u64,
    /// Somebody writes it down.
    is_written: bool,
}

type Key = (Kind, Arc<str>);

#[derive(Debug)]
struct Thing {
    owners: Vec<Owner>,
    /// Of its last use.
    turn: u64,
}

#[derive(Debug)]
struct Owner {
    project: ProjectId,
    provider: Arc<str>,
    /// When it was last used, to the day.
    used_at: Timestamp,
}

impl Owners {
    pub(crate) fn new(config: &GatewayConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            most: config.max_kept_ids,
            lasts: DAY.saturating_mul(config.kept_ids_days),
            clock,
            known: Mutex::default(),
            news: Arc::default(),
            written: watch::Sender::new(0),
        }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// For how many days what isn't used is known.
    pub(crate) fn days(&self) -> u64 {
        self.lasts.as_secs() / DAY.as_secs()
    }

    /// A project has made something.
    pub(crate) fn note(&self, kind: Kind, id: &str, project: &ProjectId, provider: &Arc<str>) {
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return;
        }
        let key = (kind, Arc::from(id));
        let owner = Owner { project: project.clone(), provider: Arc::clone(provider), used_at: self.clock.now() };
        let mut known = self.known.lock();
        known.add(key.clone(), owner);
        known.forget_beyond(self.most);
        if known.unwritten(key) {
            self.news.notify_one();
        }
    }

    /// Whose something is.
    pub(crate) fn find(&self, kind: Kind, id: &str, project: &ProjectId) -> Whose {
        if id.len() > MAX_ID_BYTES {
            return Whose::Unknown;
        }
        let key = (kind, Arc::from(id));
        let now = self.clock.now();
        let mut known = self.known.lock();
        let Some(thing) = known.things.get_mut(&key) else { return Whose::Unknown };
        thing.owners.retain(|owner| now.since(owner.used_at) < self.lasts);
        if thing.owners.is_empty() {
            known.things.remove(&key);
            return Whose::Unknown;
        }
        let Some(own) = thing.owners.iter_mut().find(|owner| owner.project == *project) else { return Whose::Anothers };
        let provider = Arc::clone(&own.provider);
        // To the day: what is asked for all the time is not to be written all the time.
        let is_old = now.since(own.used_at) >= DAY;
        if is_old {
            own.used_at = now;
        }
        known.used(key.clone());
        if is_old && known.unwritten(key) {
            self.news.notify_one();
        }
        Whose::Yours(provider)
    }

    fn bounds(&self) -> KeptBounds {
        let most = u32::try_from(self.most).unwrap_or(u32::MAX);
        KeptBounds { most, used_since: self.clock.now().minus(self.lasts) }
    }

    /// Takes over what was written down before.
    fn recall(&self, things: Vec<KeptThing>) {
        let mut known = self.known.lock();
        for thing in things {
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == thing.kind) else { continue };
            let key = (kind, Arc::from(thing.id.as_str()));
            let provider = thing.provider.as_str().into();
            known.add(key, Owner { project: thing.project, provider, used_at: thing.used_at });
            known.forget_beyond(self.most);
        }
        known.is_written = true;
    }
}

impl Known {
    fn add(&mut self, key: Key, owner: Owner) {
        let owners =
            &mut self.things.entry(key.clone()).or_insert_with(|| Thing { owners: Vec::new(), turn: 0 }).owners;
        owners.retain(|other| other.project != owner.project);
        if owners.len() >= MAX_OWNERS {
            owners.remove(0);
        }
        owners.push(owner);
        self.used(key);
    }

    /// It is to be written down; false if nobody does.
    fn unwritten(&mut self, key: Key) -> bool {
        self.noted += 1;
        if self.is_written && self.things.contains_key(&key) {
            self.unwritten.insert(key);
        }
        self.is_written
    }

    fn used(&mut self, key: Key) {
        self.turn += 1;
        let turn = self.turn;
        if let Some(thing) = self.things.get_mut(&key) {
            thing.turn = turn;
        }
        self.uses.push_back((turn, key));
        // What is asked for again and again must not make the list of uses grow.
        if self.uses.len() > 2 * self.things.len() + 16 {
            let things = &self.things;
            self.uses.retain(|(turn, key)| things.get(key).is_some_and(|thing| thing.turn == *turn));
        }
    }

    fn forget_beyond(&mut self, most: usize) {
        while self.things.len() > most
            && let Some((turn, key)) = self.uses.pop_front()
        {
            if self.things.get(&key).is_some_and(|thing| thing.turn == turn) {
                self.things.remove(&key);
                self.unwritten.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::ManualClock;

    use super::*;

    fn owners(most: usize) -> Owners {
        let config = GatewayConfig { max_kept_ids: most, ..GatewayConfig::default() };
        Owners::new(&config, Arc::new(ManualClock::default()))
    }

    fn note(owners: &Owners, id: &str, project: &str) {
        owners.note(Kind::Response, id, &ProjectId::new(project), &"openai".into());
    }

    fn find(owners: &Owners, id: &str, project: &str) -> Whose {
        owners.find(Kind::Response, id, &ProjectId::new(project))
    }

    fn yours() -> Whose {
        Whose::Yours("openai".into())
    }

    #[test]
    fn only_who_made_it_has_it() {
        let owners = owners(10);
        note(&owners, "resp_1", "a");
        assert_eq!(find(&owners, "resp_1", "a"), yours());
        assert_eq!(find(&owners, "resp_1", "b"), Whose::Anothers);
        assert_eq!(find(&owners, "resp_2", "a"), Whose::Unknown);
        // Two of them got the same id, and neither takes it from the other.
        note(&owners, "resp_1", "b");
        assert_eq!((find(&owners, "resp_1", "a"), find(&owners, "resp_1", "b")), (yours(), yours()));
        assert_eq!(find(&owners, "resp_1", "c"), Whose::Anothers);
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_is_forgotten_first() {
        let owners = owners(2);
        note(&owners, "1", "a");
        note(&owners, "2", "a");
        assert_eq!(find(&owners, "1", "a"), yours());
        note(&owners, "3", "a");
        assert_eq!(find(&owners, "2", "a"), Whose::Unknown);
        assert_eq!((find(&owners, "1", "a"), find(&owners, "3", "a")), (yours(), yours()));
    }

    #[test]
    fn memory_is_bounded_whatever_is_asked() {
        let owners = owners(100);
        for id in 0..1_000 {
            note(&owners, &id.to_string(), "a");
            for _ in 0..3 {
                find(&owners, &id.to_string(), "a");
                find(&owners, "never made", "a");
            }
        }
        note(&owners, &"x".repeat(MAX_ID_BYTES + 1), "a");
        note(&owners, "", "a");
        for project in 0..100 {
            note(&owners, "999", &project.to_string());
        }
        let known = owners.known.lock();
        assert_eq!(known.things.len(), 100);
        assert!(known.uses.len() <= 216, "{}", known.uses.len());
        assert!(known.things.values().all(|thing| thing.owners.len() <= MAX_OWNERS));
    }

    #[test]
    fn what_is_not_used_for_long_is_forgotten() {
        let clock = Arc::new(ManualClock::default());
        let config = GatewayConfig { kept_ids_days: 10, ..GatewayConfig::default() };
        let owners = Owners::new(&config, Arc::clone(&clock) as Arc<dyn Clock>);
        note(&owners, "1", "a");
        note(&owners, "2", "a");
        clock.advance(DAY * 9);
        assert_eq!(find(&owners, "1", "a"), yours());
        clock.advance(DAY * 9);
        assert_eq!((find(&owners, "1", "a"), find(&owners, "2", "a")), (yours(), Whose::Unknown));
    }
}
