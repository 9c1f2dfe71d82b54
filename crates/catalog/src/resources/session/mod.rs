//! Browser sessions: a person signs in with a key once, and a cookie stands for it from then on.

pub(crate) mod sql;
#[cfg(test)]
mod tests;

use std::time::Duration;

use signalbox_types::Secret;

use crate::catalog::Catalog;
use crate::error::CatalogError;
use crate::resources::key::{Principal, no_randomness};
use crate::token::{self, Digest, SECRET_CHARS};

/// A session ends so long after it was opened.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A key has so many open sessions at most; the oldest are closed, so that a script that signs in
/// again and again can't fill the catalog.
pub(crate) const MAX_SESSIONS_PER_KEY: u32 = 100;

impl Catalog {
    /// Opens a session for the holder of a key and answers its token, which is kept hashed.
    ///
    /// # Errors
    /// The key was revoked meanwhile; or the file is in trouble.
    pub async fn open_session(&self, principal: &Principal) -> Result<Secret, CatalogError> {
        let token = token::random("sbs-", SECRET_CHARS).map_err(no_randomness)?;
        let (hash, key) = (Digest::of(token.expose()), principal.key_id.clone());
        self.write(move |connection, now| {
            Box::pin(async move {
                sql::delete_expired(connection, now).await?;
                sql::delete_oldest(connection, &key, MAX_SESSIONS_PER_KEY - 1).await?;
                if !sql::insert(connection, hash, &key, now, now.plus(SESSION_LIFETIME)).await? {
                    return Err(CatalogError::UnknownKey(key).into());
                }
                Ok(())
            })
        })
        .await?;
        Ok(token)
    }

    /// Who a session's token stands for, while the session and its key last. Waits for nothing.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<Principal> {
        let snapshot = self.snapshot();
        let session = snapshot.sessions.get(&Digest::of(token))?;
        let now = self.now();
        if session.key.revoked || session.expires_at <= now {
            return None;
        }
        session.key.touch(now);
        Some(session.key.principal.clone())
    }

    /// Ends a session. One that doesn't exist is ended already.
    ///
    /// # Errors
    /// The file is in trouble.
    pub async fn close_session(&self, token: &str) -> Result<(), CatalogError> {
        let hash = Digest::of(token);
        self.write(move |connection, _| Box::pin(async move { Ok(sql::delete(connection, hash).await?) })).await
    }
}
