//! A condition of one's own, over a text, what others found in it, and the call that it belongs to.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use signalbox_types::{Finding, Severity};

use crate::condition::{Condition, FACTS, variables};
use crate::context::{Context, Facts};
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, rule};

/// Makes [`Expression`].
#[derive(Debug)]
pub struct ExpressionMaker;

static ABOUT: About = About {
    name: "expression",
    summary: "Texts for which a condition in CEL is true: over the text, what was found in it, and its call.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: MOST_BYTES + 4,
};

static RULES: &[Rule] =
    &[rule("condition", Severity::Medium, "A text for which the policy's condition is true; its author knows why.")];
const CONDITION: &Rule = &RULES[0];

/// Of a longer text, only the beginning is looked at.
const MOST_BYTES: usize = 64 * 1024;

/// What is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Asked {
    /// The condition. It may name `text`, `findings` (each with `scanner`, `rule`, `confidence`, `severity`), and of the call
    /// `key`, `project`, `model`, `route`, `endpoint`, `stream`, `user`, `session`, `environment`, `tags` and `metadata`.
    /// Example: `findings.exists(f, f.scanner == 'jailbreak') && !('staff' in tags)`.
    condition: String,
}

impl Maker for ExpressionMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Asked)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let Asked { condition } = options::read(options)?;
        let names: Vec<&str> = FACTS.into_iter().chain(["text", "findings"]).collect();
        let compiled = Condition::of_policy(&condition, &names);
        let condition = compiled.map_err(|problem| OptionProblem::new("condition", problem))?;
        Ok(Arc::new(Expression { condition: Arc::new(condition), facts: Facts::default() }))
    }
}

/// Asks one condition.
#[derive(Debug)]
pub struct Expression {
    condition: Arc<Condition>,
    facts: Facts,
}

impl Scanner for Expression {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn reads_context(&self) -> bool {
        true
    }

    fn within(&self, context: &Context<'_>) -> Option<Arc<dyn Scanner>> {
        Some(Arc::new(Self { condition: Arc::clone(&self.condition), facts: context.facts.clone() }))
    }

    fn reads_findings(&self) -> bool {
        true
    }

    fn scan(&self, text: Text<'_>, hits: &mut Vec<Hit>) -> usize {
        let whole = text.as_str();
        // It was asked before.
        if text.base() + text.from() > 0 {
            return whole.len();
        }
        if text.is_open() && whole.len() <= MOST_BYTES {
            return 0;
        }
        let end = whole.floor_char_boundary(MOST_BYTES);
        let beginning = whole.get(..end).unwrap_or_default();
        let own = [("text", beginning.into()), ("findings", findings(text.found()))];
        if end > 0 && self.condition.holds(variables(&self.facts).into_iter().chain(own)) {
            hits.push(Hit { rule: CONDITION, start: 0, end, confidence: 1.0, replacement: Replacement::Mark });
        }
        whole.len()
    }
}

fn findings(found: &[Finding]) -> Value {
    let one = |finding: &Finding| -> Value {
        let fields: HashMap<&'static str, Value> = HashMap::from([
            ("scanner", finding.scanner.as_str().into()),
            ("rule", finding.rule.as_str().into()),
            ("severity", finding.severity.as_str().into()),
            ("confidence", Value::Float(f64::from(finding.confidence))),
        ]);
        fields.into()
    };
    found.iter().map(one).collect::<Vec<Value>>().into()
}
