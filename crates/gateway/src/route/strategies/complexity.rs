use super::{Facts, Picks, Strategy, TargetState, by_key};

/// The weakest target that is good enough for how hard the call looks (`complexity_up_to`), then stronger ones; weaker ones
/// only after all of these.
#[derive(Debug)]
pub(super) struct ByComplexity;

impl Strategy for ByComplexity {
    fn name(&self) -> &'static str {
        "complexity"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let Some((score, why)) = call.complexity else {
            let order = (0..targets.len()).collect();
            return Picks { order, reason: "it says nothing to judge it by, as they are listed".into() };
        };
        let order = by_key(targets, |_, target| {
            let limit = target.complexity_up_to.unwrap_or(1.0);
            if limit >= score { limit } else { 2.0 + (1.0 - limit) }
        });
        Picks { order, reason: format!("complexity {why}").into() }
    }
}
