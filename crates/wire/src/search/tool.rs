//! The tool in a request.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::NAME;
use crate::canonical::{ChatRequest, OtherTool};
use crate::error::WireError;
use crate::registry::Dialect;

/// Where chat completions ask for it: an object beside the tools, which may be empty.
pub(crate) const OPTIONS: &str = "web_search_options";
/// What is known of the searcher's place; the names are the same everywhere.
const PLACE: [&str; 4] = ["city", "region", "country", "timezone"];

/// How the web is to be searched.
#[derive(Debug, Default)]
struct Search {
    /// What the caller calls the tool.
    field: String,
    /// Only these domains, and where the caller says so.
    allowed: Option<(&'static str, Value)>,
    /// None of these.
    blocked: Option<(&'static str, Value)>,
    location: Map<String, Value>,
    /// How much of what is found the model reads: `low`, `medium` (which is what happens anyway) or `high`.
    context: Option<Value>,
    max_uses: Option<Value>,
    /// Settings that only its own provider has.
    others: Vec<String>,
}

/// Dialects that have the tool and are told of it in `tools`.
fn has(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::AnthropicMessages | Dialect::Gemini | Dialect::OpenaiResponses)
}

/// What stands in `tools` beside functions, as a dialect says it.
///
/// # Errors
/// It has no words for one of them, or for one of its settings.
pub(crate) fn other_tools(request: &ChatRequest, target: Dialect) -> Result<Vec<Cow<'_, Value>>, WireError> {
    let caller = request.extras.dialect;
    if caller == target {
        return Ok(request.other_tools.iter().map(|other| Cow::Borrowed(&other.definition)).collect());
    }
    let mut said = Vec::new();
    let options = request.extras.fields.get(OPTIONS).filter(|_| caller == Dialect::OpenaiChat && has(target));
    if let Some(options) = options {
        said.push(Cow::Owned(Search::of_options(options).write(target)?));
    }
    for other in &request.other_tools {
        match Search::read(caller, other).filter(|_| has(target)) {
            Some(search) => said.push(Cow::Owned(search.write(target)?)),
            None => {
                let hint =
                    format!("a tool of type `{}` has no counterpart there; define it as a function", other.kind());
                return Err(target.lacks(format!("tools[{}]", other.position), hint));
            }
        }
    }
    Ok(said)
}

/// A field beside the tools that is said among them.
pub(crate) fn is_said_by_tool(caller: Dialect, target: Dialect, field: &str) -> bool {
    caller == Dialect::OpenaiChat && has(target) && field == OPTIONS
}

impl Search {
    /// `None` for another tool.
    fn read(caller: Dialect, tool: &OtherTool) -> Option<Self> {
        let definition = tool.definition.as_object()?;
        let kind = definition.get("type").and_then(Value::as_str).unwrap_or_default();
        let mut search = Self { field: format!("tools[{}]", tool.position), ..Self::default() };
        let fields = match caller {
            Dialect::AnthropicMessages if kind.starts_with("web_search_2") => definition,
            Dialect::OpenaiResponses if kind == NAME || kind.starts_with("web_search_") => definition,
            Dialect::Gemini => definition.get("googleSearch")?.as_object()?,
            _ => return None,
        };
        fields.iter().filter(|(_, value)| !value.is_null()).for_each(|(name, value)| search.take(name, value));
        Some(search)
    }

    /// As chat completions have it.
    fn of_options(options: &Value) -> Self {
        let mut search = Self { field: OPTIONS.to_owned(), ..Self::default() };
        let fields = options.as_object().into_iter().flatten();
        fields.filter(|(_, value)| !value.is_null()).for_each(|(name, value)| search.take(name, value));
        search
    }

    fn take(&mut self, name: &str, value: &Value) {
        match name {
            // What it is called, and marks for the prompt's cache, which change no answer.
            "type" | "name" | "cache_control" => {}
            "allowed_domains" => self.allowed = Some(("allowed_domains", value.clone())),
            "blocked_domains" => self.blocked = Some(("blocked_domains", value.clone())),
            "filters" => {
                for (name, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
                    match name.as_str() {
                        "allowed_domains" => self.allowed = Some(("filters.allowed_domains", value.clone())),
                        "blocked_domains" => self.blocked = Some(("filters.blocked_domains", value.clone())),
                        other => self.others.push(format!("filters.{other}")),
                    }
                }
            }
            "user_location" => {
                // Chat completions have one object more around it.
                let place = value.get("approximate").filter(|place| place.is_object()).unwrap_or(value);
                let known = PLACE.iter().filter_map(|name| {
                    let value = place.get(name).filter(|value| !value.is_null())?;
                    Some(((*name).to_owned(), value.clone()))
                });
                self.location = known.collect();
            }
            "search_context_size" => self.context = Some(value.clone()).filter(|size| size != "medium"),
            "max_uses" => self.max_uses = Some(value.clone()),
            // That it may look into the web of today is what everybody's search does.
            "external_web_access" if value == true => {}
            other => self.others.push(other.to_owned()),
        }
    }

    fn write(self, target: Dialect) -> Result<Value, WireError> {
        let lacks = |name: &str, hint: &str| Err(target.lacks(format!("{}.{name}", self.field), hint));
        if let Some(name) = self.others.first() {
            return lacks(name, "its search has no such setting; leave it out");
        }
        if let (Some(_), Dialect::AnthropicMessages | Dialect::Gemini) = (&self.context, target) {
            return lacks("search_context_size", "how much its search reads can't be told; leave it out");
        }
        if let (Some(_), Dialect::OpenaiResponses | Dialect::Gemini) = (&self.max_uses, target) {
            return lacks("max_uses", "how often it searches can't be told; leave it out");
        }
        if let (Some((name, _)), Dialect::OpenaiResponses | Dialect::Gemini) = (&self.blocked, target) {
            return lacks(name, "its search can't leave out pages; leave it out");
        }
        if let (Some((name, _)), Dialect::Gemini) = (&self.allowed, target) {
            return lacks(name, "its search looks everywhere; leave it out");
        }
        if !self.location.is_empty() && target == Dialect::Gemini {
            return lacks("user_location", "where the searcher is can't be told; leave it out");
        }
        if target == Dialect::Gemini {
            return Ok(json!({"googleSearch": {}}));
        }
        let is_anthropic = target == Dialect::AnthropicMessages;
        let mut said = match is_anthropic {
            true => json!({"type": "web_search_20250305", "name": NAME}),
            false => json!({"type": NAME}),
        };
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                said[name] = value;
            }
        };
        let allowed = self.allowed.map(|(_, domains)| domains);
        match is_anthropic {
            true => put("allowed_domains", allowed),
            false => put("filters", allowed.map(|domains| json!({"allowed_domains": domains}))),
        }
        put("blocked_domains", self.blocked.map(|(_, domains)| domains));
        put("max_uses", self.max_uses);
        put("search_context_size", self.context);
        if !self.location.is_empty() {
            let mut location = self.location;
            location.insert("type".to_owned(), "approximate".into());
            put("user_location", Some(Value::Object(location)));
        }
        Ok(said)
    }
}
