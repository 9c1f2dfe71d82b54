//! Bodies that go out while they arrive.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use serde_json::Value;
use signalbox_types::ErrorClass;
use signalbox_upstream::simulated::SimOptions;
use signalbox_upstream::{Operation, SendError, Upload, UpstreamCall};

use super::simulated::Socket;
use super::support::{health, upstream};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Pieces with a pause before each; at last an error, or a proper end.
struct Pieces {
    left: usize,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    fails: bool,
}

const PIECE: usize = 64 << 10;

impl Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let pause = this.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(50))));
        std::task::ready!(pause.as_mut().poll(context));
        this.pause = None;
        if this.left == 0 {
            return Poll::Ready(this.fails.then(|| Err("it stopped".into())));
        }
        this.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; PIECE].into()))))
    }
}

fn call(pieces: usize, fails: bool) -> UpstreamCall {
    let body = Pieces { left: pieces, pause: None, fails };
    let length = (!fails).then_some((pieces * PIECE) as u64);
    UpstreamCall {
        below: Some("/sim/echo".to_owned()),
        upload: Some(Upload::new(body.boxed_unsync(), length)),
        ..UpstreamCall::new(Operation::Through, Bytes::new())
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_wait_for_an_answer() {
    let socket = Socket::start(SimOptions::default()).await;
    let more = "timeouts = { first_byte = '300ms' }";
    let upstream = upstream(&format!(
        "[[providers]]\nname = 'up'\nkind = 'sim'\nbase_url = 'http://{}/v1'\n{more}",
        socket.address
    ));
    let target = upstream.provider("up").unwrap();
    let reply = upstream.send(&target, call(8, false)).await.unwrap();
    let told: Value = serde_json::from_slice(&reply.body.read_all(1 << 20).await.unwrap()).unwrap();
    assert_eq!(told["bytes"], 8 * PIECE);
    assert_eq!(told["path"], "/v1/sim/echo");
}

#[tokio::test]
async fn a_sender_that_stops_is_no_fault_of_the_provider() {
    let socket = Socket::start(SimOptions::default()).await;
    let upstream =
        upstream(&format!("[[providers]]\nname = 'up'\nkind = 'sim'\nbase_url = 'http://{}/v1'", socket.address));
    let error = upstream.send(&upstream.provider("up").unwrap(), call(2, true)).await.unwrap_err();
    assert!(matches!(&error, SendError::Upload { reason, .. } if reason.contains("it stopped")), "{error}");
    assert_eq!(error.class(), ErrorClass::InvalidRequest);
    assert!(health(&upstream, "up").last_error.is_none());
}

#[tokio::test]
async fn the_provider_in_this_process_takes_them_too() {
    let upstream = upstream("");
    let reply = upstream.send(&upstream.provider("sim").unwrap(), call(2, false)).await.unwrap();
    let told: Value = serde_json::from_slice(&reply.body.read_all(1 << 20).await.unwrap()).unwrap();
    assert_eq!(told["bytes"], 2 * PIECE);
}
