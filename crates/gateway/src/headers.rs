//! The HTTP headers that the gateway reads, passes on and adds.

use bytes::BytesMut;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use signalbox_types::{SpanId, TraceId};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(crate) const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// Both official SDKs obey it, whatever the status.
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Where OpenAI's SDKs look for an id that support can search for.
pub(crate) const OPENAI_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Where Amazon's do.
pub(crate) const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Where Anthropic's do.
pub(crate) const ANTHROPIC_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-signalbox-trace-id");
pub(crate) const COST_USD: HeaderName = HeaderName::from_static("x-signalbox-cost-usd");
pub(crate) const LATENCY_MS: HeaderName = HeaderName::from_static("x-signalbox-latency-ms");
pub(crate) const PROVIDER: HeaderName = HeaderName::from_static("x-signalbox-provider");
pub(crate) const MODEL: HeaderName = HeaderName::from_static("x-signalbox-model");
pub(crate) const VERDICT: HeaderName = HeaderName::from_static("x-signalbox-verdict");
pub(crate) const ROUTE: HeaderName = HeaderName::from_static("x-signalbox-route");
/// The arm of an experiment that the call belongs to.
pub(crate) const ARM: HeaderName = HeaderName::from_static("x-signalbox-arm");
pub(crate) const DROPPED: HeaderName = HeaderName::from_static("x-signalbox-dropped");
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("x-signalbox-attempts");
/// `joined` or `kept`, on the answer of a call that was sent before.
pub(crate) const IDEMPOTENCY: HeaderName = HeaderName::from_static("x-signalbox-idempotency");

/// A value that a caller put into a header for us is kept up to this length.
const MAX_VALUE_CHARS: usize = 256;
/// So many tags are kept.
const MAX_TAGS: usize = 32;

/// What of the caller's headers a provider of the same dialect gets.
const PASSED_ON: [&str; 6] =
    ["anthropic-version", "anthropic-beta", "openai-organization", "openai-project", "openai-beta", "idempotency-key"];
/// What of a provider's headers the caller gets: what SDKs read, and what helps its support.
const PASSED_BACK: [&str; 9] = [
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-request-id",
    "request-id",
    "openai-processing-ms",
    "x-should-retry",
    "x-amzn-errortype",
    "x-amzn-requestid",
];
const PASSED_BACK_PREFIXES: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];

/// The same headers, in memory of their own. As they come, they are pieces of the buffer that their connection reads
/// into: kept until the call is written down, they would keep it, and the connection would need a new one for each call.
pub(crate) fn on_their_own(mut headers: HeaderMap) -> HeaderMap {
    let mut all = BytesMut::with_capacity(headers.values().map(HeaderValue::len).sum());
    headers.values().for_each(|value| all.extend_from_slice(value.as_bytes()));
    let mut all = all.freeze();
    for value in headers.values_mut() {
        let is_sensitive = value.is_sensitive();
        if let Ok(mut own) = HeaderValue::from_maybe_shared(all.split_to(value.len())) {
            own.set_sensitive(is_sensitive);
            *value = own;
        }
    }
    headers
}

/// The virtual key: `Authorization: Bearer KEY`, `x-api-key: KEY` as Anthropic's SDKs send it, or `x-goog-api-key: KEY`
/// as Google's do. Amazon's SDKs send it as `Bearer` over https only; else as the access key id that a call is signed with.
/// The signature says nothing here: who knows the key may call.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let signed = headers.get(AUTHORIZATION).and_then(|value| {
        let (_, credential) = value.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256")?.split_once("Credential=")?;
        credential.split_once('/').map(|(key, _)| key)
    });
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let keys = [bearer, signed, named("x-api-key"), named("x-goog-api-key")];
    keys.into_iter().flatten().find(|key| !key.is_empty())
}

/// What a caller says about its call with `x-signalbox-*` headers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) session_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) environment: Option<String>,
    pub(crate) prompt_name: Option<String>,
    pub(crate) prompt_version: Option<String>,
    pub(crate) agent_name: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl Labels {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        // Most callers send none.
        if !headers.keys().any(|name| name.as_str().starts_with("x-signalbox-")) {
            return Self { user_agent: text(headers, USER_AGENT.as_str()), ..Self::default() };
        }
        let get = |name: &str| text(headers, name);
        Self {
            session_id: get("x-signalbox-session-id"),
            user_id: get("x-signalbox-user-id"),
            tags: tags(headers),
            environment: get("x-signalbox-environment"),
            prompt_name: get("x-signalbox-prompt-name"),
            prompt_version: get("x-signalbox-prompt-version"),
            agent_name: get("x-signalbox-agent-name"),
            user_agent: get(USER_AGENT.as_str()),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    // Header values are bytes; callers write UTF-8 into them.
    let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?.trim();
    (!value.is_empty()).then(|| value.chars().take(MAX_VALUE_CHARS).collect())
}

fn tags(headers: &HeaderMap) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for value in headers.get_all("x-signalbox-tags") {
        let Ok(list) = std::str::from_utf8(value.as_bytes()) else { continue };
        for tag in list.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let tag: String = tag.chars().take(MAX_VALUE_CHARS).collect();
            if tags.len() < MAX_TAGS && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    tags
}

/// Where a call stands in its trace (W3C Trace Context).
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) trace_id: TraceId,
    /// The caller's span, if it sent a valid `traceparent`.
    pub(crate) parent: Option<SpanId>,
    /// Ours.
    pub(crate) span_id: SpanId,
    /// `traceparent` with our span as the parent of what follows.
    pub(crate) traceparent: HeaderValue,
    /// The trace id for people.
    pub(crate) id_header: HeaderValue,
}

impl Trace {
    /// Continues the caller's trace; begins a new one where there is none or a broken one.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let continued = headers.get(TRACEPARENT).and_then(|value| parse_traceparent(value.as_bytes()));
        let (trace_id, parent, flags) = match continued {
            Some((trace_id, parent, flags)) => (trace_id, Some(parent), flags),
            None => (TraceId::new(), None, 1),
        };
        Self::new(trace_id, parent, flags)
    }

    /// A span of ours below this one.
    pub(crate) fn below(&self) -> Self {
        let flags = parse_traceparent(self.traceparent.as_bytes()).map_or(1, |(_, _, flags)| flags);
        Self::new(self.trace_id, Some(self.span_id), flags)
    }

    fn new(trace_id: TraceId, parent: Option<SpanId>, flags: u8) -> Self {
        let span_id = SpanId::new();
        let mut text = Vec::with_capacity(55);
        text.extend_from_slice(b"00-");
        hex(trace_id.as_bytes(), &mut text);
        let id_header = ascii(text.get(3..).unwrap_or_default());
        text.push(b'-');
        hex(span_id.as_bytes(), &mut text);
        text.push(b'-');
        hex(&[flags], &mut text);
        Self { trace_id, parent, span_id, traceparent: ascii(&text), id_header }
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn ascii(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The version-independent reading of <https://www.w3.org/TR/trace-context/#versioning-of-traceparent>.
fn parse_traceparent(value: &[u8]) -> Option<(TraceId, SpanId, u8)> {
    let text = std::str::from_utf8(value).ok()?;
    let hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut fields = text.split('-');
    let (version, trace_id, parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let known_length = version != "00" || fields.next().is_none();
    if !known_length || !hex(version, 2) || version == "ff" || !hex(flags, 2) || !hex(trace_id, 32) || !hex(parent, 16)
    {
        return None;
    }
    Some((trace_id.parse().ok()?, parent.parse().ok()?, u8::from_str_radix(flags, 16).ok()?))
}

/// The caller's headers that go on to the provider. Of another dialect's, none would mean anything.
pub(crate) fn passed_on(caller: &HeaderMap, same_dialect: bool, trace: &Trace) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    if same_dialect {
        for name in PASSED_ON {
            for value in caller.get_all(name) {
                headers.append(HeaderName::from_static(name), value.clone());
            }
        }
    }
    headers.insert(TRACEPARENT, trace.traceparent.clone());
    if trace.parent.is_some()
        && let Some(state) = caller.get(TRACESTATE)
    {
        headers.insert(TRACESTATE, state.clone());
    }
    headers
}

/// The provider's headers that go back to the caller.
pub(crate) fn passed_back(provider: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    for (name, value) in provider {
        let passed = PASSED_BACK.contains(&name.as_str())
            || PASSED_BACK_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
        if passed {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn finds_the_key() {
        let check = |pairs: &[(&'static str, &str)], expected| assert_eq!(key(&headers(pairs)), expected, "{pairs:?}");
        check(&[("authorization", "Bearer sb-1")], Some("sb-1"));
        check(&[("authorization", "bearer  sb-1 ")], Some("sb-1"));
        check(&[("x-api-key", "sb-2")], Some("sb-2"));
        check(&[("x-goog-api-key", "sb-3"), ("x-api-key", " ")], Some("sb-3"));
        check(&[("authorization", "Bearer sb-1"), ("x-api-key", "sb-2")], Some("sb-1"));
        check(&[("authorization", "Basic eDp5"), ("x-api-key", "sb-2")], Some("sb-2"));
        let signed =
            "AWS4-HMAC-SHA256 Credential=sb-4/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0";
        check(&[("authorization", signed)], Some("sb-4"));
        check(&[("authorization", "Bearer ")], None);
        check(&[("authorization", "sb-1")], None);
        check(&[], None);
    }

    #[test]
    fn headers_on_their_own_are_the_same() {
        let buffer = bytes::Bytes::from_static(b"one two three");
        let mut before = HeaderMap::new();
        for (name, range) in [("a", 0..3), ("b", 4..7), ("a", 8..13), ("c", 0..0)] {
            let value = HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
            before.append(HeaderName::from_static(name), value);
        }
        before.get_mut("b").unwrap().set_sensitive(true);
        let after = on_their_own(before.clone());
        assert_eq!(after, before);
        assert!(after["b"].is_sensitive() && !after["a"].is_sensitive());
        let within = buffer.as_ptr_range();
        assert!(after.values().all(|value| !within.contains(&value.as_bytes().as_ptr())));
        assert!(on_their_own(HeaderMap::new()).is_empty());
    }

    #[test]
    fn reads_traceparent_by_the_book() {
        let check = |text: &str, valid: bool| assert_eq!(parse_traceparent(text.as_bytes()).is_some(), valid, "{text}");
        check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true);
        check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", false);
        check("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", true);
        check("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false);
        check("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false);
        check("00-00000000000000000000000000000000-b7ad6b7169203331-01", false);
        check("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false);
        check("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false);
        check("garbage", false);
    }

    #[test]
    fn reads_labels_within_bounds() {
        let long = "x".repeat(1_000);
        let labels = Labels::read(&headers(&[
            ("x-signalbox-session-id", &long),
            ("x-signalbox-tags", " a, b,,a ,c"),
            ("x-signalbox-user-id", "  "),
        ]));
        assert_eq!(labels.session_id.unwrap().len(), MAX_VALUE_CHARS);
        assert_eq!(labels.tags, ["a", "b", "c"]);
        assert_eq!(labels.user_id, None);
    }

    #[test]
    fn passes_on_only_what_the_provider_may_see() {
        let caller = headers(&[
            ("authorization", "Bearer sb-1"),
            ("cookie", "a=b"),
            ("anthropic-beta", "x"),
            ("idempotency-key", "once"),
            ("tracestate", "v=1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
        ]);
        let trace = Trace::read(&caller);
        let passed = passed_on(&caller, true, &trace);
        assert_eq!(passed.len(), 4);
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-{}-00", trace.span_id);
        assert_eq!(passed["traceparent"], parent.as_str());
        assert_eq!(trace.id_header, trace.trace_id.to_string().as_str());
        assert!(!passed_on(&caller, false, &trace).contains_key("anthropic-beta"));
    }

    #[test]
    fn passes_back_only_what_the_caller_needs() {
        let provider = headers(&[
            ("set-cookie", "a=b"),
            ("content-length", "3"),
            ("x-ratelimit-remaining-tokens", "7"),
            ("retry-after", "2"),
        ]);
        let back = passed_back(&provider);
        assert_eq!(back.len(), 2);
        assert_eq!(back["retry-after"], "2");
    }
}
