use super::{Facts, Picks, Strategy, TargetState};

/// In turn. Targets that can't be asked don't take part, so the others stay even.
#[derive(Debug)]
pub(super) struct RoundRobin;

impl Strategy for RoundRobin {
    fn name(&self) -> &'static str {
        "round_robin"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let mut order: Vec<usize> = (0..targets.len()).collect();
        if let Some(first) = call.turn.checked_rem(targets.len() as u64) {
            order.rotate_left(usize::try_from(first).unwrap_or(0));
        }
        Picks { order, reason: "its turn".into() }
    }
}
