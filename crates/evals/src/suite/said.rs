//! What programs and modules that measure are given, and what they say.

use serde_json::{Map, Value};
use signalbox_metrics::Case;
use signalbox_metrics::case::INPUTS;

use crate::Scored;

/// A case as JSON, part by part.
#[must_use]
pub fn case_json(case: &Case) -> Value {
    let parts = INPUTS.into_iter().filter_map(|input| Some((input.name().to_owned(), case.find(input)?.clone())));
    Value::Object(parts.collect::<Map<_, _>>())
}

/// `{"value", "passed", "label", "reason"}`, or a number, or true or false.
///
/// # Errors
/// It is something else.
pub fn said_score(said: &str) -> Result<Scored, String> {
    let shown: String = said.trim().chars().take(100).collect();
    let answer: Value = serde_json::from_str(said.trim()).map_err(|_| format!("`{shown}` is no JSON"))?;
    let part = |name: &str| answer.get(name).filter(|value| !value.is_null());
    let number = |value: &Value| value.as_f64().or_else(|| value.as_bool().map(|yes| f64::from(u8::from(yes))));
    let wrong = |name: &str, expected: &str| format!("`{name}`: expected {expected}, found {}", answer[name]);
    let value = match (&answer, part("value").or_else(|| part("score"))) {
        (Value::Object(_), None) => None,
        (Value::Object(_), Some(value)) => Some(number(value).ok_or_else(|| wrong("value", "a number"))?),
        (other, _) => Some(number(other).ok_or_else(|| format!("expected an object or a number, found `{shown}`"))?),
    };
    let passed = match part("passed") {
        Some(verdict) => Some(verdict.as_bool().ok_or_else(|| wrong("passed", "true or false"))?),
        None => answer.as_bool(),
    };
    let text = |name: &str| part(name).and_then(Value::as_str).map(str::to_owned);
    let label = text("label");
    if value.is_none() && passed.is_none() && label.is_none() {
        return Err(format!("`{shown}` has neither `value` nor `passed` nor `label`"));
    }
    let reason = text("reason").unwrap_or_default();
    Ok(Scored { value, label, passed, reason, evidence: Vec::new(), cost: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_a_score_or_an_error() {
        let all = said_score(r#"{"value": 0.5, "passed": true, "reason": "so"}"#).unwrap();
        assert_eq!((all.value, all.passed, all.reason.as_str()), (Some(0.5), Some(true), "so"));
        assert_eq!(said_score("0.25\n").unwrap().value, Some(0.25));
        assert_eq!(said_score("true").unwrap().passed, Some(true));
        for (said, expected) in [("well", "no JSON"), ("{}", "neither `value`"), (r#"{"value": "x"}"#, "a number")] {
            assert!(said_score(said).unwrap_err().contains(expected), "{said}");
        }
    }
}
