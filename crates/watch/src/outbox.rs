//! Messages that wait to be delivered: at least once, in order for each incident and channel, with pauses that grow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signalbox_types::{ProjectId, Timestamp};

use crate::channels::{Again, Failure};
use crate::notice::Notice;

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// About three hours of tries; then a person has to look.
const MOST_TRIES: u32 = 25;
/// Messages that were given up are kept, so many of them.
pub(crate) const MOST_DEAD: usize = 1_000;
/// Messages sent at once.
const AT_ONCE: usize = 16;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Whose.
    pub project: ProjectId,
    /// By which channel.
    pub channel: String,
    /// What it says.
    pub notice: Notice,
    /// Its place among those of its incident and channel.
    pub order: u64,
    /// When it was written.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// When it may be tried again.
    pub due: Timestamp,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// It was given up.
    #[serde(default)]
    pub dead: bool,
}

impl Message {
    /// Takes note of a try that failed.
    pub(crate) fn failed(&mut self, failure: &Failure, now: Timestamp) {
        self.tries += 1;
        self.error = Some(failure.message.clone());
        self.dead = failure.again == Again::Never || self.tries >= MOST_TRIES;
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow((self.tries - 1).min(10))).min(LONGEST_PAUSE);
        let pause = match failure.again {
            Again::After(least) => doubled.max(least),
            Again::Later | Again::Never => doubled,
        };
        // Equal pauses would line the tries up again.
        self.due = now.plus(pause.mul_f64(0.8 + 0.4 * fastrand::f64()));
    }
}

/// The messages that may go now: of each incident and channel the first that wasn't delivered.
pub(crate) fn due<'a>(
    outbox: &'a BTreeMap<String, Message>,
    sending: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<&'a Message> {
    let mut first: BTreeMap<(&str, &str), &Message> = BTreeMap::new();
    for message in outbox.values().filter(|message| !message.dead) {
        let place = (message.notice.incident.as_str(), message.channel.as_str());
        let kept = first.entry(place).or_insert(message);
        if message.order < kept.order {
            *kept = message;
        }
    }
    let mut due: Vec<&Message> =
        first.into_values().filter(|message| message.due <= now && !sending.contains(&message.id)).collect();
    due.sort_by_key(|message| (message.due, message.order));
    due.truncate(AT_ONCE.saturating_sub(sending.len()));
    due
}
