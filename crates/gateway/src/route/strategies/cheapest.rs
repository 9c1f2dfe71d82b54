use super::{Facts, Picks, Strategy, TargetState};

/// The cheapest for this call first; those without a price come last.
#[derive(Debug)]
pub(super) struct Cheapest;

impl Strategy for Cheapest {
    fn name(&self) -> &'static str {
        "cheapest"
    }

    fn order(&self, _: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let mut order: Vec<usize> = (0..targets.len()).collect();
        order.sort_by_key(|place| {
            let cost = targets.get(*place).and_then(|target| target.cost);
            (cost.is_none(), cost)
        });
        let first = order.first().and_then(|place| targets.get(*place)).and_then(|target| target.cost);
        let reason = first.map_or_else(|| "no price is known".into(), |cost| format!("about ${cost}").into());
        Picks { order, reason }
    }
}
