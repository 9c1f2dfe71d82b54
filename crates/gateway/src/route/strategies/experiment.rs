use super::{Facts, Picks, Strategy, TargetState, by_key, drawn, hash, mixed};

/// The targets of the arm that the caller belongs to, as they are listed; then those of the arms that it would belong to
/// if that one weren't there. Who belongs where depends on nothing but route, caller and weights (rendezvous hashing): a
/// restart moves nobody, and a greater weight moves callers to that arm and nowhere else.
#[derive(Debug)]
pub(super) struct Experiment;

impl Strategy for Experiment {
    fn name(&self) -> &'static str {
        "experiment"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let order = by_key(targets, |_, target| target.arm.map_or(f64::INFINITY, |arm| place(call, arm)));
        let reason = match call.unit {
            Some(_) => "the same arm for its caller",
            None => "drawn by the weights of the arms",
        };
        Picks { order, reason: reason.into() }
    }
}

/// The arm that a call belongs to, whether or not its targets can be asked now.
pub(crate) fn assigned<'a>(call: &Facts<'_>, arms: impl Iterator<Item = (&'a str, f64)>) -> Option<&'a str> {
    let least = arms.map(|arm| (arm.0, place(call, arm))).min_by(|left, right| left.1.total_cmp(&right.1));
    least.map(|(name, _)| name)
}

fn place(call: &Facts<'_>, (name, weight): (&str, f64)) -> f64 {
    // With the route's name, so that two experiments don't give the same people the new thing each time.
    let key = call.unit.map_or(call.draw, |unit| mixed(hash(call.route)) ^ hash(unit));
    drawn(mixed(key) ^ hash(name), weight)
}
