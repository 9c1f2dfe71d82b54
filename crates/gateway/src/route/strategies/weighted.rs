use super::{Facts, Picks, Strategy, TargetState, by_key, drawn, mixed};

/// By chance, as their weights say.
#[derive(Debug)]
pub(super) struct Weighted;

impl Strategy for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let order = by_key(targets, |place, target| drawn(mixed(call.draw) ^ mixed(place as u64 + 1), target.weight));
        Picks { order, reason: "drawn by weight".into() }
    }
}
