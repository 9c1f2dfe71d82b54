use super::{Facts, Picks, Strategy, TargetState};

/// As they are listed.
#[derive(Debug)]
pub(super) struct Priority;

impl Strategy for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn order(&self, _: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        Picks { order: (0..targets.len()).collect(), reason: "as listed".into() }
    }
}
