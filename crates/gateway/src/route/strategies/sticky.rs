use super::{Facts, Picks, Strategy, TargetState, by_key, drawn, hash, mixed};

/// The same session, or else user, goes to the same target (rendezvous hashing): when a target goes, only its own
/// sessions move, and they come back with it. A call without either is drawn by weight.
#[derive(Debug)]
pub(super) struct Sticky;

impl Strategy for Sticky {
    fn name(&self) -> &'static str {
        "sticky"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let (key, reason) = match call.session {
            Some(session) => (hash(session), "the same for its session or user"),
            None => (call.draw, "no session or user, drawn by weight"),
        };
        let order = by_key(targets, |_, target| drawn(mixed(key) ^ hash(target.name), target.weight));
        Picks { order, reason: reason.into() }
    }
}
