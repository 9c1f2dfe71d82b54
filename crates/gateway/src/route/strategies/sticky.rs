use super::{Facts, Picks, Strategy, TargetState, by_key, drawn, mixed};

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

/// FNV-1a: the same in every version, so that an update moves no session.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
