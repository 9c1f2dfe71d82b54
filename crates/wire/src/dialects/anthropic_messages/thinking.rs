//! How much to think, and what models that decide it by themselves no longer take.

use serde_json::Number;

use super::DIALECT;
use crate::canonical::{ChatRequest, Effort, Reasoning};
use crate::error::WireError;
use crate::registry::Dialect;
use crate::write::Writer;

/// This dialect must be told a limit; callers of others need not tell one.
const DEFAULT_MAX_TOKENS: u64 = 4_096;
/// The least that the provider takes as a thinking budget.
const LEAST_BUDGET: u64 = 1_024;

/// A model that decides how much to think: it takes `adaptive` and a word for the effort, and refuses a budget,
/// `temperature`, `top_p` and `top_k`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adaptive {
    /// How the names of such models begin, behind what clouds put before them.
    name: &'static str,
    /// It thinks unless told otherwise. The others don't, and needn't be told.
    pub(crate) thinks_unasked: bool,
}

const ADAPTIVE: &[Adaptive] = &[
    Adaptive { name: "claude-opus-4-7", thinks_unasked: false },
    Adaptive { name: "claude-opus-4-8", thinks_unasked: false },
    Adaptive { name: "claude-opus-5", thinks_unasked: true },
    Adaptive { name: "claude-sonnet-5", thinks_unasked: true },
    Adaptive { name: "claude-haiku-5", thinks_unasked: true },
    Adaptive { name: "claude-fable-5", thinks_unasked: true },
    Adaptive { name: "claude-mythos-5", thinks_unasked: true },
];

/// `None` for models that take a budget. Clouds write `eu.anthropic.claude-…` or `anthropic/claude-…`.
pub(crate) fn adaptive(model: &str) -> Option<Adaptive> {
    let name = model.get(model.rfind("claude-")?..)?;
    let begins = |known: &&Adaptive| {
        name.strip_prefix(known.name).is_some_and(|rest| !rest.starts_with(|char: char| char.is_ascii_digit()))
    };
    ADAPTIVE.iter().find(begins).copied()
}

/// The word that such a model takes for what was said in another dialect.
pub(crate) fn effort(reasoning: Reasoning) -> Option<Effort> {
    match reasoning {
        Reasoning::Effort(effort) => Some(effort),
        Reasoning::Budget(tokens) => Some(Effort::of_budget(tokens)),
        Reasoning::Adaptive(effort) => effort,
        Reasoning::Off => None,
    }
}

/// What is to be said about thinking: its own callers' words stand as they are.
fn wanted(request: &ChatRequest) -> Option<Reasoning> {
    match (request.reasoning?, adaptive(&request.model).filter(|_| request.extras.dialect != DIALECT)) {
        (Reasoning::Off, Some(model)) if !model.thinks_unasked => None,
        (Reasoning::Off, _) => Some(Reasoning::Off),
        (reasoning, Some(_)) => Some(Reasoning::Adaptive(effort(reasoning))),
        (reasoning, None) => Some(reasoning),
    }
}

/// The limit of output tokens and, within it, the thinking.
pub(super) fn encode(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    let wanted = wanted(request);
    let budget = match wanted {
        Some(Reasoning::Budget(tokens)) => Some(tokens),
        Some(Reasoning::Effort(effort)) => Some(match request.max_tokens {
            None => effort.budget(),
            // The answer must fit into the limit too.
            Some(limit) if limit > LEAST_BUDGET => effort.budget().min((limit / 2).max(LEAST_BUDGET)),
            Some(_) => {
                let hint = "thinking takes at least 1024 tokens of the limit of output tokens; raise it";
                return Err(DIALECT.lacks(request.reasoning_name(), hint));
            }
        }),
        _ => None,
    };
    let room = match wanted {
        Some(Reasoning::Adaptive(Some(effort))) => effort.budget(),
        _ => budget.unwrap_or(0),
    };
    w.field("max_tokens", &request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS + room));
    match (budget, wanted) {
        (Some(tokens), _) => w.object_field("thinking", |w| {
            w.field("type", "enabled");
            w.field("budget_tokens", &tokens);
        }),
        (None, Some(Reasoning::Off)) => w.object_field("thinking", |w| w.field("type", "disabled")),
        (None, Some(Reasoning::Adaptive(_))) => w.object_field("thinking", |w| {
            w.field("type", "adaptive");
            // These keep it to themselves unless asked; callers of other dialects expect to see what they ask for.
            if request.extras.dialect != DIALECT && adaptive(&request.model).is_some() {
                w.field("display", "summarized");
            }
        }),
        _ => {}
    }
    Ok(())
}

/// The word for `output_config`.
pub(super) fn effort_word(request: &ChatRequest) -> Option<&'static str> {
    let Some(Reasoning::Adaptive(effort)) = wanted(request) else { return None };
    effort.map(|effort| match effort {
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "max",
    })
}

/// Whether the model decides by itself how to sample, and `to` must not be told; an error if the caller wants it otherwise.
pub(crate) fn decides_sampling(request: &ChatRequest, to: Dialect) -> Result<bool, WireError> {
    let temperature = request.name_of("temperature", "generationConfig.temperature");
    if request.temperature.as_ref().and_then(Number::as_f64).is_some_and(|value| value > 1.0) {
        return Err(to.lacks(temperature, "it takes 0 to 1"));
    }
    if request.extras.dialect == to || adaptive(&request.model).is_none() {
        return Ok(false);
    }
    // One is how it samples anyway.
    let differs = |number: &Option<Number>| number.as_ref().is_some_and(|number| number.as_f64() != Some(1.0));
    let asked = [
        (temperature, differs(&request.temperature)),
        (request.name_of("top_p", "generationConfig.topP"), differs(&request.top_p)),
        (request.name_of("top_k", "generationConfig.topK"), request.top_k.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((field, _)) => Err(to.lacks(field, "this model decides by itself how to sample; leave it out")),
        None => Ok(true),
    }
}

/// `temperature`, `top_p` and `top_k`.
pub(super) fn encode_sampling(w: &mut Writer, request: &ChatRequest) -> Result<(), WireError> {
    if !decides_sampling(request, DIALECT)? {
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("top_p", request.top_p.as_ref());
        w.field_if("top_k", request.top_k);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::registry::codec;

    fn sent(from: Dialect, model: &str, more: &Value) -> Result<Value, WireError> {
        let mut body = json!({"model": model, "max_tokens": 9000, "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = codec(from).decode_request(body.to_string().as_bytes()).unwrap();
        Ok(serde_json::from_slice(&codec(DIALECT).encode_request(&request)?).unwrap())
    }

    #[test]
    fn models_are_known_by_how_their_names_begin() {
        for model in [
            "claude-opus-4-7",
            "eu.anthropic.claude-opus-4-8-v1:0",
            "anthropic/claude-sonnet-5-5",
            "claude-opus-5@20260901",
        ] {
            assert!(adaptive(model).is_some(), "{model}");
        }
        for model in ["claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-opus-4-70", "gpt-5", "claude-"] {
            assert!(adaptive(model).is_none(), "{model}");
        }
    }

    #[test]
    fn models_that_decide_how_much_to_think_get_a_word_and_no_budget() {
        let asks = json!({"reasoning_effort": "medium"});
        let new = sent(Dialect::OpenaiChat, "claude-opus-4-7", &asks).unwrap();
        assert_eq!(new["thinking"], json!({"type": "adaptive", "display": "summarized"}));
        assert_eq!((&new["output_config"], &new["max_tokens"]), (&json!({"effort": "medium"}), &json!(9000)));
        let old = sent(Dialect::OpenaiChat, "claude-opus-4-5", &asks).unwrap();
        assert_eq!(old["thinking"], json!({"type": "enabled", "budget_tokens": 4500}));
        assert_eq!(old.get("output_config"), None);
        let budget = json!({"thinking": {"type": "enabled", "token_budget": 5000}});
        assert_eq!(sent(Dialect::CohereV2, "claude-sonnet-5", &budget).unwrap()["output_config"]["effort"], "medium");
        // What its own callers say is theirs.
        let own = json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "temperature": 0.5});
        let own = sent(DIALECT, "claude-opus-4-7", &own).unwrap();
        assert_eq!((&own["thinking"]["budget_tokens"], &own["temperature"]), (&json!(2000), &json!(0.5)));
    }

    #[test]
    fn thinking_is_switched_off_where_it_would_be_on() {
        let off = json!({"reasoning_effort": "none"});
        assert_eq!(sent(Dialect::OpenaiChat, "claude-opus-4-7", &off).unwrap().get("thinking"), None);
        let sonnet = sent(Dialect::OpenaiChat, "claude-sonnet-5", &off).unwrap();
        assert_eq!(sonnet["thinking"], json!({"type": "disabled"}));
    }

    #[test]
    fn such_models_take_no_word_on_sampling() {
        let refused = |from, more| sent(from, "claude-opus-5", &more).unwrap_err().field().unwrap().to_owned();
        assert_eq!(refused(Dialect::OpenaiChat, json!({"temperature": 0.2})), "temperature");
        assert_eq!(refused(Dialect::OpenaiChat, json!({"top_p": 0.9})), "top_p");
        assert_eq!(refused(Dialect::CohereV2, json!({"k": 5})), "k");
        let usual = sent(Dialect::OpenaiChat, "claude-opus-5", &json!({"temperature": 1, "top_p": 1.0})).unwrap();
        assert_eq!((usual.get("temperature"), usual.get("top_p")), (None, None));
        assert_eq!(sent(Dialect::OpenaiChat, "claude-opus-4-5", &json!({"top_p": 0.9})).unwrap()["top_p"], 0.9);
    }
}
