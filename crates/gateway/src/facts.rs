//! What policies may know of a call beside its texts.

use signalbox_guard::Facts;

use crate::Gateway;
use crate::call::Call;

pub(crate) fn facts(call: &Call, gateway: &Gateway) -> Facts {
    let labels = call.labels();
    let peek = call.peek.as_ref();
    let in_body = |key: &str| peek.and_then(|peek| peek.metadata.get(key)?.as_str().map(str::to_owned));
    let model = peek.map(|peek| peek.model.clone()).unwrap_or_default();
    let route = gateway.routes.find(&model).map(|route| route.name.to_string());
    Facts {
        key: call.principal.as_ref().map(|principal| principal.key_name.clone()).unwrap_or_default(),
        project: call.principal.as_ref().map(|principal| principal.project.to_string()).unwrap_or_default(),
        route: route.unwrap_or_default(),
        model,
        endpoint: call.endpoint.path().to_owned(),
        stream: call.stream(),
        user: labels.user_id.or_else(|| peek.and_then(|peek| peek.user.clone())).unwrap_or_default(),
        session: labels.session_id.or_else(|| in_body("session_id")).unwrap_or_default(),
        environment: labels.environment.unwrap_or_default(),
        tags: labels.tags,
        metadata: peek.map(|peek| peek.metadata.clone()).unwrap_or_default(),
        lot: lot(call),
        now: gateway.clock.now().as_secs(),
    }
}

/// Trace ids of some SDKs begin or end with the time: only their hash is spread evenly.
fn lot(call: &Call) -> u64 {
    let hash = blake3::hash(call.trace.trace_id.to_string().as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
