//! Spans as they are appended, for those who watch. A slow one misses some rather than hold the store up.

use std::sync::Arc;

use futures_util::StreamExt;
use signalbox_types::seam::{Arrival, BoxStream};
use signalbox_types::{ProjectId, Span};
use tokio::sync::broadcast::Sender;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

pub(super) fn of_project(live: &Sender<Arc<Span>>, project: &ProjectId) -> BoxStream<Arc<Span>> {
    let project = project.clone();
    Box::pin(BroadcastStream::new(live.subscribe()).filter_map(move |span| {
        // `Err` says that some were missed.
        let own = span.ok().filter(|span| span.project_id == project);
        async move { own }
    }))
}

pub(super) fn of_all(live: &Sender<Arc<Span>>) -> BoxStream<Arrival> {
    Box::pin(BroadcastStream::new(live.subscribe()).map(|span| match span {
        Ok(span) => Arrival::Span(span),
        Err(BroadcastStreamRecvError::Lagged(missed)) => Arrival::Missed(missed),
    }))
}
