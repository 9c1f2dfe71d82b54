//! Several credentials for one provider: calls are spread over them by weight, one that the provider refuses rests, and
//! one that stands in a file is read again when the file changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use parking_lot::Mutex;
use signalbox_types::Secret;

use super::vault::Vault;
use super::watched::Watched;
use super::{Unready, with_key};
use crate::config::{Auth, CredentialConfig};
use crate::provider::CredentialStatus;

/// How long one rests that the provider doesn't know, or no longer.
const REFUSED: Duration = Duration::from_secs(60);
/// How long one rests that has been used too much, if the provider doesn't say.
const LIMITED: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);

/// The credentials of one provider.
#[derive(Debug)]
pub(crate) struct Keys {
    carry: Carry,
    all: Vec<Key>,
    /// What each is owed, in calls times the sum of the weights (smooth weighted round robin).
    owed: Mutex<Vec<i64>>,
}

#[derive(Debug)]
enum Carry {
    Header(HeaderName, &'static str),
    Query(String),
}

#[derive(Debug)]
struct Key {
    name: Arc<str>,
    weight: i64,
    value: Value,
    /// On the measuring clock, in milliseconds.
    rests_until: AtomicU64,
}

#[derive(Debug)]
enum Value {
    Fixed(Secret),
    File(Watched<Secret>),
    /// In the catalog, under this name; and what it was when it was last asked for.
    Kept {
        vault: Vault,
        name: String,
        seen: Mutex<Option<Secret>>,
    },
}

impl Keys {
    pub(crate) fn new(own: &[CredentialConfig], auth: &Auth, vault: &Vault) -> Result<Self, Unready> {
        let carry = match auth {
            Auth::Bearer => Carry::Header(AUTHORIZATION, "Bearer "),
            Auth::Header(name) => {
                let hint = "write a name like `x-api-key`";
                let name = HeaderName::try_from(name)
                    .map_err(|_| wrong("auth".to_owned(), format!("`{name}` is not a header's name"), hint))?;
                Carry::Header(name, "")
            }
            Auth::Query(name) => Carry::Query(name.clone()),
            Auth::Aws(_) | Auth::Gcp(_) | Auth::Azure(_) | Auth::None => {
                let message = "several credentials are for `bearer`, `header` and `query` only".to_owned();
                return Err(wrong(
                    "credentials".to_owned(),
                    message,
                    "write a provider for each, and a route over them",
                ));
            }
        };
        let mut all: Vec<Key> = Vec::with_capacity(own.len());
        for (place, one) in own.iter().enumerate() {
            let field = |name: &str| format!("credentials[{place}].{name}");
            if one.name.trim().is_empty() || all.iter().any(|other| *other.name == *one.name) {
                let message = format!("`{}` is empty or taken", one.name);
                return Err(wrong(field("name"), message, "give each a name of its own; spans show it"));
            }
            if one.weight == 0 {
                return Err(wrong(
                    field("weight"),
                    "it is zero".to_owned(),
                    "write 1 or more, or take the credential out",
                ));
            }
            let value = match (&one.api_key, &one.file, &one.catalog) {
                (Some(key), None, None) => Value::Fixed(Secret::new(key.expose().trim().to_owned())),
                (None, Some(path), None) => Value::File(Watched::new(path, key_of).map_err(|message| {
                    wrong(field("file"), message, "write the path of a file that holds the key and nothing else")
                })?),
                (None, None, Some(name)) => {
                    Value::Kept { vault: vault.clone(), name: name.clone(), seen: Mutex::new(None) }
                }
                _ => {
                    let message = "it needs one of `api_key`, `file` and `catalog`".to_owned();
                    return Err(wrong(format!("credentials[{place}]"), message, "write one of them"));
                }
            };
            let key = Key {
                name: one.name.as_str().into(),
                weight: i64::from(one.weight),
                value,
                rests_until: AtomicU64::new(0),
            };
            // What the catalog has may come later.
            let unfit = |value: Secret| carry.header_value(&value).is_none();
            if key.value(Duration::ZERO).is_ok_and(unfit) {
                let message = "it is empty, or holds characters that no header may carry".to_owned();
                return Err(wrong(field("api_key"), message, "look for line breaks and other invisible characters"));
            }
            all.push(key);
        }
        Ok(Self { carry, owed: Mutex::new(vec![0; all.len()]), all })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whose turn it is. Where all rest, the one that will be awake first.
    pub(crate) fn pick(&self, now: Duration) -> usize {
        // A value that has changed ends the rest of its key; one that isn't there can't be sent.
        let has_value = |index: &usize| self.all.get(*index).is_some_and(|key| key.value(now).is_ok());
        let there: Vec<usize> = (0..self.all.len()).filter(has_value).collect();
        let awake: Vec<usize> = there.iter().copied().filter(|index| self.is_awake(*index, now)).collect();
        if awake.is_empty() {
            let until = |index: &usize| self.all.get(*index).map(|key| key.rests_until.load(Ordering::Relaxed));
            return there.into_iter().min_by_key(until).unwrap_or(0);
        }
        let weight = |index: usize| self.all.get(index).map_or(0, |key| key.weight);
        let total: i64 = awake.iter().map(|index| weight(*index)).sum();
        let mut owed = self.owed.lock();
        for index in &awake {
            if let Some(owed) = owed.get_mut(*index) {
                *owed += weight(*index);
            }
        }
        // Of those that are owed the same, the first.
        let most = awake.into_iter().rev().max_by_key(|index| owed.get(*index).copied()).unwrap_or(0);
        if let Some(owed) = owed.get_mut(most) {
            *owed -= total;
        }
        most
    }

    fn is_awake(&self, index: usize, now: Duration) -> bool {
        self.all.get(index).is_some_and(|key| key.rests_until.load(Ordering::Relaxed) <= millis(now))
    }

    pub(crate) fn any_awake(&self, now: Duration) -> bool {
        let has_value = |index: usize| self.all.get(index).is_some_and(|key| key.value(now).is_ok());
        (0..self.all.len()).any(|index| self.is_awake(index, now) && has_value(index))
    }

    /// Why no call can go out, if none of them has a value.
    pub(crate) fn lacking(&self) -> Option<String> {
        let mut whys = self.all.iter().map(|key| key.value(Duration::ZERO).err());
        let first = whys.next()??;
        whys.all(|why| why.is_some()).then_some(first)
    }

    /// As the status page shows them.
    pub(crate) fn status(&self, now: Duration) -> Vec<CredentialStatus> {
        let status = |key: &Key| {
            let rests = key.rests_until.load(Ordering::Relaxed).saturating_sub(millis(now));
            CredentialStatus {
                name: key.name.to_string(),
                catalog: if let Value::Kept { name, .. } = &key.value { Some(name.clone()) } else { None },
                missing: key.value(now).err(),
                rests_ms: (rests > 0).then_some(rests),
            }
        };
        self.all.iter().map(status).collect()
    }

    /// What goes out and must be seen by nobody else.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.all.iter().filter_map(|key| key.value(Duration::ZERO).ok()).collect()
    }

    pub(crate) fn name(&self, index: usize) -> Option<Arc<str>> {
        self.all.get(index).map(|key| Arc::clone(&key.name))
    }

    /// Adds the credential to a call; the URI that the call is for.
    ///
    /// # Errors
    /// Why it has no value.
    pub(crate) fn attach(
        &self,
        index: usize,
        uri: &Uri,
        headers: &mut HeaderMap,
        now: Duration,
    ) -> Result<Uri, String> {
        let Some(key) = self.all.get(index) else { return Ok(uri.clone()) };
        let value = key.value(now)?;
        Ok(match &self.carry {
            Carry::Query(name) => with_key(uri, name, &value),
            Carry::Header(name, _) => {
                if let Some(value) = self.carry.header_value(&value) {
                    headers.insert(name, value);
                }
                uri.clone()
            }
        })
    }

    /// Whether the provider refused this credential, or will have it rest.
    pub(crate) fn refused(&self, index: usize, status: StatusCode, headers: &HeaderMap, now: Duration) -> bool {
        let rest = match status.as_u16() {
            401 | 403 => REFUSED,
            429 => {
                let said = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
                said.map_or(LIMITED, Duration::from_secs).min(LONGEST)
            }
            _ => return false,
        };
        if let Some(key) = self.all.get(index) {
            key.rests_until.store(millis(now + rest), Ordering::Relaxed);
        }
        true
    }
}

impl Carry {
    fn header_value(&self, key: &Secret) -> Option<HeaderValue> {
        let prefix = if let Self::Header(_, prefix) = self { prefix } else { "" };
        let mut value = HeaderValue::try_from(format!("{prefix}{}", key.expose())).ok()?;
        value.set_sensitive(true);
        (!key.expose().is_empty()).then_some(value)
    }
}

impl Key {
    /// # Errors
    /// It has none.
    fn value(&self, now: Duration) -> Result<Secret, String> {
        let (key, changed) = match &self.value {
            Value::Fixed(key) => return Ok(key.clone()),
            Value::File(watched) => watched.read(now, &self.name),
            Value::Kept { vault, name, seen } => {
                let key = vault.find(name)?;
                let mut seen = seen.lock();
                let changed = seen.as_ref().is_some_and(|seen| *seen != key);
                if changed || seen.is_none() {
                    *seen = Some(key.clone());
                }
                (key, changed)
            }
        };
        if changed {
            self.rests_until.store(0, Ordering::Relaxed);
        }
        Ok(key)
    }
}

/// A key that stands alone in a file.
fn key_of(text: &str) -> Result<Secret, String> {
    match text.trim() {
        "" => Err("is empty".to_owned()),
        key if HeaderValue::try_from(key).is_err() => Err("holds more than one line".to_owned()),
        key => Ok(Secret::new(key.to_owned())),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn wrong(field: String, message: String, hint: &str) -> Unready {
    Unready::Wrong { field, message, hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(weights: &[u32]) -> Keys {
        let one = |(place, weight): (usize, &u32)| CredentialConfig {
            name: format!("k{place}"),
            api_key: Some(Secret::new(format!("secret-{place}"))),
            file: None,
            catalog: None,
            weight: *weight,
        };
        let all: Vec<CredentialConfig> = weights.iter().enumerate().map(one).collect();
        Keys::new(&all, &Auth::Bearer, &Vault::default()).unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn picks(keys: &Keys, now: Duration, count: usize) -> Vec<usize> {
        (0..count).map(|_| keys.pick(now)).collect()
    }

    #[test]
    fn turns_go_by_weight_and_are_spread() {
        assert_eq!(picks(&keys(&[3, 1]), Duration::ZERO, 8), [0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(picks(&keys(&[1, 1, 1]), Duration::ZERO, 6), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_refused_one_rests_and_comes_back() {
        let keys = keys(&[1, 1]);
        let at = Duration::from_secs;
        assert!(keys.refused(0, StatusCode::UNAUTHORIZED, &HeaderMap::new(), at(0)));
        assert_eq!(picks(&keys, at(59), 3), [1, 1, 1]);
        assert!(picks(&keys, at(61), 2).contains(&0));
        let wait: HeaderMap = [(RETRY_AFTER, HeaderValue::from_static("30"))].into_iter().collect();
        assert!(keys.refused(1, StatusCode::TOO_MANY_REQUESTS, &wait, at(100)));
        assert_eq!(picks(&keys, at(129), 2), [0, 0]);
        assert!(keys.refused(0, StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), at(129)));
        // Both rest: the one that is awake first.
        assert!(!keys.any_awake(at(129)));
        assert_eq!(keys.pick(at(129)), 1);
        assert!(!keys.refused(0, StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), at(129)));
    }

    #[test]
    fn one_from_the_catalog_is_changed_while_calls_run() {
        let kept = Arc::new(Mutex::new(None::<&str>));
        let vault = {
            let kept = Arc::clone(&kept);
            let find = move |name: &str| {
                kept.lock().map(|key| Secret::new(key.to_owned())).ok_or_else(|| format!("no {name}"))
            };
            Vault::new(find)
        };
        let one = |name: &str, api_key: Option<&str>, catalog: Option<&str>| CredentialConfig {
            name: name.to_owned(),
            api_key: api_key.map(|key| Secret::new(key.to_owned())),
            file: None,
            catalog: catalog.map(str::to_owned),
            weight: 1,
        };
        let sent = |keys: &Keys| {
            let mut headers = HeaderMap::new();
            let attached = keys.attach(0, &Uri::from_static("/"), &mut headers, Duration::ZERO);
            attached.map(|_| headers[AUTHORIZATION].to_str().unwrap().to_owned())
        };
        let alone = Keys::new(&[one("a", None, Some("main"))], &Auth::Bearer, &vault).unwrap();
        assert_eq!((sent(&alone), alone.lacking()), (Err("no main".to_owned()), Some("no main".to_owned())));
        let status = alone.status(Duration::ZERO).remove(0);
        assert_eq!((status.catalog.as_deref(), status.missing.as_deref()), (Some("main"), Some("no main")));
        let both =
            Keys::new(&[one("a", None, Some("main")), one("b", Some("k"), None)], &Auth::Bearer, &vault).unwrap();
        assert_eq!((picks(&both, Duration::ZERO, 3), both.lacking()), (vec![1, 1, 1], None));

        *kept.lock() = Some("first");
        assert_eq!(sent(&alone), Ok("Bearer first".to_owned()));
        assert!(alone.refused(0, StatusCode::UNAUTHORIZED, &HeaderMap::new(), Duration::ZERO));
        assert!(!alone.any_awake(Duration::ZERO));
        // A new value has not been refused.
        *kept.lock() = Some("second");
        assert!(alone.any_awake(Duration::ZERO) || alone.pick(Duration::ZERO) == 0 && alone.any_awake(Duration::ZERO));
        assert_eq!(sent(&alone), Ok("Bearer second".to_owned()));
        assert!(picks(&both, Duration::ZERO, 2).contains(&0));
    }

    #[test]
    fn nothing_shows_a_key() {
        let shown = format!("{:?}", keys(&[1]));
        assert!(!shown.contains("secret-0"), "{shown}");
    }
}
