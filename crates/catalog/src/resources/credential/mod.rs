//! Credentials of providers: put in once, never shown again, changed while calls run.

mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_types::{KeyId, Secret, Timestamp};
use sqlx::SqliteConnection;

use crate::catalog::Catalog;
use crate::error::{CatalogError, CredentialFault};
use crate::history::{self, Change};
use crate::resources::key::Principal;
use crate::seal::{Seal, Seals};
use crate::token;
pub(crate) use sql::all;

const MAX_NAME_CHARS: usize = 64;
const MAX_VALUE_BYTES: usize = 8 << 10;
/// Nobody has so many accounts.
const MOST: usize = 1_000;

/// A credential as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What the configuration calls it.
    pub name: String,
    /// The end of its value, to tell values apart.
    pub last4: String,
    /// When the value was set.
    pub set_at: Timestamp,
    /// The virtual key that set it.
    pub set_by: KeyId,
    /// Why it can't be used, if it can't.
    pub fault: Option<CredentialFault>,
}

/// As it is in the file.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) shown: Credential,
    pub(crate) sealed: Vec<u8>,
    pub(crate) key_id: String,
}

impl Credential {
    /// How history shows it.
    fn trail(&self) -> Value {
        json!({ "last4": self.last4, "set_at": self.set_at })
    }
}

impl Sealed {
    /// Its value, as far as there is a key for it.
    pub(crate) fn open(&self, seals: Option<&Seals>) -> Result<Secret, CredentialFault> {
        let name = &self.shown.name;
        let seals = seals.ok_or_else(|| CredentialFault::NoKey(name.clone()))?;
        let seal = seals.find(&self.key_id).ok_or_else(|| CredentialFault::OtherKey {
            name: name.clone(),
            sealed_with: self.key_id.clone(),
            given: seals.now.id.clone(),
        })?;
        seal.open(name, &self.sealed).ok_or_else(|| CredentialFault::Damaged(name.clone()))
    }
}

impl Catalog {
    /// Has credentials encrypted with this key from now on. What is encrypted with `before` is encrypted anew; how many
    /// that are is given back.
    ///
    /// # Errors
    /// A key can be guessed; or the file is in trouble.
    pub async fn seal_with(&self, key: &Secret, before: Option<&Secret>) -> Result<usize, CatalogError> {
        let seal = |field, text: &Secret| Seal::new(text).map_err(|problem| CatalogError::Invalid { field, problem });
        let before = before.map(|before| seal("SIGNALBOX_CREDENTIALS_KEY_BEFORE", before)).transpose()?;
        let seals = Arc::new(Seals { now: seal("SIGNALBOX_CREDENTIALS_KEY", key)?, before });
        self.set_seals(Arc::clone(&seals));
        self.write(move |connection, _| {
            Box::pin(async move {
                let mut renewed = 0;
                for old in all(connection).await?.into_iter().filter(|old| old.key_id != seals.now.id) {
                    // What doesn't open stays as it is, and says so to whoever uses it.
                    let Ok(value) = old.open(Some(&seals)) else { continue };
                    let sealed = sealed(&seals.now, &old.shown.name, &value)?;
                    sql::set(connection, &Sealed { sealed, key_id: seals.now.id.clone(), ..old }).await?;
                    renewed += 1;
                }
                Ok(renewed)
            })
        })
        .await
    }

    /// The value of a credential. Waits for nothing.
    ///
    /// # Errors
    /// There is none of that name, or no key that opens it.
    pub fn credential(&self, name: &str) -> Result<Secret, CredentialFault> {
        let snapshot = self.snapshot();
        let (_, value) =
            snapshot.credentials.get(name).ok_or_else(|| CredentialFault::Unknown(name.chars().take(100).collect()))?;
        value.clone()
    }

    /// All credentials by name, without their values.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        let snapshot = self.snapshot();
        let mut all: Vec<Credential> = snapshot.credentials.values().map(|(shown, _)| shown.clone()).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    }

    /// Sets the value of a credential, a new one or one that is there. Calls that begin after this has returned go out
    /// with it.
    ///
    /// # Errors
    /// The name or the value can't be one; there is no key to encrypt it with; or the file is in trouble.
    pub async fn set_credential(&self, by: &Principal, name: &str, value: &Secret) -> Result<Credential, CatalogError> {
        let (by, name) = (by.clone(), check_name(name)?);
        let value = check_value(value)?;
        let seals = self.seals().ok_or(CatalogError::NoCredentialsKey)?;
        self.write(move |connection, now| {
            Box::pin(async move {
                let all = all(connection).await?;
                let before = all.iter().find(|one| one.shown.name == name).map(|one| one.shown.clone());
                if before.is_none() && all.len() >= MOST {
                    let problem = format!("there are {MOST} credentials; delete one that nobody uses");
                    return Err(CatalogError::Invalid { field: "name", problem }.into());
                }
                let last4 = token::last4(value.expose());
                let shown = Credential { name, last4, set_at: now, set_by: by.key_id.clone(), fault: None };
                let (sealed, key_id) = (sealed(&seals.now, &shown.name, &value)?, seals.now.id.clone());
                sql::set(connection, &Sealed { shown: shown.clone(), sealed, key_id }).await?;
                let action = if before.is_some() { "rotate" } else { "create" };
                note(connection, &by, action, before.as_ref(), Some(&shown), now).await?;
                Ok(shown)
            })
        })
        .await
    }

    /// Forgets a credential. Calls that need it fail from now on.
    ///
    /// # Errors
    /// There is none of that name; or the file is in trouble.
    pub async fn delete_credential(&self, by: &Principal, name: &str) -> Result<(), CatalogError> {
        let (by, name) = (by.clone(), name.to_owned());
        self.write(move |connection, now| {
            Box::pin(async move {
                let before = all(connection).await?.into_iter().find(|one| one.shown.name == name);
                let Some(before) = before else { return Err(CatalogError::UnknownCredential(name).into()) };
                sql::delete(connection, &name).await?;
                note(connection, &by, "delete", Some(&before.shown), None, now).await?;
                Ok(())
            })
        })
        .await
    }
}

fn sealed(seal: &Seal, name: &str, value: &Secret) -> Result<Vec<u8>, CatalogError> {
    seal.seal(name, value).map_err(|problem| CatalogError::Invalid { field: "value", problem })
}

async fn note(
    connection: &mut SqliteConnection,
    by: &Principal,
    action: &str,
    before: Option<&Credential>,
    after: Option<&Credential>,
    time: Timestamp,
) -> Result<(), sqlx::Error> {
    let change = Change {
        time,
        actor: Some(by.key_id.clone()),
        resource: "credential".to_owned(),
        resource_id: before.or(after).map(|one| one.name.clone()).unwrap_or_default(),
        action: action.to_owned(),
        before: before.map(Credential::trail),
        after: after.map(Credential::trail),
    };
    history::record(connection, &by.project, &change).await
}

fn check_name(name: &str) -> Result<String, CatalogError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(fits) {
        let problem = format!("expected 1 to {MAX_NAME_CHARS} letters, digits, `-`, `_` or `.`, e.g. `openai-main`");
        return Err(CatalogError::Invalid { field: "name", problem });
    }
    Ok(name.to_owned())
}

/// It must fit a header. What is wrong with it is said without it.
fn check_value(value: &Secret) -> Result<Secret, CatalogError> {
    let value = value.expose().trim();
    let wrong = |problem: String| Err(CatalogError::Invalid { field: "value", problem });
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        return wrong(format!("it has {} bytes; expected 1 to {MAX_VALUE_BYTES}", value.len()));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return wrong("it holds a line break or a character that no header may carry".to_owned());
    }
    Ok(Secret::new(value.to_owned()))
}
