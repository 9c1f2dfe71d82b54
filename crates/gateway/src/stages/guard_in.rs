//! Looks at every text that goes in, and lets it pass, marks it or refuses the call. What a policy
//! redacts or blocks is gone from here on: later stages and the record never see it.

use signalbox_types::{Place, Verdict};
use signalbox_wire::{embeddings, splice};

use crate::Gateway;
use crate::call::{Call, CallError, Endpoint, Input};
use crate::verdict::{clean, refusal};

pub(crate) fn guard_in(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    if !gateway.guard.watches(Place::Input) {
        return Ok(());
    }
    let Input::Raw(body) = &call.input else { return Ok(()) };
    let body = body.clone();
    let texts = match call.endpoint {
        Endpoint::Chat | Endpoint::Messages => call.codec().texts(&body),
        Endpoint::Embeddings => embeddings::texts(&body),
    };
    let mut edits = Vec::new();
    let mut blocked = None;
    for slot in texts? {
        let check = gateway.guard.check(Place::Input, &slot.text);
        if let Some(clean) = clean(&slot.text, &check) {
            edits.push(slot.edit(&clean));
        }
        if blocked.is_none() && check.verdict == Verdict::Block {
            blocked = Some(refusal(&check.findings, "remove it from the request and send it again"));
        }
        call.note(check.findings);
    }
    if !edits.is_empty() {
        let clean = splice(&body, &edits);
        // The model's name may have moved.
        call.peek = Some(match call.endpoint {
            Endpoint::Chat | Endpoint::Messages => call.codec().peek(&clean)?,
            Endpoint::Embeddings => embeddings::peek(&clean)?,
        });
        call.input = Input::Raw(clean);
    }
    blocked.map_or(Ok(()), Err)
}
