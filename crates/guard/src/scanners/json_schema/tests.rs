use serde_json::{Value, json};
use signalbox_types::Place;

use super::*;
use crate::{Guard, conformance};

fn make(options: &Value) -> Result<Arc<dyn Scanner>, OptionProblem> {
    JsonSchemaMaker.make(options.as_object().unwrap())
}

fn city() -> Value {
    json!({"schema": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string"}, "people": {"type": "array", "items": {"type": "integer", "minimum": 1}}
    }}})
}

#[test]
fn keeps_the_contract() {
    for options in [json!({}), city(), json!({"fence": false})] {
        conformance::run(&*make(&options).unwrap());
    }
}

#[test]
fn the_place_of_the_fault_is_found() {
    let check = |options: &Value, text: &str, expected: Option<(&str, &str, &str)>| {
        let scanner = make(options).unwrap();
        let mut hits = Vec::new();
        scanner.scan(Text::whole(text), &mut hits);
        let found = hits
            .first()
            .map(|hit| (hit.rule.name, text.get(hit.start..hit.end).unwrap(), scanner.explain(text, hit).unwrap()));
        assert_eq!(found.as_ref().map(|(rule, at, detail)| (*rule, *at, detail.as_str())), expected, "{text}");
    };
    check(&city(), r#"{"city": 7}"#, Some(("wrong_shape", "7", "`/city` breaks `/properties/city/type`")));
    check(
        &city(),
        "```json\n{\"city\": \"é\", \"people\": [4, 0]}\n```",
        Some(("wrong_shape", "0", "`/people/1` breaks `/properties/people/items/minimum`")),
    );
    check(&city(), "[]", Some(("wrong_shape", "[]", "the whole breaks `/type`")));
    check(
        &json!({}),
        "{\n \"a\": 1,\n oops}",
        Some(("not_json", "oops}", "line 3, column 2: it is no JSON from there on")),
    );
    check(&json!({}), "{\"a\": \"é", Some(("not_json", "é", "line 1, column 9: it ends too early")));
    check(&json!({}), "", None);
    check(
        &json!({"fence": false}),
        "```\n1\n```",
        Some(("not_json", "```\n1\n```", "line 1, column 1: it is no JSON from there on")),
    );
    check(&json!({}), "  7 ", None);
}

#[test]
fn a_stream_is_judged_at_its_end() {
    let policy =
        json!({"policies": [{"scanner": "json_schema", "on": ["output"], "action": "block", "options": city()}]});
    let guard = Guard::compile(&serde_json::from_value(policy).unwrap()).unwrap();
    for (text, good) in [("{\"city\": \"Rome\"}", true), ("{\"city\": 1}", false)] {
        let mut window = guard.window(Place::Output);
        for piece in text.chars() {
            assert_eq!(window.push(&piece.to_string()).text, "", "nothing leaves before it is known");
        }
        let rest = window.finish();
        assert_eq!((rest.blocked, rest.text.as_str()), (!good, if good { text } else { "{\"city\": " }));
        // What isn't the answer has another shape.
        assert_eq!(guard.aside().window(Place::Output).push(text).text, text);
    }
    let mut window = guard.window(Place::Output);
    let long = (0..).map(|_| window.push(&"x".repeat(10_000))).take(30).find(|released| released.blocked).unwrap();
    assert_eq!(long.findings[0].rule, "too_long");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |options: Value| make(&options).err().map(|problem| (problem.path, problem.message)).unwrap();
    assert!(problem(json!({"schema": {"type": "strin"}})).1.contains("no JSON schema"));
    assert!(problem(json!({"schema": {"pattern": "(a)\\1"}})).1.contains("no JSON schema"));
    assert!(problem(json!({"schema": {"$ref": "https://example.com/x.json"}})).1.contains("no JSON schema"));
    assert!(problem(json!({"shema": {}})).1.contains("did you mean `schema`?"));
}

#[test]
fn finds_and_passes_its_samples() {
    let scanner = make(&city()).unwrap();
    conformance::finds_and_passes(&*scanner, include_str!("data/hit.jsonl"), include_str!("data/miss.jsonl"));
}
