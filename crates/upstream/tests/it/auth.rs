//! Calls that must be signed, or carry a token: what is asked of the token endpoint, and how often.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use signalbox_testkit::ManualClock;
use signalbox_types::ErrorClass;
use signalbox_upstream::{Operation, Upload, Upstream, UpstreamCall, UpstreamConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::support::{OK, Server, call, clock, config, read_request};

/// A server of tokens and of answers, and every request that it got.
async fn server(token: &'static str) -> (Server, mpsc::Receiver<String>) {
    let (send, seen) = mpsc::channel(64);
    let server = Server::start(move |_, mut stream| {
        let send = send.clone();
        async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                let answer = if request.starts_with("POST /token ") { token.as_bytes() } else { OK };
                if send.try_send(request).is_err() || stream.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (server, seen)
}

const AN_HOUR: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 52\r\n\r\n{\"access_token\":\"tok-1\",\"expires_in\":3600,\"x\":12345}";

fn with(config: &UpstreamConfig, env: &[(&str, &str)], clock: &Arc<ManualClock>) -> Upstream {
    let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Upstream::new(config, &env, Arc::<ManualClock>::clone(clock)).unwrap_or_else(|error| panic!("{error}"))
}

async fn ask(upstream: &Upstream) -> Result<u16, signalbox_upstream::SendError> {
    let reply = upstream.send(&upstream.resolve("up/m:0").unwrap(), call("{}")).await?;
    let status = reply.status.as_u16();
    reply.body.read_all(1_000).await.unwrap();
    Ok(status)
}

fn line<'a>(request: &'a str, name: &str) -> &'a str {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

fn azure(server: &Server) -> UpstreamConfig {
    config(&format!(
        "[[providers]]\nname = 'up'\nkind = 'azure_openai'\nbase_url = 'http://{0}'\n\
         auth = {{ azure = {{ tenant_id = 't', client_id = 'app', client_secret = 'a&b', token_url = 'http://{0}/token' }} }}",
        server.address
    ))
}

#[tokio::test]
async fn an_entra_token_is_fetched_once_and_anew_before_it_expires() {
    let (server, mut seen) = server(AN_HOUR).await;
    let clock = clock();
    let upstream = Arc::new(with(&azure(&server), &[], &clock));
    // Twenty calls at once: one of them fetches.
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let upstream = Arc::clone(&upstream);
                async move { ask(&upstream).await }
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    let mut requests = Vec::new();
    while let Ok(request) = seen.try_recv() {
        requests.push(request);
    }
    let (tokens, asked): (Vec<String>, Vec<String>) =
        requests.into_iter().partition(|one| one.starts_with("POST /token "));
    assert_eq!((tokens.len(), asked.len()), (1, 20));
    let form = "grant_type=client%5Fcredentials&client_id=app&client_secret=a%26b&scope=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom%2F%2Edefault";
    assert!(tokens[0].ends_with(form), "{}", tokens[0]);
    assert!(
        asked[0].starts_with("POST /openai/deployments/m:0/chat/completions?api-version=2024-10-21 HTTP/1.1"),
        "{}",
        asked[0]
    );
    assert!(asked.iter().all(|request| line(request, "authorization") == "Bearer tok-1"));

    clock.advance(Duration::from_secs(3_299));
    ask(&upstream).await.unwrap();
    clock.advance(Duration::from_secs(2));
    ask(&upstream).await.unwrap();
    let kinds: Vec<bool> =
        std::iter::from_fn(|| seen.try_recv().ok()).map(|one| one.starts_with("POST /token ")).collect();
    assert_eq!(kinds, [false, true, false]);
}

#[tokio::test]
async fn a_refused_token_is_told_without_the_secret() {
    const NO: &str = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 76\r\n\r\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: wrong secret\"}";
    let (server, _seen) = server(NO).await;
    let upstream = with(&azure(&server), &[], &clock());
    let error = ask(&upstream).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::UpstreamAuth);
    let text = error.to_string();
    assert!(text.contains("status 401: AADSTS7000215: wrong secret") && !text.contains("a&b"), "{text}");
}

#[tokio::test]
async fn who_waited_for_a_token_shares_the_failure_and_later_calls_try_again() {
    const NO: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";
    let (server, mut seen) = server(NO).await;
    let upstream = Arc::new(with(&azure(&server), &[], &clock()));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { ask(&upstream).await })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap_err().to_string().contains("status 503"));
    }
    let mut asked = || std::iter::from_fn(|| seen.try_recv().ok()).count();
    assert_eq!(asked(), 1);
    ask(&upstream).await.unwrap_err();
    assert_eq!(asked(), 1);
}

#[test]
fn a_password_in_the_url_of_a_token_endpoint_is_refused() {
    let config = config(
        "[[providers]]\nname = 'up'\nkind = 'azure_openai'\nbase_url = 'http://127.0.0.1:1'\n\
         auth = { azure = { tenant_id = 't', client_id = 'a', client_secret = 's', token_url = 'http://x:hunter2@127.0.0.1:1/' } }",
    );
    let problems = Upstream::new(&config, &|_| None, clock()).unwrap_err().problems;
    let text = problems[0].to_string();
    assert!(problems[0].path.ends_with("token_url") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_service_account_signs_its_claim() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let lines: Vec<String> = STANDARD
        .encode(der.as_ref())
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    let (begin, end) = ("-----BEGIN", "-----END");
    let pem = format!("{begin} PRIVATE KEY-----\n{}\n{end} PRIVATE KEY-----\n", lines.join("\n"));
    let (server, mut seen) = server(AN_HOUR).await;
    let credentials = json!({
        "type": "service_account", "client_email": "x@p.iam.gserviceaccount.com", "private_key_id": "k1",
        "private_key": pem, "token_uri": format!("http://{}/token", server.address),
    });
    let folder = std::env::temp_dir().join(format!("signalbox-auth-{}", std::process::id()));
    std::fs::write(&folder, credentials.to_string()).unwrap();
    let toml = format!("[[providers]]\nname = 'up'\nkind = 'vertex_ai'\nbase_url = 'http://{}/v1'", server.address);
    let clock = clock();
    let upstream = with(&config(&toml), &[("GOOGLE_APPLICATION_CREDENTIALS", folder.to_str().unwrap())], &clock);
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(ask(&upstream).await.unwrap(), 200);
    let fetched = seen.recv().await.unwrap();
    let assertion =
        fetched.rsplit_once("assertion=").unwrap().1.replace("%2E", ".").replace("%2D", "-").replace("%5F", "_");
    let (said, signature) = assertion.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    public.verify(said.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let claims = said.split_once('.').unwrap().1;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], "x@p.iam.gserviceaccount.com");
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1_764_000_000), Some(1_764_003_600)));
    assert_eq!(claims["aud"], credentials["token_uri"]);
    let asked = seen.recv().await.unwrap();
    assert!(asked.starts_with("POST /v1/models/m:0:generateContent HTTP/1.1"), "{asked}");
    assert_eq!(line(&asked, "authorization"), "Bearer tok-1");
}

#[tokio::test]
async fn claude_on_vertex_is_called_with_a_token_and_a_version() {
    let (server, mut seen) = server(AN_HOUR).await;
    let credentials = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
        "token_uri": format!("http://{}/token", server.address),
    });
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'vertex_anthropic'\nbase_url = 'http://{}/v1/projects/p'\n\
         auth = {{ gcp = {{ credentials = '{credentials}' }} }}",
        server.address
    );
    let upstream = with(&config(&toml), &[], &clock());
    assert_eq!(ask(&upstream).await.unwrap(), 200);
    assert!(seen.recv().await.unwrap().starts_with("POST /token "));
    let asked = seen.recv().await.unwrap();
    assert!(asked.starts_with("POST /v1/projects/p/models/m:0:rawPredict HTTP/1.1"), "{asked}");
    assert_eq!((line(&asked, "authorization"), line(&asked, "x-api-key")), ("Bearer tok-1", ""));
    assert!(asked.ends_with("\r\n\r\n{\"anthropic_version\":\"vertex-2023-10-16\"}"), "{asked}");
}

#[tokio::test]
async fn calls_to_bedrock_are_signed_or_carry_its_key() {
    let (server, mut seen) = server(OK_TEXT).await;
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'aws_bedrock'\nbase_url = 'http://{}'\nvariables = {{ region = 'eu-west-3' }}",
        server.address
    );
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "session")];
    ask(&with(&config(&toml), &keys, &clock())).await.unwrap();
    let request = seen.recv().await.unwrap();
    assert!(request.starts_with("POST /model/m%3A0/converse HTTP/1.1"), "{request}");
    assert_eq!(line(&request, "x-amz-date"), "20251124T160000Z");
    assert_eq!(line(&request, "x-amz-security-token"), "session");
    let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251124/eu-west-3/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert!(line(&request, "authorization").starts_with(start), "{request}");
    // What is still arriving can't be signed.
    let signing = with(&config(&toml), &keys, &clock());
    let upload = Upload::new(Full::new(Bytes::from("x")).map_err(Into::into).boxed_unsync(), Some(1));
    let passing = UpstreamCall {
        below: Some("/x".to_owned()),
        upload: Some(upload),
        ..UpstreamCall::new(Operation::Through, Bytes::new())
    };
    let error = signing.send(&signing.provider("up").unwrap(), passing).await.unwrap_err().to_string();
    assert!(error.contains("signed with their whole body"), "{error}");
    let key = [("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key"), keys[0], keys[1]];
    ask(&with(&config(&toml), &key, &clock())).await.unwrap();
    assert_eq!(line(&seen.recv().await.unwrap(), "authorization"), "Bearer bedrock-key");
}

const OK_TEXT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_key_may_stand_in_the_query() {
    let (server, mut seen) = server(OK_TEXT).await;
    let toml = format!(
        "[[providers]]\nname = 'up'\ndialect = 'openai_chat'\nbase_url = 'http://{}/v1'\napi_key = 'k y'\nauth = {{ query = 'key' }}",
        server.address
    );
    ask(&with(&config(&toml), &[], &clock())).await.unwrap();
    let request = seen.recv().await.unwrap();
    assert!(request.starts_with("POST /v1/chat/completions?key=k%20y HTTP/1.1"), "{request}");
    assert!(!request.contains("authorization"));
}

#[test]
fn what_is_missing_is_said() {
    let why = |env: &[(&str, &str)], name: &str| {
        let upstream = with(&config(""), env, &clock());
        let found = upstream.providers().into_iter().find(|provider| provider.name == name).unwrap();
        (found.on, found.why)
    };
    let off = |text: &str| (false, text.to_owned());
    let on = |text: &str| (true, text.to_owned());
    assert_eq!(why(&[], "aws_bedrock"), off("set AWS_REGION"));
    let region = ("AWS_REGION", "us-east-1");
    assert_eq!(
        why(&[region], "aws_bedrock"),
        off("set AWS_BEARER_TOKEN_BEDROCK, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    );
    let keys = [region, ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert_eq!(why(&keys, "aws_bedrock"), on("AWS_ACCESS_KEY_ID is set"));
    assert_eq!(why(&[region, ("AWS_BEARER_TOKEN_BEDROCK", "k")], "aws_bedrock"), on("AWS_BEARER_TOKEN_BEDROCK is set"));
    assert_eq!(why(&[], "vertex_ai"), off("set GOOGLE_CLOUD_LOCATION"));
    let place = [
        ("GOOGLE_CLOUD_PROJECT", "p"),
        ("GOOGLE_CLOUD_LOCATION", "global"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere"),
    ];
    let (is_on, text) = why(&place, "vertex_ai");
    assert!(!is_on && text.contains("`/nowhere` can't be read"), "{text}");
    let wrong = config(
        "[[providers]]\nname = 'up'\nkind = 'aws_bedrock'\nauth = { aws = {} }\nvariables = { region = 'us-east-1' }",
    );
    let upstream = with(&wrong, &[], &clock());
    let found = &upstream.providers()[0];
    assert_eq!((found.on, found.why.as_str()), (false, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
}

/// Refuses `key-a` with this status, and answers every other one.
async fn refusing(answer: &'static [u8]) -> (Server, mpsc::Receiver<String>) {
    let (send, seen) = mpsc::channel(64);
    let server = Server::start(move |_, mut stream| {
        let send = send.clone();
        async move {
            loop {
                let request = read_request(&mut stream).await;
                let key = line(&request, "authorization").to_owned();
                let bytes = if key == "Bearer key-a" { answer } else { OK };
                if request.is_empty() || send.try_send(key).is_err() || stream.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (server, seen)
}

#[tokio::test]
async fn a_credential_that_is_refused_rests_and_the_callers_dont_notice() {
    const LIMITED: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 2\r\n\r\n{}";
    let (server, mut seen) = refusing(LIMITED).await;
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = 'http://{}/v1'\n\
         credentials = [{{ name = 'a', api_key = 'key-a', weight = 9 }}, {{ name = 'b', api_key = 'key-b' }}]",
        server.address
    );
    let clock = clock();
    let upstream = with(&config(&toml), &[("OPENAI_API_KEY", "other")], &clock);
    for _ in 0..3 {
        let reply = upstream.send(&upstream.resolve("up/m").unwrap(), call("{}")).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.credential.as_deref()), (200, Some("b")));
        reply.body.read_all(1_000).await.unwrap();
    }
    let mut keys = || std::iter::from_fn(|| seen.try_recv().ok()).collect::<Vec<_>>();
    assert_eq!(keys(), ["Bearer key-a", "Bearer key-b", "Bearer key-b", "Bearer key-b"]);
    clock.advance(Duration::from_secs(31));
    ask(&upstream).await.unwrap();
    assert_eq!(keys(), ["Bearer key-a", "Bearer key-b"]);
}

#[tokio::test]
async fn where_all_are_refused_the_refusal_is_told() {
    const NO: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}";
    let (server, mut seen) = refusing(NO).await;
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = 'http://{}/v1'\ncredentials = [{{ name = 'a', api_key = 'key-a' }}]",
        server.address
    );
    assert_eq!(ask(&with(&config(&toml), &[], &clock())).await.unwrap(), 401);
    assert_eq!(seen.recv().await.unwrap(), "Bearer key-a");
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes() {
    let (server, mut seen) = refusing(OK).await;
    let path = std::env::temp_dir().join(format!("signalbox-key-{}", std::process::id()));
    std::fs::write(&path, "key-1\n").unwrap();
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = 'http://{}/v1'\ncredentials = [{{ name = 'f', file = '{}' }}]",
        server.address,
        path.display()
    );
    let clock = clock();
    let upstream = with(&config(&toml), &[], &clock);
    for (content, expect) in [(None, "Bearer key-1"), (Some("key-two"), "Bearer key-two"), (Some(""), "Bearer key-two")]
    {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        clock.advance(Duration::from_secs(2));
        ask(&upstream).await.unwrap();
        assert_eq!(seen.recv().await.unwrap(), expect);
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn wrong_credentials_are_named() {
    let check = |credentials: &str, path: &str| {
        let config = config(&format!("[[providers]]\nname = 'up'\nkind = 'openai'\ncredentials = {credentials}"));
        let problems = Upstream::new(&config, &|_| None, clock()).unwrap_err().problems;
        assert_eq!(problems[0].path, format!("providers[0].{path}"), "{}", problems[0]);
    };
    check("[{ name = '', api_key = 'k' }]", "credentials[0].name");
    check("[{ name = 'a', api_key = 'k' }, { name = 'a', api_key = 'l' }]", "credentials[1].name");
    check("[{ name = 'a' }]", "credentials[0]");
    check("[{ name = 'a', api_key = 'k', weight = 0 }]", "credentials[0].weight");
    check("[{ name = 'a', file = '/nowhere/key' }]", "credentials[0].file");
    check("[{ name = 'a', api_key = 'k' }]\nauth = { aws = {} }", "credentials");
    check("[{ name = 'a', api_key = 'k' }]\napi_key = 'l'", "api_key");
}

#[tokio::test]
async fn a_token_that_the_provider_refuses_is_fetched_anew() {
    let (send, mut seen) = mpsc::channel(64);
    let server = Server::start(move |_, mut stream| {
        let send = send.clone();
        async move {
            const NO: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}";
            loop {
                let request = read_request(&mut stream).await;
                let is_token = request.starts_with("POST /token ");
                let bytes = if is_token { AN_HOUR.as_bytes() } else { NO };
                if request.is_empty() || send.try_send(is_token).is_err() || stream.write_all(bytes).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let clock = clock();
    let upstream = with(&azure(&server), &[], &clock);
    for _ in 0..2 {
        assert_eq!(ask(&upstream).await.unwrap(), 401);
    }
    clock.advance(Duration::from_secs(31));
    for _ in 0..2 {
        ask(&upstream).await.unwrap();
    }
    // Just fetched, it is tried again; later it is forgotten.
    let tokens: Vec<bool> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
    assert_eq!(tokens, [true, false, false, false, true, false]);
}
