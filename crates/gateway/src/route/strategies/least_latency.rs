use super::{Facts, Picks, Strategy, TargetState, by_key};

/// The fastest of late first. Each call in flight makes a target look slower, so that not everybody runs to the same
/// one; one that nobody has measured of late is taken for as fast as the fastest.
#[derive(Debug)]
pub(super) struct LeastLatency;

impl Strategy for LeastLatency {
    fn name(&self) -> &'static str {
        "least_latency"
    }

    fn order(&self, _: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks {
        let fastest = targets.iter().filter_map(|target| target.latency_ms).fold(f64::INFINITY, f64::min);
        let fastest = if fastest.is_finite() { fastest } else { 1.0 };
        // Just below the fastest, so that it is measured.
        let unknown = fastest * 0.999;
        let key = |_, target: &TargetState<'_>| {
            target.latency_ms.unwrap_or(unknown).max(0.001) * (target.in_flight + 1) as f64
        };
        let order = by_key(targets, key);
        let first = order.first().and_then(|place| targets.get(*place)).and_then(|target| target.latency_ms);
        let reason = first.map_or_else(|| "not measured of late".into(), |ms| format!("{ms:.0} ms of late").into());
        Picks { order, reason }
    }
}
