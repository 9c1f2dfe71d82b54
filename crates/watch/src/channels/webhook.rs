//! JSON to a URL, signed as Standard Webhooks 1.0 says (standardwebhooks.com): its libraries check it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use signalbox_types::Secret;
use signalbox_types::seam::BoxFuture;

use super::{Channel, Failure, Http, HttpRequest, Taken, post};
use crate::config::WebhookConfig;
use crate::notice::Notice;

const LEAST_SECRET: usize = 16;

#[derive(Debug)]
pub(super) struct Webhook(pub(super) WebhookConfig);

/// What it is signed with.
pub(crate) fn signing_key(secret: &Secret) -> Result<Vec<u8>, String> {
    let text = secret.expose();
    let key = match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| "what follows `whsec_` is no base64".to_owned())?,
        None => text.as_bytes().to_vec(),
    };
    match key.len() {
        bytes if bytes < LEAST_SECRET => Err(format!("is shorter than {LEAST_SECRET} bytes, which can be guessed")),
        _ => Ok(key),
    }
}

impl Webhook {
    fn request(&self, notice: &Notice) -> Result<HttpRequest, Failure> {
        let body = json!({
            "type": format!("incident.{}", notice.event.as_str()),
            "timestamp": notice.at,
            "data": notice,
        });
        let mut request = HttpRequest::json(self.0.url.expose(), &body);
        let timestamp = notice.sent_at.as_secs();
        for (name, value) in [("webhook-id", notice.key.clone()), ("webhook-timestamp", timestamp.to_string())] {
            request = request.with(name, Secret::new(value));
        }
        // Also for those who know no webhooks, but know how to do a thing once.
        request = request.with("idempotency-key", Secret::new(notice.key.clone()));
        if let Some(secret) = &self.0.secret {
            let key = signing_key(secret).map_err(|problem| Failure::new(problem, super::Again::Never))?;
            let mut signed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
            signed.update(format!("{}.{timestamp}.", notice.key).as_bytes());
            signed.update(&request.body);
            let signature = format!("v1,{}", STANDARD.encode(signed.sign()));
            request = request.with("webhook-signature", Secret::new(signature));
        }
        for (name, value) in &self.0.headers {
            request = request.with(name, value.clone());
        }
        Ok(request)
    }
}

impl Channel for Webhook {
    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        _: Option<&'a str>,
        http: &'a dyn Http,
    ) -> BoxFuture<'a, Result<Taken, Failure>> {
        Box::pin(async move {
            post(http, self.request(notice)?).await?;
            Ok(Taken::default())
        })
    }
}
