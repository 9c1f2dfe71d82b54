//! What the judge answered, however it is wrapped. What can't be read is an error that says what was expected.

use serde_json::{Map, Value};

use super::prompt::{ANSWERS, TIE, choices};
use super::rubric::Scale;

/// More is no answer of a judge.
const MOST_BYTES: usize = 256 << 10;
/// So many places of a text are tried as the beginning of JSON.
const MOST_TRIES: usize = 2_000;
const MOST_QUOTES: usize = 50;

/// An answer that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    pub(super) reasoning: String,
    pub(super) quotes: Vec<Quote>,
    pub(super) verdict: Verdict,
}

/// What the judge says that it quotes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quote {
    pub(super) part: String,
    pub(super) quote: String,
    pub(super) note: String,
}

/// What the judge decided.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Value(f64),
    Label(String),
    /// Of two answers, in the order in which it saw them.
    First,
    Second,
    Tie,
}

/// Reads an answer. `Err` is for the judge itself, so that it can mend it, and for people.
pub(super) fn read(text: &str, scale: &Scale) -> Result<Answered, String> {
    if text.len() > MOST_BYTES {
        return Err(format!("it has {} bytes; expected one JSON object of a few sentences", text.len()));
    }
    // Some servers leave a model's thinking in its answer.
    let said = text.rsplit_once("</think>").map_or(text, |(_, after)| after).trim();
    if said.is_empty() {
        return Err("it is empty; expected one JSON object".to_owned());
    }
    let object = match serde_json::from_str(said) {
        Ok(Value::Object(object)) => object,
        Ok(Value::Array(list)) => match <[Value; 1]>::try_from(list) {
            Ok([Value::Object(object)]) => object,
            _ => return Err("it is a list; expected one JSON object".to_owned()),
        },
        _ => within(said, scale)?,
    };
    answered(&object, scale)
}

/// The object in a text that says other things, too.
fn within(text: &str, scale: &Scale) -> Result<Map<String, Value>, String> {
    let mut found: Vec<Map<String, Value>> = Vec::new();
    let (mut from, mut tries) = (0, 0);
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('{')) {
        let start = from + at;
        tries += 1;
        if tries > MOST_TRIES {
            break;
        }
        let mut values = serde_json::Deserializer::from_str(text.get(start..).unwrap_or_default()).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(object))) => {
                from = start + values.byte_offset();
                if verdict_of(&object).is_some() {
                    found.push(object);
                }
            }
            _ => from = start + 1,
        }
    }
    let last = found.pop().ok_or("it has no JSON object with a `verdict`")?;
    let same = |other: &Map<String, Value>| match (verdict_of(other), verdict_of(&last)) {
        (Some(other), Some(last)) => decided(other, scale) == decided(last, scale),
        _ => false,
    };
    if !found.iter().all(same) {
        return Err("it has several JSON objects with different verdicts; expected one".to_owned());
    }
    Ok(last)
}

fn verdict_of(object: &Map<String, Value>) -> Option<&Value> {
    // Models without structured output call it by the word that they learned.
    ["verdict", "score", "rating"].iter().find_map(|name| object.get(*name)).filter(|value| !value.is_null())
}

fn answered(object: &Map<String, Value>, scale: &Scale) -> Result<Answered, String> {
    let verdict = verdict_of(object).ok_or("its object has no `verdict`")?;
    let verdict = decided(verdict, scale)?;
    let text = |object: &Map<String, Value>, name: &str| {
        object.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
    };
    let reasoning = ["reasoning", "reason", "explanation"].iter().map(|name| text(object, name));
    let quotes = object.get("evidence").and_then(Value::as_array).into_iter().flatten().take(MOST_QUOTES);
    let quotes = quotes.filter_map(|one| match one {
        Value::String(quote) => Some(Quote { part: String::new(), quote: quote.clone(), note: String::new() }),
        Value::Object(one) => {
            Some(Quote { part: text(one, "part"), quote: text(one, "quote"), note: text(one, "note") })
        }
        _ => None,
    });
    let reasoning = reasoning.into_iter().find(|text| !text.is_empty()).ok_or("its object has no `reasoning`")?;
    Ok(Answered { reasoning, quotes: quotes.collect(), verdict })
}

/// A label of people as the judge would have to say it: `true` as `yes`, `4.0` as `4`, `first` as `answer_1`.
///
/// # Errors
/// The rubric has no such verdict.
pub fn verdict_word(label: &Value, scale: &Scale) -> Result<String, String> {
    let [one, other] = ANSWERS;
    Ok(match decided(label, scale)? {
        Verdict::Value(value) if matches!(scale, Scale::Binary { .. }) => {
            if value == 1.0 {
                "yes".to_owned()
            } else {
                "no".to_owned()
            }
        }
        Verdict::Value(value) => value.to_string(),
        Verdict::Label(label) => label,
        Verdict::First => one.to_owned(),
        Verdict::Second => other.to_owned(),
        Verdict::Tie => TIE.to_owned(),
    })
}

/// Reads a verdict. Nothing is rounded or guessed.
fn decided(value: &Value, scale: &Scale) -> Result<Verdict, String> {
    let found = || {
        let text = value.to_string();
        let cut = text.floor_char_boundary(80);
        text.get(..cut).unwrap_or_default().to_owned()
    };
    let word = value.as_str().map(|word| word.trim().trim_matches(['`', '"', '\'', '*', '.']).trim().to_lowercase());
    let expected = || match choices(scale) {
        Some(words) => format!("`verdict`: expected one of {}, found {}", words.join(", "), found()),
        None => format!("`verdict`: expected a number, found {}", found()),
    };
    let number = || match (value, &word) {
        (Value::Number(number), _) => number.as_f64(),
        (_, Some(word)) => word.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    match scale {
        Scale::Binary { .. } => match (value, word.as_deref()) {
            (Value::Bool(true), _) | (_, Some("yes" | "true")) => Ok(Verdict::Value(1.0)),
            (Value::Bool(false), _) | (_, Some("no" | "false")) => Ok(Verdict::Value(0.0)),
            _ => match number() {
                Some(number) if number == 1.0 || number == 0.0 => Ok(Verdict::Value(number)),
                _ => Err(expected()),
            },
        },
        Scale::Ordinal { levels } => {
            let most = levels.last().map(|level| level.value.to_string()).unwrap_or_default();
            // `4/5`
            let share = word.as_deref().and_then(|word| word.split_once('/')).filter(|(_, of)| of.trim() == most);
            let number = share.map_or_else(number, |(part, _)| part.trim().parse().ok());
            let level = number.and_then(|number| levels.iter().find(|level| level.value == number));
            level.map(|level| Verdict::Value(level.value)).ok_or_else(expected)
        }
        Scale::Numeric { low, high, .. } => match number() {
            Some(number) if (*low..=*high).contains(&number) => Ok(Verdict::Value(number)),
            Some(number) => Err(format!("`verdict`: expected a number from {low} to {high}, found {number}")),
            None => Err(expected()),
        },
        Scale::Categorical { labels } => {
            let label = labels.iter().find(|one| word.as_deref() == Some(one.label.trim().to_lowercase().as_str()));
            label.map(|one| Verdict::Label(one.label.clone())).ok_or_else(expected)
        }
        Scale::Pairwise => {
            let word = word.as_deref().map(|word| word.replace(' ', "_"));
            let [one, other] = ANSWERS;
            match word.as_deref() {
                Some(word) if word == one || word == "first" => Ok(Verdict::First),
                Some(word) if word == other || word == "second" => Ok(Verdict::Second),
                Some(TIE) => Ok(Verdict::Tie),
                _ => Err(expected()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rubric::{Category, Level};
    use super::*;

    fn binary() -> Scale {
        Scale::Binary { yes: String::new(), no: String::new() }
    }

    fn ordinal() -> Scale {
        let level = |value| Level { value, meaning: String::new() };
        Scale::Ordinal { levels: [1.0, 2.0, 3.0, 4.0, 5.0].map(level).to_vec() }
    }

    fn verdict(text: &str, scale: &Scale) -> Result<Verdict, String> {
        read(text, scale).map(|answered| answered.verdict)
    }

    fn wrapped(verdict: &str) -> String {
        format!(r#"{{"reasoning": "r", "evidence": [], "verdict": {verdict}}}"#)
    }

    #[test]
    fn verdicts_are_read_by_their_scale() {
        let check = |scale: &Scale, text: &str, expected: Option<Verdict>| {
            assert_eq!(verdict(&wrapped(text), scale).ok(), expected, "{text}");
        };
        check(&binary(), "\"yes\"", Some(Verdict::Value(1.0)));
        check(&binary(), "\"No.\"", Some(Verdict::Value(0.0)));
        check(&binary(), "true", Some(Verdict::Value(1.0)));
        check(&binary(), "0", Some(Verdict::Value(0.0)));
        check(&binary(), "0.5", None);
        check(&binary(), "\"maybe\"", None);
        check(&binary(), "null", None);
        check(&ordinal(), "\"4\"", Some(Verdict::Value(4.0)));
        check(&ordinal(), "4", Some(Verdict::Value(4.0)));
        check(&ordinal(), "\"4/5\"", Some(Verdict::Value(4.0)));
        check(&ordinal(), "\"4/10\"", None);
        check(&ordinal(), "4.5", None);
        check(&ordinal(), "0", None);
        let numeric = Scale::Numeric { low: 0.0, high: 1.0, anchors: vec![] };
        check(&numeric, "0.25", Some(Verdict::Value(0.25)));
        check(&numeric, "\"0.25\"", Some(Verdict::Value(0.25)));
        check(&numeric, "7", None);
        check(&numeric, "\"NaN\"", None);
        let labels =
            ["On topic", "off"].map(|label| Category { label: label.into(), meaning: String::new(), passes: None });
        let categorical = Scale::Categorical { labels: labels.to_vec() };
        check(&categorical, "\"on topic\"", Some(Verdict::Label("On topic".into())));
        check(&categorical, "\"on\"", None);
        check(&Scale::Pairwise, "\"answer_2\"", Some(Verdict::Second));
        check(&Scale::Pairwise, "\"Answer 1\"", Some(Verdict::First));
        check(&Scale::Pairwise, "\"A\"", None);
    }

    #[test]
    fn answers_are_found_in_what_is_around_them() {
        let json = wrapped("\"yes\"");
        for text in [
            format!("```json\n{json}\n```"),
            format!("Here is my judgement:\n\n```\n{json}\n```\nI hope that helps {{really}}."),
            format!("<think>It could be {{\"verdict\": \"no\"}}…</think>\n{json}"),
            format!("[{json}]"),
            format!("{json}\n\nAs said:\n{json}"),
            r#"{"score": "yes", "explanation": "r"}"#.to_owned(),
        ] {
            assert_eq!(verdict(&text, &binary()), Ok(Verdict::Value(1.0)), "{text}");
        }
    }

    #[test]
    fn nothing_is_made_up() {
        let check = |text: &str, problem: &str| {
            let told = verdict(text, &binary()).unwrap_err();
            assert!(told.contains(problem), "{text}: {told}");
        };
        check("", "it is empty");
        check("The answer is good: yes.", "no JSON object");
        check("{\"reasoning\": \"r\", \"evidence\": [], \"verd", "no JSON object");
        check(r#"{"reasoning": "r"}"#, "no `verdict`");
        check(r#"{"verdict": "yes"}"#, "no `reasoning`");
        check(&format!("{} {}", wrapped("\"yes\""), wrapped("\"no\"")), "different verdicts");
        check(&"{".repeat(100_000), "no JSON object");
        check(&"x".repeat(300_000), "bytes");
    }

    #[test]
    fn quotations_of_any_form_are_kept() {
        let text = r#"{"reasoning": "r", "verdict": "no", "evidence": ["a", {"part": "output", "quote": "b", "note": "n"}, 3]}"#;
        let quotes = read(text, &binary()).unwrap().quotes;
        assert_eq!(quotes.len(), 2);
        assert_eq!((quotes[1].part.as_str(), quotes[1].quote.as_str()), ("output", "b"));
    }
}
