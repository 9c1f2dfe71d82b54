use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox_types::seam::Completion;
use signalbox_types::{ErrorClass, ScoreSource};

use crate::tests::house::House;

async fn refusal(body: Value) -> Value {
    let answer = House::new().await.post("/api/v1/evaluate", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    answer.json()["error"].clone()
}

#[tokio::test]
async fn every_metric_is_listed_with_what_it_needs() {
    let told = House::new().await.get("/api/v1/metrics").await.ok();
    let metrics = told["metrics"].as_array().unwrap();
    let rouge = metrics.iter().find(|one| one["name"] == "rouge1").unwrap();
    assert_eq!(
        (&rouge["inputs"], &rouge["low"], &rouge["high"], &rouge["direction"], &rouge["options"][0]["name"]),
        (&json!(["output", "reference"]), &json!(0.0), &json!(1.0), &json!("higher"), &json!("stem"))
    );
    let example = json!({"metrics": ["rouge1"], "cases": [rouge["example"]]});
    let told = House::new().await.post("/api/v1/evaluate", &example).await.ok();
    assert!(told["results"][0]["scores"][0]["value"].as_f64().unwrap() > 0.5, "{told}");
}

#[tokio::test]
async fn cases_are_measured_and_what_can_not_be_says_why() {
    let body = json!({
        "metrics": ["exact_match", {"name": "contains", "options": {"lowercase": true}, "threshold": 2}, "numeric_consistency"],
        "cases": [
            {"id": 7, "output": "Yes, 5", "reference": "yes", "context": "four"},
            {"output": "yes"},
        ],
    });
    let told = House::new().await.post("/api/v1/evaluate", &body).await.ok();
    let first = &told["results"][0];
    assert_eq!((&first["id"], &first["scores"][0]["value"]), (&json!(7), &json!(0.0)));
    let contains = &first["scores"][1];
    assert_eq!((&contains["value"], &contains["passed"]), (&json!(1.0), &json!(false)), "by the request's threshold");
    assert_eq!(
        first["scores"][2]["evidence"],
        json!([{"input": "output", "start": 5, "end": 6, "note": "the context doesn't have it"}])
    );
    let second = &told["results"][1];
    assert!(second.get("id").is_none());
    let expected = "`reference`: expected the right answer, or a list of right ones, found nothing";
    assert_eq!((&second["scores"][0]["error"], second["scores"][0].get("value")), (&json!(expected), None));
}

#[tokio::test]
async fn a_wrong_request_is_told_where() {
    let error = refusal(json!({"metrics": ["rogue1"], "cases": [{}]})).await;
    assert_eq!((&error["field"], &error["hint"]), (&json!("metrics[0]"), &json!("did you mean `rouge1`?")));
    let error = refusal(json!({"metrics": [{"name": "bleu", "options": {"smooth": "x"}}], "cases": [{}]})).await;
    assert_eq!(error["field"], "metrics[0].options.smooth");
    assert_eq!(refusal(json!({"metrics": ["bleu"], "cases": []})).await["field"], "cases");
}

/// A judge that finds what says "good" good, quotes it, and what else it was told to.
fn verdict(ask: &Completion) -> String {
    let text = ask.messages[1].readable();
    let good = text.contains("a good answer");
    let evidence = json!([{"part": "output", "quote": "A GOOD answer", "note": "as asked"}]);
    let verdict = if good { "4" } else { "1" };
    json!({"reasoning": format!("It is {good}."), "evidence": evidence, "verdict": verdict}).to_string()
}

fn helpful(more: Value) -> Value {
    let mut metric = json!({"judge": "helpfulness", "model": "gpt-judge"});
    metric.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    metric
}

#[tokio::test]
async fn rubrics_are_listed_with_their_scale_and_source() {
    let told = House::new().await.get("/api/v1/rubrics").await.ok();
    let rubrics = told["rubrics"].as_array().unwrap();
    assert!(rubrics.len() >= 20);
    let one = rubrics.iter().find(|one| one["name"] == "helpfulness").unwrap();
    assert_eq!(
        (&one["inputs"], &one["low"], &one["threshold"]),
        (&json!(["input", "output"]), &json!(0.0), &json!(3.0))
    );
    assert_eq!((&one["scale"]["kind"], &one["scale"]["levels"][0]["value"]), (&json!("ordinal"), &json!(0.0)));
    assert!(one["source"].as_str().unwrap().contains("https://"));
    let labels = rubrics.iter().find(|one| one["name"] == "refusal").unwrap();
    assert!(labels.get("threshold").is_none() && labels["scale"]["labels"][0]["passes"] == true);
}

#[tokio::test]
async fn judges_stand_beside_metrics_and_errors_are_each_cases_own() {
    let house = House::new().await;
    house.models.answer_by(verdict);
    let body = json!({
        "metrics": ["length", helpful(json!({"name": "useful"}))],
        "cases": [
            {"id": 1, "input": "q", "output": "It's a good answer.", "output_model": "openai/gpt-x"},
            {"id": 2, "input": "q", "output": "Bad."},
            {"id": 3, "output": "It has no input."},
        ],
    });
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let judged: Vec<&Value> = (0..3).map(|at| &told["results"][at]["scores"][1]).collect();
    assert!((0..3).all(|at| told["results"][at]["scores"][0]["metric"] == "length"));
    assert_eq!(
        (&judged[0]["metric"], &judged[0]["value"], &judged[0]["passed"]),
        (&json!("useful"), &json!(4.0), &json!(true))
    );
    assert_eq!(judged[0]["evidence"], json!([{"input": "output", "start": 5, "end": 18, "note": "as asked"}]));
    let detail = &judged[0]["judgement"];
    assert_eq!((&detail["calls"], &detail["input_tokens"]), (&json!(1), &json!(10)));
    assert_eq!(detail["flags"][0]["kind"], "self_preference");
    assert_eq!(detail["opinions"][0]["answered_by"], "gpt-judge-0613");
    assert_eq!((&judged[1]["value"], &judged[1]["passed"]), (&json!(1.0), &json!(false)));
    assert_eq!(judged[1]["judgement"]["flags"][0]["kind"], "unverified_quotes");
    assert_eq!(judged[2]["error"], "`input`: expected what was asked, found nothing");
    assert!(judged[2].get("value").is_none());
    // As the project that asked, and never more calls than needed.
    assert_eq!(house.models.asked_for(), vec![house.principal().project; 2]);
    assert_eq!(house.models.asked()[0].metadata["signalbox.judge"], "helpfulness");
    assert!(house.store.scores().is_empty(), "nothing is stored unless it is asked for");
}

#[tokio::test]
async fn a_model_that_fails_is_an_error_and_never_a_zero() {
    let house = House::new().await;
    house.models.fail(ErrorClass::RateLimited, "the budget is spent");
    house.models.say("no idea");
    house.models.say("no idea");
    let case = json!({"input": "q", "output": "x"});
    let body = json!({"metrics": [helpful(json!({}))], "cases": [case, case]});
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let scores: Vec<&Value> = (0..2).map(|at| &told["results"][at]["scores"][0]).collect();
    let errors: Vec<&str> = scores.iter().map(|score| score["error"].as_str().unwrap()).collect();
    assert!(errors.contains(&"the budget is spent"), "{errors:?}");
    assert!(errors.iter().any(|error| error.starts_with("`gpt-judge` gave no answer that can be read")), "{errors:?}");
    assert!(scores.iter().all(|score| score.get("value").is_none() && score.get("passed").is_none()));
}

#[tokio::test]
async fn a_rubric_of_ones_own_with_examples_of_people() {
    let house = House::new().await;
    house.models.answer_by(|_| json!({"reasoning": "r", "verdict": "rude"}).to_string());
    let rubric = json!({
        "name": "manners", "inputs": ["output"], "criteria": "How polite is it?",
        "scale": {"kind": "categorical", "labels": [{"label": "polite", "meaning": "it is", "passes": true}, {"label": "rude", "meaning": "it isn't"}]},
    });
    let examples = json!([{"output": "Go away, please.", "label": "Polite", "label_reason": "it says please"}]);
    let metric = json!({"judge": rubric, "models": ["a", "b"], "samples": 2, "examples": examples});
    let told =
        house.post("/api/v1/evaluate", &json!({"metrics": [metric], "cases": [{"output": "Go away."}]})).await.ok();
    let score = &told["results"][0]["scores"][0];
    assert_eq!(
        (&score["metric"], &score["label"], &score["passed"]),
        (&json!("manners"), &json!("rude"), &json!(false))
    );
    assert_eq!((&score["judgement"]["agreement"], &score["judgement"]["calls"]), (&json!(1.0), &json!(4)));
    let asked = house.models.asked()[0].messages[1].readable();
    assert!(asked.contains("The verdict of people: polite") && asked.contains("it says please"), "{asked}");
}

#[tokio::test]
async fn examples_are_found_by_meaning_where_an_embedding_model_is_named() {
    let house = House::new().await;
    house.models.answer_by(|_| json!({"reasoning": "r", "verdict": "no"}).to_string());
    let labelled = |output: &str| json!({"output": output, "label": "no"});
    let metric = json!({
        "judge": "toxicity", "model": "m", "embedding_model": "vectors", "examples": [labelled("Tac tac."), labelled("Ooze.")],
    });
    let body = json!({"metrics": [metric], "cases": [{"output": "A cat."}, {"output": "A cat, too."}]});
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let judgement = |told: &Value, at: usize| told["results"][at]["scores"][0]["judgement"].clone();
    assert_eq!(judgement(&told, 0)["flags"], json!([]));
    let texts: usize = house.embedder.asked().iter().map(|(_, _, texts)| texts.len()).sum();
    assert_eq!(texts, 4, "each case once, and the examples once for both");
    assert!(
        house
            .embedder
            .asked()
            .iter()
            .all(|(project, model, _)| *project == house.principal().project && model == "vectors")
    );
    let asked = house.models.asked()[0].messages[1].readable();
    // By letters alone no piece of three is the same.
    assert!(asked.contains("Tac tac."), "{asked}");
    house.embedder.fail(ErrorClass::NotFound, "nobody is called `vectors`");
    let body = json!({"metrics": body["metrics"], "cases": [{"output": "A cat."}]});
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let flags = &judgement(&told, 0)["flags"];
    assert_eq!(flags[0]["kind"], "examples_by_letters");
    assert!(flags[0]["message"].as_str().unwrap().contains("nobody is called `vectors`"), "{flags}");
}

#[tokio::test]
async fn texts_are_compared_by_vectors_where_an_embedding_model_is_named() {
    let house = House::new().await;
    let metric = json!({"name": "semantic_similarity", "options": {"embedding_model": "vectors"}});
    let list = json!({"name": "semantic_list_match", "options": {"embedding_model": "vectors"}, "threshold": 0.9});
    let body = json!({
        "store": true, "metrics": ["length", metric, list],
        "cases": [
            {"output": "cat", "reference": ["dog", "tac"], "trace_id": "0af7651916cd43dd8448eb211c80319c"},
            {"output": "cat", "session_id": "s"},
        ],
    });
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let scores = &told["results"][0]["scores"];
    assert!(scores[1]["value"].as_f64().unwrap() > 0.999 && scores[1]["metric"] == "embedding_similarity", "{scores}");
    assert!(scores[1]["cost_usd"].is_number() || scores[1]["cost_usd"].is_string(), "{scores}");
    assert!(
        (scores[2]["value"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9 && scores[2]["passed"] == false,
        "{scores}"
    );
    let error = told["results"][1]["scores"][1]["error"].as_str().unwrap();
    assert!(error.starts_with("`reference`: expected"), "{error}");
    let kept = house.store.scores();
    let kept = kept.iter().find(|score| score.name == "embedding_similarity").unwrap();
    assert_eq!((kept.source, kept.metadata["embedding_model"].as_str()), (ScoreSource::Code, "vectors"));
    assert!(house.embedder.asked().iter().all(|(project, ..)| *project == house.principal().project));

    house.embedder.fail(ErrorClass::RateLimited, "the budget is spent");
    let case = json!({"output": "cat", "reference": "tac"});
    let told = house.post("/api/v1/evaluate", &json!({"metrics": [metric], "cases": [case]})).await.ok();
    let score = &told["results"][0]["scores"][0];
    assert_eq!(
        (&score["error"], score.get("value")),
        (&json!("`vectors` gave no embeddings: the budget is spent"), None)
    );
    let told =
        house.post("/api/v1/evaluate", &json!({"metrics": ["embedding_similarity"], "cases": [case]})).await.ok();
    let error = told["results"][0]["scores"][0]["error"].as_str().unwrap();
    assert!(error.contains("the option `embedding_model`"), "{error}");
    let cases = vec![case; 1001];
    let error = refusal(json!({"metrics": [metric], "cases": cases})).await;
    assert!(error["message"].as_str().unwrap().contains("1001 calls of models are too many"), "{error}");
    let metric = json!({"name": "embedding_similarity", "options": {"embedding_model": 3}});
    assert_eq!(
        refusal(json!({"metrics": [metric], "cases": [{}]})).await["field"],
        "metrics[0].options.embedding_model"
    );
}

#[tokio::test]
async fn scores_are_stored_where_they_belong() {
    let house = House::new().await;
    house.models.answer_by(verdict);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let body = json!({
        "store": true, "metrics": ["length", helpful(json!({"models": ["second"]}))],
        "cases": [
            {"input": "q", "output": "a good answer", "trace_id": trace, "span_id": "b7ad6b7169203331"},
            {"output": "no input", "session_id": "s1"},
        ],
    });
    let told = house.post("/api/v1/evaluate", &body).await.ok();
    let scores = house.store.scores();
    assert_eq!(scores.len(), 3, "what couldn't be judged isn't stored");
    let judged = scores.iter().find(|score| score.source == ScoreSource::Judge).unwrap();
    assert_eq!(told["results"][0]["scores"][1]["score_id"], judged.id);
    assert_eq!((judged.name.as_str(), judged.value, judged.passed), ("helpfulness", Some(4.0), Some(true)));
    assert_eq!((judged.trace_id.unwrap().to_string().as_str(), judged.span_id.is_some()), (trace, true));
    assert_eq!((judged.author.as_deref(), judged.reason.as_deref()), (Some("gpt-judge, second"), Some("It is true.")));
    let evidence: Value = serde_json::from_str(&judged.metadata["evidence"]).unwrap();
    assert_eq!(evidence[0], json!({"input": "output", "start": 0, "end": 13, "note": "as asked"}));
    assert_eq!((judged.metadata["rubric"].as_str(), judged.metadata["agreement"].as_str()), ("helpfulness", "1.0"));
    let by_code: Vec<_> = scores.iter().filter(|score| score.source == ScoreSource::Code).collect();
    assert_eq!((by_code.len(), by_code[0].name.as_str()), (2, "length"));
    assert!(by_code.iter().any(|score| score.session_id.as_deref() == Some("s1")));
}

#[tokio::test]
async fn what_is_wrong_with_a_judge_is_told_where() {
    let check = async |metric: Value, field: &str, words: &str| {
        let error = refusal(json!({"metrics": ["length", metric], "cases": [{"output": "x"}]})).await;
        assert_eq!(error["field"], field, "{error}");
        let told = format!("{} {}", error["message"], error["hint"]);
        assert!(told.contains(words), "{told}");
    };
    check(json!({"judge": "helpfulnes", "model": "m"}), "metrics[1].judge", "did you mean `helpfulness`?").await;
    check(json!({"judge": "helpfulness"}), "metrics[1].model", "a judge needs a model").await;
    check(helpful(json!({"modle": "x"})), "metrics[1]", "unknown field `modle`").await;
    check(helpful(json!({"samples": 100})), "metrics[1].samples", "expected 1 to 20, found 100").await;
    check(helpful(json!({"samples": 2, "temperature": 0})), "metrics[1].temperature", "more than 0").await;
    check(json!({"judge": 3, "model": "m"}), "metrics[1].judge", "found a number").await;
    let rubric = json!({"name": "x", "inputs": ["answer"], "criteria": "y", "scale": {"kind": "pairwise"}});
    check(json!({"judge": rubric, "model": "m"}), "metrics[1].judge.inputs[0]", "unknown variant `answer`").await;
    let rubric = json!({"name": "x", "inputs": ["output"], "criteria": " ", "scale": {"kind": "pairwise"}});
    check(json!({"judge": rubric, "model": "m"}), "metrics[1].judge.criteria", "expected what counts").await;
    check(helpful(json!({"examples": [{"output": "x", "label": "superb"}]})), "metrics[1].examples[0]", "superb").await;
    check(helpful(json!({"embedding_model": "m"})), "metrics[1].embedding_model", "there are none").await;
    check(json!("helpfulness"), "metrics[1]", "a rubric is called so").await;
    check(json!(3), "metrics[1]", "expected a metric's name, or an object; found a number").await;
    let cases: Vec<Value> = (0..201).map(|_| json!({"output": "x"})).collect();
    let error = refusal(json!({"metrics": [helpful(json!({}))], "cases": cases})).await;
    assert_eq!((&error["field"], &error["hint"]), (&json!("cases"), &json!("send several requests")));
    for (case, field) in [
        (json!({"output": "x"}), "cases[0].trace_id"),
        (json!({"output": "x", "span_id": "b7ad6b7169203331", "session_id": "s"}), "cases[0].span_id"),
        (json!({"output": "x", "trace_id": "nope"}), "cases[0].trace_id"),
        (json!({"output": "x", "session_id": 3}), "cases[0].session_id"),
    ] {
        let error = refusal(json!({"metrics": ["length"], "store": true, "cases": [case]})).await;
        assert_eq!(error["field"], field, "{error}");
    }
}
