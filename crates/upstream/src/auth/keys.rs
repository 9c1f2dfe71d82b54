//! Several credentials for one provider: calls are spread over them by weight, one that the provider refuses rests, and
//! one that stands in a file is read again when the file changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use parking_lot::Mutex;
use signalbox_types::Secret;

use super::{Unready, with_key};
use crate::config::{Auth, CredentialConfig};

/// How long one rests that the provider doesn't know, or no longer.
const REFUSED: Duration = Duration::from_secs(60);
/// How long one rests that has been used too much, if the provider doesn't say.
const LIMITED: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// A file is looked at this often at most.
const LOOK: Duration = Duration::from_secs(1);

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
    File(Watched),
}

impl Keys {
    pub(crate) fn new(own: &[CredentialConfig], auth: &Auth) -> Result<Self, Unready> {
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
            let value = match (&one.api_key, &one.file) {
                (Some(key), None) => Value::Fixed(Secret::new(key.expose().trim().to_owned())),
                (None, Some(path)) => Value::File(Watched::new(path).map_err(|message| {
                    wrong(field("file"), message, "write the path of a file that holds the key and nothing else")
                })?),
                _ => {
                    let message = "it needs either `api_key` or `file`".to_owned();
                    return Err(wrong(format!("credentials[{place}]"), message, "write one of them"));
                }
            };
            let key = Key {
                name: one.name.as_str().into(),
                weight: i64::from(one.weight),
                value,
                rests_until: AtomicU64::new(0),
            };
            if carry.header_value(&key.value(Duration::ZERO)).is_none() {
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
        // A file that has changed ends the rest of its key.
        self.all.iter().for_each(|key| drop(key.value(now)));
        let awake: Vec<usize> = (0..self.all.len()).filter(|index| self.is_awake(*index, now)).collect();
        if awake.is_empty() {
            let until = |index: &usize| self.all.get(*index).map(|key| key.rests_until.load(Ordering::Relaxed));
            return (0..self.all.len()).min_by_key(until).unwrap_or(0);
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
        (0..self.all.len()).any(|index| self.is_awake(index, now))
    }

    pub(crate) fn name(&self, index: usize) -> Option<Arc<str>> {
        self.all.get(index).map(|key| Arc::clone(&key.name))
    }

    /// Adds the credential to a call; the URI that the call is for.
    pub(crate) fn attach(&self, index: usize, uri: &Uri, headers: &mut HeaderMap, now: Duration) -> Uri {
        let Some(key) = self.all.get(index) else { return uri.clone() };
        let value = key.value(now);
        match &self.carry {
            Carry::Query(name) => with_key(uri, name, &value),
            Carry::Header(name, _) => {
                if let Some(value) = self.carry.header_value(&value) {
                    headers.insert(name, value);
                }
                uri.clone()
            }
        }
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
    fn value(&self, now: Duration) -> Secret {
        match &self.value {
            Value::Fixed(key) => key.clone(),
            Value::File(watched) => {
                let (key, changed) = watched.read(now, &self.name);
                if changed {
                    self.rests_until.store(0, Ordering::Relaxed);
                }
                key
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn wrong(field: String, message: String, hint: &str) -> Unready {
    Unready::Wrong { field, message, hint: hint.to_owned() }
}

/// A key in a file.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    looked: Duration,
    stamp: Option<(SystemTime, u64)>,
    key: Secret,
}

impl Watched {
    fn new(path: &str) -> Result<Self, String> {
        let path = PathBuf::from(path);
        let stamp = stamp(&path);
        let key = read(&path)?;
        Ok(Self { path, seen: Mutex::new(Seen { looked: Duration::ZERO, stamp, key }) })
    }

    /// The key, and whether it is another one than before.
    fn read(&self, now: Duration, name: &str) -> (Secret, bool) {
        let mut seen = self.seen.lock();
        if now < seen.looked + LOOK {
            return (seen.key.clone(), false);
        }
        seen.looked = now;
        let stamp = stamp(&self.path);
        if stamp.is_none() || stamp == seen.stamp {
            return (seen.key.clone(), false);
        }
        match read(&self.path) {
            Ok(key) => {
                let changed = key != seen.key;
                (seen.stamp, seen.key) = (stamp, key);
                (seen.key.clone(), changed)
            }
            Err(reason) => {
                tracing::warn!(credential = name, %reason, "a credential's file can't be read anew, the old one is used");
                (seen.key.clone(), false)
            }
        }
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("`{shown}` can't be read: {error}"))?;
    match text.trim() {
        "" => Err(format!("`{shown}` is empty")),
        key if HeaderValue::try_from(key).is_err() => Err(format!("`{shown}` holds more than one line")),
        key => Ok(Secret::new(key.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(weights: &[u32]) -> Keys {
        let one = |(place, weight): (usize, &u32)| CredentialConfig {
            name: format!("k{place}"),
            api_key: Some(Secret::new(format!("secret-{place}"))),
            file: None,
            weight: *weight,
        };
        let all: Vec<CredentialConfig> = weights.iter().enumerate().map(one).collect();
        Keys::new(&all, &Auth::Bearer).unwrap_or_else(|error| panic!("{error:?}"))
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
    fn nothing_shows_a_key() {
        let shown = format!("{:?}", keys(&[1]));
        assert!(!shown.contains("secret-0"), "{shown}");
    }
}
