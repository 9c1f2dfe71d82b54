//! Looks at every text that comes out. A whole answer is looked at here, if that wasn't done when it came; a stream gets
//! windows that look at it as it passes and hold back no more than what could become a hit.

use signalbox_types::{ErrorClass, Place};

use crate::call::{Call, CallError, Reply};
use crate::checked;
use crate::checks::Gate;
use crate::endpoint::Endpoint;
use crate::windows::Windows;
use crate::{Gateway, Unread};

pub(crate) async fn guard_out(call: &mut Call, gateway: &Gateway, reply: Reply) -> Result<Reply, CallError> {
    let Some(guard) = checked::watching(call, gateway) else { return Ok(reply) };
    let was_checked = call.routed.as_ref().is_some_and(|routed| routed.is_checked);
    match reply {
        Reply::Whole { .. } if was_checked => Ok(reply),
        Reply::Whole { headers, body } => checked::whole(call, gateway, guard, headers, body).await,
        Reply::Passing(passing) if matches!(call.endpoint, Endpoint::Through(_)) => {
            call.unread = true;
            if guard.acts_on(Place::Output) && gateway.config.unread == Unread::Refuse {
                let message = "no guardrail can read this answer, and such answers are refused here (gateway.unread)";
                return Err(CallError::caller(ErrorClass::GuardrailBlocked, message));
            }
            Ok(Reply::Passing(passing))
        }
        Reply::Passing(passing) => {
            if passing.is_stream && guard.acts_on(Place::Output) {
                let message = "a guardrail must see a transcription whole; send `stream` as false";
                return Err(CallError::caller(ErrorClass::InvalidRequest, message));
            }
            Ok(Reply::Passing(passing))
        }
        Reply::Stream(mut incoming) => {
            let codec = call.target_codec();
            let gate = guard
                .asks(Place::Output)
                .then(|| Gate::new(gateway.asker(), guard.clone(), codec, call.same_dialect()));
            let guard = gate.as_ref().map_or(guard, Gate::guard);
            incoming.windows = Some(Windows::new(guard, codec));
            incoming.gate = gate;
            Ok(Reply::Stream(incoming))
        }
    }
}
