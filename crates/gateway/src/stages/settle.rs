//! Ends a call, exactly once: at the end of its answer, on a failure, or when the caller is gone.
//! [`Settle`] owns the call until then; dropping it unfinished *is* the caller being gone. What is
//! left of the call goes into a bounded queue, and a thread of its own writes it down: the request
//! handler never waits for that, and what finds no room is counted.

use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Thread;
use std::time::{Duration, Instant};

use signalbox_prices::{Details, PriceBook, Service};
use signalbox_types::seam::{Clock, SpanSink};
use signalbox_types::{Cost, ErrorClass, Span, Timestamp, Usage};
use signalbox_upstream::Target;
use signalbox_wire::canonical::{Charges, ServiceTier};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::call::{Answer, Call, CallError, Outcome};
use crate::metrics::Shed;
use crate::route::{BYTES_PER_TOKEN, input_tokens};
use crate::{GatewayConfig, GatewayMetrics, record};

/// How long ended calls are let gather before they are written down, so that a busy second costs five
/// commits and not hundreds: a commit costs more than ten calls.
const GATHER: Duration = Duration::from_millis(200);
/// So many are written down at once.
const MANY: usize = 256;
/// So many bytes, too.
const MANY_BYTES: usize = 8 << 20;

/// Owns a call until it has ended.
pub(crate) struct Settle {
    /// Taken by `finish`, which consumes the guard, and by `drop`.
    call: Option<Box<Call>>,
    /// Given back when the call has been written down.
    tracked: Option<TaskTrackerToken>,
    settler: Arc<Settler>,
}

impl Settle {
    pub(crate) fn when_finished(call: Call, tracked: TaskTrackerToken, settler: Arc<Settler>) -> Self {
        if call.mirror_of.is_none() {
            settler.metrics.began();
        }
        Self { call: Some(Box::new(call)), tracked: Some(tracked), settler }
    }

    /// The call has ended.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        if let Some(call) = self.call.take() {
            self.settler.settle(call, outcome, self.tracked.take());
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
        self.settler.settle(call, Outcome::Failed(error), self.tracked.take());
    }
}

/// What is left of a call.
pub(crate) struct Settled {
    pub(crate) call: Box<Call>,
    pub(crate) outcome: Outcome,
    pub(crate) ended: Timestamp,
}

struct Queued {
    what: What,
    weight: usize,
    most_recorded_bytes: usize,
    tracked: Option<TaskTrackerToken>,
}

enum What {
    Call(Settled),
    /// One that is made already.
    Span(Box<Span>),
}

/// Takes ended calls and has them written down.
pub(crate) struct Settler {
    pub(crate) metrics: GatewayMetrics,
    prices: Arc<PriceBook>,
    clock: Arc<dyn Clock>,
    queue: SyncSender<Queued>,
    queued_bytes: Arc<AtomicUsize>,
    /// Who writes down, to be woken when there is much.
    writer: Thread,
    /// Nothing is let gather.
    is_hurried: Arc<AtomicBool>,
    most_bytes: usize,
    most_recorded_bytes: usize,
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
        let (queue, queued) = sync_channel(config.settle_queue);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let is_hurried = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            sink,
            metrics: metrics.clone(),
            queued_bytes: Arc::clone(&queued_bytes),
            is_hurried: Arc::clone(&is_hurried),
        };
        // A thread and not a task: reading a long prompt takes milliseconds, in which a worker of the
        // runtime would serve nobody.
        let writer = std::thread::spawn(move || writer.run(&queued)).thread().clone();
        Self {
            metrics,
            prices,
            clock,
            queue,
            queued_bytes,
            writer,
            is_hurried,
            most_bytes: config.settle_queue_bytes,
            most_recorded_bytes: config.max_recorded_bytes,
        }
    }

    /// By other settings, with the same thread. The length of its queue stays, as do the names that metrics know.
    pub(crate) fn with(&self, config: &GatewayConfig, prices: Arc<PriceBook>) -> Self {
        Self {
            metrics: self.metrics.clone(),
            prices,
            clock: Arc::clone(&self.clock),
            queue: self.queue.clone(),
            queued_bytes: Arc::clone(&self.queued_bytes),
            writer: self.writer.clone(),
            is_hurried: Arc::clone(&self.is_hurried),
            most_bytes: config.settle_queue_bytes,
            most_recorded_bytes: config.max_recorded_bytes,
        }
    }

    /// Whether what has ended is written down at once.
    pub(crate) fn hurry(&self, is_hurried: bool) {
        self.is_hurried.store(is_hurried, Ordering::Relaxed);
        self.writer.unpark();
    }

    /// Gives the call its cost, if usage and price are known.
    pub(crate) fn price(&self, call: &mut Call) {
        if let Some(target) = &call.target {
            let (name, model) = (target.provider.otel_name.as_str(), target.model.as_str());
            call.cost = self.prices.price_with(Some(name), model, &call.usage, &details(&call.charges));
        }
    }

    /// The same for what is not counted in tokens.
    pub(crate) fn price_units(&self, call: &mut Call) {
        if let Some(target) = &call.target {
            call.cost = self.prices.price_units(Some(&target.provider.otel_name), &target.model, &call.units);
        }
    }

    /// What so much costs at a target, if that is known.
    pub(crate) fn cost(&self, target: &Target, usage: &Usage) -> Option<Cost> {
        self.prices.price(Some(&target.provider.otel_name), &target.model, usage)
    }

    /// What one call of a batch costs, if that is known.
    pub(crate) fn batch_cost(&self, otel_name: &str, model: &str, usage: &Usage, charges: Charges) -> Option<Cost> {
        let details = details(&Charges { service: Some(ServiceTier::Batch), ..charges });
        self.prices.price_with(Some(otel_name), model, usage, &details)
    }

    /// Has a span written down that is none of a call.
    pub(crate) fn emit(&self, span: Span) {
        let weight = span.approximate_bytes();
        self.enqueue(What::Span(Box::new(span)), weight, None);
    }

    fn settle(&self, mut call: Box<Call>, outcome: Outcome, tracked: Option<TaskTrackerToken>) {
        call.permit = None;
        call.lead = None;
        call.body = None;
        if let Some(routed) = &mut call.routed {
            routed.ended(&outcome);
        }
        if let Answer::Partial(answer) = &call.answer {
            call.usage = answer.usage();
            call.charges = answer.charges();
        }
        estimate(&mut call, &outcome);
        if matches!(call.answer, Answer::Partial(_)) || call.usage_is_estimated {
            self.price(&mut call);
        }
        if let Some(blocked) = call.routed.as_ref().and_then(|routed| routed.blocked.as_ref()) {
            (call.usage, call.cost) = blocked.with(&call.usage, call.cost);
        }
        let took = self.clock.elapsed().saturating_sub(call.started_at);
        match &call.mirror_of {
            None => self.metrics.ended(&call, &outcome, took),
            Some(route) => self.metrics.routes().mirrored(route, &call, &outcome),
        }
        // Nobody's call belongs to no project: it is counted, and that's all.
        if call.principal.is_none() {
            return;
        }
        let ended = call.started.plus(took);
        let weight = call.weight();
        self.enqueue(What::Call(Settled { call, outcome, ended }), weight, tracked);
    }

    fn enqueue(&self, what: What, weight: usize, tracked: Option<TaskTrackerToken>) {
        let most_recorded_bytes = self.most_recorded_bytes;
        let queued = Queued { what, weight, most_recorded_bytes, tracked };
        let before = self.queued_bytes.fetch_add(weight, Ordering::Relaxed);
        if before > self.most_bytes {
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            return self.metrics.count_shed(Shed::SettleQueue);
        }
        let waiting = self.metrics.queued();
        if self.queue.try_send(queued).is_err() {
            self.metrics.unqueued();
            self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
            return self.metrics.count_shed(Shed::SettleQueue);
        }
        // Only who makes them many: to wake it for each call cost a tenth of the call's CPU.
        if waiting == MANY || (before < MANY_BYTES && before + weight >= MANY_BYTES) {
            self.writer.unpark();
        }
    }
}

/// What an answer tells of its price, as the price book knows it.
fn details(charges: &Charges) -> Details {
    Details {
        one_hour_writes: charges.one_hour_writes.unwrap_or(0),
        audio_input: charges.audio_input,
        audio_output: charges.audio_output,
        image_input: charges.image_input,
        image_output: charges.image_output,
        service: charges.service.map(|service| match service {
            ServiceTier::Batch => Service::Batch,
            ServiceTier::Flex => Service::Flex,
            ServiceTier::Priority => Service::Priority,
        }),
    }
}

/// A provider that was cut off has worked all the same, but doesn't come to say how much.
fn estimate(call: &mut Call, outcome: &Outcome) {
    let error = match outcome {
        Outcome::Failed(error) => Some(error),
        Outcome::Answered if call.cut => None,
        Outcome::Answered => return,
    };
    // What is passed along isn't counted in tokens of text.
    if call.endpoint.passes_along() {
        return;
    }
    let has_begun = matches!(call.answer, Answer::Partial(_));
    // It works from when the call is sent, also if not a byte came back.
    let was_left = error.is_some_and(|error| error.class == ErrorClass::Cancelled) && call.target.is_some();
    if !(has_begun || was_left) {
        return;
    }
    call.usage.input_tokens = call.usage.input_tokens.or_else(|| Some(input_tokens(call)));
    let said = (call.answer_bytes as u64).div_ceil(BYTES_PER_TOKEN);
    // What is reported at the start of a stream is no more than the first token.
    call.usage.output_tokens = call.usage.output_tokens.max(Some(said));
    call.usage_is_estimated = true;
}

/// A call that was written down.
struct Written {
    span: Option<Box<Span>>,
    weight: usize,
    tracked: Option<TaskTrackerToken>,
}

/// The other end of the queue.
struct Writer {
    sink: Arc<dyn SpanSink>,
    metrics: GatewayMetrics,
    queued_bytes: Arc<AtomicUsize>,
    is_hurried: Arc<AtomicBool>,
}

impl Writer {
    fn run(&self, queue: &Receiver<Queued>) {
        let mut written = Vec::with_capacity(MANY);
        while let Ok(first) = queue.recv() {
            let mut bytes = first.weight;
            written.push(self.write(first));
            while written.len() < MANY
                && bytes < MANY_BYTES
                && let Ok(next) = queue.try_recv()
            {
                bytes += next.weight;
                written.push(self.write(next));
            }
            // All at once: the sink commits what it finds, and would begin with the first one alone.
            written.drain(..).for_each(|one| self.hand_over(one));
            self.gather();
        }
    }

    /// Lets calls gather, but not many.
    fn gather(&self) {
        let is_much = || {
            self.is_hurried.load(Ordering::Relaxed)
                || self.metrics.waiting() >= MANY
                || self.queued_bytes.load(Ordering::Relaxed) >= MANY_BYTES
        };
        let began = Instant::now();
        while !is_much() {
            let Some(left) = GATHER.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else { return };
            std::thread::park_timeout(left);
        }
    }

    fn write(&self, queued: Queued) -> Written {
        let Queued { what, weight, most_recorded_bytes, tracked } = queued;
        let span = match what {
            What::Call(settled) => self.guarded(|| record::span(settled, most_recorded_bytes)).flatten().map(Box::new),
            What::Span(span) => Some(span),
        };
        Written { span, weight, tracked }
    }

    /// Bodies come from strangers; one that trips a fault of ours must not end the recording.
    fn guarded<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let done = std::panic::catch_unwind(AssertUnwindSafe(work));
        if done.is_err() {
            tracing::error!("a call could not be written down by a fault of Signalbox");
            self.metrics.count_shed(Shed::Fault);
        }
        done.ok()
    }

    fn hand_over(&self, written: Written) {
        let Written { span, weight, tracked } = written;
        if let Some(span) = span
            && self.guarded(|| self.sink.try_emit(*span)).is_some_and(|emitted| emitted.is_err())
        {
            self.metrics.count_shed(Shed::Sink);
        }
        self.queued_bytes.fetch_sub(weight, Ordering::Relaxed);
        self.metrics.unqueued();
        // Last, so that who drains sees all of the above.
        drop(tracked);
    }
}

/// What an answer tells of that.
pub(crate) fn millis_since_start(call: &Call, clock: &dyn Clock) -> u64 {
    u64::try_from(since_start(call, clock).as_millis()).unwrap_or(u64::MAX)
}

/// Time since a call began, on the measuring clock.
pub(crate) fn since_start(call: &Call, clock: &dyn Clock) -> Duration {
    clock.elapsed().saturating_sub(call.started_at)
}
