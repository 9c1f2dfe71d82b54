//! Lines with what people say of an item, and perhaps with what a judge said.

use serde_json::{Map, Value};
use signalbox_metrics::Case;
use signalbox_metrics::case::kind;

use super::examples::Correction;
use super::report::Rated;
use crate::judge::{Rubric, verdict_word};

/// A line of a file with labels: the case, `label` or `labels` of people, `segment`, `reason`, and the `verdict`, `score` and
/// `passed` of a judge, as `signalbox eval judge` writes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// Its own id.
    pub id: Value,
    /// What is judged.
    pub case: Case,
    /// What each person says; `None` of who said nothing.
    pub people: Vec<Option<Value>>,
    /// What a judge said.
    pub judge: Option<Value>,
    /// Whether that was good enough.
    pub passed: Option<bool>,
    /// A kind of item, to tell them apart.
    pub segment: Option<String>,
    /// Why people say so.
    pub reason: Option<String>,
}

/// Reads one.
///
/// # Errors
/// It is no JSON object, or a field isn't what it should be.
pub fn labelled_line(line: &[u8]) -> Result<Labelled, String> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) => Labelled::take(fields),
        Ok(other) => Err(format!("expected an object, found {}", kind(&other))),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

impl Labelled {
    /// Takes it from the fields of an object.
    ///
    /// # Errors
    /// A field isn't what it should be.
    pub fn take(mut fields: Map<String, Value>) -> Result<Self, String> {
        let said = |value: Value| match value {
            Value::Null => Ok(None),
            Value::Array(_) | Value::Object(_) => Err(format!("found {}", kind(&value))),
            value => Ok(Some(value)),
        };
        let mut one = |name: &str| {
            said(fields.remove(name).unwrap_or_default())
                .map_err(|found| format!("`{name}`: expected a text, a number or a boolean, {found}"))
        };
        let (label, verdict, score, passed) = (one("label")?, one("verdict")?, one("score")?, one("passed")?);
        let mut text = |name: &str| match fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{name}`: expected a text, found {}", kind(&other))),
        };
        let (segment, reason) = (text("segment")?, text("label_reason")?);
        let people = match fields.remove("labels") {
            None | Some(Value::Null) => vec![label],
            Some(Value::Array(labels)) => {
                let each = labels.into_iter().map(said).collect::<Result<_, _>>();
                each.map_err(|found| format!("`labels`: expected texts, numbers or booleans, {found}"))?
            }
            Some(other) => {
                return Err(format!("`labels`: expected a list, one for each person; found {}", kind(&other)));
            }
        };
        let id = fields.remove("id").unwrap_or_default();
        let passed = passed.and_then(|passed| passed.as_bool());
        Ok(Self { id, case: Case::take(&mut fields), people, judge: verdict.or(score), passed, segment, reason })
    }

    /// For [`super::compare`]. `by_passed` takes whether the judge found it good enough in place of what it said.
    #[must_use]
    pub fn rated(&self, by_passed: bool) -> Rated {
        let judge = if by_passed { self.passed.map(Value::Bool) } else { self.judge.clone() };
        Rated {
            people: self.people.iter().map(|said| said.as_ref().map(plain)).collect(),
            judge: judge.as_ref().map(plain),
            segment: self.segment.clone(),
        }
    }

    /// As an example for a judge; `None` if people don't agree on one label.
    ///
    /// # Errors
    /// The rubric has no such verdict.
    pub fn correction(&self, rubric: &Rubric) -> Result<Option<Correction>, String> {
        let Some(label) = self.rated(false).gold() else { return Ok(None) };
        let verdict =
            verdict_word(&Value::from(label), &rubric.scale).map_err(|problem| format!("`label`: {problem}"))?;
        Ok(Some(Correction { case: self.case.clone(), verdict, reason: self.reason.clone() }))
    }
}

/// A label as it is compared: yes is 1, and 4.0 is 4, whoever wrote it how.
fn plain(value: &Value) -> String {
    let word = match value {
        Value::Bool(yes) => return u8::from(*yes).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    };
    match word.as_str() {
        "yes" | "true" => "1".to_owned(),
        "no" | "false" => "0".to_owned(),
        _ => word
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map_or(word, |number| (number + 0.0).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_what_is_wrong_is_told() {
        let line = br#"{"id": 7, "output": "x", "labels": ["yes", null, 1.0], "verdict": "No", "passed": false, "segment": "a"}"#;
        let labelled = labelled_line(line).unwrap();
        let rated = labelled.rated(false);
        assert_eq!(rated.people, [Some("1".to_owned()), None, Some("1".to_owned())]);
        assert_eq!((rated.judge.as_deref(), rated.gold().as_deref()), (Some("0"), Some("1")));
        assert_eq!(labelled.rated(true).judge.as_deref(), Some("0"));
        let check = |line: &str, problem: &str| {
            let told = labelled_line(line.as_bytes()).unwrap_err();
            assert!(told.contains(problem), "{told}");
        };
        check("[]", "expected an object, found a list");
        check(r#"{"label": ["a"]}"#, "`label`: expected a text, a number or a boolean, found a list");
        check(r#"{"labels": "a"}"#, "`labels`: expected a list, one for each person; found a text");
        check(r#"{"segment": 1}"#, "`segment`: expected a text, found a number");
    }

    #[test]
    fn a_label_becomes_the_verdict_that_the_judge_should_have_given() {
        let rubric = crate::judge::find("faithfulness").unwrap();
        let labelled =
            labelled_line(br#"{"context": "c", "output": "o", "label": true, "label_reason": "r"}"#).unwrap();
        let correction = labelled.correction(rubric).unwrap().unwrap();
        assert_eq!((correction.verdict.as_str(), correction.reason.as_deref()), ("yes", Some("r")));
        let wrong = labelled_line(br#"{"output": "o", "label": "maybe"}"#).unwrap().correction(rubric).unwrap_err();
        assert!(wrong.contains("`label`: `verdict`: expected one of yes, no"), "{wrong}");
        assert_eq!(labelled_line(br#"{"output": "o", "labels": [1, 0]}"#).unwrap().correction(rubric), Ok(None));
    }
}
