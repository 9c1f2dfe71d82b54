use super::{Facts, Picks, Strategy, TargetState, by_key};

/// The one with the fewest calls for its weight first.
#[derive(Debug)]
pub(super) struct LeastBusy;

impl Strategy for LeastBusy {
    fn name(&self) -> &'static str {
        "least_busy"
    }

    fn order(&self, _: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        // The call itself counts, so that the greater one of two idle targets comes first.
        let load = |_, target: &TargetState<'_>| match target.weight > 0.0 {
            true => (target.in_flight + 1) as f64 / target.weight,
            false => f64::INFINITY,
        };
        let order = by_key(targets, load);
        let first = order.first().and_then(|place| targets.get(*place)).map_or(0, |target| target.in_flight);
        Picks { order, reason: format!("{first} calls in flight").into() }
    }
}
