use std::collections::BTreeMap;
use std::sync::Arc;

use signalbox_testkit::ManualClock;
use signalbox_types::Money;

use super::{
    ItemOrder, ItemsAsk, RunAbout, RunDirection, RunEvidence, RunItem, RunMetric, RunScore, RunStatus, RunsOf,
};
use crate::{Catalog, CatalogError, Principal};

struct Made {
    catalog: Catalog,
    by: Principal,
    dir: tempfile::TempDir,
}

async fn made() -> Made {
    let dir = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(dir.path(), Arc::new(ManualClock::default())).await.unwrap();
    let key = catalog.bootstrap(None).await.unwrap().unwrap().key;
    let by = catalog.authenticate(key.expose()).unwrap();
    Made { catalog, by, dir }
}

fn about(name: &str) -> RunAbout {
    let metric = |name: &str, direction| RunMetric {
        name: name.to_owned(),
        direction,
        threshold: None,
        options: Default::default(),
    };
    let metrics = vec![metric("quality", RunDirection::Higher), metric("toxicity", RunDirection::Lower)];
    RunAbout { name: name.to_owned(), target: "route chat".to_owned(), metrics, ..RunAbout::default() }
}

fn item(id: &str, value: f64, latency_ms: f64) -> RunItem {
    let score = RunScore {
        value: Some(value),
        passed: Some(value >= 0.5),
        reason: Some("so".to_owned()),
        ..RunScore::default()
    };
    RunItem {
        item_id: id.to_owned(),
        input: format!("question {id}"),
        output: Some(format!("answer {id}")),
        latency_ms: Some(latency_ms),
        input_tokens: Some(10),
        cost: Money::from_dollars(0.001),
        segments: BTreeMap::from([("language".to_owned(), if value > 0.5 { "en" } else { "de" }.to_owned())]),
        scores: BTreeMap::from([("quality".to_owned(), score)]),
        ..RunItem::default()
    }
}

impl Made {
    async fn start(&self, experiment: &str, name: &str) -> String {
        self.catalog.start_run(&self.by, experiment, None, None, about(name)).await.unwrap().0.id
    }

    async fn ids(&self, run: &str, order: ItemOrder, descending: bool, failed: bool) -> Vec<String> {
        let ask = ItemsAsk { order, descending, failed, offset: 0, limit: 10 };
        let (items, _) = self.catalog.run_items(&self.by.project, run, ask).await.unwrap().unwrap();
        items.into_iter().map(|item| item.item_id).collect()
    }
}

#[tokio::test]
async fn a_run_takes_items_once_each_and_is_summed_up_at_its_end() {
    let made = made().await;
    let run = made.start("answers", "first").await;
    let (catalog, by) = (&made.catalog, &made.by);
    let items = vec![item("b", 0.2, 30.0), item("a", 0.8, 10.0)];
    assert_eq!(catalog.add_run_items(by, &run, items.clone()).await.unwrap(), 2);
    // Sent again, one of them mended and one more.
    let again = vec![item("b", 0.6, 20.0), item("c", 0.4, 5.0)];
    assert_eq!(catalog.add_run_items(by, &run, again).await.unwrap(), 1);
    let ended = catalog.finish_run(by, &run, RunStatus::Finished, None).await.unwrap();
    assert_eq!((ended.items, ended.failed_items, ended.status), (3, 1, RunStatus::Finished));
    let summary = ended.summary.as_ref().unwrap();
    let names: Vec<&str> = summary.metrics.iter().map(|metric| metric.metric.as_str()).collect();
    assert_eq!(names, ["quality", "toxicity"]);
    let quality = &summary.metrics[0];
    assert!(
        (quality.values.unwrap().mean - 0.6).abs() < 1e-12 && (quality.pass_rate.unwrap() - 2.0 / 3.0).abs() < 1e-12
    );
    assert_eq!(summary.metrics[1].values, None, "what nothing was measured by has no mean");
    assert_eq!((summary.input_tokens, summary.cost), (Some(30), Money::from_dollars(0.003)));
    assert_eq!(summary.segments, BTreeMap::from([("language".to_owned(), 2)]));

    assert_eq!(catalog.finish_run(by, &run, RunStatus::Finished, None).await.unwrap(), ended, "twice is once");
    let late = catalog.add_run_items(by, &run, items).await.unwrap_err();
    assert_eq!(late, CatalogError::RunEnded { id: run.clone(), status: "finished" });

    // All of it outlives the process.
    let reopened = Catalog::open(made.dir.path(), Arc::new(ManualClock::default())).await.unwrap();
    assert_eq!(reopened.run(&by.project, &run).await.unwrap(), Some(ended));
}

#[tokio::test]
async fn pages_are_sorted_and_hold_all_that_was_sent() {
    let made = made().await;
    let run = made.start("answers", "first").await;
    let evidence = RunEvidence { input: "output".to_owned(), start: 0, end: 3, note: "there".to_owned() };
    let mut judged = item("d", 0.9, 40.0);
    judged.trace_id = Some("0af7651916cd43dd8448eb211c80319c".to_owned());
    judged.expected = Some("this".to_owned());
    let score = RunScore {
        label: Some("rude".to_owned()),
        passed: Some(false),
        evidence: vec![evidence],
        ..RunScore::default()
    };
    judged.scores.insert("tone".to_owned(), score);
    let broken = RunItem { item_id: "e".to_owned(), error: Some("timed out".to_owned()), ..RunItem::default() };
    let items = vec![item("a", 0.8, 10.0), item("b", 0.2, 30.0), item("c", 0.5, 20.0), judged.clone(), broken];
    made.catalog.add_run_items(&made.by, &run, items).await.unwrap();

    assert_eq!(made.ids(&run, ItemOrder::Id, false, false).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(made.ids(&run, ItemOrder::Score("quality".to_owned()), false, false).await, ["b", "c", "a", "d", "e"]);
    assert_eq!(made.ids(&run, ItemOrder::Score("quality".to_owned()), true, false).await, ["d", "a", "c", "b", "e"]);
    assert_eq!(made.ids(&run, ItemOrder::Latency, true, false).await, ["d", "b", "c", "a", "e"]);
    assert_eq!(made.ids(&run, ItemOrder::Id, false, true).await, ["b", "d", "e"]);

    let ask = ItemsAsk { order: ItemOrder::Id, descending: false, failed: true, offset: 1, limit: 1 };
    let (page, all) = made.catalog.run_items(&made.by.project, &run, ask).await.unwrap().unwrap();
    assert_eq!((page, all), (vec![judged], 3));
    let some =
        made.catalog.run_items_by_id(&made.by.project, &run, vec!["c".to_owned(), "x".to_owned()]).await.unwrap();
    assert_eq!(some.len(), 1);

    let (_, numbers) = made.catalog.run_numbers(&made.by.project, &run).await.unwrap().unwrap();
    assert!(numbers[4].is_error && numbers[4].scores.is_empty());
    assert_eq!(numbers[3].scores["tone"].number(), Some(0.0));
    assert_eq!((numbers[0].scores["quality"].value, &numbers[0].scores["quality"].reason), (Some(0.8), &None));
}

#[tokio::test]
async fn experiments_know_their_runs_and_their_baseline() {
    let made = made().await;
    let (catalog, by) = (&made.catalog, &made.by);
    let first = made.start("answers", "first").await;
    let other = made.start("others", "one").await;
    let second = made.start("answers", "second").await;
    let names = |experiments: Vec<super::Experiment>| -> Vec<(String, u64)> {
        experiments.into_iter().map(|one| (one.name, one.runs)).collect()
    };
    let listed = catalog.experiments(&by.project, 10).await.unwrap();
    assert_eq!(names(listed), [("answers".to_owned(), 2), ("others".to_owned(), 1)]);
    let runs = catalog.runs(&by.project, RunsOf::experiment("answers"), 0, 10).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), [&second, &first]);
    assert_eq!(catalog.runs(&by.project, RunsOf::default(), 1, 1).await.unwrap()[0].id, other);

    let pinned = catalog.set_baseline(by, "answers", Some(first.clone())).await.unwrap();
    assert_eq!(pinned.baseline.as_ref(), Some(&first));
    let foreign = catalog.set_baseline(by, "answers", Some(other.clone())).await.unwrap_err();
    assert_eq!(foreign, CatalogError::UnknownRun(other));
    assert!(catalog.delete_run(by, &first).await.unwrap());
    assert!(!catalog.delete_run(by, &first).await.unwrap());
    assert_eq!(
        catalog.experiment(&by.project, "answers").await.unwrap().unwrap().baseline,
        None,
        "it went with its run"
    );

    catalog.add_run_items(by, &second, vec![item("a", 0.8, 10.0)]).await.unwrap();
    assert!(catalog.delete_experiment(by, "answers").await.unwrap());
    assert_eq!(catalog.run(&by.project, &second).await.unwrap(), None);
    assert_eq!(catalog.experiment(&by.project, "answers").await.unwrap(), None);
    let told: Vec<_> =
        catalog.history(&by.project, 3).await.unwrap().into_iter().map(|one| (one.resource, one.action)).collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(resource, action)| (resource.as_str(), action.as_str())).collect();
    assert_eq!(told, [("experiment", "delete"), ("run", "delete"), ("experiment", "baseline")]);
}

#[tokio::test]
async fn an_id_of_the_sender_makes_one_run() {
    let made = made().await;
    let start = async |experiment: &str, id: &str| {
        made.catalog.start_run(&made.by, experiment, Some(id.to_owned()), None, about("first")).await
    };
    let (run, new) = start("answers", "my-run-1").await.unwrap();
    assert_eq!((run.id.as_str(), new), ("my-run-1", true));
    assert!(!start("answers", "my-run-1").await.unwrap().1);
    let message = start("others", "my-run-1").await.unwrap_err().to_string();
    assert!(message.contains("`my-run-1` is a run of the experiment `answers`"), "{message}");
    assert!(start("answers", "short").await.unwrap_err().to_string().contains("8 to 64 letters"));
}

#[tokio::test]
async fn what_is_too_large_is_cut_or_refused() {
    let made = made().await;
    let run = made.start("answers", "first").await;
    let long = RunItem { output: Some("ä".repeat(40_000)), ..item("a", 1.0, 1.0) };
    made.catalog.add_run_items(&made.by, &run, vec![long]).await.unwrap();
    let kept = made.catalog.run_items_by_id(&made.by.project, &run, vec!["a".to_owned()]).await.unwrap();
    let output = kept[0].output.as_ref().unwrap();
    assert_eq!((output.chars().count(), output.ends_with("ä…")), (32_001, true));

    let check = async |item: RunItem, expected: &str| {
        let message = made.catalog.add_run_items(&made.by, &run, vec![item]).await.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(item("", 1.0, 1.0), "`items`: number 0: `item_id`: expected 1 to 200 characters").await;
    check(item("a", f64::NAN, 1.0), "expected finite numbers").await;
    let twice = RunAbout { metrics: vec![about("x").metrics[0].clone(), about("x").metrics[0].clone()], ..about("x") };
    let message = made.catalog.start_run(&made.by, "a/b", None, None, about("x")).await.unwrap_err().to_string();
    assert!(message.contains("without `/`"), "{message}");
    let message = made.catalog.start_run(&made.by, "answers", None, None, twice).await.unwrap_err().to_string();
    assert!(message.contains("`quality` stands there twice"), "{message}");
}
