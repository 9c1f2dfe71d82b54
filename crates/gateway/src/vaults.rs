//! The placeholders of conversations: the same value has the same one for as long as its conversation is remembered. In memory only,
//! and never in a span or a log.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_guard::Vocabulary;
use signalbox_types::KeyId;

/// Conversations that are remembered; each holds at most 64 KiB of values.
const MOST: usize = 1_024;

/// Shared by a call and its answer.
pub(crate) type Shared = Arc<Mutex<Vocabulary>>;

/// The vocabularies of conversations, by key and session: who has another key can't ask for the values of this one's.
#[derive(Default)]
pub(crate) struct Vaults(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// With when it was last used, counted in uses.
    by_session: HashMap<(KeyId, String), (u64, Shared)>,
    uses: u64,
}

impl Vaults {
    /// The vocabulary of a session; without a session, one for this call alone.
    pub(crate) fn of(&self, key: &KeyId, session: &str) -> Shared {
        if session.is_empty() {
            return Shared::default();
        }
        let mut kept = self.0.lock();
        kept.uses += 1;
        let now = kept.uses;
        let name = (key.clone(), session.to_owned());
        if kept.by_session.len() >= MOST && !kept.by_session.contains_key(&name) {
            // A quarter at once, so that looking for the oldest is rare.
            let mut used: Vec<u64> = kept.by_session.values().map(|(used, _)| *used).collect();
            used.sort_unstable();
            let last = used.get(MOST / 4).copied().unwrap_or(0);
            kept.by_session.retain(|_, (used, _)| *used > last);
        }
        let (used, shared) = kept.by_session.entry(name).or_default();
        *used = now;
        Arc::clone(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_remembered_until_there_are_too_many() {
        let vaults = Vaults::default();
        let (one, other) = (KeyId::new("one"), KeyId::new("other"));
        let first = vaults.of(&one, "s");
        assert!(Arc::ptr_eq(&first, &vaults.of(&one, "s")));
        assert!(!Arc::ptr_eq(&first, &vaults.of(&other, "s")) && !Arc::ptr_eq(&first, &vaults.of(&one, "")));
        for session in 0..MOST * 2 {
            vaults.of(&other, &session.to_string());
        }
        assert!(!Arc::ptr_eq(&first, &vaults.of(&one, "s")), "it was forgotten");
        assert!(vaults.0.lock().by_session.len() <= MOST);
    }
}
