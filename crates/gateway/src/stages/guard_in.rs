//! Looks at every text that goes in, and lets it pass, marks it or refuses the call. What a policy
//! redacts or blocks is gone from here on: later stages and the record never see it.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_guard::{Answers, Context, Facts, Guard};
use signalbox_types::{Action, ErrorClass, Finding, Place, Role, Verdict};
use signalbox_wire::along::Shape;
use signalbox_wire::{Peek, TextSlot, WireError, field_at, files, splice};

use crate::call::{Call, CallError, Input};
use crate::endpoint::Endpoint;
use crate::facts::facts;
use crate::offload::offload;
use crate::vaults::Shared;
use crate::verdict::{clean, refusal};
use crate::{Gateway, Unread};

pub(crate) async fn guard_in(call: &mut Call, gateway: &Gateway) -> Result<(), CallError> {
    let guard = gateway.guard_for(call);
    let watches = guard.watches(Place::Input);
    if !watches && !guard.reads_context() {
        call.guard = Some(guard);
        return Ok(());
    }
    let Input::Raw(body) = &call.input else { return Ok(()) };
    if watches && is_unread(call, body) {
        call.unread = true;
        if guard.acts_on(Place::Input) && gateway.config.unread == Unread::Refuse {
            let message = "no guardrail can read this body, and such bodies are refused here (gateway.unread)";
            return Err(CallError::caller(ErrorClass::GuardrailBlocked, message));
        }
    }
    let tokenises = guard.does(Action::Tokenise, Place::Input);
    // Most policies don't ask.
    let facts = if tokenises || guard.reads_context() { facts(call, gateway) } else { Facts::default() };
    if body.is_empty() {
        call.guard = Some(guard.within(&Context { facts, ..Context::default() }));
        return Ok(());
    }
    let vocabulary = match &call.principal {
        Some(principal) if tokenises => Some(gateway.vaults.of(&principal.key_id, &facts.session)),
        _ => None,
    };
    let kind = call.content_type().map(str::to_owned);
    let mut look =
        Look { guard, endpoint: call.endpoint, kind, body: body.clone(), facts, vocabulary: vocabulary.clone() };
    let body_bytes = body.len();
    let mut own = None;
    if look.guard.asks(Place::Input) {
        let (next, texts) = offload(body_bytes, move || look.begin()).await??;
        look = next;
        own = Some(look.guard.clone());
        let answers = Arc::new(Answers::of_whole_texts());
        gateway.asker().ask_whole(&look.guard, Place::Input, &texts, &answers).await;
        look.guard = look.guard.answered(&answers);
        call.unchecked.extend(answers.failures());
    }
    let seen = offload(body_bytes, move || look.run()).await??;
    // What was answered is about these texts alone.
    call.guard = Some(own.unwrap_or(seen.guard));
    call.vocabulary = vocabulary;
    call.note(seen.findings);
    if let Some((body, peek)) = seen.cleaned {
        call.input = Input::Raw(body);
        call.know(peek);
    }
    call.reply = seen.reply.filter(|_| seen.refusal.is_none());
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

/// What is looked at, and with what.
struct Look {
    guard: Guard,
    endpoint: Endpoint,
    kind: Option<String>,
    body: Bytes,
    facts: Facts,
    vocabulary: Option<Shared>,
}

struct Seen {
    /// The policies for this call.
    guard: Guard,
    findings: Vec<Finding>,
    /// The body without what must not stay; the model's name may have moved in it.
    cleaned: Option<(Bytes, Peek)>,
    refusal: Option<CallError>,
    /// What is answered, if it isn't refused.
    reply: Option<Arc<str>>,
}

/// The guard for a call with these texts.
fn within(guard: &Guard, texts: &[TextSlot<'_>], facts: Facts) -> Guard {
    let said = |by: &dyn Fn(Role) -> bool| {
        texts.iter().filter(|slot| by(slot.role) && !slot.is_name).map(|slot| &*slot.text).collect()
    };
    let system = said(&|role| role == Role::System);
    let documents = said(&|role| matches!(role, Role::User | Role::Tool));
    let untrusted = said(&|role| role == Role::Tool);
    guard.within(&Context { system, documents, untrusted, facts })
}

/// The guards for what each one says, where that matters.
#[derive(Default)]
struct ByRole(Vec<(Role, Guard)>);

impl ByRole {
    fn of<'a>(&'a mut self, guard: &'a Guard, role: Role) -> &'a Guard {
        if !guard.tells_roles() {
            return guard;
        }
        let known = self.0.iter().position(|(known, _)| *known == role);
        let at = known.unwrap_or_else(|| {
            self.0.push((role, guard.said_by(role)));
            self.0.len() - 1
        });
        &self.0[at].1
    }
}

impl Look {
    /// The texts that anybody must be asked about, and the guard that knows which policies are for them.
    fn begin(mut self) -> Result<(Self, Vec<Arc<str>>), WireError> {
        let texts = self.endpoint.texts(self.kind.as_deref(), &self.body)?;
        if self.guard.reads_context() {
            self.guard = within(&self.guard, &texts, std::mem::take(&mut self.facts));
        }
        let mut by_role = ByRole::default();
        let mut asked = |slot: &&TextSlot<'_>| by_role.of(&self.guard, slot.role).asks(Place::Input);
        let texts = texts.iter().filter(|slot| asked(slot)).map(|slot| Arc::from(&*slot.text)).collect();
        Ok((self, texts))
    }

    fn run(self) -> Result<Seen, WireError> {
        let Self { mut guard, endpoint, kind, body, facts, vocabulary } = self;
        let texts = endpoint.texts(kind.as_deref(), &body)?;
        if guard.reads_context() {
            guard = within(&guard, &texts, facts);
        }
        let mut seen = Seen { guard, findings: Vec::new(), cleaned: None, refusal: None, reply: None };
        let mut edits = Vec::new();
        let mut by_role = ByRole::default();
        for slot in texts {
            let guard = by_role.of(&seen.guard, slot.role);
            let check = match &vocabulary {
                Some(vocabulary) => guard.check_with(Place::Input, &slot.text, &mut vocabulary.lock()),
                None => guard.check(Place::Input, &slot.text),
            };
            if let Some(clean) = clean(&slot.text, &check) {
                edits.push(slot.edit(&clean));
            }
            if check.verdict == Verdict::Block {
                match check.reply {
                    // Nobody would read a reply there.
                    Some(reply) if endpoint.is_chat() => seen.reply = seen.reply.or(Some(reply)),
                    _ if seen.refusal.is_some() => {}
                    _ => {
                        let advice = "remove it from the request and send it again";
                        let field = field_at(&body, slot.range.start);
                        seen.refusal = Some(refusal(&check.findings, field, advice));
                    }
                }
            }
            seen.findings.extend(check.findings);
        }
        if !edits.is_empty() {
            let clean = splice(&body, &edits);
            let peek = endpoint.peek(&clean)?;
            seen.cleaned = Some((clean, peek));
        }
        Ok(seen)
    }
}
