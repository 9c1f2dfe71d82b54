//! Whatever a provider has: `/providers/{name}/…` goes to that provider, with its credential in place of the caller's key.
//! What is asked there that the gateway knows (a chat, a file) is a call like any other of its kind; all else passes as it
//! is: its texts are guarded where they can be read, and one span is written.

use http::header::{CONNECTION, HeaderMap, HeaderName};
use http::{Method, Request};
use percent_encoding::percent_decode_str;
use signalbox_types::{ErrorClass, ProjectId};
use signalbox_upstream::{Operation, Provider, Target, Upstream};
use signalbox_wire::Dialect;

use crate::call::CallError;
use crate::endpoint::Endpoint;
use crate::headers::{self, ANTHROPIC_VERSION, TRACEPARENT, TRACESTATE, Trace};
use crate::owners::{Kind, Owners, Whose};
use crate::{Gateway, RequestBody, along, gemini, kept};

const START: &str = "/providers/";
const KINDS: [Kind; 3] = [Kind::Response, Kind::File, Kind::Batch];
/// Longer than any id.
const MOST_ID_BYTES: usize = 256;
/// The path for messages and metrics.
pub(crate) const PATH: &str = "/providers/{provider}/{path}";

/// What of a caller's headers stays here: its key, what is about its connection, what others have added about it, and what
/// is written anew.
const OURS: [&str; 26] = [
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-api-key",
    "x-goog-api-key",
    "x-real-ip",
];
const OUR_PREFIXES: [&str; 4] = ["x-signalbox-", "x-forwarded-", "x-sim-", "sec-"];
/// What of a provider's headers the caller doesn't get: what is about its host, and the length of what may be changed.
const THEIRS: [&str; 6] =
    ["alt-svc", "content-length", "keep-alive", "set-cookie", "strict-transport-security", "transfer-encoding"];

/// Where a call goes, by its path.
pub(crate) struct Through {
    /// The provider's name as the caller wrote it.
    name: String,
    /// What stands behind it.
    path: String,
    target: Option<Target>,
    known: Known,
    /// It is another way to write what is known, which would be taken for something unknown.
    is_disguised: bool,
}

/// What is known of what is asked at a path.
struct Known {
    endpoint: Endpoint,
    /// What stands behind the path of all things of a kind, or what stands behind the provider's name.
    below: Option<String>,
    /// The model, where the path names it.
    model: Option<String>,
}

pub(crate) fn handles(path: &str) -> bool {
    split(path).is_some()
}

fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(START)?;
    let (name, path) = rest.split_at_checked(rest.find('/')?)?;
    (!name.is_empty()).then_some((name, path))
}

/// What a request for a provider asks, if it is one.
pub(crate) fn find(request: &Request<RequestBody>, upstream: &Upstream) -> Option<Through> {
    let (name, path) = split(request.uri().path())?;
    let target = upstream.provider(name);
    let unknown = |dialect| Known { endpoint: Endpoint::Through(dialect), below: Some(path.to_owned()), model: None };
    let mut is_disguised = false;
    let known = match &target {
        Some(Target { provider, .. }) => known(request.method(), path, provider).unwrap_or_else(|| {
            is_disguised = known(request.method(), &plain(path), provider).is_some();
            unknown(provider.dialect)
        }),
        None => unknown(spoken(request)),
    };
    Some(Through { name: name.chars().take(100).collect(), path: path.to_owned(), target, known, is_disguised })
}

/// A path as servers may read it that are not strict.
fn plain(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
    decoded
        .split(['/', '\\'])
        .filter(|segment| !segment.is_empty())
        .fold(String::new(), |all, segment| all + "/" + segment)
}

fn known(method: &Method, path: &str, provider: &Provider) -> Option<Known> {
    let kept = KINDS.into_iter().find_map(|kind| {
        let rest = provider.below(kind.operation(), path)?;
        kept::below(kind, &rest)
    });
    if let Some((shelf, below)) = kept {
        return Some(Known { endpoint: Endpoint::Kept(shelf), below, model: None });
    }
    if method != Method::POST {
        return None;
    }
    if provider.dialect == Dialect::Gemini {
        let (method, model) = gemini::find(path).or_else(|| gemini::find(&format!("/v1beta{path}")))?;
        return Some(Known { endpoint: Endpoint::Gemini(method), below: None, model: Some(model) });
    }
    let endpoint = match (provider.operation_at(path)?, provider.dialect) {
        (Operation::Chat, Dialect::OpenaiChat) => Endpoint::Chat,
        (Operation::Chat, Dialect::AnthropicMessages) => Endpoint::Messages,
        (Operation::Chat, Dialect::OpenaiResponses) | (Operation::Responses, _) => Endpoint::Responses,
        (Operation::Chat, Dialect::OpenaiCompletions) | (Operation::Completions, _) => Endpoint::Completions,
        (Operation::Embeddings, Dialect::OpenaiChat) => Endpoint::Embeddings,
        (operation, dialect) => Endpoint::Along(along::of(operation, dialect)?),
    };
    Some(Known { endpoint, below: None, model: None })
}

/// What a caller seems to understand who asks nobody that there is.
fn spoken(request: &Request<RequestBody>) -> Dialect {
    if request.headers().contains_key(ANTHROPIC_VERSION) {
        Dialect::AnthropicMessages
    } else if gemini::is_of_google(request.headers(), request.uri().query()) {
        Dialect::Gemini
    } else {
        Dialect::OpenaiChat
    }
}

impl Through {
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.known.endpoint
    }

    pub(crate) fn below(&self) -> Option<String> {
        self.known.below.clone()
    }

    pub(crate) fn model(&self) -> Option<String> {
        self.known.model.clone()
    }

    /// Who is asked by a project.
    pub(crate) fn target(&self, gateway: &Gateway, project: &ProjectId) -> Result<Target, CallError> {
        let denied = |message: String| CallError::caller(ErrorClass::NotFound, message);
        let Some(target) = &self.target else { return Err(denied(gateway.upstream.unknown_provider(&self.name))) };
        if self.is_unknown() && !gateway.config.pass_through {
            let message = format!(
                "{START}{}{} is not served: gateway.pass_through is off, so that only what Signalbox knows of a provider can be asked",
                self.name,
                template(&self.path)
            );
            return Err(denied(message));
        }
        if self.is_disguised {
            let message = format!("write the path as the provider does: {}", plain(&self.path));
            return Err(CallError::caller(ErrorClass::InvalidRequest, message));
        }
        let is_shared = !gateway.catalog.has_one_project();
        if is_shared && self.is_unknown() && self.is_anothers(&target.provider, &gateway.owners, project) {
            return Err(denied("there is no such thing that a key of this project made".to_owned()));
        }
        if !target.provider.has_below(&self.path) {
            let message =
                format!("the path behind {START}{} leads out of the provider's base URL; write it plainly", self.name);
            return Err(CallError::caller(ErrorClass::InvalidRequest, message));
        }
        Ok(target.clone())
    }

    /// Below responses, files and batches there is more than we know, and all of it belongs to who made the thing.
    pub(crate) fn is_anothers(&self, provider: &Provider, owners: &Owners, project: &ProjectId) -> bool {
        /// What stands there in place of an id.
        const WORDS: [&str; 2] = ["compact", "input_tokens"];
        let is_anothers = |kind: Kind| {
            let rest = provider.below(kind.operation(), &plain(&self.path));
            let id = rest.as_deref().and_then(kept::id).filter(|id| !WORDS.contains(id));
            // The path as it stands, since an id may have capital letters.
            id.is_some_and(|id| {
                let written = self.path.split('/').find(|segment| segment.eq_ignore_ascii_case(id));
                // One that is written in another way, with escapes, is nobody's.
                !written.is_some_and(|id| matches!(owners.find(kind, id, project), Whose::Yours(_)))
            })
        };
        KINDS.into_iter().any(is_anothers)
    }

    /// It is below the provider's path of responses, like `/responses/compact`.
    pub(crate) fn is_of_responses(&self) -> bool {
        let provider = self.target.as_ref().map(|target| &target.provider);
        provider.is_some_and(|provider| provider.below(Operation::Responses, &plain(&self.path)).is_some())
    }

    /// The batch whose results are asked for, where Anthropic keeps it.
    pub(crate) fn batch_of_results(&self, method: &Method) -> Option<&str> {
        let provider = &self.target.as_ref()?.provider;
        if method != Method::GET || provider.dialect != Dialect::AnthropicMessages {
            return None;
        }
        let id = self.path.strip_suffix("/results")?;
        let (before, id) = id.rsplit_once('/')?;
        (before.ends_with("/messages/batches") && !id.is_empty() && id.len() <= MOST_ID_BYTES).then_some(id)
    }

    fn is_unknown(&self) -> bool {
        matches!(self.known.endpoint, Endpoint::Through(_))
    }

    /// The path for the record: what seems to be an id is left out.
    pub(crate) fn template(&self) -> String {
        format!("{START}{}{}", self.name, template(&self.path))
    }
}

/// A word of an API stays, anything else is a thing's name.
fn template(path: &str) -> String {
    let mut all = String::new();
    for segment in path.split('/').skip(1) {
        let version =
            segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        let is_word = |char: char| char.is_ascii_lowercase() || matches!(char, '_' | '-');
        let word = segment.len() <= 32 && segment.chars().all(is_word);
        all.push('/');
        all.push_str(if word || (version && segment.len() <= 8) { segment } else { "{id}" });
    }
    all
}

/// The caller's headers that go on to the provider.
pub(crate) fn passed_on(caller: &HeaderMap, trace: &Trace) -> HeaderMap {
    let named: Vec<String> = caller
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let key = headers::key(caller);
    let mut passed = headers::passed_on(caller, false, trace);
    for (name, value) in caller {
        let word = name.as_str();
        // What of the trace goes on is in it already.
        let is_ours = OURS.binary_search(&word).is_ok()
            || OUR_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
            || *name == TRACEPARENT
            || *name == TRACESTATE;
        // Wherever else it stands.
        let has_key = key.is_some_and(|key| contains(value.as_bytes(), key.as_bytes()));
        if !is_ours && !has_key && !named.iter().any(|one| one == word) {
            passed.append(HeaderName::clone(name), value.clone());
        }
    }
    passed
}

/// The caller's parameters that go on: none that holds its key.
pub(crate) fn query(caller: &HeaderMap, query: &str) -> String {
    let key = headers::key(caller).unwrap_or_default();
    let is_clean = |pair: &&str| key.is_empty() || !percent_decode_str(pair).decode_utf8_lossy().contains(key);
    query.split('&').filter(is_clean).collect::<Vec<_>>().join("&")
}

fn contains(value: &[u8], key: &[u8]) -> bool {
    value.windows(key.len().max(1)).any(|window| window == key)
}

/// The provider's headers that go back to the caller.
pub(crate) fn passed_back(provider: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(provider.len());
    for (name, value) in provider {
        let word = name.as_str();
        let stays = THEIRS.binary_search(&word).is_ok()
            || word.starts_with("access-control-")
            || word.starts_with("x-signalbox-");
        if !stays {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn paths_are_split_and_their_ids_left_out() {
        assert_eq!(split("/providers/openai/fine_tuning/jobs"), Some(("openai", "/fine_tuning/jobs")));
        for path in ["/providers", "/providers/", "/providers/openai", "/providers//x", "/v1/chat/completions"] {
            assert!(!handles(path), "{path}");
        }
        let check = |path: &str, expected: &str| assert_eq!(template(path), expected);
        check("/v1/fine_tuning/jobs/ftjob-abc123/events", "/v1/fine_tuning/jobs/{id}/events");
        check("/v1beta/models/gemini-2.5-pro:generateContent", "/v1beta/models/{id}");
        check("/vector_stores/vs_1", "/vector_stores/{id}");
        check("/", "/");
    }

    #[test]
    fn what_is_written_otherwise_is_known_all_the_same() {
        for path in ["/v1/files", "/v1/files/", "//v1//files", "/V1/Files", "/v1/%66iles", "/v1%2ffiles", "/v1\\files"]
        {
            assert_eq!(plain(path), "/v1/files", "{path}");
        }
        let caller: HeaderMap =
            [(HeaderName::from_static("x-api-key"), HeaderValue::from_static("sb-key-1"))].into_iter().collect();
        assert_eq!(query(&caller, "a=1&b=sb%2Dkey-1&c=sb-key-1x&d"), "a=1&d");
    }

    #[test]
    fn only_what_is_meant_for_the_provider_goes_on() {
        assert!(OURS.is_sorted() && THEIRS.is_sorted());
        let caller: HeaderMap = [
            ("authorization", "Bearer sb-key-1"),
            ("api-key", "sb-key-1"),
            ("x-custom", "see sb-key-1"),
            ("cookie", "a=b"),
            ("x-amz-security-token", "of the caller's account"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-signalbox-tags", "a"),
            ("content-length", "3"),
            ("openai-beta", "assistants=v2"),
            ("accept", "text/plain"),
            ("traceparent", "garbage"),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
        let passed = passed_on(&caller, &Trace::read(&caller));
        let names: std::collections::BTreeSet<&str> = passed.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "openai-beta", "traceparent"].into());
        assert_ne!(passed["traceparent"], "garbage");
        let mut theirs = HeaderMap::new();
        for name in ["set-cookie", "openai-version", "x-signalbox-provider", "content-type"] {
            theirs.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        assert_eq!(passed_back(&theirs).len(), 2);
    }
}
