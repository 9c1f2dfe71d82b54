//! Which of several nodes evaluates monitors and tells people: the one that has the lease. The others look on, take no changes, and one of
//! them takes over once it isn't renewed. What is in memory is worth something in the term only in which it was read; what a node writes
//! under a term that is over is refused by who keeps the documents, so that one that was paused can't spoil anything.

use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use signalbox_types::Timestamp;

use crate::edit::EditError;
use crate::keep::{Lease, Term};
use crate::read::read;
use crate::watch::{Inner, Watch};

/// Who asks for nothing for so long has lost it.
const LASTS: Duration = Duration::from_secs(15);
/// It is asked for again when it lasts no longer than this.
const RENEW: Duration = Duration::from_secs(10);
/// Who has it no longer relies on it so long before it ends: clocks differ, and a message is on its way for a while.
const MARGIN: Duration = Duration::from_secs(3);
/// Who doesn't have it reads as often what the others write.
const FOLLOW: Duration = Duration::from_secs(10);

/// What a node knows of the lease.
#[derive(Debug)]
pub(crate) struct Lead {
    node: String,
    known: Mutex<Known>,
    /// One question at a time.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// The last term that was this node's.
    term: Option<u32>,
    /// Until when it has it, if it does.
    until: Option<Timestamp>,
    /// Who else has it, and until when.
    other: Option<(String, Timestamp)>,
    /// The term of its own in which it has read what is in memory.
    read_in: Option<u32>,
    /// When it last read what others write.
    read_at: Option<Timestamp>,
    /// Why the lease can't be asked for, if that is so.
    problem: Option<String>,
}

/// Which node evaluates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = WatchLeadership)]
pub struct Leadership {
    /// Whether this node takes part (`watch.enabled`).
    pub enabled: bool,
    /// What this node is called.
    #[schema(example = "box-3f9c2a")]
    pub node: String,
    /// It evaluates monitors, tells people and takes changes of what is watched.
    pub leads: bool,
    /// The node that does, as far as this one knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// Until when, if it isn't heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Lead {
    /// Of a node that has just been started, with the lease if it was given one.
    pub(crate) fn new(node: String, lease: Option<Lease>, now: Timestamp) -> Self {
        let mut known = Known { read_at: Some(now), ..Known::default() };
        match lease {
            Some(own) if own.granted => {
                (known.term, known.until, known.read_in) = (Some(own.term), Some(own.until), Some(own.term));
            }
            Some(other) => known.other = Some((other.node, other.until)),
            None => {}
        }
        Self { node, known: Mutex::new(known), asking: tokio::sync::Mutex::default() }
    }

    /// The question of a node that has just been started.
    pub(crate) async fn first(keep: &dyn crate::keep::Keep, node: &str) -> Option<Lease> {
        match keep.ask(node, None, LASTS).await {
            Ok(lease) => Some(lease),
            Err(problem) => {
                tracing::warn!("the lease for watching can't be asked for: {problem}");
                None
            }
        }
    }

    /// What it writes under: its own term, if nobody is known to have taken it.
    pub(crate) fn term(&self) -> Option<Term> {
        let known = self.known.lock();
        known.until?;
        Some(Term { node: self.node.clone(), number: known.term? })
    }

    /// Another node has it: what is in memory is no longer so.
    pub(crate) fn lose(&self) {
        let mut known = self.known.lock();
        if known.until.take().is_some() {
            tracing::warn!(
                "another node evaluates monitors and tells people now: this one did not renew the lease in time"
            );
        }
        (known.read_in, known.read_at) = (None, None);
    }

    fn leads(&self, now: Timestamp) -> bool {
        self.known.lock().until.is_some_and(|until| now.plus(MARGIN) < until)
    }

    /// What somebody is told who wants to change something here.
    pub(crate) fn elsewhere(&self) -> EditError {
        let known = self.known.lock();
        EditError::Elsewhere(match (&known.other, &known.problem) {
            (Some((other, _)), _) => {
                format!("node `{other}` evaluates monitors and takes changes of them, not this one (`{}`)", self.node)
            }
            (None, Some(problem)) => format!("it is not known which node may change what is watched: {problem}"),
            (None, None) => format!("node `{}` may not change what is watched just now", self.node),
        })
    }
}

impl Watch {
    /// Which node evaluates.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        let (enabled, now) = (self.rules().config.enabled, self.clock.now());
        let leads = self.leads();
        let known = self.lead.known.lock();
        let own = known.until.map(|until| (self.lead.node.clone(), until));
        let leader = own.or_else(|| known.other.clone()).filter(|(_, until)| *until > now);
        let (leader, until) = leader.unzip();
        Leadership { enabled, node: self.lead.node.clone(), leads, leader, until }
    }

    /// Whether this node may evaluate and tell people at this moment.
    pub(crate) fn leads(&self) -> bool {
        self.lead.leads(self.clock.now())
    }

    /// Whether this node evaluates. Asks for the lease when that is due; who isn't given it reads again what the others write.
    pub async fn lead(&self) -> bool {
        if !self.rules().config.enabled {
            return false;
        }
        if self.hold().await.is_ok() {
            return self.leads();
        }
        self.follow().await;
        false
    }

    /// Makes sure that this node has the lease, for long enough to do something.
    ///
    /// # Errors
    /// It doesn't, and why.
    pub(crate) async fn hold(&self) -> Result<(), EditError> {
        let _one = self.lead.asking.lock().await;
        let now = self.clock.now();
        let (term, until) = {
            let known = self.lead.known.lock();
            (known.term, known.until)
        };
        if until.is_some_and(|until| now.plus(RENEW) < until) {
            return Ok(());
        }
        match self.keep.ask(&self.lead.node, term, LASTS).await {
            Ok(lease) if lease.granted => self.take(&lease).await,
            Ok(lease) => {
                if until.is_some() {
                    self.lead.lose();
                }
                let mut known = self.lead.known.lock();
                (known.other, known.problem) = (Some((lease.node, lease.until)), None);
                drop(known);
                Err(self.lead.elsewhere())
            }
            Err(problem) => {
                {
                    let mut known = self.lead.known.lock();
                    if known.problem.as_ref() != Some(&problem) {
                        tracing::warn!("the lease for watching can't be asked for: {problem}");
                    }
                    (known.other, known.problem) = (None, Some(problem));
                }
                // Nobody else can have it before it ends.
                if self.leads() { Ok(()) } else { Err(self.lead.elsewhere()) }
            }
        }
    }

    /// Begins, or goes on, with a lease that was given.
    async fn take(&self, lease: &Lease) -> Result<(), EditError> {
        let (before, was) = {
            let known = self.lead.known.lock();
            (known.read_in, known.until.is_some())
        };
        if before != Some(lease.term)
            && let Err(problem) = self.catch_up().await
        {
            tracing::error!("what is watched can't be read: {problem}");
            let mut known = self.lead.known.lock();
            (known.term, known.until, known.other) = (Some(lease.term), None, None);
            known.problem = Some(problem);
            drop(known);
            return Err(self.lead.elsewhere());
        }
        let mut known = self.lead.known.lock();
        (known.term, known.until, known.read_in) = (Some(lease.term), Some(lease.until), Some(lease.term));
        (known.other, known.problem) = (None, None);
        if !was {
            tracing::info!(node = %self.lead.node, "node `{}` evaluates monitors and tells people", self.lead.node);
        }
        Ok(())
    }

    /// Reads what the node writes that has the lease, so that what is shown here is not older than that.
    async fn follow(&self) {
        let now = self.clock.now();
        let fresh = self.lead.known.lock().read_at.is_some_and(|at| now.since(at) < FOLLOW);
        if fresh {
            return;
        }
        self.lead.known.lock().read_at = Some(now);
        if let Err(problem) = self.catch_up().await {
            tracing::warn!("what another node has written of what is watched can't be read: {problem}");
        }
    }

    /// Puts what is written down in the place of what is in memory.
    async fn catch_up(&self) -> Result<(), String> {
        let _in_order = self.writing.lock().await;
        let documents = self.keep.load().await?;
        let rules = self.rules();
        let fresh = read(documents, &self.project, &rules.config, self.clock.now());
        self.inner.lock().give_way(fresh);
        self.apply_detours();
        Ok(())
    }

    /// Lets another node take over at once: this one is stopping.
    pub async fn let_go(&self) {
        let _one = self.lead.asking.lock().await;
        // What is being written is written under this term.
        let _in_order = self.writing.lock().await;
        let Some(term) = self.lead.term() else { return };
        self.lead.known.lock().until = None;
        if let Err(problem) = self.keep.give_up(&term).await {
            tracing::warn!("another node has to wait until the lease for watching ends: {problem}");
        }
    }

    /// Changes something for somebody who must hear of it if it can't be done here, and writes it down.
    ///
    /// # Errors
    /// Another node has the lease; nothing was changed.
    pub(crate) async fn edit<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> Result<T, EditError> {
        self.hold().await?;
        let (result, kept) = self.change_if_kept(change).await;
        if kept { Ok(result) } else { Err(self.lead.elsewhere()) }
    }
}
