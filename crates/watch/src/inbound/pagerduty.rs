//! PagerDuty's webhooks, version 3 (developer.pagerduty.com: "Webhooks v3", "Verifying signatures"). `X-PagerDuty-Signature` holds
//! `v1=` and the HMAC-SHA-256 of the body, several with a comma in between while a secret is exchanged. They carry no time of sending;
//! a repetition is harmless, because an incident only ever goes on: taken, then over, under an id that no other has.

use serde::Deserialize;
use signalbox_types::Secret;

use super::{Deed, Hook, HookError, is_signed, name};

#[derive(Deserialize)]
struct Payload {
    event: Happened,
}

#[derive(Deserialize)]
struct Happened {
    event_type: String,
    #[serde(default)]
    agent: Option<Agent>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default)]
    summary: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    /// What we sent as `dedup_key`.
    #[serde(default)]
    incident_key: Option<String>,
}

pub(super) fn read(secret: &Secret, hook: Hook<'_>) -> Result<Deed, HookError> {
    let header = (hook.header)("x-pagerduty-signature").ok_or_else(|| {
        HookError::unsigned(
            "it isn't signed: there is no `X-PagerDuty-Signature`; expected a webhook subscription, version 3",
        )
    })?;
    let signatures = header.split(',').filter_map(|one| one.trim().strip_prefix("v1="));
    if !is_signed(secret, &[hook.body], signatures) {
        return Err(HookError::unsigned("it isn't signed with the channel's `webhook_secret`"));
    }
    let Payload { event } = serde_json::from_slice(hook.body).map_err(|error| HookError::unreadable(&error))?;
    let by = name(event.agent.and_then(|agent| agent.summary).as_deref().unwrap_or_default(), "PagerDuty");
    let Some(incident) = event.data.and_then(|data| data.incident_key) else { return Ok(Deed::Nothing) };
    Ok(match event.event_type.as_str() {
        "incident.acknowledged" => Deed::Acknowledged { incident, by },
        "incident.resolved" => Deed::Resolved { incident, by },
        _ => Deed::Nothing,
    })
}
