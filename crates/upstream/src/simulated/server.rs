//! The simulator on a socket.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Collected, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use super::{Dropped, SimOptions, Simulator};
use crate::Upload;

const MAX_BODY_BYTES: usize = 64 << 20;
/// How long answers in flight may take after the shutdown began.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the simulated provider until `shutdown` is ready; then finishes the answers in flight.
pub async fn serve(listener: TcpListener, options: SimOptions, shutdown: impl Future<Output = ()> + Send) {
    let simulator = Arc::new(Simulator::new(options));
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: those in use must end first.
                tracing::warn!(%error, "the simulated provider can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let simulator = Arc::clone(&simulator);
        let service = service_fn(move |request: Request<Incoming>| {
            let simulator = Arc::clone(&simulator);
            async move {
                let (head, body) = request.into_parts();
                simulator.answer(Request::from_parts(head, read(body).await?)).await
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        // Ends with its client, or with the graceful shutdown below.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection to the simulated provider ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("the simulated provider left answers unfinished");
    }
}

/// The body of a call in this process, if it is not too long. Boxed, or the compiler loses sight of the lifetimes within.
pub(super) fn read_upload(upload: Upload) -> Pin<Box<dyn Future<Output = Result<Bytes, Dropped>> + Send>> {
    Box::pin(read(upload.into_body()))
}

/// The body, if it is not too long; else the connection is closed.
#[expect(clippy::disallowed_methods, reason = "the body is `Limited`")]
async fn read<B: http_body::Body<Data = Bytes>>(body: B) -> Result<Bytes, Dropped>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
    body.map(Collected::to_bytes).map_err(|_| Dropped)
}
