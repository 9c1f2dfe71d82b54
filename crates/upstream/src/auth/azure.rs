//! Microsoft Entra ID: an application's secret for a token.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use signalbox_types::Secret;

use super::token::TokenSource;
use super::{Known, Unready};
use crate::config::AzureAuth;

const AUTHORITY: &str = "https://login.microsoftonline.com";
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// The source, and the place of its secret.
pub(super) fn source(own: &AzureAuth, known: &Known<'_>) -> Result<(TokenSource, String), Unready> {
    let tenant = known.text(own.tenant_id.as_deref(), &["AZURE_TENANT_ID"]);
    let id = known.text(own.client_id.as_deref(), &["AZURE_CLIENT_ID"]);
    let secret = known.secret(own.client_secret.as_ref(), &["AZURE_CLIENT_SECRET"]);
    let (Some(tenant), Some(id), Some(secret)) = (tenant, id, secret) else {
        return Err(Unready::Missing("set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET".to_owned()));
    };
    let scope = own.scope.clone().unwrap_or_else(|| SCOPE.to_owned());
    let url = own.token_url.clone().unwrap_or_else(|| {
        let authority = known.text(None, &["AZURE_AUTHORITY_HOST"]).unwrap_or_else(|| AUTHORITY.to_owned());
        format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'))
    });
    let ask = move |_| {
        Ok(vec![
            ("grant_type", Secret::new("client_credentials".to_owned())),
            ("client_id", Secret::new(id.clone())),
            ("client_secret", secret.clone()),
            ("scope", Secret::new(scope.clone())),
        ])
    };
    let source =
        TokenSource::new(known.provider, &url, known.network, Box::new(ask)).map_err(|message| Unready::Wrong {
            field: "token_url".to_owned(),
            message,
            hint: format!("write it like `{AUTHORITY}/TENANT/oauth2/v2.0/token`"),
        })?;
    let place = if own.client_secret.is_some() { "auth.azure.client_secret" } else { "AZURE_CLIENT_SECRET" };
    Ok((source, place.to_owned()))
}
