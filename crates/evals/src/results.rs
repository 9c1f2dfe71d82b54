//! A file of results, one JSON object a line, as the items of runs: what `signalbox eval push` sends.
//!
//! A line is an item: an `id` and what is known of it. Scores are numbers, verdicts or objects by the names of metrics, a list of objects that
//! name theirs, or the one `score` of `signalbox eval metric`. Lines that name a `target` make a run for each. A line with `run` says what the
//! whole is, as does the head of a file that `signalbox eval run` wrote; one with `summary` ends it. Both may be missing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use signalbox_metrics::Direction;

use crate::safety::find_metric;

/// Texts are cut to what a run keeps, so that one long answer doesn't make a request too large. In characters.
const MOST_OUTPUT: usize = 32_000;
const MOST_INPUT: usize = 4_000;
const MOST_REASON: usize = 2_000;

/// How lines are read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The metric of lines that have a `score`.
    pub metric: Option<String>,
    /// Fields of lines that tell items apart, beside `segments`.
    pub segments: Vec<String>,
}

/// What a file says of one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Who answered, if the lines say so.
    pub target: Option<String>,
    /// What the file says of the whole.
    pub run: Map<String, Value>,
    /// The items, as the API takes them.
    pub items: Vec<Value>,
    /// How the run ended, if the file says so.
    pub status: Option<String>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct LineProblem {
    /// From 1.
    pub line: usize,
    /// What was expected, and what was found.
    pub problem: String,
}

impl Results {
    /// Reads a file's text: a run for each target.
    ///
    /// # Errors
    /// The first line that is no item of a run says why.
    pub fn read(text: &str, reading: &Reading) -> Result<Vec<Self>, LineProblem> {
        let (mut whole, mut expected) = (Self::default(), None);
        let mut found: Vec<Self> = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let told = |problem| LineProblem { line: at + 1, problem };
            let mut fields = object(line).map_err(told)?;
            if let Some(Value::Object(run)) = fields.get("run") {
                whole.run.extend(run.clone());
            } else if fields
                .get("format")
                .and_then(Value::as_str)
                .is_some_and(|format| format.starts_with("signalbox-eval/"))
            {
                expected = fields.get("expected").and_then(Value::as_u64);
                whole.run.extend(head(&fields));
            } else if let Some(summary) = fields.get("summary") {
                whole.status = summary["status"].as_str().map(str::to_owned);
            } else {
                let target = fields.get("target").and_then(Value::as_str).map(str::to_owned);
                let item = item(&mut fields, reading).map_err(told)?;
                match found.iter_mut().find(|results| results.target == target) {
                    Some(results) => results.items.push(item),
                    None => found.push(Self { target, items: vec![item], ..Self::default() }),
                }
            }
        }
        // Fewer answers than there should be: it was interrupted.
        let answers: usize = found.iter().map(|results| results.items.len()).sum();
        if expected.is_some_and(|expected| (answers as u64) < expected) {
            whole.status = Some("cancelled".to_owned());
        }
        for results in &mut found {
            (results.run, results.status) = (whole.run.clone(), whole.status.clone());
        }
        Ok(found)
    }

    /// The metrics of a run: those that the file announces, then those that it has scores of. Which way they are good and what passes is what
    /// the metric of this name says, if there is one.
    #[must_use]
    pub fn metrics(&self) -> Vec<Value> {
        let announced = self.run.get("metrics").and_then(Value::as_array).cloned().unwrap_or_default();
        let names: BTreeSet<&str> = announced.iter().filter_map(|metric| metric["name"].as_str()).collect();
        let scored = self.items.iter().filter_map(|item| item["scores"].as_object()).flat_map(Map::keys);
        let scored: BTreeSet<&str> = scored.map(String::as_str).filter(|name| !names.contains(name)).collect();
        let named = scored.into_iter().map(|name| match find_metric(name) {
            Some(about) if about.direction == Direction::Lower => {
                json!({"name": name, "direction": "lower", "threshold": about.threshold})
            }
            Some(about) => json!({"name": name, "direction": "higher", "threshold": about.threshold}),
            None => json!({"name": name}),
        });
        let named: Vec<Value> = named.collect();
        announced.into_iter().chain(named).collect()
    }
}

fn object(line: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(format!("expected an object, found {}", signalbox_metrics::kind(&other))),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

/// The head of a file that `signalbox eval run` wrote, in the words of a run.
fn head(fields: &Map<String, Value>) -> Map<String, Value> {
    let said = [("suite", "experiment"), ("started", "started_at"), ("metrics", "metrics"), ("dataset", "dataset")];
    let mut run: Map<String, Value> =
        said.iter().filter_map(|(from, to)| Some(((*to).to_owned(), fields.get(*from)?.clone()))).collect();
    if let Some(fingerprint) = fields.get("fingerprint") {
        run.insert("config".to_owned(), json!({ "suite": fingerprint }));
    }
    run
}

fn item(fields: &mut Map<String, Value>, reading: &Reading) -> Result<Value, String> {
    let id = fields.remove("item_id").or_else(|| fields.remove("id"));
    let id = match id {
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(Value::Number(id)) => id.to_string(),
        Some(other) if !other.is_null() && other != "" => {
            return Err(format!("`id`: expected a text or a number, found {}", signalbox_metrics::kind(&other)));
        }
        _ => return Err("`id`: expected the id of the item, found nothing".to_owned()),
    };
    // What was asked may stand apart from what came out; what a line says itself comes first.
    if let Some(Value::Object(asked)) = fields.remove("item") {
        for (name, value) in asked {
            fields.entry(name).or_insert(value);
        }
    }
    let mut item = Map::from_iter([("item_id".to_owned(), Value::String(id))]);
    let expected = if fields.contains_key("expected") { "expected" } else { "reference" };
    for (name, from, most) in [
        ("input", "input", MOST_INPUT),
        ("expected", expected, MOST_INPUT),
        ("output", "output", MOST_OUTPUT),
        ("error", "error", MOST_REASON),
    ] {
        if let Some(value) = fields.get(from).filter(|value| !value.is_null()) {
            item.insert(name.to_owned(), Value::String(cut(text(value), most)));
        }
    }
    for name in ["latency_ms", "input_tokens", "output_tokens", "cost", "trace_id"] {
        if let Some(value) = fields.remove(name).filter(|value| !value.is_null()) {
            item.insert(name.to_owned(), value);
        }
    }
    if let Some(cost) = fields.remove("cost_usd").filter(|cost| !cost.is_null()) {
        item.entry("cost").or_insert(cost);
    }
    let segments = segments(fields, reading);
    if !segments.is_empty() {
        item.insert("segments".to_owned(), Value::Object(segments));
    }
    let scores = scores(fields, reading)?;
    if !scores.is_empty() {
        item.insert("scores".to_owned(), Value::Object(scores));
    }
    Ok(Value::Object(item))
}

fn segments(fields: &Map<String, Value>, reading: &Reading) -> Map<String, Value> {
    let own = fields.get("segments").and_then(Value::as_object).cloned().unwrap_or_default();
    let metadata = fields.get("metadata").and_then(Value::as_object);
    let asked = reading.segments.iter().filter_map(|name| {
        let value = fields.get(name).or_else(|| metadata?.get(name))?;
        Some((name.clone(), value.clone()))
    });
    let all = own.into_iter().chain(asked).filter(|(_, value)| !value.is_null());
    all.map(|(name, value)| (name, Value::String(cut(text(&value), 200)))).collect()
}

fn scores(fields: &Map<String, Value>, reading: &Reading) -> Result<Map<String, Value>, String> {
    let mut scores = Map::new();
    match fields.get("scores") {
        None | Some(Value::Null) => {}
        Some(Value::Object(by_name)) => {
            for (name, value) in by_name {
                scores.insert(name.clone(), score(value, name)?);
            }
        }
        Some(Value::Array(list)) => {
            for (at, value) in list.iter().enumerate() {
                let name = value["metric"].as_str().or_else(|| value["name"].as_str());
                let name = name.ok_or_else(|| format!("`scores[{at}]`: expected a `metric`, found none"))?;
                scores.insert(name.to_owned(), score(value, name)?);
            }
        }
        Some(other) => {
            let found = signalbox_metrics::kind(other);
            return Err(format!("`scores`: expected an object by the names of metrics, or a list, found {found}"));
        }
    }
    if fields.get("score").is_some_and(|value| !value.is_null()) {
        let name = fields.get("metric").and_then(Value::as_str).or(reading.metric.as_deref());
        let name = name.ok_or("`score`: expected the metric's name in `metric`, or with --metric, found none")?;
        scores.insert(name.to_owned(), score(&Value::Object(fields.clone()), name)?);
    }
    Ok(scores)
}

fn score(value: &Value, name: &str) -> Result<Value, String> {
    let mut told = Map::new();
    match value {
        Value::Number(number) => {
            told.insert("value".to_owned(), Value::Number(number.clone()));
        }
        Value::Bool(passed) => {
            told.insert("passed".to_owned(), Value::Bool(*passed));
        }
        Value::String(label) => {
            told.insert("label".to_owned(), Value::String(label.clone()));
        }
        Value::Object(fields) => {
            for (field, from) in [
                ("value", "value"),
                ("value", "score"),
                ("passed", "passed"),
                ("label", "label"),
                ("evidence", "evidence"),
            ] {
                if let Some(value) = fields.get(from).filter(|value| !value.is_null()) {
                    told.insert(field.to_owned(), value.clone());
                }
            }
            // The error of a line is the item's; what a score is about is not said twice.
            for field in
                ["reason", "error"].into_iter().filter(|field| *field == "reason" || !fields.contains_key("id"))
            {
                if let Some(value) = fields.get(field).filter(|value| !value.is_null()) {
                    told.insert(field.to_owned(), Value::String(cut(text(value), MOST_REASON)));
                }
            }
        }
        other => {
            let found = signalbox_metrics::kind(other);
            return Err(format!("`scores.{name}`: expected a number, a verdict, a label or an object, found {found}"));
        }
    }
    Ok(Value::Object(told))
}

/// A text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cut(mut text: String, most: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &[Value], reading: &Reading) -> Vec<Results> {
        let text: String = lines.iter().map(|line| format!("{line}\n\n")).collect();
        Results::read(&text, reading).unwrap()
    }

    fn read(lines: &[Value], reading: &Reading) -> Results {
        let [results] = <[Results; 1]>::try_from(all(lines, reading)).unwrap();
        results
    }

    #[test]
    fn a_file_of_a_suite_makes_a_run_for_each_target() {
        let line = |target: &str, id: u32| {
            json!({"target": target, "id": id, "item": {"input": "why?", "reference": "so", "level": 1}, "output": "because",
                   "latency_ms": 3.0, "cost_usd": 0.25, "cached": true, "scores": {"rouge1": {"value": 0.5, "reason": "", "evidence": []}}})
        };
        let head = json!({"format": "signalbox-eval/1", "suite": "support", "fingerprint": "ab12", "started": "2026-01-02T03:04:05Z",
                          "expected": 3, "metrics": [{"name": "rouge1", "direction": "higher"}], "dataset": "gold@6f1c"});
        let reading = Reading { segments: vec!["level".to_owned()], metric: None };
        let found = all(&[head.clone(), line("small", 1), line("large", 1), line("small", 2)], &reading);
        let told: Vec<_> =
            found.iter().map(|one| (one.target.as_deref(), one.items.len(), one.status.as_deref())).collect();
        assert_eq!(told, [(Some("small"), 2, None), (Some("large"), 1, None)]);
        assert_eq!(
            json!(found[1].run),
            json!({"experiment": "support", "started_at": "2026-01-02T03:04:05Z", "config": {"suite": "ab12"},
                   "metrics": [{"name": "rouge1", "direction": "higher"}], "dataset": "gold@6f1c"})
        );
        assert_eq!(
            found[1].items[0],
            json!({"item_id": "1", "input": "why?", "expected": "so", "output": "because", "latency_ms": 3.0, "cost": 0.25,
                   "segments": {"level": "1"}, "scores": {"rouge1": {"value": 0.5, "reason": "", "evidence": []}}})
        );
        let broken_off = all(&[head, line("small", 1)], &reading);
        assert_eq!(broken_off[0].status.as_deref(), Some("cancelled"));
    }

    #[test]
    fn items_and_what_is_said_of_the_whole() {
        let lines = [
            json!({"run": {"name": "v7", "metrics": [{"name": "tone", "direction": "lower"}]}}),
            json!({"id": 7, "input": {"q": 1}, "reference": "b", "output": "a", "latency_ms": 12.5, "cost": null, "us": 3,
                   "metadata": {"language": "de"}, "level": 2,
                   "scores": {"rouge1": 0.5, "tone": {"value": 0.1, "passed": true, "reason": "kind"}, "ok": false, "kind": "short"}}),
            json!({"item_id": "8", "error": "timed out"}),
            json!({"summary": {"status": "cancelled", "mean": 1}}),
        ];
        let reading =
            Reading { segments: vec!["language".to_owned(), "level".to_owned(), "none".to_owned()], metric: None };
        let found = read(&lines, &reading);
        assert_eq!((found.run["name"].as_str(), found.status.as_deref()), (Some("v7"), Some("cancelled")));
        assert_eq!(
            found.items,
            [
                json!({"item_id": "7", "input": "{\"q\":1}", "expected": "b", "output": "a", "latency_ms": 12.5,
                       "segments": {"language": "de", "level": "2"},
                       "scores": {"rouge1": {"value": 0.5}, "tone": {"value": 0.1, "passed": true, "reason": "kind"},
                                  "ok": {"passed": false}, "kind": {"label": "short"}}}),
                json!({"item_id": "8", "error": "timed out"}),
            ]
        );
        assert_eq!(
            found.metrics(),
            [
                json!({"name": "tone", "direction": "lower"}),
                json!({"name": "kind"}),
                json!({"name": "ok"}),
                json!({"name": "rouge1", "direction": "higher", "threshold": 0.3}),
            ]
        );
    }

    #[test]
    fn scores_as_a_list_and_as_metrics_write_them() {
        let lines = [
            json!({"id": "a", "scores": [{"metric": "bleu", "score": 50.0, "reason": "so"}, {"name": "ter", "error": "no reference"}]}),
            json!({"id": "b", "score": 0.25, "passed": false, "reason": "far", "us": 1.5}),
        ];
        let reading = Reading { metric: Some("meteor".to_owned()), ..Reading::default() };
        let found = read(&lines, &reading);
        assert_eq!(
            found.items[0]["scores"],
            json!({"bleu": {"value": 50.0, "reason": "so"}, "ter": {"error": "no reference"}})
        );
        assert_eq!(found.items[1]["scores"], json!({"meteor": {"value": 0.25, "passed": false, "reason": "far"}}));
        assert_eq!(found.metrics()[2], json!({"name": "ter", "direction": "lower", "threshold": 50.0}));
    }

    #[test]
    fn a_wrong_line_says_where_and_what_was_expected() {
        let check = |text: &str, expected: &str| {
            let problem = Results::read(text, &Reading::default()).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        };
        check("{\"id\": 1}\n[]", "line 2: expected an object, found a list");
        check("{", "line 1: not JSON");
        check("{\"output\": \"a\"}", "`id`: expected the id of the item, found nothing");
        check("{\"id\": 1, \"score\": 1}", "--metric");
        check("{\"id\": 1, \"scores\": 3}", "`scores`: expected an object");
        check("{\"id\": 1, \"scores\": {\"a\": []}}", "`scores.a`: expected a number");
    }

    #[test]
    fn long_texts_are_cut() {
        let found = read(&[json!({"id": "a", "output": "ä".repeat(40_000)})], &Reading::default());
        assert_eq!(found.items[0]["output"].as_str().unwrap().chars().count(), 32_001);
    }
}
