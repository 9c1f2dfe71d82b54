//! Google Cloud: a service account's signed claim, or a person's refresh token, for an access token.
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use signalbox_types::Secret;

use super::token::{Ask, TokenSource};
use super::watched::Watched;
use super::{Known, Unready};
use crate::config::GcpAuth;

const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const HINT: &str = "use the JSON of a service account's key, or what `gcloud auth application-default login` writes";
/// The longest that Google grants.
const LASTS_SECS: i64 = 3_600;

/// A file of credentials, as Google's console and `gcloud` write it.
#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<Secret>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
}

/// The source, and the place of its credentials.
pub(super) fn source(own: &GcpAuth, known: &Known<'_>) -> Result<(TokenSource, String), Unready> {
    let (text, place, field, file) = match (&own.credentials, known.text(own.credentials_file.as_deref(), &[FILE])) {
        (Some(text), _) => (text.clone(), "auth.gcp.credentials", "credentials", None),
        (None, None) => {
            return Err(Unready::Missing(format!("set {FILE} to the file of a service account's key")));
        }
        (None, Some(path)) => {
            let place = if own.credentials_file.is_some() { "auth.gcp.credentials_file" } else { FILE };
            let file = Watched::new(&path, text_of).map_err(|message| Unready::Wrong {
                field: "credentials_file".to_owned(),
                message,
                hint: HINT.to_owned(),
            })?;
            let (text, _) = file.read(Duration::ZERO, known.provider);
            (text, place, "credentials_file", Some(file))
        }
    };
    let wrong =
        |message: &str| Unready::Wrong { field: field.to_owned(), message: message.to_owned(), hint: HINT.to_owned() };
    let scope = own.scope.clone().unwrap_or_else(|| SCOPE.to_owned());
    let (ask, token_uri) = ask_of(&text, &scope).map_err(wrong)?;
    let url = own.token_url.clone().or(token_uri).unwrap_or_else(|| TOKEN_URL.to_owned());
    let ask = match file {
        None => ask,
        Some(file) => renewed(file, ask, scope, known.provider.to_string()),
    };
    let source = TokenSource::new(known.provider, &url, known.network, ask).map_err(|message| Unready::Wrong {
        field: "token_url".to_owned(),
        message,
        hint: format!("write it like `{TOKEN_URL}`, or leave it out"),
    })?;
    Ok((source, place.to_owned()))
}

/// Looks at the file whenever a token is fetched: a key that was exchanged there is used from the next token on.
fn renewed(file: Watched<Secret>, ask: Ask, scope: String, provider: String) -> Ask {
    let ask = Mutex::new(ask);
    Box::new(move |now| {
        let since = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let (text, has_changed) = file.read(since, &provider);
        let mut ask = ask.lock();
        if has_changed && let Ok((newer, _)) = ask_of(&text, &scope) {
            tracing::info!(%provider, "the credentials' file of `{provider}` has changed and was read anew");
            *ask = newer;
        }
        ask(now)
    })
}

/// A text that holds credentials.
fn text_of(text: &str) -> Result<Secret, String> {
    let text = Secret::new(text.to_owned());
    ask_of(&text, SCOPE).map(|_| text).map_err(|problem| format!("is no use: {problem}"))
}

/// How a token is asked for with these credentials, and where, if they say so.
fn ask_of(text: &Secret, scope: &str) -> Result<(Ask, Option<String>), &'static str> {
    // What the parser says could show a piece of it.
    let credentials: Credentials =
        serde_json::from_str(text.expose()).map_err(|_| "it is no JSON of Google's credentials")?;
    let token_uri = credentials.token_uri.clone();
    let audience = token_uri.clone().unwrap_or_else(|| TOKEN_URL.to_owned());
    let ask = match credentials.kind.as_str() {
        "service_account" => of_account(credentials, audience, scope.to_owned())?,
        "authorized_user" => of_person(credentials)?,
        _ => return Err("its `type` is neither `service_account` nor `authorized_user`"),
    };
    Ok((ask, token_uri))
}

fn of_account(credentials: Credentials, audience: String, scope: String) -> Result<Ask, &'static str> {
    let (Some(email), Some(pem)) = (credentials.client_email, credentials.private_key) else {
        return Err("it lacks `client_email` or `private_key`");
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose().as_bytes())
        .map_err(|_| "its `private_key` is no private key in PEM (PKCS #8)")?;
    let key = KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| "its `private_key` is no RSA key")?;
    let id = credentials.private_key_id;
    let ask = move |now: i64| {
        let header = serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": id });
        let claims = serde_json::json!({
            "iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + LASTS_SECS,
        });
        let said = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said.as_bytes(), &mut signature)
            .map_err(|_| "the claim could not be signed".to_owned())?;
        let assertion = format!("{said}.{}", base64(&signature));
        Ok(vec![
            ("grant_type", Secret::new("urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned())),
            ("assertion", Secret::new(assertion)),
        ])
    };
    Ok(Box::new(ask))
}

fn of_person(credentials: Credentials) -> Result<Ask, &'static str> {
    let (Some(id), Some(secret), Some(token)) =
        (credentials.client_id, credentials.client_secret, credentials.refresh_token)
    else {
        return Err("it lacks `client_id`, `client_secret` or `refresh_token`");
    };
    let ask = move |_| {
        Ok(vec![
            ("grant_type", Secret::new("refresh_token".to_owned())),
            ("client_id", Secret::new(id.clone())),
            ("client_secret", secret.clone()),
            ("refresh_token", token.clone()),
        ])
    };
    Ok(Box::new(ask))
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
