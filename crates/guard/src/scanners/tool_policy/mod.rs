//! Which tools a model may call, and with what.
//!
//! It looks at calls, not at texts: [`Scanner::judge`] gets the tool's name and its arguments once they are complete.

mod destructive;
mod taint;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jsonschema::Validator;
use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::Value;
use signalbox_types::Severity;

use self::taint::Taint;
use crate::context::Context;
use crate::options::{self, Maker, OptionProblem, Options};
use crate::scanner::{About, Hit, Replacement, Rule, Scanner, Text, ToolCall, rule};
use crate::scanners::json_schema;
use crate::term::allows;

/// Makes [`ToolPolicy`].
#[derive(Debug)]
pub struct ToolPolicyMaker;

static ABOUT: About = About {
    name: "tool_policy",
    summary: "Calls of tools that are not allowed, or with arguments that are not.",
    catches: include_str!("catches.md"),
    misses: include_str!("misses.md"),
    rules: RULES,
    lookback: 0,
    hold: 4,
};

static RULES: &[Rule] = &[
    rule("bad_arguments", Severity::Medium, "Arguments that are no JSON, or that the policy's schema doesn't allow."),
    rule("denied_tool", Severity::High, "A call of a tool that the policy denies; don't offer it to the model."),
    rule("denied_value", Severity::High, "An argument that the policy denies; somebody should see the call first."),
    rule("destructive", Severity::High, "A call that would delete or overwrite something; ask a person first."),
    rule(
        "unlisted_tool",
        Severity::High,
        "A call of a tool that is not on the policy's list; don't offer it to the model.",
    ),
    rule(
        "untrusted_text",
        Severity::High,
        "An argument that came out of a tool's result, and that neither user nor instructions said; ask a person first.",
    ),
];
const BAD_ARGUMENTS: &Rule = &RULES[0];
const DENIED_TOOL: &Rule = &RULES[1];
const DENIED_VALUE: &Rule = &RULES[2];
const DESTRUCTIVE: &Rule = &RULES[3];
const UNLISTED_TOOL: &Rule = &RULES[4];
const UNTRUSTED_TEXT: &Rule = &RULES[5];

const MAX_PATTERN_BYTES: usize = 2_000;
/// Bytes of a compiled pattern.
const MAX_AUTOMATON_BYTES: usize = 1 << 20;

/// What may be called. At least one of them. In names of tools `*` stands for anything.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Listed {
    /// Only these tools may be called. Example: `[search, get_*]`.
    allow: Vec<String>,
    /// These may not. Example: `[delete_*, shell]`.
    deny: Vec<String>,
    /// What arguments must be and must not hold.
    arguments: Vec<Arguments>,
    /// Find calls that would delete or overwrite something: by the verb in the tool's name, by commands of SQL and shells in
    /// its arguments.
    destructive: bool,
    /// Tools whose arguments must hold nothing that came out of a tool's result, unless user or instructions said it, too:
    /// those that send, pay or write. Example: `[send_*, http_post]`.
    untrusted: Vec<String>,
}

/// Rules for the arguments of a tool.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Arguments {
    /// The tool. Example: `send_*`.
    tool: String,
    /// A JSON schema that the arguments must keep.
    schema: Option<Value>,
    /// The argument that `values` and `patterns` are about, with dots for what is within: `message.to`. Any, if absent.
    argument: Option<String>,
    /// Values that it must not have.
    values: Vec<Value>,
    /// Regular expressions that no text in it may match. Example: `['^/etc/']`.
    patterns: Vec<String>,
}

/// One of [`Arguments`].
#[derive(Debug)]
struct Compiled {
    tool: String,
    validator: Option<Validator>,
    argument: Option<String>,
    values: Vec<Value>,
    patterns: Vec<Regex>,
}

impl Maker for ToolPolicyMaker {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn schema(&self) -> Schema {
        schema_for!(Listed)
    }

    fn make(&self, options: &Options) -> Result<Arc<dyn Scanner>, OptionProblem> {
        let listed: Listed = options::read(options)?;
        let nothing = listed.allow.is_empty()
            && listed.deny.is_empty()
            && listed.arguments.is_empty()
            && listed.untrusted.is_empty()
            && !listed.destructive;
        if nothing {
            let problem = "nothing is looked for; name `allow`, `deny`, `arguments`, `destructive` or `untrusted`";
            return Err(OptionProblem::new("", problem));
        }
        let compiled = listed.arguments.into_iter().enumerate().map(|(index, arguments)| compile(index, arguments));
        Ok(Arc::new(ToolPolicy {
            arguments: Arc::new(compiled.collect::<Result<_, _>>()?),
            allow: listed.allow,
            deny: listed.deny,
            destructive: listed.destructive,
            untrusted: listed.untrusted,
            taint: None,
        }))
    }
}

fn compile(index: usize, arguments: Arguments) -> Result<Compiled, OptionProblem> {
    let at = |field: &str| format!("arguments[{index}].{field}");
    if arguments.tool.is_empty() {
        return Err(OptionProblem::new(at("tool"), "it is missing; `*` stands for every tool"));
    }
    if arguments.schema.is_none() && arguments.values.is_empty() && arguments.patterns.is_empty() {
        let problem = "nothing is asked of them; name `schema`, `values` or `patterns`";
        return Err(OptionProblem::new(format!("arguments[{index}]"), problem));
    }
    let schema = arguments.schema.as_ref();
    let validator = schema.map(|schema| json_schema::compile(schema, &at("schema"))).transpose()?;
    let pattern = |(place, text): (usize, &String)| {
        let path = at(&format!("patterns[{place}]"));
        if text.len() > MAX_PATTERN_BYTES {
            return Err(OptionProblem::new(path, format_args!("it is longer than {MAX_PATTERN_BYTES} bytes")));
        }
        let built = RegexBuilder::new(text).size_limit(MAX_AUTOMATON_BYTES).build();
        built.map_err(|error| {
            let told = error.to_string();
            let why = told.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
            OptionProblem::new(path, format_args!("it is no regular expression: {why}"))
        })
    };
    let patterns = arguments.patterns.iter().enumerate().map(pattern).collect::<Result<_, _>>()?;
    let Arguments { tool, argument, values, .. } = arguments;
    Ok(Compiled { tool, validator, argument, values, patterns })
}

/// Looks at the calls of tools.
#[derive(Debug)]
pub struct ToolPolicy {
    allow: Vec<String>,
    deny: Vec<String>,
    arguments: Arc<Vec<Compiled>>,
    destructive: bool,
    untrusted: Vec<String>,
    /// What came out of tools' results, once that is known.
    taint: Option<Taint>,
}

impl Scanner for ToolPolicy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn reads_context(&self) -> bool {
        !self.untrusted.is_empty()
    }

    fn within(&self, context: &Context<'_>) -> Option<Arc<dyn Scanner>> {
        self.reads_context().then(|| {
            Arc::new(Self {
                allow: self.allow.clone(),
                deny: self.deny.clone(),
                arguments: Arc::clone(&self.arguments),
                destructive: self.destructive,
                untrusted: self.untrusted.clone(),
                taint: Some(Taint::new(context)),
            }) as Arc<dyn Scanner>
        })
    }

    /// A text is no call.
    fn scan(&self, text: Text<'_>, _hits: &mut Vec<Hit>) -> usize {
        text.as_str().len()
    }

    fn is_for_calls(&self) -> bool {
        true
    }

    fn judge(&self, call: &ToolCall<'_>, found: &mut Vec<(Hit, String)>) {
        let whole = (0, call.arguments.len());
        let mut hit = |rule, (start, end), detail: String| {
            found.push((Hit { rule, start, end, confidence: 1.0, replacement: Replacement::Mark }, detail));
        };
        let is_one_of = |names: &[String]| names.iter().any(|name| allows(name, call.name));
        let tool = format!("tool `{}`", short(call.name));
        if is_one_of(&self.deny) {
            hit(DENIED_TOOL, whole, tool.clone());
        }
        if !self.allow.is_empty() && !is_one_of(&self.allow) {
            hit(UNLISTED_TOOL, whole, tool.clone());
        }
        if self.destructive && destructive::is_verb(call.name) {
            hit(DESTRUCTIVE, whole, tool.clone());
        }
        // Providers send nothing where a tool takes nothing.
        let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments };
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            if !self.arguments.is_empty() || self.destructive || !self.untrusted.is_empty() {
                hit(BAD_ARGUMENTS, whole, format!("{tool}: they are no JSON"));
            }
            return;
        };
        for rules in self.arguments.iter().filter(|rules| allows(&rules.tool, call.name)) {
            if let Some(error) = rules.validator.as_ref().and_then(|validator| validator.iter_errors(&value).next()) {
                hit(BAD_ARGUMENTS, whole, format!("{tool}: {}", json_schema::told(&error)));
            }
            if let Some(path) = rules.denied(&value) {
                hit(DENIED_VALUE, whole, format!("{tool}, argument `{path}`"));
            }
        }
        let mut leaves = Vec::new();
        each_leaf(&value, &mut String::new(), &mut |path, leaf| leaves.push((path.to_owned(), leaf)));
        if self.destructive
            && let Some((path, _)) = leaves.iter().find(|(path, leaf)| destructive::is_command(path, leaf))
        {
            hit(DESTRUCTIVE, whole, format!("{tool}, argument `{path}`"));
        }
        if let Some(taint) = self.taint.as_ref().filter(|_| is_one_of(&self.untrusted))
            && let Some((path, _)) = leaves.iter().find(|(_, leaf)| leaf.as_str().is_some_and(|text| taint.is_in(text)))
        {
            hit(UNTRUSTED_TEXT, whole, format!("{tool}, argument `{path}`"));
        }
    }
}

impl Compiled {
    /// Where something stands that must not.
    fn denied(&self, value: &Value) -> Option<String> {
        let mut found = None;
        each_leaf(value, &mut String::new(), &mut |path, leaf| {
            let is_meant = self.argument.as_ref().is_none_or(|argument| {
                path.strip_prefix(argument.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
            let matches = || leaf.as_str().is_some_and(|text| self.patterns.iter().any(|one| one.is_match(text)));
            if found.is_none() && is_meant && (self.values.contains(leaf) || matches()) {
                found = Some(short(path).to_owned());
            }
        });
        found
    }
}

/// Every value that holds no other, with its path: `message.to[0]`.
fn each_leaf<'a>(value: &'a Value, path: &mut String, each: &mut impl FnMut(&str, &'a Value)) {
    let length = path.len();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                each_leaf(value, path, each);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                each_leaf(value, path, each);
                path.truncate(length);
            }
        }
        leaf => each(path, leaf),
    }
}

/// Names are the model's words: no more of them than a name has.
fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(80)).unwrap_or_default()
}
