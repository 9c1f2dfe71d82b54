//! Looks at every text that goes in, and lets it pass, marks it or refuses the call. What a policy
//! redacts or blocks is gone from here on: later stages and the record never see it.

use bytes::Bytes;
use signalbox_guard::{Context, Guard};
use signalbox_types::{ErrorClass, Finding, Place, Role, Verdict};
use signalbox_wire::along::Shape;
use signalbox_wire::{Peek, WireError, files, splice};

use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::offload::offload;
use crate::verdict::{clean, refusal};
use crate::{Gateway, Unread};

pub(crate) async fn guard_in(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let watches = gateway.guard.watches(Place::Input);
    if !watches && !gateway.guard.reads_context() {
        return Ok(());
    }
    let Input::Raw(body) = &call.input else { return Ok(()) };
    if watches && is_unread(call, body) {
        call.unread = true;
        if gateway.guard.acts_on(Place::Input) && gateway.config.unread == Unread::Refuse {
            let message = "no guardrail can read this body, and such bodies are refused here (gateway.unread)";
            return Err(CallError::caller(ErrorClass::GuardrailBlocked, message));
        }
    }
    if body.is_empty() {
        return Ok(());
    }
    let (body, guard, endpoint) = (body.clone(), gateway.guard.clone(), call.endpoint);
    let kind = call.content_type().map(str::to_owned);
    let seen = offload(body.len(), move || look(guard, endpoint, kind.as_deref(), &body)).await??;
    call.guard = seen.guard;
    call.note(seen.findings);
    if let Some((body, peek)) = seen.cleaned {
        call.input = Input::Raw(body);
        call.know(peek);
    }
    seen.refusal.map_or(Ok(()), Err)
}

/// What goes on while it arrives; what is no text; and files in a form.
fn is_unread(call: &Call, body: &[u8]) -> bool {
    let unreadable = || matches!(Shape::of(call.content_type(), body), Shape::Form | Shape::Other);
    if call.endpoint.holds_files(call.content_type()) && call.upload.is_none() {
        return files::read(body).is_ok_and(|files| !files.is_all_text);
    }
    call.upload.is_some() || (matches!(call.endpoint, Endpoint::Through(_)) && !body.is_empty() && unreadable())
}

struct Seen {
    /// The policies for this call, where they depend on it.
    guard: Option<Guard>,
    findings: Vec<Finding>,
    /// The body without what must not stay; the model's name may have moved in it.
    cleaned: Option<(Bytes, Peek)>,
    refusal: Option<CallError>,
}

fn look(mut guard: Guard, endpoint: Endpoint, kind: Option<&str>, body: &Bytes) -> Result<Seen, WireError> {
    let texts = endpoint.texts(kind, body)?;
    let mut seen = Seen { guard: None, findings: Vec::new(), cleaned: None, refusal: None };
    if guard.reads_context() {
        let said = |by: &dyn Fn(Role) -> bool| {
            texts.iter().filter(|slot| by(slot.role) && !slot.is_name).map(|slot| &*slot.text).collect()
        };
        let system = said(&|role| role == Role::System);
        let documents = said(&|role| matches!(role, Role::User | Role::Tool));
        guard = guard.within(&Context { system, documents });
        seen.guard = Some(guard.clone());
    }
    let mut edits = Vec::new();
    for slot in texts {
        let check = guard.check(Place::Input, &slot.text);
        if let Some(clean) = clean(&slot.text, &check) {
            edits.push(slot.edit(&clean));
        }
        if seen.refusal.is_none() && check.verdict == Verdict::Block {
            seen.refusal = Some(refusal(&check.findings, "remove it from the request and send it again"));
        }
        seen.findings.extend(check.findings);
    }
    if !edits.is_empty() {
        let clean = splice(body, &edits);
        let peek = endpoint.peek(&clean)?;
        seen.cleaned = Some((clean, peek));
    }
    Ok(seen)
}
