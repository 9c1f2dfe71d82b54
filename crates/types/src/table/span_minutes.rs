//! `span_minutes`: spans summed up a minute at a time, kept longer than the spans themselves.

use std::collections::HashMap;

use super::ColumnType::{Bool, Float, Int, Money as MoneyType, Text, Time};
use super::{Cell, Column, Identity, Record, Retention, SPANS, Sums, Table};
use crate::{Money, Span, Timestamp, Verdict};

/// The table of minutes.
pub static SPAN_MINUTES: Table = Table {
    name: "span_minutes",
    doc: "Spans summed up by minute, kept for ever: a row for each minute, combination of the text columns and class of \
          duration. The same spans may be told of in several rows: sum them, don't count them.",
    columns: COLUMNS,
    time_column: "start_time",
    sort: &["project_id", "start_time"],
    key: &[],
    identity: Identity::Appended,
    sums: Some(Sums { of: &SPANS, weight: "spans" }),
    retention: Retention::Aggregates,
};

const COLUMNS: &[Column] = &[
    Column::hot("project_id", Text, "The tenant.").required(),
    Column::hot("start_time", Time, "The minute in which the spans began.").required(),
    Column::hot("kind", Text, "llm, embedding, retriever, tool, agent, chain, …").required(),
    Column::hot("provider", Text, "`gen_ai.provider.name`."),
    Column::hot("model", Text, "The model that answered, or else the one asked for."),
    Column::hot("environment", Text, "`deployment.environment.name`."),
    Column::hot("service_name", Text, "`service.name`."),
    Column::hot("prompt_name", Text, "`gen_ai.prompt.name`."),
    Column::hot("prompt_version", Text, "`gen_ai.prompt.version`."),
    Column::hot("status", Text, "unset, ok or error.").required(),
    Column::hot("error_type", Text, "`error.type`, e.g. rate_limited."),
    Column::hot("verdict", Text, "Strongest guardrail action: allow, flag, redact or block."),
    Column::hot(
        "counted",
        Bool,
        "Their tokens and cost count in sums; false where other spans tell of the same calls.",
    )
    .required(),
    Column::hot("duration_ms", Float, "How long each took, at most 2.5 % more or less.").required().unit("ms"),
    Column::hot("spans", Int, "How many.").required().summed(),
    Column::hot("duration_total_ms", Float, "How long they took together, exactly.").required().unit("ms").summed(),
    Column::hot("input_tokens", Int, "`gen_ai.usage.input_tokens`, cached ones included.").unit("tokens").summed(),
    Column::hot("output_tokens", Int, "`gen_ai.usage.output_tokens`, reasoning included.").unit("tokens").summed(),
    Column::hot("cache_read_tokens", Int, "`gen_ai.usage.cache_read.input_tokens`.").unit("tokens").summed(),
    Column::hot("cache_write_tokens", Int, "`gen_ai.usage.cache_write.input_tokens`.").unit("tokens").summed(),
    Column::hot("reasoning_tokens", Int, "`gen_ai.usage.reasoning.output_tokens`.").unit("tokens").summed(),
    Column::hot("total_tokens", Int, "Input and output tokens.").unit("tokens").summed(),
    Column::hot("cost", MoneyType, "What they cost, as far as that is known.").unit("USD").summed(),
];

/// The text columns, in their order.
pub const MINUTE_TEXTS: [&str; 10] = [
    "kind",
    "provider",
    "model",
    "environment",
    "service_name",
    "prompt_name",
    "prompt_version",
    "status",
    "error_type",
    "verdict",
];

/// The token columns, in their order.
pub const MINUTE_TOKENS: [&str; 6] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens"];

const MINUTE_MICROS: i64 = 60_000_000;

/// Classes of durations, as in DDSketch (Masson, Rim and Lee, 2019): each is so many times as long as
/// the one before, which bounds the relative error of every quantile by 2.5 %.
const GROWTH: f64 = 1.05;
/// What takes no longer is in the first class, as nothing.
const SHORTEST_MS: f64 = 0.001;

/// The number of the class that a duration is in; 0 is nothing.
fn class_of(duration_ms: f64) -> i32 {
    if duration_ms.is_nan() || duration_ms <= SHORTEST_MS {
        return 0;
    }
    1 + ((duration_ms / SHORTEST_MS).ln() / GROWTH.ln()).floor().min(1e4) as i32
}

/// What stands for the durations of a class: as far from its shortest as from its longest, in parts of each.
fn middle_of(class: i32) -> f64 {
    if class <= 0 { 0.0 } else { SHORTEST_MS * GROWTH.powi(class - 1) * 2.0 * GROWTH / (1.0 + GROWTH) }
}

/// What minutes need to know of a span, or of several that are alike.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Minute<'a> {
    /// The tenant.
    pub project: &'a str,
    /// When it began.
    pub start: Timestamp,
    /// [`MINUTE_TEXTS`].
    pub texts: [Option<&'a str>; MINUTE_TEXTS.len()],
    /// `counted`.
    pub counted: bool,
    /// How long each took.
    pub duration_ms: f64,
    /// How many there are; fewer than none takes some away.
    pub spans: i64,
    /// How long they took together.
    pub duration_total_ms: f64,
    /// [`MINUTE_TOKENS`].
    pub tokens: [Option<i64>; MINUTE_TOKENS.len()],
    /// What they cost.
    pub cost: Option<Money>,
}

impl<'a> Minute<'a> {
    /// Of one span.
    #[must_use]
    pub fn of(span: &'a Span) -> Self {
        let count = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let usage = &span.usage;
        Self {
            project: span.project_id.as_str(),
            start: span.start_time,
            texts: [
                Some(span.kind.as_str()),
                span.provider.as_deref(),
                span.model(),
                span.environment.as_deref(),
                span.service_name.as_deref(),
                span.prompt_name.as_deref(),
                span.prompt_version.as_deref(),
                Some(span.status.as_str()),
                span.error_type.as_deref(),
                span.verdict.map(Verdict::as_str),
            ],
            counted: span.counted,
            duration_ms: span.duration_ms(),
            spans: 1,
            duration_total_ms: span.duration_ms(),
            tokens: [
                usage.input_tokens,
                usage.output_tokens,
                usage.cache_read_tokens,
                usage.cache_write_tokens,
                usage.reasoning_tokens,
                usage.total(),
            ]
            .map(count),
            cost: span.cost.as_ref().map(|cost| cost.total),
        }
    }

    /// The same, to be taken away.
    #[must_use]
    pub fn negative(self) -> Self {
        Self {
            spans: -self.spans,
            duration_total_ms: -self.duration_total_ms,
            tokens: self.tokens.map(|tokens| tokens.map(|tokens| -tokens)),
            cost: self.cost.map(|cost| Money::from_picos(-cost.as_picos())),
            ..self
        }
    }
}

/// Who a row is: its project and texts by number, minute, `counted` and class of duration.
type Place = (u32, i64, bool, i32);

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    spans: i64,
    duration_ms: f64,
    tokens: [Option<i64>; MINUTE_TOKENS.len()],
    cost: Option<Money>,
}

/// A project and texts.
type Name = (String, [Option<String>; MINUTE_TEXTS.len()]);

/// Minutes being summed up.
#[derive(Debug, Default)]
pub struct Minutes {
    names: Vec<Name>,
    /// Where in `names` is what.
    numbers: HashMap<Vec<u8>, u32>,
    totals: HashMap<Place, Total>,
    buffer: Vec<u8>,
}

impl Minutes {
    /// Adds a span, or several that are alike.
    pub fn add(&mut self, minute: &Minute<'_>) {
        let name = self.number(minute);
        let start = minute.start.as_micros().div_euclid(MINUTE_MICROS);
        let total = self.totals.entry((name, start, minute.counted, class_of(minute.duration_ms))).or_default();
        total.spans += minute.spans;
        total.duration_ms += minute.duration_total_ms;
        for (total, more) in total.tokens.iter_mut().zip(minute.tokens) {
            *total = sum(*total, more, i64::saturating_add);
        }
        let plus = |a: Money, b: Money| Money::from_picos(a.as_picos().saturating_add(b.as_picos()));
        total.cost = sum(total.cost, minute.cost, plus);
    }

    /// A number for its project and texts.
    fn number(&mut self, minute: &Minute<'_>) -> u32 {
        self.buffer.clear();
        for text in [Some(minute.project)].into_iter().chain(minute.texts) {
            // With its length, so that two texts can't pass for two others.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            self.buffer.extend_from_slice(&length.to_le_bytes());
            self.buffer.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        if let Some(number) = self.numbers.get(&self.buffer) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(self.buffer.clone(), number);
        self.names.push((minute.project.to_owned(), minute.texts.map(|text| text.map(str::to_owned))));
        number
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.totals.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty()
    }

    /// The rows of which something is left, in the table's order.
    #[must_use]
    pub fn into_rows(self) -> Vec<MinuteRow> {
        let left = self.totals.into_iter().filter(|(_, total)| total.spans != 0);
        let mut rows: Vec<MinuteRow> = left
            .filter_map(|((name, start, counted, class), total)| {
                let (project, texts) = self.names.get(name as usize)?.clone();
                let start = Timestamp::from_micros(start * MINUTE_MICROS);
                Some(MinuteRow { project, start, texts, counted, duration_ms: middle_of(class), total })
            })
            .collect();
        rows.sort_by(|left, right| left.order().partial_cmp(&right.order()).unwrap_or(std::cmp::Ordering::Equal));
        rows
    }
}

fn sum<T: Copy>(total: Option<T>, more: Option<T>, plus: fn(T, T) -> T) -> Option<T> {
    match (total, more) {
        (Some(total), Some(more)) => Some(plus(total, more)),
        (total, more) => total.or(more),
    }
}

/// A row of [`SPAN_MINUTES`].
#[derive(Debug, Clone)]
pub struct MinuteRow {
    project: String,
    start: Timestamp,
    texts: [Option<String>; MINUTE_TEXTS.len()],
    counted: bool,
    duration_ms: f64,
    total: Total,
}

impl MinuteRow {
    fn order(&self) -> impl PartialOrd + '_ {
        (&self.project, self.start, &self.texts, self.counted, self.duration_ms)
    }
}

impl Record for MinuteRow {
    fn table() -> &'static Table {
        &SPAN_MINUTES
    }

    fn cells<'a>(&'a self, out: &mut Vec<Cell<'a>>) {
        out.extend([Cell::text(Some(&self.project)), Cell::Time(self.start)]);
        out.extend(self.texts.iter().map(|text| Cell::text(text.as_deref())));
        out.extend([
            Cell::Bool(self.counted),
            Cell::Float(self.duration_ms),
            Cell::Int(self.total.spans),
            Cell::Float(self.total.duration_ms),
        ]);
        out.extend(self.total.tokens.map(|tokens| tokens.map_or(Cell::Null, Cell::Int)));
        out.push(self.total.cost.map_or(Cell::Null, Cell::Money));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(project: &'static str, seconds: i64, model: Option<&'static str>, duration_ms: f64) -> Minute<'static> {
        let texts = [Some("llm"), None, model, None, None, None, None, Some("ok"), None, None];
        let start = Timestamp::from_micros(seconds * 1_000_000);
        let tokens = [Some(10), None, None, None, None, Some(10)];
        let cost = Some(Money::from_picos(5));
        Minute {
            project,
            start,
            texts,
            counted: true,
            duration_ms,
            spans: 1,
            duration_total_ms: duration_ms,
            tokens,
            cost,
        }
    }

    #[test]
    fn what_is_alike_is_one_row() {
        let mut minutes = Minutes::default();
        for one in [
            minute("p", 61, Some("a"), 100.0),
            minute("p", 119, Some("a"), 100.0),
            minute("p", 120, Some("a"), 100.0),
            minute("p", 61, None, 100.0),
            minute("q", 61, Some("a"), 100.0),
        ] {
            minutes.add(&one);
        }
        let rows = minutes.into_rows();
        assert_eq!(rows.iter().map(|row| row.total.spans).collect::<Vec<_>>(), [1, 2, 1, 1]);
        let row = &rows[1];
        assert_eq!(
            (row.project.as_str(), row.start, row.texts[2].as_deref()),
            ("p", Timestamp::from_micros(60_000_000), Some("a"))
        );
        assert_eq!((row.total.tokens[0], row.total.tokens[1], row.total.duration_ms), (Some(20), None, 200.0));
        assert_eq!(row.total.cost, Some(Money::from_picos(10)));
    }

    #[test]
    fn what_is_taken_away_leaves_no_row() {
        let mut minutes = Minutes::default();
        let (kept, gone) = (minute("p", 1, Some("a"), 7.0), minute("p", 1, Some("b"), 7.0));
        [kept, gone, gone.negative()].iter().for_each(|one| minutes.add(one));
        let rows = minutes.into_rows();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].texts[2].as_deref(), Some("a"));
    }

    #[test]
    fn classes_are_narrow() {
        let mut duration = 0.002;
        while duration < 1e8 {
            let middle = middle_of(class_of(duration));
            assert!((middle / duration - 1.0).abs() < 0.0251, "{duration} became {middle}");
            // What was a row is a row of the same class again.
            assert_eq!(class_of(middle), class_of(duration));
            duration *= 1.007;
        }
        for nothing in [0.0, -1.0, f64::NAN, 0.0005] {
            assert_eq!(middle_of(class_of(nothing)), 0.0);
        }
        assert!(middle_of(class_of(f64::INFINITY)).is_finite());
    }

    #[test]
    fn columns_are_those_of_spans() {
        for name in MINUTE_TEXTS.iter().chain(&MINUTE_TOKENS).chain(&["start_time", "duration_ms", "cost", "counted"]) {
            let (here, there) = (SPAN_MINUTES.column(name).unwrap(), SPANS.column(name).unwrap());
            assert_eq!((here.ty, here.unit, here.nullable), (there.ty, there.unit, there.nullable), "{name}");
        }
        let in_order = |names: &[&str]| names.iter().map(|name| SPAN_MINUTES.position(name)).is_sorted();
        assert!(in_order(&MINUTE_TEXTS) && in_order(&MINUTE_TOKENS));
    }
}
