//! What is compared: each signal, where it is read, and what kind of values it has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signalbox_guard::{Text, registry};

/// Something of which a span has a value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = DriftSignal)]
pub enum Signal {
    /// Input tokens.
    InputTokens,
    /// Output tokens.
    OutputTokens,
    /// Characters of the start of the last thing said to the model, as far as it is kept in `input_preview`.
    InputLength,
    /// Characters of the start of the answer, as far as it is kept in `output_preview`.
    OutputLength,
    /// The language of the input.
    Language,
    /// The words of the input.
    Topic,
    /// The input as vectors: by letters in a row, which is what it looks like, misspelt or in another format; with an `embedding_model` by
    /// what it means.
    Embedding,
    /// Names of the tools that were used.
    Tools,
    /// The best score of what a retriever found.
    RetrievalScores,
    /// Answers in which the model declines.
    Refusals,
    /// Calls that failed.
    Errors,
    /// What a call costs.
    Cost,
    /// How long a call takes.
    Latency,
    /// Which models answer.
    Model,
}

/// Where a signal is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The spans that the filter names.
    Calls,
    /// Spans of tools.
    Tools,
    /// Spans of retrievers.
    Retrievals,
}

/// What kind of values it has, which decides how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DriftValues)]
pub enum Values {
    /// Numbers: Smirnov's test and D.
    Numbers,
    /// Yes or no: the difference of shares, by a χ² test.
    Rate,
    /// Categories: a χ² test, and the distance of Jensen and Shannon.
    Categories,
    /// Words: a classifier's two-sample test.
    Topic,
    /// Vectors: MMD.
    Embedding,
    /// Means of a score by sort of input: Chow's test.
    Concept,
}

/// A value of a signal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    Number(f64),
    Is(bool),
    Category(String),
    Text(String),
}

/// One row of an answer, by the names of its columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) columns: &'a [String],
    pub(crate) row: &'a [Value],
}

impl<'a> Cells<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        let place = self.columns.iter().position(|column| column == name)?;
        self.row.get(place).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// A value as the name of a category.
    pub(crate) fn category(self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

impl Signal {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::InputTokens,
        Self::OutputTokens,
        Self::InputLength,
        Self::OutputLength,
        Self::Language,
        Self::Topic,
        Self::Embedding,
        Self::Tools,
        Self::RetrievalScores,
        Self::Refusals,
        Self::Errors,
        Self::Cost,
        Self::Latency,
        Self::Model,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::InputLength => "input_length",
            Self::OutputLength => "output_length",
            Self::Language => "language",
            Self::Topic => "topic",
            Self::Embedding => "embedding",
            Self::Tools => "tools",
            Self::RetrievalScores => "retrieval_scores",
            Self::Refusals => "refusals",
            Self::Errors => "errors",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Model => "model",
        }
    }

    pub(crate) fn place(self) -> Place {
        match self {
            Self::Tools => Place::Tools,
            Self::RetrievalScores => Place::Retrievals,
            _ => Place::Calls,
        }
    }

    pub(crate) fn values(self) -> Values {
        match self {
            Self::Language | Self::Tools | Self::Model => Values::Categories,
            Self::Topic => Values::Topic,
            Self::Embedding => Values::Embedding,
            Self::Refusals | Self::Errors => Values::Rate,
            _ => Values::Numbers,
        }
    }

    pub(crate) fn unit(self) -> Option<&'static str> {
        match self {
            Self::InputTokens | Self::OutputTokens => Some("tokens"),
            Self::InputLength | Self::OutputLength => Some("characters"),
            Self::Cost => Some("USD"),
            Self::Latency => Some("ms"),
            _ => None,
        }
    }

    /// The columns that it is read from.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::InputTokens => &["input_tokens"],
            Self::OutputTokens => &["output_tokens"],
            Self::InputLength | Self::Language | Self::Topic => &["input_preview"],
            Self::Embedding => &["input_preview", "error_type"],
            Self::OutputLength => &["output_preview"],
            Self::Tools => &["tool_name"],
            Self::RetrievalScores => &["output"],
            Self::Refusals => &["output_preview", "finish_reasons"],
            Self::Errors => &["status"],
            Self::Cost => &["cost"],
            Self::Latency => &["duration_ms"],
            Self::Model => &["model"],
        }
    }

    /// Its value in a row, if it has one.
    pub(crate) fn read(self, cells: Cells<'_>) -> Option<Datum> {
        let number = |name: &str| cells.get(name)?.as_f64().filter(|value| value.is_finite()).map(Datum::Number);
        let length = |name: &str| cells.text(name).map(|text| Datum::Number(text.chars().count() as f64));
        match self {
            Self::InputTokens | Self::OutputTokens | Self::Cost => number(self.columns()[0]),
            // A call that failed at once says nothing of how long answers take.
            Self::Latency => number("duration_ms").filter(|_| cells.text("status") != Some("error")),
            Self::InputLength | Self::OutputLength => length(self.columns()[0]),
            Self::Language => language(cells.text("input_preview")?).map(Datum::Category),
            Self::Topic | Self::Embedding => {
                let text = cells.text("input_preview").filter(|text| !text.trim().is_empty())?;
                Some(Datum::Text(text.to_owned()))
            }
            Self::Tools => cells.category("tool_name").map(Datum::Category),
            Self::Model => cells.category("model").map(Datum::Category),
            Self::RetrievalScores => best_score(cells.get("output")?).map(Datum::Number),
            Self::Refusals => refused(cells).map(Datum::Is),
            Self::Errors => cells.text("status").map(|status| Datum::Is(status == "error")),
        }
    }
}

/// The language of a text, if it is long enough to tell.
fn language(text: &str) -> Option<String> {
    let scanner = registry::find("language")?;
    let mut hits = Vec::new();
    scanner.scan(Text::whole(text), &mut hits);
    scanner.prediction(&hits).map(std::borrow::Cow::into_owned)
}

/// Whether an answer declines: the provider says so, or its start reads like it. Nothing of a call without an answer.
fn refused(cells: Cells<'_>) -> Option<bool> {
    let reasons = cells.get("finish_reasons").and_then(Value::as_array);
    let said = |reason: &Value| matches!(reason.as_str(), Some("refusal" | "content_filter"));
    if reasons.is_some_and(|reasons| reasons.iter().any(said)) {
        return Some(true);
    }
    let text = cells.text("output_preview")?;
    let mut hits = Vec::new();
    registry::find("refusal")?.scan(Text::whole(text), &mut hits);
    Some(!hits.is_empty())
}

/// The best score among the documents that a retriever gave back: `[{score}]`, also below `documents` or `results`, or as JSON in a text.
fn best_score(output: &Value) -> Option<f64> {
    let parsed: Value;
    let output = match output.as_str() {
        Some(text) => {
            parsed = serde_json::from_str(text).ok()?;
            &parsed
        }
        None => output,
    };
    let inner = ["documents", "results", "matches"].iter().find_map(|name| output.get(name));
    let documents = inner.unwrap_or(output).as_array()?;
    let score = |document: &Value| {
        let names = ["score", "relevance_score", "similarity"];
        names.iter().find_map(|name| document.get(name)).and_then(Value::as_f64).filter(|score| score.is_finite())
    };
    documents.iter().filter_map(score).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(signal: Signal, row: &Value) -> Option<Datum> {
        let (columns, row): (Vec<String>, Vec<Value>) = row.as_object().unwrap().clone().into_iter().unzip();
        signal.read(Cells { columns: &columns, row: &row })
    }

    #[test]
    fn are_read_from_rows() {
        let german = "Wie kann ich meine Bestellung von gestern noch ändern oder stornieren?";
        let declines = "I'm sorry, but I can't help with that request.";
        for (signal, row, expected) in [
            (Signal::InputTokens, json!({"input_tokens": 12}), Some(Datum::Number(12.0))),
            (Signal::InputTokens, json!({"input_tokens": null}), None),
            (Signal::InputLength, json!({"input_preview": "Zürich"}), Some(Datum::Number(6.0))),
            (Signal::Language, json!({"input_preview": german}), Some(Datum::Category("de".to_owned()))),
            (Signal::Language, json!({"input_preview": "12"}), None),
            (Signal::Refusals, json!({"output_preview": declines}), Some(Datum::Is(true))),
            (Signal::Refusals, json!({"output_preview": "It is Paris."}), Some(Datum::Is(false))),
            (Signal::Refusals, json!({"finish_reasons": ["content_filter"]}), Some(Datum::Is(true))),
            (Signal::Refusals, json!({"finish_reasons": ["stop"]}), None),
            (Signal::Latency, json!({"duration_ms": 5.0, "status": "error"}), None),
            (Signal::Errors, json!({"status": "error"}), Some(Datum::Is(true))),
            (Signal::RetrievalScores, json!({"output": [{"score": 0.2}, {"score": 0.7}]}), Some(Datum::Number(0.7))),
            (Signal::RetrievalScores, json!({"output": "{\"results\": [{\"score\": 1}]}"}), Some(Datum::Number(1.0))),
            (Signal::RetrievalScores, json!({"output": ["a text"]}), None),
        ] {
            assert_eq!(read(signal, &row), expected, "{signal:?} {row}");
        }
    }
}
