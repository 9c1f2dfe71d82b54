//! What is true of every route.

pub(crate) mod house;
mod watching;

use axum::http::{Method, StatusCode, header};
use house::House;
use serde_json::{Value, json};

/// `SIGNALBOX_ACCEPT=1 cargo test -p signalbox-api` writes it anew; then look at `git diff`.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a person tells a test to accept what it finds")]
fn the_document_is_the_one_in_the_repository() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/openapi.json");
    let mut document = crate::openapi().to_pretty_json().unwrap();
    document.push('\n');
    let accept = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if accept("SIGNALBOX_ACCEPT", "1") || accept("INSTA_UPDATE", "always") {
        std::fs::write(&file, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == document, "{} is stale: run `make accept` and look at the difference", file.display());
}

fn operations() -> Vec<(Method, String, Value)> {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let each = paths.into_iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().clone().into_iter();
        methods.map(move |(method, operation)| (method.to_uppercase().parse().unwrap(), path.clone(), operation))
    });
    each.collect()
}

#[test]
fn the_document_holds_together() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = Vec::new();
    for (method, path, operation) in operations() {
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path} has no known tag");
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        ids.push(operation["operationId"].as_str().unwrap().to_owned());
    }
    ids.sort();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is named and not described");
    }
}

#[tokio::test]
async fn every_operation_wants_a_key_unless_the_document_says_otherwise() {
    let house = House::new().await;
    for (method, path, operation) in operations() {
        let open = operation["security"] == json!([{}]);
        for key in [None, Some("sb-wrong")] {
            let mut request = house.request(method.clone(), &path).header(header::CONTENT_TYPE, "application/json");
            if let Some(key) = key {
                request = request.header("x-api-key", key);
            }
            let answer = house.send(request.body("{}".into()).unwrap()).await;
            assert_eq!(answer.status == StatusCode::UNAUTHORIZED, !open, "{method} {path}: {}", answer.text());
            if !open {
                assert_eq!(answer.json()["error"]["type"], "unauthenticated", "{method} {path}");
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"signalbox\"");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let house = House::new().await;
    let answer = house.get("/api/v1/trace").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["error"]["message"], "there is no `GET /api/v1/trace`");
    assert_eq!(house.get("/nowhere").await.json()["error"]["type"], "not_found");

    let answer = house.delete("/api/v1/keys").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["error"]["message"], "`/api/v1/keys` doesn't take DELETE");
    assert!(answer.header("allow").contains("POST"), "{}", answer.header("allow"));
}

#[tokio::test]
async fn bodies_are_checked() {
    let house = House::new().await;
    let plain = house.request(Method::POST, "/api/v1/query").header("x-api-key", &house.key);
    let answer = house.send(plain.header(header::CONTENT_TYPE, "text/plain").body("{}".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.message().contains("Content-Type: application/json"));

    let check = async |body: String, status: u16, message: &str| {
        let answer = house.post_text("/api/v1/query", body).await;
        assert_eq!((answer.status.as_u16(), answer.message()), (status, message.to_owned()));
    };
    check(String::new(), 400, "the body is empty; expected JSON").await;
    check("{".to_owned(), 400, "not the JSON that was expected: EOF while parsing an object at line 1 column 1").await;
    for list in ["[]", " [{\"table\":\"spans\"}]"] {
        let message = "not the JSON that was expected: this is a list; expected an object, written {…}";
        check(list.to_owned(), 400, message).await;
    }
    check("{} {}".to_owned(), 400, "not JSON: trailing characters at line 1 column 4").await;
    check(format!("\"{}\"", "x".repeat(1024 * 1024)), 413, "the body is larger than 1024 KiB").await;
}

#[tokio::test]
async fn large_answers_are_compressed() {
    let house = House::new().await;
    let request = house.request(Method::GET, "/api/v1/openapi.json").header(header::ACCEPT_ENCODING, "gzip");
    let answer = house.send(request.body("".into()).unwrap()).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    let plain = house.get("/api/v1/openapi.json").await;
    assert!(answer.body.len() * 4 < plain.body.len(), "{} of {}", answer.body.len(), plain.body.len());
}

#[tokio::test]
async fn the_page_works_without_the_internet() {
    let house = House::new().await;
    let page = house.get("/api/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for (path, content_type) in [("/api/docs/page.js", "text/javascript"), ("/api/docs/page.css", "text/css")] {
        assert!(page.text().contains(path), "{path}");
        let asset = house.get(path).await;
        assert!(asset.header("content-type").starts_with(content_type));
        assert!(!asset.text().contains("//cdn") && !asset.text().contains("https://"), "{path} needs the internet");
    }
    assert_eq!(house.get("/api").await.header("location"), "/api/docs");
    let document: Value = house.get("/api/v1/openapi.json").await.json();
    assert_eq!(document, serde_json::to_value(crate::openapi()).unwrap());
}

#[tokio::test]
async fn answers_are_not_kept_by_caches_or_guessed_at() {
    let house = House::new().await;
    let answer = house.get("/api/v1/session").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}
