use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use signalbox_metrics::{Case, Direction, Input};
use signalbox_testkit::builders::{llm_span, span_id, trace_id};
use signalbox_testkit::{ManualClock, MemoryStore};
use signalbox_types::seam::{BoxFuture, Clock, CompletionError, EventStore};
use signalbox_types::{
    ErrorClass, Events, Message, Money, ProjectId, Role, Score, ScoreSource, Span, SpanKind, TimeRange,
};

use super::*;
use crate::{Scored, Scorer, ScorerError};

#[derive(Debug, Default)]
struct List(Mutex<Vec<KeptRule>>);

impl Ledger for List {
    fn rules(&self) -> BoxFuture<'_, Result<Vec<KeptRule>, LedgerError>> {
        Box::pin(async { Ok(self.0.lock().clone()) })
    }

    fn keep(&self, progress: Vec<(ProjectId, String, Progress)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            for (project, name, progress) in progress {
                let mut kept = self.0.lock();
                if let Some(one) = kept.iter_mut().find(|one| one.project == project && one.rule.name == name) {
                    one.progress = progress;
                }
            }
            Ok(())
        })
    }
}

/// A judge that says what it was told to, and counts how often it was asked.
#[derive(Debug, Default)]
struct Scripted {
    asked: AtomicUsize,
    /// Fails so often first.
    fails: usize,
}

impl Scorer for Scripted {
    fn name(&self) -> &str {
        "judge"
    }
    fn inputs(&self) -> &[Input] {
        &[Input::Output]
    }
    fn direction(&self) -> Direction {
        Direction::Higher
    }
    fn source(&self) -> ScoreSource {
        ScoreSource::Judge
    }
    fn score<'a>(&'a self, _: &'a Case) -> BoxFuture<'a, Result<Scored, ScorerError>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if asked < self.fails {
                let class = ErrorClass::RateLimited;
                let error = CompletionError::new(class, "slow down");
                return Err(ScorerError::Completion(error));
            }
            let cost = Money::from_dollars(0.01);
            let reason = "so".to_owned();
            Ok(Scored { value: Some(0.9), label: None, passed: Some(true), reason, evidence: Vec::new(), cost })
        })
    }
}

/// A store, a ledger and a clock that outlive the worker.
struct House {
    store: Arc<MemoryStore>,
    ledger: Arc<List>,
    clock: Arc<ManualClock>,
    judge: Arc<Scripted>,
    config: OnlineConfig,
}

impl House {
    fn new(rules: &[Value]) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(Arc::<ManualClock>::clone(&clock)));
        let kept = rules.iter().map(|rule| KeptRule {
            project: ProjectId::new("p"),
            version: 1,
            rule: serde_json::from_value(rule.clone()).unwrap(),
            progress: Progress::default(),
        });
        let ledger = Arc::new(List(Mutex::new(kept.collect())));
        Self { store, ledger, clock, judge: Arc::default(), config: OnlineConfig::default() }
    }

    async fn start(&self) -> Arc<Online> {
        let judge: Arc<dyn Scorer> = Arc::<Scripted>::clone(&self.judge);
        let make =
            move |_: &ProjectId, config: &ScorerConfig| (config.metric == "judge").then(|| Ok(Arc::clone(&judge)));
        let parts = OnlineParts {
            config: self.config.clone(),
            store: Arc::<MemoryStore>::clone(&self.store),
            ledger: Arc::<List>::clone(&self.ledger),
            workshop: Workshop::with(Arc::new(make)),
            clock: Arc::<ManualClock>::clone(&self.clock),
        };
        Online::start(parts).await.unwrap()
    }

    fn span(&self, number: u64) -> Span {
        llm_span("p", number, "m", self.clock.now(), 0)
    }

    async fn append(&self, spans: Vec<Span>) {
        self.store.append(spans.into()).await.unwrap();
    }

    /// Virtual time passes until it holds.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never: {what}; {} scores", self.store.scores().len());
    }

    async fn until_scores(&self, count: usize) {
        self.until(&format!("{count} scores"), |house| house.store.scores().len() >= count).await;
        // Whatever else might come.
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(self.store.scores().len(), count);
    }

    fn change(&self, change: impl FnOnce(&mut KeptRule)) {
        change(&mut self.ledger.0.lock()[0]);
    }
}

fn rule(more: &Value) -> Value {
    let mut rule = json!({"name": "r", "scorers": [{"metric": "one_line"}]});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

#[tokio::test(start_paused = true)]
async fn what_arrives_and_is_meant_gets_its_score() {
    let house =
        House::new(&[rule(&json!({"filter": {"field": "model", "op": "=", "value": "m"}, "sample_rate": 0.5}))]);
    let online = house.start().await;
    let mut own = house.span(1_000);
    own.attributes.insert(format!("metadata.{OWN_CALL}"), "judge".to_owned());
    let other = llm_span("p", 2_000, "another", house.clock.now(), 0);
    house.append((0..100).map(|number| house.span(number)).chain([own, other]).collect()).await;
    let taken: Vec<_> = (0..100).filter(|number| takes("r", &trace_id(*number), 0.5)).collect();
    house.until_scores(taken.len()).await;

    let scores = house.store.scores();
    let score = scores.iter().find(|score| score.span_id == Some(span_id(taken[0]))).unwrap();
    assert_eq!((score.trace_id, score.name.as_str()), (Some(trace_id(taken[0])), "one_line"));
    assert_eq!((score.value, score.passed, score.source), (Some(1.0), Some(true), ScoreSource::Code));
    assert_eq!(score.time, house.span(taken[0]).end_time, "the time of what is scored");
    let metadata = ["rule", "rule_version", "sample_rate", "weight"].map(|key| score.metadata[key].as_str());
    assert_eq!(metadata, ["r", "1", "0.5", "2"]);
    let state = online.state(&ProjectId::new("p"), "r").unwrap();
    assert_eq!((state.shown.scored_today, state.shown.waiting, state.problem), (taken.len() as u64, 0, None));
    let mut registry = prometheus_client::registry::Registry::default();
    online.metrics().register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(
        text.contains(&format!(r#"signalbox_online_scores_total{{project="p",rule="r"}} {}"#, taken.len())),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_nothing_is_scored_twice_and_nothing_is_missing() {
    let house = House::new(&[rule(&json!({"scorers": [{"metric": "one_line"}, {"metric": "judge"}]}))]);
    let online = house.start().await;
    house.append((0..50).map(|number| house.span(number)).collect()).await;
    house.until_scores(100).await;
    drop(online); // As a kill would: nothing is drained, and the tasks end with their set.
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Stored and never seen by the worker; one has one of its two scores already.
    house.append((50..80).map(|number| house.span(number)).collect()).await;
    let half = house.store.scores().into_iter().find(|score| score.name == "one_line").unwrap();
    let mut half = Score { span_id: Some(span_id(50)), trace_id: Some(trace_id(50)), id: "kept".to_owned(), ..half };
    half.time = house.span(50).end_time;
    house.store.append(vec![half].into()).await.unwrap();
    house.clock.advance(Duration::from_secs(60));

    let again = house.start().await;
    house.until_scores(160).await;
    assert_eq!(house.judge.asked.load(Ordering::SeqCst), 80, "no judge was asked twice");
    assert!(!again.state(&ProjectId::new("p"), "r").unwrap().shown.catching_up);
    let mut ids: BTreeMap<_, usize> = BTreeMap::new();
    for score in house.store.scores() {
        *ids.entry((score.span_id, score.name)).or_default() += 1;
    }
    assert!(ids.len() == 160 && ids.values().all(|count| *count == 1));
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_and_what_the_reader_missed_is_scored_by_the_sweep() {
    let mut house = House::new(&[rule(&json!({}))]);
    house.config.queue = 10;
    let online = house.start().await;
    house.append((0..1_200).map(|number| house.span(number)).collect()).await;
    house.until_scores(1_200).await;
    let shown = online.state(&ProjectId::new("p"), "r").unwrap().shown;
    assert!(shown.counts.dropped > 1_000, "{shown:?}");
    assert!(!shown.catching_up && shown.lag == Duration::ZERO, "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_budget_stops_judges_until_the_next_day() {
    let house = House::new(&[rule(&json!({"scorers": [{"metric": "judge"}], "budget": {"usd_per_day": 0.05}}))]);
    let online = house.start().await;
    let day = |from: u64| (from..from + 20).map(|number| house.span(number)).collect::<Vec<_>>();
    for span in day(0) {
        house.append(vec![span]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    house.until_scores(5).await;
    let shown = online.state(&ProjectId::new("p"), "r").unwrap().shown;
    assert_eq!((shown.spent_today, shown.counts.over_budget), (Money::from_dollars(0.05).unwrap(), 15));
    drop(online);
    // The budget is one of the day, not of the process.
    let online = house.start().await;
    house.append(day(20)).await;
    house.until_scores(5).await;
    house.clock.advance(Duration::from_secs(86_400));
    let spans = day(40);
    house.append(vec![spans[0].clone()]).await;
    house.until_scores(6).await;
    assert_eq!(online.state(&ProjectId::new("p"), "r").unwrap().shown.spent_today, Money::from_dollars(0.01).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_number_of_scores_a_day_is_a_budget_too() {
    let house = House::new(&[rule(&json!({"budget": {"scores_per_day": 7}}))]);
    let _online = house.start().await;
    house.append((0..20).map(|number| house.span(number)).collect()).await;
    house.until_scores(7).await;
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_is_busy_is_asked_again_later() {
    let mut house = House::new(&[rule(&json!({"scorers": [{"metric": "judge"}]}))]);
    house.judge = Arc::new(Scripted { fails: 2, ..Scripted::default() });
    let online = house.start().await;
    house.append(vec![house.span(1), house.span(2)]).await;
    house.until("two failures", |house| house.judge.asked.load(Ordering::SeqCst) == 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let shown = online.state(&ProjectId::new("p"), "r").unwrap().shown;
    assert_eq!((shown.counts.failed, house.store.scores().len()), (2, 0));
    assert!(shown.last_error.unwrap().1.contains("slow down"));
    assert_eq!(house.judge.asked.load(Ordering::SeqCst), 2, "not at once");
    house.clock.advance(Duration::from_secs(61));
    house.until_scores(2).await;
}

#[tokio::test(start_paused = true)]
async fn history_is_scored_with_progress_and_can_be_cancelled() {
    let house = House::new(&[rule(&json!({}))]);
    let begin = house.clock.now();
    for hour in 0..10_u64 {
        house.append((0..20).map(|number| house.span(hour * 100 + number)).collect()).await;
        house.clock.advance(Duration::from_secs(3_600));
    }
    let online = house.start().await;
    let project = ProjectId::new("p");
    assert_eq!(online.backfill(&project, "x", (begin, house.clock.now())).await, Err(BackfillError::Unknown));
    assert_eq!(online.backfill(&project, "r", (begin, begin)).await, Err(BackfillError::Range));
    house.until_scores(0).await;
    online.backfill(&project, "r", (begin, house.clock.now())).await.unwrap();
    assert_eq!(online.backfill(&project, "r", (begin, house.clock.now())).await, Err(BackfillError::Running));
    house.until_scores(200).await;
    let fill = online.state(&project, "r").unwrap().shown.backfill.unwrap();
    assert_eq!((fill.seen, fill.scored, fill.state), (200, 200, BackfillState::Done));
    assert_eq!(fill.at, house.clock.now());
    // Once more: all is there.
    online.backfill(&project, "r", (begin, house.clock.now())).await.unwrap();
    let cancelled = online.cancel_backfill(&project, "r").await.unwrap().unwrap();
    assert_eq!(cancelled.state, BackfillState::Cancelled);
    house.until_scores(200).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_rule_leaves_what_is_scored_alone_and_a_rule_that_is_off_scores_nothing() {
    let house = House::new(&[rule(&json!({}))]);
    let online = house.start().await;
    house.append((0..10).map(|number| house.span(number)).collect()).await;
    house.until_scores(10).await;
    house.change(|kept| kept.version = 2);
    online.reload().await.unwrap();
    house.append((10..20).map(|number| house.span(number)).collect()).await;
    house.until_scores(20).await;
    house.change(|kept| kept.rule.on = false);
    online.reload().await.unwrap();
    house.append((20..30).map(|number| house.span(number)).collect()).await;
    house.until_scores(20).await;
    house.change(|kept| kept.rule.on = true);
    online.reload().await.unwrap();
    house.append((30..40).map(|number| house.span(number)).collect()).await;
    house.until_scores(30).await;
    let versions = house.store.scores().iter().filter(|score| score.metadata["rule_version"] == "2").count();
    assert_eq!(versions, 20);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_what_the_retriever_of_its_trace_found() {
    let house = House::new(&[rule(&json!({"scorers": [{"metric": "faithfulness"}]}))]);
    let _online = house.start().await;
    let mut call = house.span(1);
    call.output_messages = vec![Message::text(Role::Assistant, "The tower is 330 metres tall.")];
    let mut retriever = house.span(2);
    (retriever.trace_id, retriever.kind) = (call.trace_id, SpanKind::Retriever);
    retriever.output = Some(json!([{"content": "The tower is 330 metres tall and stands in Paris."}]));
    house.append(vec![call]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.append(vec![retriever]).await;
    house.until_scores(1).await;
    assert_eq!(house.store.scores()[0].passed, Some(true), "{:?}", house.store.scores()[0].reason);
}

#[tokio::test(start_paused = true)]
async fn draining_scores_what_waits() {
    let house = House::new(&[rule(&json!({"scorers": [{"metric": "one_line"}, {"metric": "faithfulness"}]}))]);
    let online = house.start().await;
    let mut spans: Vec<Span> = (0..300).map(|number| house.span(number)).collect();
    for span in &mut spans {
        span.input_messages.insert(0, Message::text(Role::System, "Answer 1."));
    }
    house.append(spans).await;
    online.drain(Duration::from_secs(5)).await;
    assert_eq!(house.store.scores().len(), 600);
    assert_eq!(house.ledger.0.lock()[0].progress.watermark, Some(house.clock.now()));
}

#[tokio::test]
async fn a_preview_shows_what_would_be_scored() {
    let house = House::new(&[]);
    house.append((0..10).map(|number| house.span(number)).collect()).await;
    let wanted: Rule = serde_json::from_value(rule(&json!({
        "sample_rate": 0.5,
        "scorers": [{"metric": "one_line"}, {"metric": "exact_match"}]
    })))
    .unwrap();
    let project = ProjectId::new("p");
    let scorers = wanted.scorers(&Workshop::default(), &project).unwrap();
    let shown = preview(&*house.store, &project, &wanted, scorers, house.clock.now()).await.unwrap();
    assert_eq!((shown.matched, shown.sampled, shown.examples.len()), (10, 5, 3));
    let example = &shown.examples[0];
    assert_eq!(example.inputs["output"], json!(format!("Answer {}", 9)));
    assert_eq!(example.inputs["reference"], Value::Null, "wanted, and not there");
    assert_eq!(example.scores[0].passed, Some(true));
    assert!(example.scores[1].error.as_ref().unwrap().contains("`reference`"));
}

#[tokio::test]
async fn a_summary_weighs_scores_by_what_they_stand_for() {
    let house = House::new(&[]);
    let now = house.clock.now();
    let mut scores = Vec::new();
    // Two in ten are good at a rate of 0.1, all of ten at a rate of 1.
    for number in 0..20_u64 {
        let mut score = signalbox_testkit::builders::score("p", number, "s", 0.0, now);
        let (good, weight) = if number < 10 { (number < 2, "10") } else { (true, "1") };
        (score.value, score.passed) = (Some(f64::from(u8::from(good))), Some(good));
        score.metadata = [("rule", "r"), ("weight", weight)].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        scores.push(score);
    }
    house.store.append(Events::from(scores)).await.unwrap();
    house.clock.advance(Duration::from_secs(60));
    let found = summary(&*house.store, &ProjectId::new("p"), "r", TimeRange::default(), "1h").await.unwrap();
    let one = &found[0];
    assert_eq!((one.name.as_str(), one.scored, one.stands_for), ("s", 20, 110.0));
    let rate = one.pass_rate.unwrap();
    assert!((rate.value - 30.0 / 110.0).abs() < 1e-12 && one.mean.unwrap().value == rate.value);
    assert!(rate.low.unwrap() < rate.value && rate.value < rate.high.unwrap());
    assert_eq!((one.series.len(), one.series[0].scored), (1, 20));
    assert!((one.series[0].pass_rate.unwrap() - 30.0 / 110.0).abs() < 1e-12);
}
