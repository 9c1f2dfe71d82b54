//! Virtual keys: what applications and people hold instead of provider credentials.

pub(crate) mod sql;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use signalbox_types::{KeyId, ProjectId, Secret, Timestamp};
use sqlx::SqliteConnection;

use crate::catalog::Catalog;
use crate::error::{CatalogError, Fault};
use crate::history::{self, Change};
use crate::resources::{project, session};
use crate::token::{self, Digest, SECRET_CHARS};

/// A first key that somebody chose has at least so many characters.
pub const MIN_KEY_CHARS: usize = 8;
const MAX_KEY_CHARS: usize = 512;
/// A chosen key with fewer characters than this is warned about.
const GOOD_KEY_CHARS: usize = 20;
const MAX_NAME_CHARS: usize = 100;

/// Who is calling: the holder of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The project that the key opens.
    pub project: ProjectId,
    /// The key's public id.
    pub key_id: KeyId,
    /// The name its maker gave it.
    pub key_name: String,
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public id.
    pub id: KeyId,
    /// The name its maker gave it.
    pub name: String,
    /// Its last characters, to tell keys apart.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The key that made it; `None` for the first.
    pub created_by: Option<KeyId>,
    /// When it was revoked; `None` while it works.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was made just now: the only time that anybody sees it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its public id.
    pub id: KeyId,
    /// The name its maker gave it.
    pub name: String,
    /// The key itself.
    pub key: Secret,
    /// Its last characters.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Key {
    /// How history shows it.
    fn trail(&self) -> Value {
        json!({ "name": self.name, "last4": self.last4, "revoked": self.revoked_at.is_some() })
    }
}

impl Catalog {
    /// Makes the first project and its first key on an empty catalog: `chosen`, or a random one.
    /// `None` if the catalog is in use already, and then `chosen` changes nothing.
    ///
    /// # Errors
    /// The chosen key is too short or can't be sent in a header; or the file is in trouble.
    pub async fn bootstrap(&self, chosen: Option<Secret>) -> Result<Option<NewKey>, CatalogError> {
        if let Some(key) = &chosen {
            check_chosen(key.expose())?;
        }
        self.write(move |connection, now| {
            Box::pin(async move {
                if !project::sql::none(connection).await? {
                    return Ok(None);
                }
                let project = project::first();
                project::sql::insert(connection, &project, "Default", now).await?;
                let key = match chosen {
                    Some(key) => Secret::new(key.expose().trim().to_owned()),
                    None => random_key()?,
                };
                insert(connection, &project, None, "First key", key, now).await.map(Some)
            })
        })
        .await
    }

    /// Makes a key in the caller's project.
    ///
    /// # Errors
    /// The name is empty or too long; or the file is in trouble.
    pub async fn create_key(&self, by: &Principal, name: &str) -> Result<NewKey, CatalogError> {
        let name = check_name(name)?;
        let by = by.clone();
        self.write(move |connection, now| {
            Box::pin(async move { insert(connection, &by.project, Some(&by.key_id), &name, random_key()?, now).await })
        })
        .await
    }

    /// The holder has the house's first key, which came with it: what concerns all projects is theirs.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn is_first_key(&self, principal: &Principal) -> Result<bool, CatalogError> {
        let id = principal.key_id.clone();
        self.read(move |connection| Box::pin(async move { sql::is_first(connection, &id).await })).await
    }

    /// The keys of a project, newest first, revoked ones included.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn list_keys(&self, project: &ProjectId) -> Result<Vec<Key>, CatalogError> {
        let project = project.clone();
        let mut keys =
            self.read(move |connection| Box::pin(async move { sql::of_project(connection, &project).await })).await?;
        let snapshot = self.snapshot();
        let used: std::collections::HashMap<KeyId, Timestamp> = snapshot.last_used().collect();
        for key in &mut keys {
            key.last_used_at = key.last_used_at.max(used.get(&key.id).copied());
        }
        Ok(keys)
    }

    /// Revokes a key of the caller's project and closes the sessions that it opened. When this
    /// returns, the key opens nothing any more. Revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such key in the project; it is the last one that works; or the file is in trouble.
    pub async fn revoke_key(&self, by: &Principal, id: &KeyId) -> Result<Key, CatalogError> {
        let (by, id) = (by.clone(), id.clone());
        self.write(move |connection, now| {
            Box::pin(async move {
                let keys = sql::of_project(connection, &by.project).await?;
                let working = keys.iter().filter(|key| key.revoked_at.is_none()).count();
                let before = keys.into_iter().find(|key| key.id == id);
                let before = before.ok_or_else(|| CatalogError::UnknownKey(id.clone()))?;
                if before.revoked_at.is_some() {
                    return Ok(before);
                }
                if working == 1 {
                    return Err(CatalogError::LastKey(id).into());
                }
                sql::revoke(connection, &id, now).await?;
                session::sql::delete_of_key(connection, &id).await?;
                let after = Key { revoked_at: Some(now), ..before.clone() };
                let change = change("revoke", Some(&by.key_id), &after.id, Some(&before), Some(&after), now);
                history::record(connection, &by.project, &change).await?;
                Ok(after)
            })
        })
        .await
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    project: &ProjectId,
    by: Option<&KeyId>,
    name: &str,
    secret: Secret,
    now: Timestamp,
) -> Result<NewKey, Fault> {
    let id = KeyId::new(token::random("key_", 16).map_err(no_randomness)?.expose());
    let key = Key {
        id: id.clone(),
        name: name.to_owned(),
        last4: token::last4(secret.expose()),
        created_at: now,
        created_by: by.cloned(),
        revoked_at: None,
        last_used_at: None,
    };
    sql::insert(connection, project, &key, Digest::of(secret.expose())).await?;
    history::record(connection, project, &change("create", by, &id, None, Some(&key), now)).await?;
    Ok(NewKey { id, name: key.name, key: secret, last4: key.last4, created_at: now })
}

fn change(
    action: &str,
    actor: Option<&KeyId>,
    id: &KeyId,
    before: Option<&Key>,
    after: Option<&Key>,
    time: Timestamp,
) -> Change {
    Change {
        time,
        actor: actor.cloned(),
        resource: "key".to_owned(),
        resource_id: id.as_str().to_owned(),
        action: action.to_owned(),
        before: before.map(Key::trail),
        after: after.map(Key::trail),
    }
}

fn random_key() -> Result<Secret, CatalogError> {
    token::random("sb-", SECRET_CHARS).map_err(no_randomness)
}

pub(crate) fn no_randomness(error: getrandom::Error) -> CatalogError {
    CatalogError::Invalid { field: "key", problem: format!("the system has no random numbers for a new one: {error}") }
}

fn check_chosen(key: &str) -> Result<(), CatalogError> {
    let key = key.trim();
    let chars = key.chars().count();
    let wrong = |problem: String| Err(CatalogError::Invalid { field: "key", problem });
    if !(MIN_KEY_CHARS..=MAX_KEY_CHARS).contains(&chars) {
        return wrong(format!(
            "the first key has {chars} characters; expected {MIN_KEY_CHARS} to {MAX_KEY_CHARS}, better {GOOD_KEY_CHARS} or more random ones"
        ));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(
            "the first key must fit a header: expected ASCII letters, digits and signs, no blanks".to_owned(),
        );
    }
    if chars < GOOD_KEY_CHARS {
        tracing::warn!(key.chars = chars, "the chosen first key is short; who gets the catalog file could guess it");
    }
    Ok(())
}

fn check_name(name: &str) -> Result<String, CatalogError> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let problem =
            format!("expected 1 to {MAX_NAME_CHARS} characters without line breaks, e.g. `support-bot production`");
        return Err(CatalogError::Invalid { field: "name", problem });
    }
    Ok(name.to_owned())
}
