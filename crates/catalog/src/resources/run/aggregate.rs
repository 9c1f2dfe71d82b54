//! What came out of a run, in sum.

use std::collections::{BTreeMap, BTreeSet};

use super::types::{ItemNumbers, MetricSummary, RunMetric, RunScore, RunSummary, Spread};

const MOST_LABELS: usize = 20;

/// The sum of all items.
pub(super) fn summary(metrics: &[RunMetric], items: &[ItemNumbers]) -> RunSummary {
    let mut names: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    let scored: BTreeSet<&str> = items.iter().flat_map(|item| item.scores.keys().map(String::as_str)).collect();
    names.extend(scored.into_iter().filter(|name| metrics.iter().all(|metric| metric.name != *name)));
    RunSummary {
        metrics: names.into_iter().map(|name| of_metric(name, items)).collect(),
        errors: items.iter().filter(|item| item.is_error).count() as u64,
        latency_ms: spread(items.iter().filter_map(|item| item.latency_ms).collect()),
        input_tokens: sum(items.iter().filter_map(|item| item.input_tokens)),
        output_tokens: sum(items.iter().filter_map(|item| item.output_tokens)),
        cost: items.iter().filter_map(|item| item.cost).reduce(|all, one| all + one),
        segments: segments(items),
    }
}

fn sum(numbers: impl Iterator<Item = u64>) -> Option<u64> {
    numbers.reduce(u64::saturating_add)
}

fn of_metric(name: &str, items: &[ItemNumbers]) -> MetricSummary {
    let scores: Vec<&RunScore> = items.iter().filter_map(|item| item.scores.get(name)).collect();
    let verdicts: Vec<bool> = scores.iter().filter_map(|score| score.passed).collect();
    let passed = verdicts.iter().filter(|passed| **passed).count();
    let mut labels: BTreeMap<String, u64> = BTreeMap::new();
    for label in scores.iter().filter_map(|score| score.label.as_ref()) {
        *labels.entry(label.clone()).or_default() += 1;
    }
    if labels.len() > MOST_LABELS {
        let mut counts: Vec<(String, u64)> = labels.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        labels = counts.into_iter().take(MOST_LABELS).collect();
    }
    MetricSummary {
        metric: name.to_owned(),
        errors: scores.iter().filter(|score| score.error.is_some()).count() as u64,
        values: spread(scores.iter().filter_map(|score| score.number()).collect()),
        pass_rate: (!verdicts.is_empty()).then(|| passed as f64 / verdicts.len() as f64),
        labels,
    }
}

fn segments(items: &[ItemNumbers]) -> BTreeMap<String, u64> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (field, value) in items.iter().flat_map(|item| &item.segments) {
        values.entry(field).or_default().insert(value);
    }
    values.into_iter().map(|(field, values)| (field.to_owned(), values.len() as u64)).collect()
}

/// How numbers lie; `None` of none.
fn spread(mut numbers: Vec<f64>) -> Option<Spread> {
    numbers.sort_by(f64::total_cmp);
    let (min, max) = (*numbers.first()?, *numbers.last()?);
    let n = numbers.len();
    let mean = numbers.iter().sum::<f64>() / n as f64;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    let sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
    let at = |share: f64| quantile(&numbers, share);
    Some(Spread {
        n: n as u64,
        mean,
        sd,
        min,
        p10: at(0.1),
        p25: at(0.25),
        p50: at(0.5),
        p75: at(0.75),
        p90: at(0.9),
        max,
    })
}

/// Of sorted numbers, between two of them by their distance (type 7 of Hyndman and Fan 1996, what NumPy does).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let low = sorted.get(place.floor() as usize).copied().unwrap_or_default();
    let high = sorted.get(place.ceil() as usize).copied().unwrap_or(low);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use signalbox_types::Money;

    use super::*;

    #[test]
    fn numbers_lie_as_numpy_says() {
        let found = spread(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((found.n, found.mean, found.min, found.max), (4, 2.5, 1.0, 4.0));
        // numpy.std(ddof=1), numpy.quantile
        assert!((found.sd.unwrap() - 1.290_994_448_735_805_6).abs() < 1e-12);
        assert!((found.p10 - 1.3).abs() < 1e-12 && (found.p25 - 1.75).abs() < 1e-12 && (found.p90 - 3.7).abs() < 1e-12);
        assert_eq!(spread(vec![2.0]).unwrap().sd, None);
        assert_eq!(spread(vec![]), None);
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let item = |cost: Option<f64>, score: RunScore| ItemNumbers {
            cost: cost.and_then(Money::from_dollars),
            scores: BTreeMap::from([("kind".to_owned(), score)]),
            ..ItemNumbers::default()
        };
        let passing = RunScore { passed: Some(true), label: Some("a".to_owned()), ..RunScore::default() };
        let failed = RunScore { error: Some("no context".to_owned()), ..RunScore::default() };
        let items = [item(None, passing.clone()), item(Some(0.5), failed), item(Some(0.0), passing)];
        let found = summary(&[], &items);
        assert_eq!((found.cost.map(Money::as_dollars), found.input_tokens, found.latency_ms), (Some(0.5), None, None));
        let metric = &found.metrics[0];
        assert_eq!((metric.metric.as_str(), metric.errors, metric.pass_rate), ("kind", 1, Some(1.0)));
        assert_eq!((metric.values.unwrap().n, metric.labels["a"]), (2, 2));
        assert_eq!(summary(&[], &items[..1]).cost, None);
    }
}
