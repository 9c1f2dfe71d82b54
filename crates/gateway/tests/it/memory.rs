//! What a stream takes while nothing comes: bytes that one thread has asked for and not given back.

#![expect(unsafe_code, reason = "an allocator can't be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use signalbox_gateway::Gateway;
use signalbox_guard::GuardConfig;
use signalbox_upstream::simulated;
use tokio::net::TcpListener;

use crate::house::{CHAT, House, KEY, Plan, question, with};

/// More than any provider lets one HTTP/2 connection have.
const STREAMS: usize = 128;
/// 32 KB are the buffers that hyper has for either connection, of which a quiet stream touches the first pages; 9.5 KB its queue
/// for the requests of a connection, which are one at a time. All of it is 55 KB when nothing else runs and up to 58 beside other tests,
/// also when it is looked at later; what the difference is isn't known.
const MOST_BYTES: isize = 62 << 10;

/// The system's allocator, which counts for each thread what it holds.
pub(crate) struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: all of it is the system's allocator's work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().saturating_add_unsigned(layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.set(HELD.get().saturating_sub_unsigned(layout.size()));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

/// Everything of the gateway runs on the test's own thread; provider and callers on others.
#[tokio::test]
async fn a_quiet_stream_takes_little_memory() {
    let up =
        json!({"name": "up", "kind": "sim", "dialect": "openai_chat", "base_url": format!("http://{}/v1", provider())});
    let guard = serde_json::to_value(GuardConfig::default()).unwrap();
    let house = House::build(Plan { guard, providers: vec![up], ..Plan::default() }).await;
    let address = served(&house.gateway).await;
    let open = |streams: usize| tokio::task::spawn_blocking(move || opened(address, streams));
    let first = open(8).await.unwrap();
    let before = HELD.get();
    let more = open(STREAMS).await.unwrap();
    let each = (HELD.get() - before) / isize::try_from(STREAMS).unwrap();
    assert!((1 << 10..MOST_BYTES).contains(&each), "{each} bytes a stream");
    drop((first, more));
}

/// The simulated provider on a thread of its own.
fn provider() -> SocketAddr {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listening = std::thread::spawn(move || {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let options = simulated::SimOptions::default();
        std::thread::spawn(move || runtime.block_on(simulated::serve(listener, options, std::future::pending())));
        address
    });
    listening.join().unwrap()
}

/// The gateway on a socket, as the binary serves it.
async fn served(gateway: &Arc<Gateway>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let gateway = Arc::clone(&gateway);
            let service = service_fn(move |request: Request<Incoming>| {
                let gateway = Arc::clone(&gateway);
                let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
                Box::pin(async move { Ok::<_, Infallible>(gateway.serve(request).await) })
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

/// Streams that have told their first piece.
fn opened(address: SocketAddr, streams: usize) -> Vec<TcpStream> {
    let body = with(question(CHAT, "up/small"), json!({"stream": true})).to_string();
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {KEY}\r\nx-sim-stall-after: 1\r\n");
    let open = |_| {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let (mut seen, mut piece) = (Vec::new(), [0; 1_024]);
        while !seen.windows(5).any(|window| window == b"data:") {
            let read = socket.read(&mut piece).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&piece[..read]);
        }
        socket
    };
    (0..streams).map(open).collect()
}
