//! Two calls for one answer.

use std::time::Duration;

use futures_util::future::{Either, select};

/// How a race ended.
pub(super) struct Ended<T> {
    /// The one that counts: the first good one, else the one that failed last.
    pub(super) last: T,
    /// The other one, if it failed before.
    pub(super) failed: Option<T>,
}

/// Waits for `first`; if it takes longer than `after`, also for a second one, if there may be one. The first good one
/// wins; dropping the other one cancels it.
pub(super) async fn race<T, F: Future<Output = T> + Unpin>(
    mut first: F,
    after: Duration,
    second: impl FnOnce() -> Option<F>,
    good: impl Fn(&T) -> bool,
) -> Ended<T> {
    let alone = |last| Ended { last, failed: None };
    if let Ok(done) = tokio::time::timeout(after, &mut first).await {
        return alone(done);
    }
    let Some(second) = second() else { return alone(first.await) };
    let (done, other) = match select(first, second).await {
        Either::Left(ended) | Either::Right(ended) => ended,
    };
    if good(&done) {
        return alone(done);
    }
    Ended { last: other.await, failed: Some(done) }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    use super::*;

    type Answer = Result<&'static str, &'static str>;

    async fn run(
        first: BoxFuture<'static, Answer>,
        second: Option<BoxFuture<'static, Answer>>,
    ) -> (Answer, Option<Answer>) {
        let ended = race(first, Duration::from_millis(1), || second, |answer: &Answer| answer.is_ok()).await;
        (ended.last, ended.failed)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_good_answer_wins() {
        let late = |answer: Answer| {
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                answer
            }
            .boxed()
        };
        assert_eq!(run(ready(Ok("a")).boxed(), Some(pending().boxed())).await, (Ok("a"), None));
        assert_eq!(run(pending().boxed(), Some(ready(Ok("b")).boxed())).await, (Ok("b"), None));
        assert_eq!(run(late(Ok("a")), Some(ready(Err("b")).boxed())).await, (Ok("a"), Some(Err("b"))));
        assert_eq!(run(late(Err("a")), Some(ready(Err("b")).boxed())).await, (Err("a"), Some(Err("b"))));
        assert_eq!(run(late(Ok("a")), None).await, (Ok("a"), None));
        assert_eq!(run(ready(Err("a")).boxed(), Some(pending().boxed())).await, (Err("a"), None));
    }
}
