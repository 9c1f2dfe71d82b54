//! In which order a route's targets are asked. A strategy sees only targets that fit the call and may be asked, and
//! orders all of them: who comes later gets the call if those before fail. It is pure: chance and turns come with the
//! call.

mod cheapest;
mod complexity;
mod experiment;
mod least_busy;
mod least_latency;
mod priority;
mod round_robin;
mod semantic;
mod sticky;
#[cfg(test)]
mod tests;
mod weighted;

use std::borrow::Cow;

use signalbox_types::Money;

use super::config::StrategyName;
pub(super) use experiment::assigned;

/// The strategy of a name.
pub(crate) fn find(name: StrategyName) -> &'static dyn Strategy {
    match name {
        StrategyName::Cheapest => &cheapest::Cheapest,
        StrategyName::Complexity => &complexity::ByComplexity,
        StrategyName::Experiment => &experiment::Experiment,
        StrategyName::LeastBusy => &least_busy::LeastBusy,
        StrategyName::LeastLatency => &least_latency::LeastLatency,
        StrategyName::Priority => &priority::Priority,
        StrategyName::RoundRobin => &round_robin::RoundRobin,
        StrategyName::Semantic => &semantic::Semantic,
        StrategyName::Sticky => &sticky::Sticky,
        StrategyName::Weighted => &weighted::Weighted,
    }
}

/// Orders targets.
pub(crate) trait Strategy: Sync + std::fmt::Debug {
    /// Its word in the configuration.
    fn name(&self) -> &'static str;

    /// Each of the targets once, the best first. The same for the same call and targets.
    fn order(&self, call: &Facts<'_>, targets: &[TargetState<'_>]) -> Picks;
}

/// What is known of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// The route's name.
    pub(crate) route: &'a str,
    /// Whom an experiment gives the same arm each time.
    pub(crate) unit: Option<&'a str>,
    /// How hard it looks, from 0 to 1, and why.
    pub(crate) complexity: Option<(f64, &'a str)>,
    /// What is less like an example than this is like none.
    pub(crate) min_similarity: f64,
    /// The session, else the user.
    pub(crate) session: Option<&'a str>,
    /// A number by chance.
    pub(crate) draw: u64,
    /// How many calls of the route came before.
    pub(crate) turn: u64,
}

/// What is known of a target.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TargetState<'a> {
    /// `provider/model`.
    pub(crate) name: &'a str,
    pub(crate) weight: f64,
    pub(crate) in_flight: usize,
    /// To the first content if the call is a stream, else to the end; unknown if nobody asked it of late.
    pub(crate) latency_ms: Option<f64>,
    /// What this call would cost, estimated.
    pub(crate) cost: Option<Money>,
    /// How hard a call may look for it; none for any.
    pub(crate) complexity_up_to: Option<f64>,
    /// How like its examples the call is, if it has any.
    pub(crate) similarity: Option<f64>,
    /// Its arm of an experiment, and that arm's share.
    pub(crate) arm: Option<(&'a str, f64)>,
}

/// The order, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picks {
    /// Places in the list of targets.
    pub(crate) order: Vec<usize>,
    /// For the span.
    pub(crate) reason: Cow<'static, str>,
}

/// The places by a key, the least first; equals stay as they are listed.
fn by_key(targets: &[TargetState<'_>], key: impl Fn(usize, &TargetState<'_>) -> f64) -> Vec<usize> {
    let keys = targets.iter().enumerate().map(|(place, target)| (place, key(place, target)));
    let mut keyed: Vec<(usize, f64)> = keys.collect();
    keyed.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    keyed.into_iter().map(|(place, _)| place).collect()
}

/// A well-mixed number of another one (the finaliser of SplitMix64, public domain).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The less, the earlier: drawn so that each target comes first as often as its weight says, and so on for the rest
/// (exponential variates; also the weighted form of rendezvous hashing). Without weight it comes last.
fn drawn(number: u64, weight: f64) -> f64 {
    // 53 bits, so that it is never 0.
    let fraction = ((mixed(number) >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
    if weight > 0.0 { -fraction.ln() / weight } else { f64::INFINITY }
}

/// FNV-1a: the same in every version, so that an update moves nobody.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
