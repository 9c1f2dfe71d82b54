use serde_json::{Value, json};

use super::*;
use crate::conformance::{near, value_with};

fn case(output: Value, reference: Value) -> Case {
    let tools = json!([{"name": "book", "parameters": {"type": "dict", "required": ["city", "nights"], "properties": {
        "city": {"type": "string"}, "nights": {"type": "integer"}, "price": {"type": "float"}, "tags": {"type": "array"},
    }}}]);
    Case::new().with(Input::Output, output).with(Input::Reference, reference).with(Input::Tools, tools)
}

fn check(arguments: Value, expected: &str) {
    let reference = json!([{"book": {"city": ["Paris", "Paris, France"], "nights": [2], "price": ["", 99.5], "tags": ["", ["a", "b"]]}}]);
    let outcome = compare(&case(json!([{"name": "book", "arguments": arguments}]), reference), false).unwrap();
    assert_eq!(outcome.reason, expected, "{arguments}");
    near(outcome.value, f64::from(u8::from(expected == "all 1 calls are right")));
}

#[test]
fn typed_optional_alternative_and_extra_arguments() {
    check(json!({"city": "paris", "nights": 2}), "all 1 calls are right");
    check(json!({"city": "Paris France", "nights": 2, "price": 99.5, "tags": ["a", "b"]}), "all 1 calls are right");
    check(json!({"city": "London", "nights": 2}), "`book`: `city` has the wrong value");
    check(json!({"city": "Paris", "nights": "2"}), "`book`: `nights` has the wrong type");
    check(json!({"city": "Paris", "nights": 2.0}), "`book`: `nights` has the wrong type");
    check(json!({"city": "Paris"}), "`book`: `nights` is missing");
    check(json!({"city": "Paris", "nights": 2, "verbose": true}), "`book`: `verbose` is not wanted");
    check(json!({"city": "Paris", "nights": 2, "tags": ["b", "a"]}), "`book`: `tags` has the wrong value");
}

#[test]
fn calls_pair_up_in_any_order() {
    let call = |name: &str, value: i64| json!({"name": name, "arguments": {"x": value}});
    let reference = json!([{"f": {"x": [1, 2]}}, {"f": {"x": [1]}}, {"g": {"x": [3]}}]);
    // The first wanted call must leave 1 to the second.
    let output = json!([call("g", 3), call("f", 1), call("f", 2)]);
    let value = |output: &Value, options: &Options| {
        value_with(&FUNCTION_CALL, options, &case(output.clone(), reference.clone()))
    };
    near(value(&output, &Options::new()), 1.0);
    near(value(&output, &Options::new().with("ordered", true)), 0.0);
    near(value(&json!([call("f", 2), call("f", 1)]), &Options::new()), 0.0);
    near(value(&json!([call("f", 2), call("f", 2), call("g", 3)]), &Options::new()), 0.0);
}

#[test]
fn no_call_is_right_where_none_is_wanted() {
    near(value_with(&FUNCTION_CALL, &Options::new(), &case(json!([]), json!([]))), 1.0);
    near(value_with(&FUNCTION_CALL, &Options::new(), &case(json!("I can't do that."), json!([]))), 1.0);
    near(value_with(&FUNCTION_CALL, &Options::new(), &case(json!([{"name": "f"}]), json!([]))), 0.0);
}

#[test]
fn names_and_arguments_by_themselves() {
    let reference = json!([{"name": "a.b", "arguments": {"x": 1, "y": "z"}}]);
    let output = json!([{"name": "a_b", "arguments": {"x": 1, "y": "w", "v": 0}}]);
    near(value_with(&FUNCTION_NAME, &Options::new(), &case(output.clone(), reference.clone())), 1.0);
    near(value_with(&FUNCTION_ARGUMENTS, &Options::new(), &case(output, reference.clone())), 1.0 / 3.0);
    let twice = json!([{"name": "a_b", "arguments": {"x": 1, "y": "z"}}, {"name": "c"}]);
    near(value_with(&FUNCTION_NAME, &Options::new(), &case(twice.clone(), reference.clone())), 2.0 / 3.0);
    near(value_with(&FUNCTION_ARGUMENTS, &Options::new(), &case(twice, reference)), 2.0 / 3.0);
}
