use std::sync::Arc;

use serde_json::{Map, Value, json};
use signalbox_metrics::Direction;
use signalbox_testkit::{ScriptedCompleter, ScriptedEmbedder};
use signalbox_types::ProjectId;

use super::*;
use crate::judge::{self, Judge};
use crate::{EmbeddingModel, Scorer};

/// No programs here, and judges who say what is scripted.
struct NoPrograms;

impl Others for NoPrograms {
    fn program(&self, _: &str, _: &ProgramConfig, _: Direction) -> Result<Box<dyn Scorer>, String> {
        Err("there are no programs here".to_owned())
    }

    fn judge(&self, config: &JudgeConfig) -> Result<Judge, String> {
        let rubric = judge::find(&config.rubric).ok_or_else(|| format!("no rubric is called `{}`", config.rubric))?;
        let models = Arc::<ScriptedCompleter>::default();
        Judge::new(rubric.clone(), config.plan(), models, ProjectId::new("p")).map_err(|error| error.to_string())
    }

    fn embedding_model(&self, name: &str) -> Result<EmbeddingModel, String> {
        Ok(EmbeddingModel::new(Arc::<ScriptedEmbedder>::default(), ProjectId::new("p"), name))
    }

    fn module(&self, path: &str) -> Result<Vec<u8>, String> {
        let half = r#"(module (memory (export "memory") 1) (data (i32.const 0) "0.5")
            (func (export "alloc") (param i32) (result i32) (i32.const 1024))
            (func (export "score") (param i32 i32) (result i64) (i64.const 3)))"#;
        if path == "half.wasm" { Ok(wat::parse_str(half).unwrap()) } else { Err(format!("can't read `{path}`")) }
    }
}

const SUITE: &str = "
name: bot
datasets: [gold.jsonl]
targets: [{name: kept, recorded: answer}]
segments: [lang]
metrics:
  - exact_match
  - {metric: token_f1, as: f1, threshold: 0.5}
  - {as: short, expression: 'size(output) < 20'}
  - {as: doubled, expression: 'scores.f1 * 2.0', threshold: 1.5}
  - {as: both, all: [f1, short]}
  - {as: sum, weighted: {f1: 3, exact_match: 1}, threshold: 0.6}
  - {as: by_language, when: \"item.lang == 'de'\", then: exact_match, else: f1}
gates:
  - {metric: f1, mean: '>= 0.6', pass_rate: '>= 50%'}
";

fn suite(gates: &str) -> Suite {
    Suite::parse(&format!("{}{gates}", SUITE.split("gates:").next().unwrap())).unwrap()
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn measured(suite: &Suite, items: &[(&str, &str, &str, &str)]) -> Run {
    let metrics = make_all(&suite.metrics, &NoPrograms).unwrap();
    let headers = metrics.iter().map(Metric::header).collect();
    let mut run =
        Run::begin("bot", suite.fingerprint.clone(), "2026-01-01T00:00:00Z".to_owned(), items.len(), headers, None);
    for (id, lang, output, reference) in items {
        let mut row = Row {
            target: "kept".to_owned(),
            id: (*id).to_owned(),
            item: fields(json!({"lang": lang, "reference": reference})),
            output: json!(output),
            ..Row::default()
        };
        let case = row.case();
        for metric in &metrics {
            let score = metric.measure(&Seen { case: &case, row: &row }).unwrap();
            row.scores.insert(metric.name.clone(), score);
        }
        run.rows.push(row);
    }
    run
}

#[test]
fn metrics_of_a_suite_measure() {
    let run =
        measured(&suite(""), &[("1", "en", "the red house", "the red house"), ("2", "de", "ein Haus", "das Haus")]);
    let scores = |at: usize, name: &str| run.rows[at].scores[name].clone();
    assert_eq!((scores(0, "sum").value, scores(0, "sum").passed), (Some(1.0), Some(true)));
    assert_eq!((scores(0, "doubled").value, scores(0, "doubled").passed), (Some(2.0), Some(true)));
    assert_eq!((scores(1, "f1").value, scores(1, "sum").value), (Some(0.5), Some(0.375)));
    assert_eq!((scores(1, "both").passed, scores(1, "by_language").value), (Some(true), Some(0.0)));
    assert_eq!(scores(0, "by_language").value, Some(1.0));
    let summaries = summarise(&run, &["lang".to_owned()]);
    assert_eq!(summaries.len(), 3, "all, de and en");
    assert_eq!(summaries[0].metrics[1].mean, Some(0.75));
    assert_eq!(summaries[1].segment, Some(("lang".to_owned(), "de".to_owned())));
}

#[test]
fn what_cannot_be_measured_is_an_error_and_counts() {
    let suite = suite("");
    let mut run = measured(&suite, &[("1", "en", "a", "a")]);
    run.rows.push(Row {
        target: "kept".to_owned(),
        id: "2".to_owned(),
        error: Some("no answer".to_owned()),
        ..Row::default()
    });
    let summary = &summarise(&run, &[])[0];
    assert_eq!((summary.answers, summary.failed), (2, 1));
    assert_eq!((summary.metrics[0].measured, summary.metrics[0].errors), (1, 1));
    let report = report::Report::new(&run, judge(&[], &run, None), None, &[], 0);
    assert_eq!(report.verdict(), "errors");
}

#[test]
fn problems_name_field_and_line() {
    let check = |from: &str, to: &str, expected: &[&str]| {
        let text = SUITE.replacen(from, to, 1);
        let problems = Suite::parse(&text).map(|suite| make_all(&suite.metrics, &NoPrograms).map(|_| ()));
        let problems = match problems {
            Err(problems) => problems,
            Ok(made) => made.unwrap_err(),
        };
        let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        expected.iter().for_each(|part| assert!(told.contains(part), "{part} is not in\n{told}"));
    };
    check("recorded: answer", "recordet: answer", &["line 4: `targets[0]", "unknown field `recordet`"]);
    check(
        "mean: '>= 0.6'",
        "mean: '0.6'",
        &["line 15: `gates[0].mean`: expected a condition like `>= 0.8`, found `0.6`"],
    );
    check(
        "{metric: f1, mean",
        "{metric: f2, mean",
        &["`gates[0].metric`: the suite has no metric `f2`; it has exact_match, f1"],
    );
    check("recorded: answer", "recorded: a, command: [x]", &["exactly one of `recorded`, `model`"]);
    check(
        "- exact_match",
        "- exact_mach",
        &["`metrics[0].metric`: no metric is called `exact_mach`; did you mean `exact_match`?"],
    );
    check("as: short,", "as: f1,", &["another metric is called `f1`"]);
    check("all: [f1,", "all: [f9,", &["there is no metric `f9` above it"]);
    check("size(output)", "size(outptu)", &["it names `outptu`; known: item"]);
    check("threshold: 0.5", "options: {stemm: true}", &["`metrics[1].options`"]);
    check("name: bot", "name: [", &["not valid YAML"]);
    check("segments: [lang]", "timeout: soon", &["`timeout`: expected a duration like `90s`"]);
}

#[test]
fn gates_look_at_means_shares_quantiles_and_segments() {
    let run = measured(
        &suite(""),
        &[
            ("1", "en", "red house", "red house"),
            ("2", "en", "ripe figs", "ripe plums"),
            ("3", "de", "x", "y"),
            ("4", "de", "rot", "rot"),
        ],
    );
    let check = |gate: &str, expected: &[bool]| {
        let outcome = judge(&suite(&format!("gates: [{{metric: f1, {gate}}}]")).gates, &run, None);
        let passed: Vec<bool> = outcome.gates.iter().map(|gate| gate.passed).collect();
        assert_eq!(passed, expected, "{gate}: {:?}", outcome.gates);
    };
    check("mean: '>= 0.625'", &[true]);
    check("mean: '> 0.625'", &[false]);
    check("pass_rate: '>= 75%'", &[true]);
    check("min: '>= 0'", &[true]);
    check("p10: '>= 0.2'", &[false]);
    check("mean: '>= 0.6', by: lang", &[false, true]);
    check("mean: '>= 0.7', where: {lang: en}", &[true]);
    check("mean: '>= 0.3', confident: true", &[false]);
    check("mean: '>= 0.1', where: {lang: fr}", &[false]);
}

/// Forty items, of which so many are answered right.
fn right(count: usize) -> Run {
    let ids: Vec<String> = (0..40).map(|at| at.to_string()).collect();
    let items: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| (id.as_str(), "en", if at < count { "yes" } else { "no" }, "yes"))
        .collect();
    measured(&suite(""), &items)
}

#[test]
fn regressions_are_found_by_pairs() {
    let gates = |rule: &str| suite(&format!("gates: [{{metric: exact_match, no_regression: {rule}}}]")).gates;
    let check = |rule: &str, before: usize, after: usize, expected: bool| {
        let (before, after) = (right(before), right(after));
        let judged = judge(&gates(rule), &after, Some(&before));
        assert_eq!(judged.passed(), expected, "{rule}: {:?}", judged.gates);
        judged
    };
    check("true", 36, 36, true);
    // Four losses and no gain: 1 of 16 by chance. Five: 1 of 32.
    check("true", 36, 32, true);
    let judged = check("true", 36, 31, false);
    assert_eq!(judged.gates[0].comparison.as_ref().unwrap().losses, 5);
    check("{alpha: 0.1}", 36, 32, false);
    check("{margin: 0.3}", 36, 31, true);
    let weak = check("{margin: 0.01, prove: no_regression}", 36, 36, false);
    assert!(weak.gates[0].warning.as_ref().unwrap().contains("40 pairs are too few"), "{weak:?}");
    check("{margin: 0.25, prove: no_regression}", 36, 36, true);
    // Two gates share the risk of a false alarm.
    let two = suite("gates: [{metric: exact_match, no_regression: true}, {metric: f1, no_regression: true}]").gates;
    assert!(judge(&two, &right(31), Some(&right(36))).passed());
    assert!(judge(&two, &right(31), None).gates.is_empty());
}

#[test]
fn a_result_file_is_read_to_where_it_broke_off() {
    let run = right(2);
    let mut text = serde_json::to_string(&run.header).unwrap() + "\n";
    for row in run.rows.iter().take(3) {
        text += &(serde_json::to_string(row).unwrap() + "\n");
    }
    let whole = text.len();
    text += "{\"target\": \"ke";
    let read = Run::parse(text.as_bytes()).unwrap();
    assert_eq!((read.rows.len(), read.whole_bytes), (3, whole));
    assert_eq!(read.rows[0], run.rows[0]);
    let wrong = Run::parse(b"{\"id\": 1}\n").unwrap_err();
    assert!(wrong.to_string().contains("no result file"));
}

#[test]
fn items_come_from_lines_and_tables() {
    let config = |path: &str| DatasetConfig {
        path: Some(path.to_owned()),
        columns: [("input".to_owned(), "question".to_owned())].into(),
        ..DatasetConfig::default()
    };
    let lines = read_items(b"{\"id\": 7, \"question\": \"why?\"}\n\nno\n", &config("a.jsonl")).unwrap();
    assert_eq!((lines[0].id.as_str(), &lines[0].fields["input"]), ("7", &json!("why?")));
    assert!(lines[1].problem.as_ref().unwrap().starts_with("line 3: not JSON"));
    let table = b"\xef\xbb\xbfid,question,context\nx,\"a, \"\"b\"\"\",\"[\"\"one\"\", \"\"two\"\"]\"\n,c\n";
    let rows = read_items(table, &config("a.csv")).unwrap();
    assert_eq!((rows[0].id.as_str(), &rows[0].fields["input"]), ("x", &json!("a, \"b\"")));
    assert_eq!(rows[0].fields["context"], json!(["one", "two"]));
    assert!(rows[1].problem.is_some(), "a row with too few cells");
    assert!(read_items(b"id,x\n", &config("a.csv")).unwrap_err().contains("no column `question`; there are id, x"));
    assert!(read_items(b"", &config("a.txt")).unwrap_err().contains("say `format`"));
}

#[test]
fn templates_put_fields_in_place() {
    let item = fields(json!({"q": "why?", "user": {"name": "Ada"}, "tags": ["a", "b"], "n": 3}));
    assert_eq!(
        render("{{ q }} by {{user.name}}, {{tags.1}} {{tags}} }}", &item).unwrap(),
        "why? by Ada, b [\"a\",\"b\"] }}"
    );
    let body = json!({"n": "{{n}}", "text": "n={{n}}", "all": ["{{tags}}"]});
    assert_eq!(render_value(&body, &item).unwrap(), json!({"n": 3, "text": "n=3", "all": [["a", "b"]]}));
    assert!(render("{{nobody}}", &item).unwrap_err().contains("no field `nobody`"));
}

#[test]
fn reports_escape_what_others_wrote() {
    let mut run = measured(&suite(""), &[("<b>&\"1\u{1}|", "en", "<script>alert(1)</script>", "x")]);
    let marks = vec![Mark { input: "output".to_owned(), start: 0, end: 8, note: "\"><img>".to_owned() }];
    run.rows[0].scores.get_mut("f1").unwrap().evidence = marks;
    let report = report::Report::new(
        &run,
        judge(&suite("gates: [{metric: f1, mean: '> 0.5'}]").gates, &run, None),
        None,
        &[],
        0,
    );
    let page = report::html(&report);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("<mark title=\"&quot;&gt;&lt;img&gt;\">&lt;script&gt;</mark>alert(1)"));
    let xml = report::junit(&report);
    assert!(
        xml.contains("name=\"&lt;b&gt;&amp;&quot;1\u{fffd}|\"") && xml.contains("<failure message=\"0.0000"),
        "{xml}"
    );
    assert!(report::markdown(&report).contains("| f1 | 0.0000 |"));
    assert_eq!(report.json()["verdict"], "failed");
}

fn one_metric(row: &str) -> Result<Vec<Metric>, String> {
    let told = |problems: Vec<SuiteProblem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let metrics = format!("{}metrics:\n  - {row}\n", SUITE.split("metrics:").next().unwrap());
    let suite = Suite::parse(&metrics).map_err(told)?;
    make_all(&suite.metrics, &NoPrograms).map_err(|problems| told(suite.placed(&metrics, problems)))
}

#[test]
fn judges_are_metrics_of_suites() {
    let made = |row: &str| one_metric(row).unwrap().remove(0);
    let judge = made("{judge: toxicity, model: m, as: rude, threshold: 1}");
    assert_eq!((judge.name.as_str(), judge.direction), ("rude", Direction::Lower));
    assert!(matches!(judge.made, Made::Asked(_)));
    let panel = made("{judge: {rubric: helpfulness, models: [a, b], samples: 3}}");
    assert_eq!((panel.name.as_str(), panel.direction), ("helpfulness", Direction::Higher));
    let check = |row: &str, expected: &str| {
        let told = one_metric(row).unwrap_err();
        assert!(told.contains("line 7") && told.contains(expected), "{expected} is not in\n{told}");
    };
    check("{judge: helpfulness}", "who judges? Give a `model`");
    check("{judge: helpful, model: m}", "`metrics[0].judge`: no rubric is called `helpful`");
    check("{judge: helpfulness, model: m, modle: n}", "unknown field `modle`");
    check("{judge: helpfulness, model: m, samples: 0}", "samples");
    check("{judge: helpfulness, model: m, direction: lower}", "the rubric knows");
}

#[tokio::test]
async fn metrics_that_compare_vectors_have_them_made_of_texts() {
    let row =
        "{metric: embedding_similarity, as: alike, threshold: 0.9, options: {embedding_model: m, measure: euclidean}}";
    let metric = one_metric(row).unwrap().remove(0);
    let Made::Asked(scorer) = &metric.made else { panic!("{metric:?}") };
    let row = Row { item: fields(json!({"reference": "tac"})), output: json!("cat"), ..Row::default() };
    let scored = scorer.score(&row.case()).await.unwrap();
    assert_eq!((metric.name.as_str(), scored.value, scored.passed), ("alike", Some(1.0), Some(true)));
    assert!(matches!(one_metric("embedding_similarity").unwrap().remove(0).made, Made::Local(_)));
    let told = one_metric("{metric: list_match, options: {embedding_model: ''}}").unwrap_err();
    assert!(told.contains("line 7") && told.contains("expected a model or a route"), "{told}");
    let told = one_metric("{metric: bleu, options: {embedding_model: m}}").unwrap_err();
    assert!(told.contains("`bleu` has no such option"), "{told}");
}

#[test]
fn modules_are_metrics_of_suites() {
    let metrics = one_metric("{as: half, wasm: half.wasm, threshold: 0.4}").unwrap();
    let row = Row { output: json!("x"), ..Row::default() };
    let case = row.case();
    let score = metrics[0].measure(&Seen { case: &case, row: &row }).unwrap();
    assert_eq!((score.value, score.passed), (Some(0.5), Some(true)));
    assert!(one_metric("{wasm: half.wasm}").unwrap_err().contains("`wasm` needs a name"));
    assert!(one_metric("{as: x, wasm: none.wasm}").unwrap_err().contains("can't read `none.wasm`"));
}

#[test]
fn items_come_from_one_place() {
    let datasets = |rows: &str| {
        let text = SUITE.replacen("[gold.jsonl]", rows, 1);
        Suite::parse(&text).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let suite = datasets("[{dataset: gold@v2, split: test}, {traces: {time: {from: now-24h}, limit: 50}}]").unwrap();
    assert_eq!(suite.datasets[0].format(), Ok(Format::Jsonl));
    assert_eq!(suite.datasets[1].traces.as_ref().unwrap().limit, Some(50));
    for (rows, expected) in [
        ("[{dataset: gold, path: gold.csv}]", "`datasets[0]`: expected exactly one of `path`, `dataset` and `traces`"),
        ("[{id: n}]", "expected exactly one of"),
        ("[{path: gold.csv, split: test}]", "`datasets[0].split`: only a `dataset` has splits"),
        ("[{dataset: gold, format: csv}]", "`datasets[0].format`: only a file"),
        ("[{dataset: '@v2'}]", "`datasets[0].dataset`: expected `name`"),
        ("[{traces: {time: {from: yesterday}}}]", "datasets[0].traces"),
    ] {
        let told = datasets(rows).unwrap_err();
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn metadata_of_a_stored_item_are_fields_of_it() {
    let line = br#"{"id": "a", "input": "why?", "metadata": {"lang": "de", "input": "not this"}}"#;
    let stored = DatasetConfig { dataset: Some("gold".to_owned()), ..DatasetConfig::default() };
    let item = read_items(line, &stored).unwrap().remove(0);
    assert_eq!((&item.fields["lang"], &item.fields["input"]), (&json!("de"), &json!("why?")));
    let file = DatasetConfig { path: Some("gold.jsonl".to_owned()), ..DatasetConfig::default() };
    assert!(!read_items(line, &file).unwrap()[0].fields.contains_key("lang"));
}
