use super::{Facts, Picks, Strategy, TargetState, by_key};

/// The target whose `examples` the question is most like. Where it is like none of them, those without examples come
/// first, as they are listed.
#[derive(Debug)]
pub(super) struct Semantic;

impl Strategy for Semantic {
    fn name(&self) -> &'static str {
        "semantic"
    }

    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let similarity = |target: &TargetState<'_>| target.similarity.unwrap_or(0.0);
        let best = targets.iter().map(similarity).fold(0.0, f64::max);
        if best < call.min_similarity || best == 0.0 {
            // Those without examples, then the rest, the most alike first.
            let order = by_key(targets, |_, target| target.similarity.map_or(-1.0, |one| 1.0 - one));
            return Picks { order, reason: format!("like no example (at best {best:.2})").into() };
        }
        let order = by_key(targets, |_, target| 1.0 - similarity(target));
        Picks { order, reason: format!("like its examples: {best:.2}").into() }
    }
}
