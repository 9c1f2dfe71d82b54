//! Slack's interactivity (docs.slack.dev: "Handling user interaction", "Verifying requests from Slack"): a form with a `payload` in JSON,
//! signed together with the time of sending.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use signalbox_types::{Secret, Timestamp};

use super::{Deed, Hook, HookError, is_fresh, is_signed, name};
use crate::channels::ACKNOWLEDGE;

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    user: User,
    #[serde(default)]
    actions: Vec<Pressed>,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    username: Option<String>,
}

#[derive(Deserialize)]
struct Pressed {
    #[serde(default)]
    action_id: String,
    #[serde(default)]
    value: Option<String>,
}

pub(super) fn read(secret: &Secret, hook: Hook<'_>, now: Timestamp) -> Result<Deed, HookError> {
    let header = |name: &str| {
        (hook.header)(name).ok_or_else(|| {
            HookError::unsigned(format!(
                "it isn't signed: there is no `{name}`; expected a request of Slack's interactivity"
            ))
        })
    };
    let (sent, signature) = (header("x-slack-request-timestamp")?, header("x-slack-signature")?);
    let signatures = signature.strip_prefix("v0=").into_iter();
    if !is_signed(secret, &[b"v0:", sent.as_bytes(), b":", hook.body], signatures) {
        return Err(HookError::unsigned("it isn't signed with the channel's `signing_secret`"));
    }
    if !sent.parse().is_ok_and(|seconds| is_fresh(seconds, now)) {
        let problem = format!(
            "it was sent at {sent}, which is not within five minutes of now ({}): a repetition, or a clock that is wrong",
            now.as_secs()
        );
        return Err(HookError::unsigned(problem));
    }
    let unreadable = || HookError::Unreadable("the body has no `payload`; expected a form with one in JSON".to_owned());
    let form = std::str::from_utf8(hook.body).map_err(|_| unreadable())?;
    let payload = form.split('&').find_map(|field| field.strip_prefix("payload=")).ok_or_else(unreadable)?;
    let payload = payload.replace('+', " ");
    let payload = percent_decode_str(&payload).decode_utf8().map_err(|_| unreadable())?;
    let payload: Payload = serde_json::from_str(&payload).map_err(|error| HookError::unreadable(&error))?;
    let pressed = payload.actions.into_iter().find(|one| one.action_id == ACKNOWLEDGE);
    let user = payload.user;
    let by = user.username.or(user.name).unwrap_or(user.id);
    Ok(match pressed.and_then(|pressed| pressed.value) {
        Some(incident) if payload.kind == "block_actions" => Deed::Acknowledged { incident, by: name(&by, "Slack") },
        _ => Deed::Nothing,
    })
}
