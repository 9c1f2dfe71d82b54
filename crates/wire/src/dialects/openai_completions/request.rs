//! Requests ⇄ canonical: one text is one message of the user.

use bytes::Bytes;
use serde_json::Value;
use signalbox_types::{Message, Part, Role};

use super::{DIALECT, texts};
use crate::canonical::{ChatRequest, Reasoning};
use crate::dialects::anthropic_messages::harmless_openai_field;
use crate::dialects::encode_extras;
use crate::dialects::openai_chat::stop;
use crate::error::WireError;
use crate::json::{Body, Path};
use crate::registry::Dialect;
use crate::search;
use crate::write::Writer;

/// Fields that have a canonical counterpart; every other one is kept in `extras`.
const KNOWN: &[&str] = &[
    "model",
    "prompt",
    "max_tokens",
    "temperature",
    "top_p",
    "n",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "stream",
    "stream_options",
    "user",
];

pub(super) fn decode(bytes: &[u8]) -> Result<ChatRequest, WireError> {
    let body = Body::parse(bytes)?;
    let root = body.object()?;
    let mut request = ChatRequest::new(DIALECT, root.model(&body)?.0);
    let path = Path::Root.key("prompt");
    let prompt = texts::prompt(&root)?;
    let texts = if prompt.is_text() { vec![prompt] } else { prompt.list(path)? };
    match texts.as_slice() {
        [text] if text.is_text() => request.push(Message::text(Role::User, text.unescape()), path),
        // Several texts, or tokens.
        _ => {
            request.extras.fields.insert("prompt".into(), prompt.value(path)?);
        }
    }
    request.max_tokens = root.count("max_tokens", Path::Root)?;
    request.temperature = root.number("temperature", Path::Root)?;
    request.top_p = root.number("top_p", Path::Root)?;
    request.answers = root.count("n", Path::Root)?;
    request.seed = root.number("seed", Path::Root)?;
    request.presence_penalty = root.number("presence_penalty", Path::Root)?;
    request.frequency_penalty = root.number("frequency_penalty", Path::Root)?;
    request.stop = stop(&root)?;
    request.stream = root.flag("stream", Path::Root)?.unwrap_or(false);
    request.stream_usage = texts::wants_usage(&root)?;
    request.user = root.text("user", Path::Root)?.map(std::borrow::Cow::into_owned);
    for (name, node) in root.iter().filter(|(name, node)| !KNOWN.contains(name) && !node.is_null()) {
        request.extras.fields.insert(name.to_owned(), node.value(Path::Root.key(name))?);
    }
    Ok(request)
}

pub(super) fn encode(request: &ChatRequest) -> Result<Bytes, WireError> {
    let ours = request.extras.dialect == DIALECT;
    let prompt = match (request.messages.as_slice(), request.extras.fields.get("prompt")) {
        (_, Some(prompt)) if ours => prompt.clone(),
        ([message], _) if message.role == Role::User => match message.parts.as_slice() {
            [Part::Text { content }] => Value::String(content.clone()),
            _ => return Err(DIALECT.lacks(request.origin(0), "it completes a text and takes nothing else")),
        },
        _ => {
            let field = match request.extras.dialect {
                Dialect::Gemini => "contents",
                Dialect::OpenaiResponses => "input",
                _ => "messages",
            };
            return Err(DIALECT.lacks(field, "it completes one text; a conversation can't be said there"));
        }
    };
    search::other_tools(request, DIALECT)?;
    request.refuse_logprobs(DIALECT)?;
    let lacking = [
        (request.name_of("tools", "tools"), !request.tools.is_empty()),
        (request.format_name(), request.response_format.is_some()),
        (request.reasoning_name(), !matches!(request.reasoning, None | Some(Reasoning::Off))),
        (request.name_of("top_k", "generationConfig.topK"), request.top_k.is_some()),
    ];
    if let Some((field, _)) = lacking.into_iter().find(|(_, is_asked)| *is_asked) {
        return Err(DIALECT.lacks(field, "it only completes a text; leave it out"));
    }
    Writer::try_write(|w| {
        w.field("model", &request.model);
        w.field("prompt", &prompt);
        w.field_if("max_tokens", request.max_tokens);
        w.field_if("temperature", request.temperature.as_ref());
        w.field_if("top_p", request.top_p.as_ref());
        w.field_if("n", request.answers);
        w.field_if("seed", request.seed.as_ref());
        w.field_if("presence_penalty", request.presence_penalty.as_ref());
        w.field_if("frequency_penalty", request.frequency_penalty.as_ref());
        if !request.stop.is_empty() {
            w.field("stop", &request.stop);
        }
        if request.stream {
            w.field("stream", &true);
            if request.stream_usage {
                w.object_field("stream_options", |w| w.field("include_usage", &true));
            }
        }
        w.field_if("user", request.user.as_ref());
        encode_extras(w, request, DIALECT, &["prompt"])
    })
}

/// Whether another dialect can leave a field of this one out without changing what the caller gets.
pub(crate) fn harmless_field(name: &str, value: &Value) -> Result<(), &'static str> {
    match name {
        "prompt" => Err("one text can be sent there, and no tokens; send each text in a call of its own"),
        "suffix" if value == "" => Ok(()),
        "suffix" => Err("a text between two others can't be asked for there; say so in the prompt"),
        "echo" if value == false => Ok(()),
        "echo" => Err("the prompt isn't repeated there; leave it out"),
        "best_of" if value == 1 => Ok(()),
        "best_of" => Err("it gives one answer per call; leave it out"),
        "logprobs" => Err("token probabilities aren't translated; leave it out"),
        _ => harmless_openai_field(name, value),
    }
}
