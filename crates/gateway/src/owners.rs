//! Which project made what a provider keeps, and which provider that is: only who made a thing may have it again. It stands
//! in memory and is bounded: a restart forgets it, and so do very many later things. Who asks then is told so.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_types::ProjectId;
use signalbox_upstream::Operation;

/// Longer than any id.
const MAX_ID_BYTES: usize = 256;
/// Providers choose ids at random; more projects have the same one only if a provider doesn't.
const MAX_OWNERS: usize = 8;

/// What a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Response,
    File,
    Batch,
}

impl Kind {
    /// The word for messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::File => "file",
            Self::Batch => "batch",
        }
    }

    /// What is asked of who keeps it.
    pub(crate) fn operation(self) -> Operation {
        match self {
            Self::Response => Operation::Responses,
            Self::File => Operation::Files,
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
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    things: HashMap<Key, Thing>,
    /// Every use, the oldest first. What was used again later stands in it twice.
    uses: VecDeque<(u64, Key)>,
    turn: u64,
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
}

impl Owners {
    /// Of at most so many things; those that weren't used for the longest time are forgotten first.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, known: Mutex::default() }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A project has made something.
    pub(crate) fn note(&self, kind: Kind, id: &str, project: &ProjectId, provider: &Arc<str>) {
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return;
        }
        let key = (kind, Arc::from(id));
        let owner = Owner { project: project.clone(), provider: Arc::clone(provider) };
        let mut known = self.known.lock();
        let owners =
            &mut known.things.entry(key.clone()).or_insert_with(|| Thing { owners: Vec::new(), turn: 0 }).owners;
        owners.retain(|other| other.project != *project);
        if owners.len() >= MAX_OWNERS {
            owners.remove(0);
        }
        owners.push(owner);
        known.used(key);
        known.forget_beyond(self.most);
    }

    /// Whose something is.
    pub(crate) fn find(&self, kind: Kind, id: &str, project: &ProjectId) -> Whose {
        if id.len() > MAX_ID_BYTES {
            return Whose::Unknown;
        }
        let key = (kind, Arc::from(id));
        let mut known = self.known.lock();
        let Some(thing) = known.things.get(&key) else { return Whose::Unknown };
        let Some(own) = thing.owners.iter().find(|owner| owner.project == *project) else { return Whose::Anothers };
        let provider = Arc::clone(&own.provider);
        known.used(key);
        Whose::Yours(provider)
    }
}

impl Known {
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
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let owners = Owners::new(10);
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
        let owners = Owners::new(2);
        note(&owners, "1", "a");
        note(&owners, "2", "a");
        assert_eq!(find(&owners, "1", "a"), yours());
        note(&owners, "3", "a");
        assert_eq!(find(&owners, "2", "a"), Whose::Unknown);
        assert_eq!((find(&owners, "1", "a"), find(&owners, "3", "a")), (yours(), yours()));
    }

    #[test]
    fn memory_is_bounded_whatever_is_asked() {
        let owners = Owners::new(100);
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
}
