//! Keys, sessions and credentials as calls see them: in memory, never changed, replaced as a whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use signalbox_types::{KeyId, Secret, Timestamp};
use sqlx::SqliteConnection;

use crate::error::CredentialFault;
use crate::resources::credential::{self, Credential};
use crate::resources::key::{self, Principal};
use crate::resources::session;
use crate::seal::Seals;
use crate::token::Digest;

/// "Last used" is kept to the minute: a write for each call would make all cores fight for one line of cache.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) keys: HashMap<Digest, Arc<KeyEntry>>,
    /// All keys, revoked ones too, are of one project. Calls ask for it; keys may be many.
    pub(crate) has_one_project: bool,
    pub(crate) sessions: HashMap<Digest, SessionEntry>,
    /// By name: as lists show it, and its value.
    pub(crate) credentials: HashMap<String, (Credential, Result<Secret, CredentialFault>)>,
}

#[derive(Debug)]
pub(crate) struct KeyEntry {
    pub(crate) principal: Principal,
    pub(crate) revoked: bool,
    /// Microseconds; 0 = never.
    last_used: AtomicI64,
}

#[derive(Debug)]
pub(crate) struct SessionEntry {
    pub(crate) key: Arc<KeyEntry>,
    pub(crate) expires_at: Timestamp,
}

impl KeyEntry {
    pub(crate) fn touch(&self, now: Timestamp) {
        let before = Timestamp::from_micros(self.last_used.load(Ordering::Relaxed));
        if now.since(before) >= TOUCH_EVERY {
            self.last_used.store(now.as_micros(), Ordering::Relaxed);
        }
    }

    pub(crate) fn last_used(&self) -> Option<Timestamp> {
        let micros = self.last_used.load(Ordering::Relaxed);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }
}

impl Snapshot {
    /// What the file says now; "last used" is taken over from the snapshot before.
    pub(crate) async fn load(
        connection: &mut SqliteConnection,
        before: &Self,
        seals: Option<&Seals>,
    ) -> Result<Self, sqlx::Error> {
        let mut snapshot = Self::default();
        let mut by_id = HashMap::new();
        for row in key::sql::all(connection).await? {
            let known = before.keys.get(&row.hash).and_then(|entry| entry.last_used());
            let last_used = known.max(row.key.last_used_at).map_or(0, Timestamp::as_micros);
            let principal = Principal { project: row.project, key_id: row.key.id.clone(), key_name: row.key.name };
            let entry = Arc::new(KeyEntry {
                principal,
                revoked: row.key.revoked_at.is_some(),
                last_used: AtomicI64::new(last_used),
            });
            by_id.insert(row.key.id, Arc::clone(&entry));
            snapshot.keys.insert(row.hash, entry);
        }
        let mut projects = snapshot.keys.values().map(|entry| &entry.principal.project);
        snapshot.has_one_project = projects.next().is_none_or(|first| projects.all(|project| project == first));
        for row in session::sql::all(connection).await? {
            if let Some(key) = by_id.get(&row.key_id) {
                let entry = SessionEntry { key: Arc::clone(key), expires_at: row.expires_at };
                snapshot.sessions.insert(row.hash, entry);
            }
        }
        for sealed in credential::all(connection).await? {
            let value = sealed.open(seals);
            let shown = Credential { fault: value.as_ref().err().cloned(), ..sealed.shown };
            snapshot.credentials.insert(shown.name.clone(), (shown, value));
        }
        Ok(snapshot)
    }

    /// When each key was last used, as far as known here.
    pub(crate) fn last_used(&self) -> impl Iterator<Item = (KeyId, Timestamp)> + '_ {
        self.keys.values().filter_map(|entry| Some((entry.principal.key_id.clone(), entry.last_used()?)))
    }
}
