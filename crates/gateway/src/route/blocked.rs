//! Answers that a policy blocks, where another target may have a better one: they are looked at as soon as they are there.
//! What they used is paid all the same, and what was found in them is not the next one's fault.

use signalbox_types::{Cost, Usage, Verdict};

use super::Route;
use crate::Gateway;
use crate::call::{Answer, Call, CallError, Reply};
use crate::checked;

/// What is left of answers that were blocked.
#[derive(Debug)]
pub(crate) struct Blocked {
    /// Of all of them.
    usage: Usage,
    /// None if that of one of them is unknown.
    cost: Option<Cost>,
    /// What was found in the question.
    verdict: Verdict,
    findings: usize,
    /// The last one is not told of: another target is asked.
    is_over: bool,
}

/// Looks at a whole answer, if the route wants that now.
pub(super) async fn check(call: &mut Call, gateway: &Gateway, route: &Route, reply: Reply) -> Result<Reply, CallError> {
    let Reply::Whole { headers, body } = reply else { return Ok(reply) };
    let Some(guard) = checked::watching(call, gateway).filter(|_| route.goes_on_if_blocked()) else {
        return Ok(Reply::Whole { headers, body });
    };
    let (verdict, findings) = (call.verdict, call.findings.len());
    let checked = checked::whole(call, gateway, guard, headers, body).await;
    let Some(routed) = &mut call.routed else { return checked };
    match &checked {
        Ok(_) => routed.is_checked = true,
        Err(_) => {
            let before = routed.blocked.take();
            let (usage, cost) = match &before {
                Some(before) => {
                    (before.usage.plus(&call.usage), before.cost.zip(call.cost).map(|(one, other)| one.plus(&other)))
                }
                None => (call.usage, call.cost),
            };
            routed.blocked = Some(Box::new(Blocked { usage, cost, verdict, findings, is_over: false }));
            // It counts among those.
            (call.usage, call.cost) = (Usage::default(), None);
        }
    }
    checked
}

/// Another try begins.
pub(super) fn forget(call: &mut Call) {
    let Some(blocked) = call.routed.as_mut().and_then(|routed| routed.blocked.as_mut()) else { return };
    if !blocked.is_over {
        blocked.is_over = true;
        call.verdict = blocked.verdict;
        call.findings.truncate(blocked.findings);
        call.answer = Answer::Nothing;
    }
}

impl Blocked {
    /// What a call used, with that of the answers that nobody got to see.
    pub(crate) fn with(&self, usage: &Usage, cost: Option<Cost>) -> (Usage, Option<Cost>) {
        if usage.is_unknown() {
            return (self.usage, self.cost);
        }
        (self.usage.plus(usage), self.cost.zip(cost).map(|(one, other)| one.plus(&other)))
    }
}
