//! A packed body as what it holds.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::task::coop::poll_proceed;

use super::{UnpackError, Unpacker};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that comes packed and is given out unpacked. Breaks off with [`UnpackError`] where it is not what it says.
#[derive(Debug)]
pub struct Unpacked<B> {
    body: B,
    /// Gone at its end.
    unpacker: Option<Unpacker>,
}

impl<B> Unpacked<B> {
    /// What this body holds.
    #[must_use]
    pub fn new(body: B, unpacker: Unpacker) -> Self {
        Self { body, unpacker: Some(unpacker) }
    }
}

impl<B> Body for Unpacked<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(unpacker) = &mut this.unpacker else { return Poll::Ready(None) };
        let polled = poll_unpacked(unpacker, context, |context| Pin::new(&mut this.body).poll_frame(context));
        if !matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            this.unpacker = None;
        }
        let told = |broke| match broke {
            Broke::Body(error) => error,
            Broke::Packed(error) => BoxError::from(error),
        };
        polled.map(|piece| piece.map(|piece| piece.map(Frame::data).map_err(told)))
    }

    fn is_end_stream(&self) -> bool {
        self.unpacker.is_none()
    }
}

/// Why there is no next piece.
pub(crate) enum Broke<E> {
    /// The packed body broke off.
    Body(E),
    /// It can't be unpacked.
    Packed(UnpackError),
}

/// The next piece of what a body holds, whose packed form `poll` gives.
pub(crate) fn poll_unpacked<E>(
    unpacker: &mut Unpacker,
    context: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, E>>>,
) -> Poll<Option<Result<Bytes, Broke<E>>>> {
    loop {
        // What unpacks itself without end must leave the others of its thread their turns.
        let turn = ready!(poll_proceed(context));
        if let Some(unpacked) = unpacker.unpack().transpose() {
            turn.made_progress();
            return Poll::Ready(Some(unpacked.map_err(Broke::Packed)));
        }
        let polled = ready!(poll(context));
        turn.made_progress();
        match polled {
            None => return Poll::Ready(unpacker.finish().err().map(|error| Err(Broke::Packed(error)))),
            Some(Err(error)) => return Poll::Ready(Some(Err(Broke::Body(error)))),
            // What stands behind a body is about its packed form.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    unpacker.push(data);
                }
            }
        }
    }
}
