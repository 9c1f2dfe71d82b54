//! Multi-window, multi-burn-rate alerts (Google, The Site Reliability Workbook, chapter 5): the long window says that much of the
//! budget is at stake, the short one that it goes on, so that the alert ends soon after the fault does.

use std::time::Duration;

use super::{Judgement, Need, Outcome, Point, shown};
use crate::config::{BurnRate, Severity};

pub(super) fn needs(burn: &BurnRate) -> Vec<Need> {
    let need = |width: Duration| Need { ago: Duration::ZERO, width };
    burn.windows.iter().flat_map(|window| [need(window.long.0), need(window.short.0)]).collect()
}

/// How many times as fast as would spend the budget by the end of the period.
fn rate(burn: &BurnRate, point: Option<&Point>) -> Option<f64> {
    let value = point?.value;
    let bad = if burn.good { 1.0 - value } else { value };
    Some(bad / (1.0 - burn.objective))
}

/// The bad events of a window.
pub(crate) fn bad(burn: &BurnRate, point: &Point) -> f64 {
    if burn.good { (point.over.unwrap_or_default() - point.of).max(0.0) } else { point.of }
}

pub(super) fn judge(burn: &BurnRate, min_samples: f64, points: &[Option<Point>]) -> Judgement {
    let mut worst: Option<(Option<Severity>, Judgement)> = None;
    let mut samples = None::<f64>;
    let mut fastest = 0.0_f64;
    for (window, pair) in burn.windows.iter().zip(points.chunks(2)) {
        let long = pair.first().and_then(Option::as_ref);
        samples = long.map(|long| long.samples.max(samples.unwrap_or_default())).or(samples);
        let enough = long.is_some_and(|long| long.samples >= min_samples && bad(burn, long) >= burn.min_bad);
        let rates = [pair.first(), pair.get(1)].map(|point| rate(burn, point.and_then(Option::as_ref)));
        let [Some(long), Some(short)] = rates else { continue };
        fastest = fastest.max(short);
        if !enough || long < window.factor || short < window.factor {
            continue;
        }
        let text = format!(
            "the budget is spent {} times too fast over {} and {} times over {} (limit {})",
            shown(long),
            window.long,
            shown(short),
            window.short,
            shown(window.factor)
        );
        let found = Judgement { severity: window.severity, ..Judgement::new(Outcome::Breach, text) };
        let found = found.of(long, Some(window.factor));
        if worst.as_ref().is_none_or(|(severity, _)| *severity < window.severity) {
            worst = Some((window.severity, found));
        }
    }
    worst.map(|(_, found)| found).unwrap_or_else(|| {
        if let Some(samples) = samples.filter(|samples| *samples < min_samples) {
            let text = format!("only {samples} rows, fewer than {min_samples}");
            return Judgement::new(Outcome::Hold, text).of(fastest, None);
        }
        let text = format!("the budget is spent {} times as fast as it may be", shown(fastest));
        Judgement::new(Outcome::Clear, text).of(fastest, burn.windows.first().map(|window| window.factor))
    })
}
