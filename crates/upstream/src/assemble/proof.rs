//! What proves to a provider who we are: which of its settings, variables and credentials it rests on.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use signalbox_types::Secret;
use signalbox_wire::Dialect;

use super::At;
use crate::auth::{self, Keys, Known as KnownAuth, Signer, Unready};
use crate::base::Base;
use crate::client::Network;
use crate::config::{Auth, Problem};
use crate::registry::Row;

/// What proves to a provider who we are.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    pub(super) signer: Option<Signer>,
    pub(super) keys: Option<Keys>,
    /// What it rests on: a path or a variable.
    pub(super) place: Option<String>,
    /// What to set so that there is one.
    pub(super) missing: Option<String>,
}

impl At<'_> {
    /// What proves who we are.
    pub(super) fn proof(
        &self,
        row: Option<&Row>,
        dialect: Option<Dialect>,
        base: Option<&Base>,
        credential: Option<&(Secret, String)>,
        network: &Network,
    ) -> Result<Proof, Problem> {
        let by_dialect = || match dialect {
            Some(Dialect::AnthropicMessages) => Auth::Header("x-api-key".to_owned()),
            Some(Dialect::Gemini) => Auth::Header("x-goog-api-key".to_owned()),
            _ => Auth::Bearer,
        };
        let own = self.own.auth.as_ref();
        let auth = own.or_else(|| row.map(|row| &row.auth)).cloned().unwrap_or_else(by_dialect);
        // A key that is there is the plainest proof.
        let keyless =
            row.and_then(|row| row.auth_without_key.clone()).filter(|_| own.is_none() && credential.is_none());
        let auth = keyless.unwrap_or(auth);
        if !self.own.credentials.is_empty() {
            return self.keys(&auth);
        }
        let mut proof = Proof { place: credential.map(|(_, place)| place.clone()), ..Proof::default() };
        match (&auth, credential) {
            (Auth::Bearer, Some((key, place))) => {
                let value = format!("Bearer {}", key.expose());
                proof.header = Some(self.header("auth", place, "authorization", &value)?);
            }
            (Auth::Header(name), Some((key, place))) => {
                proof.header = Some(self.header("auth", place, name, key.expose())?);
            }
            (Auth::Query(name), Some((key, _))) => {
                proof.signer = Some(Signer::Query { name: name.clone(), key: key.clone() });
            }
            _ => {
                let name: Arc<str> = self.own.name.as_str().into();
                let host = base.and_then(|base| base.host.to_str().ok()).unwrap_or_default();
                let variables = &self.own.variables;
                let known = KnownAuth { provider: &name, env: self.env, network, variables, host };
                match auth::signer(&auth, &known) {
                    Ok(None) => {}
                    Ok(Some((signer, place))) => (proof.signer, proof.place) = (Some(signer), Some(place)),
                    Err(Unready::Missing(what)) => proof.missing = Some(what),
                    // Nobody asked for it, so that it is no reason not to start.
                    Err(Unready::Wrong { message, .. }) if self.path.is_empty() => proof.missing = Some(message),
                    Err(Unready::Wrong { field, message, hint }) => {
                        return Err(self.problem(&format!("auth.{field}"), message, hint));
                    }
                }
            }
        }
        Ok(proof)
    }

    fn keys(&self, auth: &Auth) -> Result<Proof, Problem> {
        if self.own.api_key.is_some() {
            let hint = "write it as one of `credentials`".to_owned();
            return Err(self.problem("api_key", "it stands beside `credentials`".to_owned(), hint));
        }
        let place = Some(format!("{}.credentials", self.path));
        match Keys::new(&self.own.credentials, auth, self.vault) {
            Ok(keys) => Ok(Proof { keys: Some(keys), place, ..Proof::default() }),
            Err(Unready::Wrong { field, message, hint }) => Err(self.problem(&field, message, hint)),
            Err(Unready::Missing(what)) => Err(self.problem("credentials", "one is missing".to_owned(), what)),
        }
    }
}
