//! What is Amazon's own about a call: the model and what is asked stand in the path, and a stream goes out in frames.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use percent_encoding::percent_decode_str;
use signalbox_wire::event_stream::Reframer;

use crate::{BoxError, ResponseBody};

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Converse,
    ConverseStream,
}

impl Method {
    /// The path for records, messages and metrics: without the model.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Converse => "/model/{model}/converse",
            Self::ConverseStream => "/model/{model}/converse-stream",
        }
    }
}

/// Method and model of a path.
pub(crate) fn find(path: &str) -> Option<(Method, String)> {
    let (model, method) = path.strip_prefix("/model/")?.rsplit_once('/')?;
    let method = match method {
        "converse" => Method::Converse,
        "converse-stream" => Method::ConverseStream,
        _ => return None,
    };
    (!model.is_empty()).then(|| (method, percent_decode_str(model).decode_utf8_lossy().into_owned()))
}

/// A stream of events in Amazon's frames.
pub(crate) struct Frames {
    relay: ResponseBody,
    reframer: Reframer,
}

impl Frames {
    pub(crate) fn new(relay: ResponseBody) -> Self {
        Self { relay, reframer: Reframer::default() }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            let Some(frame) = ready!(Pin::new(&mut this.relay).poll_frame(context)) else { return Poll::Ready(None) };
            let Ok(data) = frame?.into_data() else { continue };
            let bytes = this.reframer.push(&data);
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_method_and_model() {
        let check = |path: &str, expected: Option<(Method, &str)>| {
            assert_eq!(find(path), expected.map(|(method, model)| (method, model.to_owned())), "{path}");
        };
        check("/model/sim%2Fsmall/converse", Some((Method::Converse, "sim/small")));
        check("/model/sim/small/converse-stream", Some((Method::ConverseStream, "sim/small")));
        check("/model/anthropic.claude-v2%3A1/converse", Some((Method::Converse, "anthropic.claude-v2:1")));
        check("/model//converse", None);
        check("/model/m/invoke", None);
    }
}
