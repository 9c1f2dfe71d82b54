//! Sockets, connections and shutdown. What a request means is decided by `App::answer`.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::ServerConfig;
use crate::lanes::Lanes;
use crate::wire_up::App;

/// A caller that has not sent its whole request head by then is cut off (slowloris).
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A caller that doesn't take what was sent to it for so long is cut off.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(120);
/// How long to rest when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Open sockets, not yet served.
#[derive(Debug)]
pub(crate) struct Server {
    /// What a person should know once it runs, and not before: it may be that nothing starts.
    warnings: Vec<String>,
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    drain_timeout: Duration,
    connections: Arc<Semaphore>,
}

impl Server {
    /// Opens the sockets.
    ///
    /// # Errors
    /// `listen` is taken or not ours. A taken OTLP port is only a warning: OTLP works on `listen`.
    pub(crate) async fn bind(config: &ServerConfig) -> anyhow::Result<Self> {
        let listen = &config.listen;
        let addresses = listen.resolve().await.with_context(|| format!("`server.listen`: can't resolve {listen}"))?;
        let main = TcpListener::bind(&*addresses).await.with_context(|| {
            format!("can't listen on {listen}: another program, or another Signalbox, may use the port; choose one with `--listen 127.0.0.1:PORT`")
        })?;
        let address = main.local_addr()?;
        let (mut listeners, mut warnings) = (vec![main], Vec::new());
        for (name, extra) in [("otlp_http", &config.otlp_http), ("otlp_grpc", &config.otlp_grpc)] {
            let Some(extra) = extra.as_ref().filter(|extra| *extra != listen) else { continue };
            let opened = match extra.resolve().await {
                Ok(addresses) => TcpListener::bind(&*addresses).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(listener) => listeners.push(listener),
                Err(error) => warnings.push(format!(
                    "server.{name}: can't listen on {extra} ({error}); OTLP is still served on {address}"
                )),
            }
        }
        Ok(Self {
            warnings,
            listeners,
            address,
            drain_timeout: config.drain_timeout.0,
            connections: Arc::new(Semaphore::new(config.max_connections)),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lets calls in flight finish and closes the store.
    ///
    /// # Errors
    /// The store could not be closed cleanly.
    pub(crate) async fn run(self, app: App, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        for warning in &self.warnings {
            warn!("{warning}");
        }
        let app = Arc::new(app);
        let lanes = Lanes::start().context("can't start the threads that serve callers")?;
        let graceful = GracefulShutdown::new();
        let (draining, stopping) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let watch = || Ending { watcher: graceful.watcher(), draining: draining.clone(), stopping: stopping.clone() };
        let accept = self.listeners.iter().map(|listener| self.accept(listener, &lanes, &app, &watch, &tasks));
        tokio::select! {
            () = stop => {}
            _ = futures_util::future::join_all(accept) => {}
            () = app.follow_configuration() => {}
        }
        info!("stopping: no new connections; calls in flight have {:?}", self.drain_timeout);
        app.stop_being_ready();
        draining.cancel();
        drop(self.listeners);
        if tokio::time::timeout(self.drain_timeout, graceful.shutdown()).await.is_err() {
            warn!("calls were still in flight after {:?}; they are cut", self.drain_timeout);
        }
        stopping.cancel();
        tasks.close();
        tasks.wait().await;
        // Calls that go on without their caller are settled in it, on the lanes.
        app.close().await
    }

    async fn accept(
        &self,
        listener: &TcpListener,
        lanes: &Lanes,
        app: &Arc<App>,
        watch: &impl Fn() -> Ending,
        tasks: &TaskTracker,
    ) {
        loop {
            let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
            let socket = match listener.accept().await {
                Ok((socket, _)) => socket,
                // Out of descriptors, or the caller left already: neither may end the loop.
                Err(error) => {
                    warn!("accept: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Out of this runtime's hands, into those of the lane's.
            let socket = match socket.into_std() {
                Ok(socket) => socket,
                Err(error) => {
                    warn!("accept: {error}");
                    continue;
                }
            };
            let (app, Ending { watcher, draining, stopping }) = (Arc::clone(app), watch());
            let (lane, place) = lanes.emptiest();
            let served = async move {
                tokio::select! {
                    () = connection(socket, app, watcher, &draining) => {}
                    () = stopping.cancelled() => {}
                }
                drop((permit, place));
            };
            tasks.spawn_on(served, lane);
        }
    }
}

/// How a connection learns that the process is to end.
struct Ending {
    /// Lets a call in flight finish.
    watcher: Watcher,
    /// Nothing new begins.
    draining: CancellationToken,
    /// What is left is cut.
    stopping: CancellationToken,
}

/// What every HTTP/2 connection begins with.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Whether a caller begins as one that speaks HTTP/2 does; `None` if it has nothing to say. The bytes stay where they
/// are: read by hyper's sniffer, they cost each HTTP/1.1 connection a second read and twice the buffer.
async fn speaks_http2(socket: &TcpStream) -> Option<bool> {
    let mut first = [0; HTTP2_PREFACE.len()];
    let read = tokio::time::timeout(HEAD_TIMEOUT, socket.peek(&mut first)).await;
    let first = first.get(..read.ok()?.ok()?).filter(|first| !first.is_empty())?;
    Some(HTTP2_PREFACE.starts_with(first))
}

async fn connection(socket: std::net::TcpStream, app: Arc<App>, watcher: Watcher, draining: &CancellationToken) {
    let socket = match TcpStream::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return warn!("a connection can't be served: {error}"),
    };
    // Small writes (stream chunks) must not wait for the next one.
    let _ = socket.set_nodelay(true);
    // A caller that takes nothing of its answer must not hold its slot for ever.
    let _ = SockRef::from(&socket).set_tcp_user_timeout(Some(UNREAD_TIMEOUT));
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        // Boxed, so that it is gone once it has answered: hyper keeps the room for it as long as the connection is open,
        // which is long for streams and for callers that keep theirs.
        Box::pin(async move { Ok::<_, Infallible>(app.answer(request).await) })
    });
    let http2 = tokio::select! {
        http2 = speaks_http2(&socket) => http2,
        () = draining.cancelled() => None,
    };
    // A caller that hangs up or speaks no HTTP is its own problem; what was in flight is settled.
    let Some(http2) = http2 else { return };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(1_000);
    // Of HTTP/2 it has the sniffer decide, which waits for all that it begins with.
    let builder = if http2 { builder } else { builder.http1_only() };
    let connection = builder.serve_connection(TokioIo::new(socket), service).into_owned();
    let _ = watcher.watch(connection).await;
}

/// Resolves at SIGTERM or Ctrl-C.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            warn!("can't wait for SIGTERM: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Logs go to stderr; `SIGNALBOX_LOG=debug` shows more.
pub(crate) fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIGNALBOX_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn,datafusion=warn,hyper=warn"));
    // A second start in one process (`demo` starts `up`) keeps the first logger.
    let colours = std::io::stderr().is_terminal();
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).try_init();
}
