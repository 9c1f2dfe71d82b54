//! Credentials that are exchanged while calls run.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_types::{ErrorClass, Secret};
use signalbox_upstream::{Upstream, Vault};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::support::{OK, Server, clock, config, read_request, send};

/// Answers everything, tokens too, and tells what it was asked.
async fn server() -> (Server, mpsc::Receiver<String>) {
    const TOKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"access_token\":\"tok\",\"expires_in\":3600}";
    let (tell, told) = mpsc::channel(64);
    let server = Server::start(move |_, mut stream| {
        let tell = tell.clone();
        async move {
            loop {
                let request = read_request(&mut stream).await;
                let answer = if request.starts_with("POST /token ") { TOKEN.as_bytes() } else { OK };
                if request.is_empty() || tell.try_send(request).is_err() || stream.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (server, told)
}

#[tokio::test]
async fn one_in_the_catalog_is_in_force_at_once() {
    let (server, mut told) = server().await;
    let kept = Arc::new(Mutex::new(None::<String>));
    let vault = {
        let kept = Arc::clone(&kept);
        Vault::new(move |name| kept.lock().clone().map(Secret::new).ok_or_else(|| format!("set `{name}`")))
    };
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'openai'\nbase_url = 'http://{}/v1'\ncredentials = [{{ name = 'main', catalog = 'up-main' }}]",
        server.address
    );
    let upstream = Upstream::with_vault(&config(&toml), &|_| None, clock(), vault).unwrap();
    let status = || upstream.providers().into_iter().find(|provider| provider.name == "up").unwrap();
    assert_eq!((status().on, status().why.as_str()), (false, "set `up-main`"));
    assert_eq!(status().credentials[0].missing.as_deref(), Some("set `up-main`"));
    let error = send(&upstream, "up/m").await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::UpstreamAuth);
    assert!(error.to_string().contains("set `up-main`"), "{error}");

    for value in ["first", "second"] {
        *kept.lock() = Some(value.to_owned());
        assert!(status().on && status().credentials[0].missing.is_none());
        assert_eq!(send(&upstream, "up/m").await.unwrap().status, 200);
        let asked = told.recv().await.unwrap();
        assert!(asked.contains(&format!("authorization: Bearer {value}\r\n")), "{asked}");
    }
    // Another configuration asks the same catalog.
    let again =
        upstream.reconfigured(&config(&format!("{toml}\nwarm_connections = 0\nmodels = ['x']")), &|_| None).unwrap();
    send(&again, "up/m").await.unwrap();
    assert!(told.recv().await.unwrap().contains("authorization: Bearer second\r\n"));
}

#[tokio::test]
async fn googles_file_is_read_again_when_it_changes() {
    let (server, mut told) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    let write = |token: &str| {
        let json = serde_json::json!({
            "type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": token,
            "token_uri": format!("http://{}/token", server.address),
        });
        std::fs::write(&file, json.to_string()).unwrap();
    };
    write("one");
    let toml = format!(
        "[[providers]]\nname = 'up'\nkind = 'vertex_ai'\nbase_url = 'http://{}/v1'\nauth = {{ gcp = {{ credentials_file = '{}' }} }}",
        server.address,
        file.display()
    );
    let clock = clock();
    let seam = Arc::clone(&clock) as Arc<dyn signalbox_types::seam::Clock>;
    let upstream = Upstream::new(&config(&toml), &|_| None, seam).unwrap();
    for (token, expected) in [(None, "one"), (Some("other"), "other"), (Some("no json"), "other")] {
        match token {
            Some("no json") => std::fs::write(&file, "{").unwrap(),
            Some(token) => write(token),
            None => {}
        }
        // The token before has expired.
        clock.advance(Duration::from_secs(3_700));
        send(&upstream, "up/m").await.unwrap();
        let fetched = told.recv().await.unwrap();
        assert!(
            fetched.contains(&format!("refresh%5Ftoken={expected}"))
                || fetched.contains(&format!("refresh_token={expected}")),
            "{fetched}"
        );
        assert!(told.recv().await.unwrap().contains("authorization: Bearer tok\r\n"));
    }
}
