//! Credentials that stand in neither the configuration nor the environment: whoever keeps them is asked at each call, so that
//! a change is in force at once.

use std::fmt;
use std::sync::Arc;

use signalbox_types::Secret;

type Find = dyn Fn(&str) -> Result<Secret, String> + Send + Sync;

/// Who keeps credentials, by name. Asked for each call, so it must not wait. An error says what is missing and what to do.
#[derive(Clone)]
pub struct Vault(Arc<Find>);

impl Vault {
    /// One that finds them so.
    #[must_use]
    pub fn new(find: impl Fn(&str) -> Result<Secret, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    pub(crate) fn find(&self, name: &str) -> Result<Secret, String> {
        (self.0)(name)
    }
}

impl Default for Vault {
    /// An empty one.
    fn default() -> Self {
        Self::new(|name| Err(format!("the credential `{name}` isn't kept here")))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}
