//! What inputs mean, by a model that knows which of two things a text is about, whatever its letters.

use std::sync::Arc;

use signalbox_testkit::ScriptedEmbedder;
use signalbox_types::seam::{BoxFuture, CompletionError, Embedded, Embedder, MOST_EMBEDDED_TEXTS};
use signalbox_types::{ErrorClass, ProjectId, SpanStatus};

use super::*;
use crate::drift::result::DriftCell;
use crate::drift::space::{MOST_TEXTS, Space};

const PAPERS: [&str; 4] = ["order", "invoice", "refund", "receipt"];
const DEVICES: [&str; 4] = ["phone", "laptop", "camera", "printer"];
const NAMES: [&str; 8] = ["Anna", "Ben", "Carla", "David", "Emma", "Felix", "Greta", "Hugo"];

/// Texts of which so many in a hundred ask about a device, the others about a paper. Both name both, with the same words around them.
fn texts(random: &mut fastrand::Rng, count: usize, about_devices: u8) -> Vec<String> {
    let mut one = |number: usize| {
        let (paper, device) = (PAPERS[random.usize(..4)], DEVICES[random.usize(..4)]);
        let (first, second) = if random.u8(..100) < about_devices { (device, paper) } else { (paper, device) };
        let (name, other) = (NAMES[random.usize(..8)], NAMES[random.usize(..8)]);
        format!("{name} has the {first} but where is it, the {second} is here with {other}, number {number}")
    };
    (0..count).map(&mut one).collect()
}

/// A text's vector: which comes first, and something of its own.
fn meaning(text: &str) -> Vec<f64> {
    let is_device = text.split(' ').find_map(|word| {
        let (paper, device) = (PAPERS.contains(&word), DEVICES.contains(&word));
        (paper || device).then_some(device)
    });
    let own = text.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = fastrand::Rng::with_seed(own);
    let about = if is_device == Some(true) { [3.0, 0.0] } else { [0.0, 3.0] };
    about.into_iter().chain((0..16).map(|_| random.f64() - 0.5)).collect()
}

fn model() -> Arc<ScriptedEmbedder> {
    ScriptedEmbedder::ruled(meaning)
}

impl House {
    /// That asks this model.
    async fn asking(embedder: &Arc<ScriptedEmbedder>, config: Value) -> Self {
        let mut house = Self::new(config).await;
        house.watch = house.watch.with_embedder(Arc::<ScriptedEmbedder>::clone(embedder));
        house
    }

    /// An hour of calls with these inputs; nothing else changes.
    async fn said(&mut self, texts: Vec<String>) {
        let (begin, count) = (self.clock.now(), texts.len() as u64);
        let call = |(number, text): (u64, String)| {
            let mut one =
                span(self.spans + number, begin.plus(Duration::from_millis(number * 3_590_000 / count)), Sort::Before);
            one.input_messages = vec![Message::text(Role::User, text)];
            one
        };
        let spans: Vec<Span> = (0..).zip(texts).map(call).collect();
        self.spans += count;
        self.store.append(spans.into()).await.unwrap();
        self.clock.advance(Duration::from_secs(3_600));
    }

    async fn tried(&self, more: Value) -> DriftResult {
        let check = DriftConfig::read(&by_meaning(more)).unwrap();
        self.watch.test_drift(&Self::project(), check).await.unwrap()
    }
}

fn by_meaning(more: Value) -> Value {
    let mut check = hourly(json!({"scores": [], "embedding_model": "m"}));
    check.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    check
}

fn embedding(result: &DriftResult) -> &DriftCell {
    result.cells.iter().find(|cell| cell.signal == "embedding").unwrap()
}

#[tokio::test]
async fn is_compared_where_letters_say_nothing() {
    let (embedder, mut random) = (model(), fastrand::Rng::with_seed(3));
    let mut house = House::asking(&embedder, json!({})).await;
    house.said(texts(&mut random, 200, 10)).await;
    house.said(texts(&mut random, 200, 60)).await;
    house.clock.advance(Duration::from_secs(60));
    let letters = house.tried(json!({"embedding_model": null})).await;
    assert_eq!(drifted(&letters), [] as [String; 0]);
    assert!(embedding(&letters).found.is_some() && embedder.asked().is_empty());

    let result = house.tried(json!({})).await;
    assert_eq!(drifted(&result), ["embedding"]);
    let found = embedding(&result).found.clone().unwrap();
    assert!(found.effect > 0.2 && found.p_adjusted < 1e-6, "{found:?}");
    assert!(found.text.ends_with("inputs, by `m-0613`"), "{}", found.text);
    let all_of = |examples: &[crate::DriftExample], kinds: &[&str]| {
        let first = |text: &str| text.split(' ').nth(3).map(str::to_owned).unwrap_or_default();
        examples.len() == 4 && examples.iter().all(|one| kinds.contains(&first(&one.value).as_str()))
    };
    assert!(all_of(&found.current_examples, &DEVICES), "{:?}", found.current_examples);
    assert!(all_of(&found.reference_examples, &PAPERS), "{:?}", found.reference_examples);
    assert!((found.distribution.iter().map(|bar| bar.current).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn that_stays_makes_no_alarm_but_one_in_a_hundred() {
    let embedder = model();
    let mut alarms = Vec::new();
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut house = House::asking(&embedder, json!({})).await;
        house.said(texts(&mut random, 150, 30)).await;
        house.said(texts(&mut random, 150, 30)).await;
        house.clock.advance(Duration::from_secs(60));
        let result = house.tried(json!({"signals": ["embedding"]})).await;
        assert_eq!(result.compared, 1);
        alarms.extend(embedding(&result).found.clone().filter(|_| result.drifted > 0).map(|found| found.p));
    }
    assert!(alarms.len() <= 1 && alarms.iter().all(|p| *p > 1e-4), "{alarms:?}");
}

#[tokio::test]
async fn a_model_is_asked_in_batches_for_a_few_hundred_texts_and_for_each_once() {
    let (embedder, mut random) = (model(), fastrand::Rng::with_seed(5));
    let mut house = House::asking(&embedder, json!({})).await;
    let mut before = texts(&mut random, 900, 30);
    let again = before[0].clone();
    before[450..].fill(again.clone());
    house.said(before).await;
    house.said(texts(&mut random, 900, 30)).await;
    house.clock.advance(Duration::from_secs(60));
    let result = house.tried(json!({"segment_by": "environment"})).await;
    let cells: Vec<&DriftCell> = result.cells.iter().filter(|cell| cell.signal == "embedding").collect();
    let samples = |cell: &DriftCell| (cell.current_samples, cell.reference_samples);
    assert_eq!(samples(cells[0]), (MOST_TEXTS, MOST_TEXTS));
    assert_eq!(cells.len(), 3);
    assert!(cells[1..].iter().all(|cell| samples(cell).0 > 200 && cell.found.is_some()));
    let topic = result.cells.iter().find(|cell| cell.signal == "topic").unwrap();
    assert!(topic.current_samples > 800, "other signals have all: {}", topic.current_samples);

    let asked = embedder.asked();
    assert!(asked.iter().all(|(project, name, _)| *project == House::project() && name == "m"));
    assert!(asked.iter().all(|(_, _, batch)| batch.len() <= MOST_EMBEDDED_TEXTS));
    let mut all: Vec<&String> = asked.iter().flat_map(|(_, _, batch)| batch).collect();
    let count = all.len();
    assert!((MOST_TEXTS + 200..MOST_TEXTS + 300).contains(&count), "{count}");
    assert_eq!(asked.len(), count.div_ceil(MOST_EMBEDDED_TEXTS));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);

    let few = house.tried(json!({"sample": 50, "min_samples": 50})).await;
    assert!(few.compared > 0 && embedding(&few).current_samples <= 50);
    let more: usize = embedder.asked()[asked.len()..].iter().map(|(_, _, batch)| batch.len()).sum();
    assert!(more <= 100, "{more}");
}

#[tokio::test]
async fn nobody_is_asked_about_too_few() {
    let (embedder, mut random) = (model(), fastrand::Rng::with_seed(6));
    let mut house = House::asking(&embedder, json!({})).await;
    house.said(texts(&mut random, 30, 30)).await;
    house.said(texts(&mut random, 100, 30)).await;
    house.clock.advance(Duration::from_secs(60));
    let result = house.tried(json!({"min_samples": 50})).await;
    let cell = embedding(&result);
    assert!(cell.found.is_none() && cell.problem.is_none() && embedder.asked().is_empty(), "{cell:?}");
}

/// Refuses calls with a text of which a policy says no.
#[derive(Debug)]
struct Guarded(Arc<ScriptedEmbedder>, &'static str);

impl Embedder for Guarded {
    fn embed<'a>(
        &'a self,
        project: &'a ProjectId,
        model: &'a str,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>> {
        if texts.iter().any(|text| text.contains(self.1)) {
            self.0.fail(ErrorClass::GuardrailBlocked, "blocked");
        }
        self.0.embed(project, model, texts)
    }
}

#[tokio::test]
async fn what_a_policy_blocks_is_left_out() {
    let (embedder, mut random) = (model(), fastrand::Rng::with_seed(7));
    let mut house = House::asking(&embedder, json!({})).await;
    house.watch = house.watch.with_embedder(Arc::new(Guarded(Arc::clone(&embedder), "secret")));
    let mut before = texts(&mut random, 120, 30);
    before[7] = "a secret".to_owned();
    before[8] = "another secret".to_owned();
    house.said(before).await;
    house.said(texts(&mut random, 120, 30)).await;
    house.clock.advance(Duration::from_secs(60));
    let result = house.tried(json!({})).await;
    let cell = embedding(&result);
    let all = result.cells.iter().find(|cell| cell.signal == "topic").unwrap();
    assert!(cell.found.is_some(), "{cell:?}");
    assert_eq!(cell.reference_samples, all.reference_samples - 2);
    assert_eq!(cell.current_samples, all.current_samples);

    let many: Vec<String> = (0..200).map(|number| format!("secret {number}")).collect();
    let asked = embedder.asked().len();
    let space = house.watch.space(&House::project(), "m", many).await;
    assert!(space.problem().unwrap().contains("policies block so many of the inputs"), "{space:?}");
    assert!(embedder.asked().len() - asked <= 60);

    // Calls that were blocked at their time aren't even asked for.
    let begin = house.clock.now();
    let mut blocked: Vec<Span> = (0..60).map(|number| span(5_000 + number, begin, Sort::After)).collect();
    for one in &mut blocked {
        (one.status, one.error_type) = (SpanStatus::Error, Some("guardrail_blocked".to_owned()));
    }
    house.store.append(blocked.into()).await.unwrap();
    house.said(texts(&mut random, 120, 30)).await;
    house.clock.advance(Duration::from_secs(60));
    let result = house.tried(json!({})).await;
    let found = drifted(&result);
    assert!(found.iter().any(|name| name == "language") && found.iter().all(|name| name != "embedding"), "{found:?}");
    assert!(embedder.asked().iter().all(|(_, _, batch)| batch.iter().all(|text| !text.contains("Bestellung"))));
}

#[tokio::test]
async fn a_model_that_can_not_be_asked_is_told_and_stops_nothing_else() {
    let (embedder, mut random) = (model(), fastrand::Rng::with_seed(8));
    let mut house = House::asking(&embedder, config(json!({"scores": [], "embedding_model": "nobody/m"}))).await;
    house.said(texts(&mut random, 100, 5)).await;
    house.said(texts(&mut random, 100, 90)).await;
    embedder.fail(ErrorClass::NotFound, "There is no provider `nobody`.");
    let result = house.compare().await;
    assert!(drifted(&result).is_empty() && result.compared >= 8, "{:?}", drifted(&result));
    assert_eq!(house.incidents(), []);
    let view = house.watch.drift_check(&House::project(), "hourly").unwrap();
    let problem = view.problem.unwrap();
    for part in [
        "the signal `embedding` could not be compared: `nobody/m` gave no embeddings: There is no provider `nobody`.",
        "names a model that makes embeddings, or a route to one",
        "the other signals were",
    ] {
        assert!(problem.contains(part), "{problem}");
    }
    assert_eq!(embedding(&result).problem.as_ref(), Some(&problem));
    assert_eq!((embedding(&result).current_samples, &embedding(&result).found), (100, &None));

    // The same change, with a model that answers, is an incident; that the model fails meanwhile doesn't end it.
    house.clock.advance(Duration::from_secs(3_540));
    house.said(texts(&mut random, 100, 90)).await;
    house.said(texts(&mut random, 100, 5)).await;
    assert_eq!(drifted(&house.compare().await), ["embedding"]);
    assert_eq!(house.watch.drift_check(&House::project(), "hourly").unwrap().problem, None);
    house.said(texts(&mut random, 100, 5)).await;
    embedder.fail(ErrorClass::RateLimited, &format!("slow down {}", "please ".repeat(200)));
    let result = house.compare().await;
    let problem = embedding(&result).problem.clone().unwrap();
    assert!(problem.contains("slow down please") && problem.contains('…') && problem.len() < 700, "{problem}");
    assert!(house.incidents()[0].is_open());
    house.said(texts(&mut random, 100, 5)).await;
    assert_eq!(drifted(&house.compare().await), [] as [String; 0]);
    assert!(!house.incidents()[0].is_open());
    assert_eq!(house.told(), ["opened", "resolved"]);
}

#[tokio::test]
async fn vectors_of_two_models_are_not_compared() {
    let (embedder, project) = (model(), House::project());
    let house = House::asking(&embedder, json!({})).await;
    let numbered: Vec<String> = (0..=MOST_EMBEDDED_TEXTS).map(|number| format!("text {number}")).collect();
    embedder.answer_as("other");
    let space = house.watch.space(&project, "m", numbered.clone()).await;
    assert!(space.problem().unwrap().contains("two models, `other` and `m-0613`"), "{space:?}");
    let space = house.watch.space(&project, "m", numbered).await;
    let length = space.vector("text 3").unwrap().iter().map(|value| value * value).sum::<f64>();
    assert!((length - 1.0).abs() < 1e-9 && space.vector("text").is_none());
}

/// Never answers.
#[derive(Debug)]
struct Silent;

impl Embedder for Silent {
    fn embed<'a>(
        &'a self,
        _: &'a ProjectId,
        _: &'a str,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Embedded, CompletionError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever() {
    let house = House::new(json!({})).await;
    let asked = async |watch: &crate::Watch| watch.space(&House::project(), "m", vec!["text".to_owned()]).await;
    let Space::Closed(problem) = asked(&house.watch).await else { panic!("nobody was asked") };
    assert!(problem.contains("no gateway here to ask `m`"), "{problem}");
    let Space::Closed(problem) = asked(&house.watch.with_embedder(Arc::new(Silent))).await else { panic!("none came") };
    assert!(problem.contains("`m` gave no embeddings within 120 s"), "{problem}");
}
