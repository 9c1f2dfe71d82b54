//! The web UI, compiled into the binary. In debug builds it is read from `web/dist` at each request.

use std::collections::HashMap;
use std::io::Write;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use http::{HeaderMap, Method, Response, StatusCode};
use parking_lot::Mutex;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const NOT_BUILT: &str =
    "The web UI is not part of this build. `make build` builds it; the API answers under /api/v1 all the same.\n";

/// The files of the UI, and their gzipped forms as they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Web {
    gzipped: Mutex<HashMap<String, Bytes>>,
}

impl Web {
    /// There is a file of this name.
    pub(crate) fn has(&self, path: &str) -> bool {
        Dist::get(path.trim_start_matches('/')).is_some()
    }

    /// The file at `path`, or the page that draws every other path.
    pub(crate) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD work here\n");
        }
        let name = path.trim_start_matches('/');
        let (name, file) = match Dist::get(name) {
            Some(file) if !name.is_empty() => (name, file),
            // A missing asset is a 404, not a page: else an old tab would run HTML as a script.
            _ if name.starts_with("assets/") => return plain(StatusCode::NOT_FOUND, "no such file\n"),
            _ => match Dist::get("index.html") {
                Some(page) => ("index.html", page),
                None => return plain(StatusCode::NOT_FOUND, NOT_BUILT),
            },
        };
        let mime = file.metadata.mimetype().to_owned();
        let body = Bytes::from(file.data.into_owned());
        let compressible =
            mime.starts_with("text/") || mime.contains("javascript") || mime.contains("json") || mime.contains("svg");
        let gzip = compressible && accepts_gzip(headers);
        let mut response = Response::new(if gzip { self.gzip(name, body) } else { body });
        let headers = response.headers_mut();
        // Asset names carry a hash of their content, so they never change.
        let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        if let Ok(mime) = HeaderValue::from_str(&mime) {
            headers.insert(CONTENT_TYPE, mime);
        }
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if name == "index.html" {
            let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
            headers.insert("content-security-policy", HeaderValue::from_static(policy));
            headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
        }
        response
    }

    fn gzip(&self, name: &str, body: Bytes) -> Bytes {
        if let Some(gzipped) = self.gzipped.lock().get(name).filter(|_| !cfg!(debug_assertions)) {
            return gzipped.clone();
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let gzipped = match encoder.write_all(&body).and_then(|()| encoder.finish()) {
            Ok(gzipped) => Bytes::from(gzipped),
            Err(_) => return body,
        };
        self.gzipped.lock().insert(name.to_owned(), gzipped.clone());
        gzipped
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains("gzip"))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
