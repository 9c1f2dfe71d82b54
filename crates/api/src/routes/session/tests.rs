use axum::http::{Method, StatusCode, header};
use serde_json::json;

use crate::tests::house::{Answer, House};

const SESSION: &str = "/api/v1/session";

async fn sign_in(house: &House, key: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = house.request(Method::POST, SESSION).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(json!({ "key": key }).to_string().into()).unwrap()).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn with_cookie(house: &House, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = house.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body("".into()).unwrap()).await
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_cookie_and_back() {
    let house = House::new().await;
    let answer = sign_in(&house, &house.key, &[]).await;
    let me = answer.ok();
    assert_eq!((&me["project"], &me["key_name"]), (&json!("default"), &json!("First key")));
    let set = answer.header("set-cookie");
    assert!(
        set.starts_with("signalbox_session=sbs-")
            && set.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    assert!(!answer.text().contains(&house.key));

    let cookie = cookie(&answer);
    assert_eq!(with_cookie(&house, Method::GET, SESSION, &[("cookie", &cookie)]).await.ok(), me);
    let out = with_cookie(&house, Method::DELETE, SESSION, &[("cookie", &cookie)]).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let ended = with_cookie(&house, Method::GET, SESSION, &[("cookie", &cookie)]).await;
    assert_eq!((ended.status, ended.message().as_str()), (StatusCode::UNAUTHORIZED, "the session has ended"));
    assert_eq!(with_cookie(&house, Method::DELETE, SESSION, &[]).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_wrong_key_says_so_and_is_not_repeated() {
    let house = House::new().await;
    let answer = sign_in(&house, "sb-guess", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"]["field"], "key");
    assert!(!answer.text().contains("sb-guess"));
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(sign_in(&house, "", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let house = House::new().await;
    let answer = sign_in(&house, &house.key, &[("x-forwarded-proto", "https")]).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn another_site_can_use_neither_the_cookie_nor_the_sign_in() {
    let house = House::new().await;
    let cookie = cookie(&sign_in(&house, &house.key, &[]).await);
    let id = house.get("/api/v1/keys").await.ok()["keys"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/keys/{id}");
    let evil = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    assert_eq!(with_cookie(&house, Method::DELETE, &path, &evil).await.status, StatusCode::FORBIDDEN);
    assert_eq!(with_cookie(&house, Method::GET, "/api/v1/keys", &evil).await.status, StatusCode::OK);
    let own = [("cookie", cookie.as_str()), ("origin", "http://localhost:7300")];
    assert_eq!(with_cookie(&house, Method::DELETE, &path, &own).await.status, StatusCode::CONFLICT);
    assert_eq!(sign_in(&house, &house.key, &[("sec-fetch-site", "cross-site")]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_key_in_a_header_goes_before_the_cookie() {
    let house = House::new().await;
    let cookie = cookie(&sign_in(&house, &house.key, &[]).await);
    let headers = [("cookie", cookie.as_str()), ("authorization", "Bearer sb-wrong")];
    assert_eq!(with_cookie(&house, Method::GET, SESSION, &headers).await.status, StatusCode::UNAUTHORIZED);
    let headers = [("cookie", cookie.as_str()), ("authorization", "Basic cHJveHk6cHc=")];
    assert_eq!(with_cookie(&house, Method::GET, SESSION, &headers).await.status, StatusCode::OK);
}
