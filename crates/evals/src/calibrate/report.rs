//! A judge beside people: how often they say the same, what they take for what, and by which kind of item.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::Serialize;

use super::alpha::{Difference, krippendorff_alpha};
use super::kappa::{Confusion, Weights, fleiss_kappa};

/// Resamples for an interval.
const RESAMPLES: usize = 1_000;
/// With fewer items an interval says nothing.
const LEAST_ITEMS: usize = 10;
const SEED: u64 = 6;

/// An item with what people and a judge say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rated {
    /// What each person says; `None` of who said nothing.
    pub people: Vec<Option<String>>,
    /// What the judge says.
    pub judge: Option<String>,
    /// A kind of item.
    pub segment: Option<String>,
}

impl Rated {
    /// What most people say; `None` if nobody does, or as many say something else.
    #[must_use]
    pub fn gold(&self) -> Option<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for said in self.people.iter().flatten() {
            *counts.entry(said).or_insert(0) += 1;
        }
        let most = counts.values().max()?;
        let mut first = counts.iter().filter(|(_, count)| *count == most);
        match (first.next(), first.next()) {
            (Some((label, _)), None) => Some((*label).to_owned()),
            _ => None,
        }
    }
}

/// How far a judge agrees with people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// All items.
    pub items: usize,
    /// Those on which people are of one mind and the judge said something.
    pub compared: usize,
    /// Those on which people are divided, or said nothing.
    pub undecided: usize,
    /// Those that people decided and the judge didn't.
    pub unjudged: usize,
    /// The share of those compared on which the judge says what people say.
    pub accuracy: Option<f64>,
    /// Cohen's kappa: agreement beyond chance.
    pub kappa: Option<f64>,
    /// Where kappa lies with a confidence of 95 %, by 1,000 resamples of the items.
    pub kappa_interval: Option<Interval>,
    /// Kappa by how many labels lie between, if labels are numbers.
    pub kappa_linear: Option<f64>,
    /// Kappa by the square of that, if labels are numbers.
    pub kappa_quadratic: Option<f64>,
    /// Krippendorff's alpha of people's label and the judge's.
    pub alpha: Option<f64>,
    /// What alpha takes labels for.
    pub difference: Difference,
    /// The judge's number less people's, on average, if labels are numbers: above 0, it is kinder.
    pub bias: Option<f64>,
    /// Rows are people's labels, columns the judge's.
    pub confusion: Confusion,
    /// Each label.
    pub classes: Vec<PerClass>,
    /// Each kind of item.
    pub segments: Vec<Segment>,
    /// People among themselves, if several judged.
    pub people: Option<Raters>,
}

/// From here to there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerClass {
    /// The label.
    pub label: String,
    /// How often people say it.
    pub people: u64,
    /// How often the judge says it.
    pub judge: u64,
    /// Of what the judge says it of, the share of which people say it; `None` if the judge never does.
    pub precision: Option<f64>,
    /// Of what people say it of, the share of which the judge says it; `None` if people never do.
    pub recall: Option<f64>,
}

/// A kind of item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Items compared.
    pub compared: usize,
    /// As of all.
    pub accuracy: Option<f64>,
    /// As of all.
    pub kappa: Option<f64>,
}

/// People among themselves: a judge can't be expected to agree with them more than they do with each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Raters {
    /// The most that judged one item.
    pub raters: usize,
    /// Krippendorff's alpha.
    pub alpha: Option<f64>,
    /// Fleiss' kappa, if every item was judged by as many.
    pub fleiss_kappa: Option<f64>,
}

/// Compares a judge with people. `order` lists the labels that there are in their order; others come after them. Labels that are all
/// numbers are levels, by size.
#[must_use]
pub fn compare(items: &[Rated], order: &[String]) -> Agreement {
    let labels = labels(items, order);
    let place = |label: &str| labels.iter().position(|one| one == label);
    let number = |at: usize| labels.get(at).and_then(|label| label.parse::<f64>().ok());
    let are_numbers = !labels.is_empty() && (0..labels.len()).all(|at| number(at).is_some());
    let value = |at: usize| number(at).filter(|_| are_numbers).unwrap_or(at as f64);
    let difference = if are_numbers || !order.is_empty() { Difference::Ordinal } else { Difference::Nominal };

    let (mut pairs, mut segments) = (Vec::new(), BTreeMap::<&str, Vec<(usize, usize)>>::new());
    let (mut undecided, mut unjudged) = (0, 0);
    for item in items {
        let Some(gold) = item.gold().and_then(|label| place(&label)) else {
            undecided += 1;
            continue;
        };
        let Some(judge) = item.judge.as_deref().and_then(place) else {
            unjudged += 1;
            continue;
        };
        pairs.push((gold, judge));
        if let Some(segment) = &item.segment {
            segments.entry(segment).or_default().push((gold, judge));
        }
    }
    let confusion = |pairs: &[(usize, usize)]| Confusion::new(labels.clone(), pairs.iter().copied());
    let all = confusion(&pairs);
    let ordered = |weights| all.kappa(weights).filter(|_| difference == Difference::Ordinal);
    let of_segment = |(name, pairs): (&str, Vec<(usize, usize)>)| {
        let own = confusion(&pairs);
        let (accuracy, kappa) = (own.accuracy(), own.kappa(Weights::None));
        Segment { name: name.to_owned(), compared: pairs.len(), accuracy, kappa }
    };
    let units: Vec<Vec<f64>> = pairs.iter().map(|(gold, judge)| vec![value(*gold), value(*judge)]).collect();
    let bias = || units.iter().map(|pair| pair[1] - pair[0]).sum::<f64>() / units.len() as f64;
    Agreement {
        items: items.len(),
        compared: pairs.len(),
        undecided,
        unjudged,
        accuracy: all.accuracy(),
        kappa: all.kappa(Weights::None),
        kappa_interval: interval(&pairs, &labels),
        kappa_linear: ordered(Weights::Linear),
        kappa_quadratic: ordered(Weights::Quadratic),
        alpha: krippendorff_alpha(&units, difference),
        difference,
        bias: (are_numbers && !units.is_empty()).then(bias),
        classes: classes(&all),
        segments: segments.into_iter().map(of_segment).collect(),
        people: raters(items, &labels, difference, &value),
        confusion: all,
    }
}

fn labels(items: &[Rated], order: &[String]) -> Vec<String> {
    let said = items.iter().flat_map(|item| item.people.iter().flatten().chain(&item.judge));
    let mut rest: Vec<String> = said.filter(|label| !order.contains(label)).cloned().collect();
    rest.sort();
    rest.dedup();
    let mut labels = order.to_vec();
    labels.extend(rest);
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    if let Some(numbers) = numbers {
        let mut both: Vec<(f64, String)> = numbers.into_iter().zip(labels).collect();
        both.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        labels = both.into_iter().map(|(_, label)| label).collect();
    }
    labels
}

fn classes(confusion: &Confusion) -> Vec<PerClass> {
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let each = confusion.labels.iter().enumerate().map(|(at, label)| {
        let (people, judge, both) = confusion.margins(at);
        PerClass { label: label.clone(), people, judge, precision: share(both, judge), recall: share(both, people) }
    });
    each.filter(|class| class.people + class.judge > 0).collect()
}

fn raters(items: &[Rated], labels: &[String], difference: Difference, value: &dyn Fn(usize) -> f64) -> Option<Raters> {
    let place = |label: &String| labels.iter().position(|one| one == label);
    let said: Vec<Vec<usize>> =
        items.iter().map(|item| item.people.iter().flatten().filter_map(place).collect()).collect();
    let raters = said.iter().map(Vec::len).max().filter(|most| *most > 1)?;
    let units: Vec<Vec<f64>> = said.iter().map(|unit| unit.iter().map(|at| value(*at)).collect()).collect();
    let counts = |unit: &Vec<usize>| -> Vec<u64> {
        (0..labels.len()).map(|label| unit.iter().filter(|at| **at == label).count() as u64).collect()
    };
    let counts: Vec<Vec<u64>> = said.iter().map(counts).collect();
    Some(Raters { raters, alpha: krippendorff_alpha(&units, difference), fleiss_kappa: fleiss_kappa(&counts) })
}

/// The percentile bootstrap over items. Resamples without a kappa are left out; if they are many, there is no interval.
fn interval(pairs: &[(usize, usize)], labels: &[String]) -> Option<Interval> {
    if pairs.len() < LEAST_ITEMS {
        return None;
    }
    let mut random = Rng::with_seed(SEED);
    let mut drawn = Confusion::new(labels.to_vec(), []);
    let mut kappas: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            drawn.counts.iter_mut().flatten().for_each(|count| *count = 0);
            drawn.add((0..pairs.len()).filter_map(|_| pairs.get(random.usize(..pairs.len())).copied()));
            drawn.kappa(Weights::None)
        })
        .collect();
    if kappas.len() < RESAMPLES * 9 / 10 {
        return None;
    }
    kappas.sort_by(f64::total_cmp);
    let at = |share: f64| kappas.get(((kappas.len() - 1) as f64 * share).round() as usize).copied();
    Some(Interval { low: at(0.025)?, high: at(0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rated(people: &[&str], judge: &str, segment: &str) -> Rated {
        let said = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        Rated { people: people.iter().map(|word| said(word)).collect(), judge: said(judge), segment: said(segment) }
    }

    #[test]
    fn words_have_no_order_and_segments_are_told_apart() {
        let items = [
            // scikit-learn's documentation of cohen_kappa_score: kappa 0.6875.
            rated(&["negative"], "negative", "a"),
            rated(&["positive"], "positive", "a"),
            rated(&["negative"], "negative", "a"),
            rated(&["neutral"], "neutral", "b"),
            rated(&["positive"], "negative", "b"),
            rated(&["positive", "negative"], "positive", "b"),
            rated(&["positive"], "", "b"),
        ];
        let told = compare(&items, &[]);
        assert_eq!((told.items, told.compared, told.undecided, told.unjudged), (7, 5, 1, 1));
        assert!((told.kappa.unwrap() - 0.6875).abs() < 1e-9, "{told:?}");
        assert_eq!((told.accuracy, told.kappa_linear, told.kappa_interval, told.bias), (Some(0.8), None, None, None));
        let segments: Vec<_> =
            told.segments.iter().map(|one| (one.name.as_str(), one.compared, one.accuracy)).collect();
        assert_eq!(segments, [("a", 3, Some(1.0)), ("b", 2, Some(0.5))]);
        let negative = &told.classes[0];
        assert_eq!((negative.label.as_str(), negative.people, negative.judge), ("negative", 2, 3));
        assert!((negative.precision.unwrap() - 2.0 / 3.0).abs() < 1e-12 && negative.recall == Some(1.0));
        assert_eq!(told.confusion.counts, [[2, 0, 0], [0, 1, 0], [1, 0, 1]]);
        assert_eq!(told.people.unwrap().raters, 2);
    }

    #[test]
    fn numbers_are_levels_by_size() {
        let items: Vec<Rated> = (0..40)
            .map(|at| {
                let level = ["2", "10", "9", "1"][at % 4];
                let judge = if at % 10 == 0 { "9" } else { level };
                rated(&[level, level, if at % 7 == 0 { "10" } else { level }], judge, "")
            })
            .collect();
        let told = compare(&items, &[]);
        assert_eq!(told.confusion.labels, ["1", "2", "9", "10"]);
        assert_eq!(told.difference, Difference::Ordinal);
        let interval = told.kappa_interval.unwrap();
        assert!(interval.low < told.kappa.unwrap() && told.kappa.unwrap() < interval.high, "{told:?}");
        assert!(told.bias.unwrap() > 0.0);
        let people = told.people.unwrap();
        assert!(people.alpha.unwrap() > 0.6 && people.fleiss_kappa.unwrap() > 0.6, "{people:?}");
        assert_eq!(compare(&[], &[]).kappa, None);
    }

    /// The interval covers: of coins with a known kappa, about 95 of 100 intervals hold it.
    #[test]
    fn the_interval_covers() {
        let mut random = Rng::with_seed(11);
        // Two raters, each label as likely; they say the same by will in 60 %, else by chance: kappa is 0.6.
        let trial = |random: &mut Rng| {
            let pairs: Vec<(usize, usize)> = (0..120)
                .map(|_| {
                    let one = random.usize(..2);
                    (one, if random.f64() < 0.6 { one } else { random.usize(..2) })
                })
                .collect();
            let interval = interval(&pairs, &["0".to_owned(), "1".to_owned()]).unwrap();
            interval.low <= 0.6 && 0.6 <= interval.high
        };
        let held = (0..100).filter(|_| trial(&mut random)).count();
        assert!(held >= 88, "{held} of 100");
    }
}
