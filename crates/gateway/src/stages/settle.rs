//! Ends a call, exactly once: at the end of its answer, on a failure, or when the caller is gone.
//! [`Settle`] owns the call until then; dropping it unfinished *is* the caller being gone. What is
//! left of the call goes into a bounded queue, and a thread of its own writes it down: the request
//! handler never waits for that, and what finds no room is counted.

use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use signalbox_prices::PriceBook;
use signalbox_types::seam::{Clock, SpanSink};
use signalbox_types::{ErrorClass, Timestamp};

use crate::call::{Answer, Call, CallError, Outcome};
use crate::metrics::Shed;
use crate::{GatewayConfig, GatewayMetrics, record};

/// Owns a call until it has ended.
pub(crate) struct Settle {
    /// Taken by `finish`, which consumes the guard, and by `drop`.
    call: Option<Box<Call>>,
    settler: Arc<Settler>,
}

impl Settle {
    pub(crate) fn when_finished(call: Call, settler: Arc<Settler>) -> Self {
        settler.metrics.began();
        Self { call: Some(Box::new(call)), settler }
    }

    /// The call has ended.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        if let Some(call) = self.call.take() {
            self.settler.settle(call, outcome);
        }
    }
}

impl Deref for Settle {
    type Target = Call;

    fn deref(&self) -> &Call {
        match &self.call {
            Some(call) => call,
            None => unreachable!("`finish` consumes the guard"),
        }
    }
}

impl DerefMut for Settle {
    fn deref_mut(&mut self) -> &mut Call {
        match &mut self.call {
            Some(call) => call,
            None => unreachable!("`finish` consumes the guard"),
        }
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let error = if std::thread::panicking() {
            CallError::us(ErrorClass::Internal, "a fault of Signalbox ended the call")
        } else {
            CallError::caller(ErrorClass::Cancelled, "the caller hung up before the answer was complete")
        };
        self.settler.settle(call, Outcome::Failed(error));
    }
}

/// What is left of a call.
pub(crate) struct Settled {
    pub(crate) call: Box<Call>,
    pub(crate) outcome: Outcome,
    pub(crate) ended: Timestamp,
    weight: usize,
}

/// Takes ended calls and has them written down.
pub(crate) struct Settler {
    pub(crate) metrics: GatewayMetrics,
    prices: Arc<PriceBook>,
    clock: Arc<dyn Clock>,
    queue: SyncSender<Settled>,
    queued_bytes: Arc<AtomicUsize>,
    most_bytes: usize,
}

impl Settler {
    /// Starts the thread that writes down. It ends when the last [`Settler`] handle is gone.
    pub(crate) fn start(
        config: &GatewayConfig,
        prices: Arc<PriceBook>,
        sink: Arc<dyn SpanSink>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let metrics = GatewayMetrics::new(config.max_model_labels);
        let (queue, settled) = sync_channel(config.settle_queue);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            sink,
            metrics: metrics.clone(),
            queued_bytes: Arc::clone(&queued_bytes),
            most_recorded_bytes: config.max_recorded_bytes,
        };
        // A thread and not a task: reading a long prompt takes milliseconds, in which a worker of the
        // runtime would serve nobody.
        std::thread::spawn(move || writer.run(&settled));
        Self { metrics, prices, clock, queue, queued_bytes, most_bytes: config.settle_queue_bytes }
    }

    /// Gives the call its cost, if usage and price are known.
    pub(crate) fn price(&self, call: &mut Call) {
        if let Some(target) = &call.target {
            call.cost = self.prices.price(Some(&target.provider.otel_name), &target.model, &call.usage);
        }
    }

    fn settle(&self, mut call: Box<Call>, outcome: Outcome) {
        call.permit = None;
        call.body = None;
        if let Answer::Partial(answer) = &call.answer {
            call.usage = answer.usage();
            self.price(&mut call);
        }
        let took = self.clock.elapsed().saturating_sub(call.started_at);
        self.metrics.ended(&call, &outcome, took);
        // Nobody's call belongs to no project: it is counted, and that's all.
        if call.principal.is_none() {
            return;
        }
        let ended = call.started.plus(took);
        let weight = call.weight();
        let settled = Settled { call, outcome, ended, weight };
        if self.queued_bytes.fetch_add(weight, Ordering::Relaxed) > self.most_bytes {
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            return self.metrics.count_shed(Shed::SettleQueue);
        }
        self.metrics.queued();
        if self.queue.try_send(settled).is_err() {
            self.metrics.unqueued();
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            self.metrics.count_shed(Shed::SettleQueue);
        }
    }
}

/// The other end of the queue.
struct Writer {
    sink: Arc<dyn SpanSink>,
    metrics: GatewayMetrics,
    queued_bytes: Arc<AtomicUsize>,
    most_recorded_bytes: usize,
}

impl Writer {
    fn run(&self, settled: &Receiver<Settled>) {
        while let Ok(settled) = settled.recv() {
            let weight = settled.weight;
            // Bodies come from strangers; one that trips a fault of ours must not end the recording.
            let written = std::panic::catch_unwind(AssertUnwindSafe(|| self.write(settled)));
            if written.is_err() {
                tracing::error!("a call could not be written down by a fault of Signalbox");
                self.metrics.count_shed(Shed::Fault);
            }
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            self.metrics.unqueued();
        }
    }

    fn write(&self, settled: Settled) {
        // Kept until the sink has the span, so that `drain` waits for it.
        let (span, _tracked) = record::span(settled, self.most_recorded_bytes);
        if let Some(span) = span
            && self.sink.try_emit(span).is_err()
        {
            self.metrics.count_shed(Shed::Sink);
        }
    }
}

/// Time since a call began, on the measuring clock.
pub(crate) fn since_start(call: &Call, clock: &dyn Clock) -> Duration {
    clock.elapsed().saturating_sub(call.started_at)
}
