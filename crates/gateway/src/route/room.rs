//! How many calls a target gets at once, and the lines before it: one for each virtual key, served in turn, so that the
//! burst of one key doesn't make the others wait behind all of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_types::KeyId;
use tokio::sync::oneshot;

/// Held for a few instructions at a time.
#[derive(Debug)]
pub(super) struct Room(Mutex<State>);

#[derive(Debug)]
struct State {
    most: usize,
    most_waiting: usize,
    inside: usize,
    waiting: usize,
    /// Only those in which somebody waits; the first one's turn is next.
    lines: VecDeque<Line>,
    /// Of the next one who waits.
    number: u64,
}

#[derive(Debug)]
struct Line {
    key: Option<KeyId>,
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// Dropped without a word when it has to leave.
    called: oneshot::Sender<Place>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Too many wait already.
    LineFull,
    /// It took too long.
    TooSlow,
}

/// A place inside; given to the next one who waits when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Option<Arc<Room>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(room) = self.0.take() {
            let mut state = room.0.lock();
            state.inside = state.inside.saturating_sub(1);
            state.call(&room);
        }
    }
}

impl Room {
    pub(super) fn new(most: usize, most_waiting: usize) -> Self {
        let (inside, waiting, lines, number) = (0, 0, VecDeque::new(), 0);
        Self(Mutex::new(State { most, most_waiting, inside, waiting, lines, number }))
    }

    /// Has other limits from now on. Nobody is sent away for that.
    pub(super) fn resize(self: &Arc<Self>, most: usize, most_waiting: usize) {
        let mut state = self.0.lock();
        (state.most, state.most_waiting) = (most, most_waiting);
        state.call(self);
    }

    pub(super) fn has_place(&self) -> bool {
        let state = self.0.lock();
        state.inside < state.most
    }

    pub(super) fn waiting(&self) -> usize {
        self.0.lock().waiting
    }

    pub(super) fn try_take(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.0.lock();
        // Who waits was first.
        if state.inside >= state.most || state.waiting > 0 {
            return None;
        }
        state.inside += 1;
        Some(Place(Some(Arc::clone(self))))
    }

    /// A place, after the others of this key and in turn with the other keys.
    pub(super) async fn take(self: &Arc<Self>, key: Option<&KeyId>, longest: Duration) -> Result<Place, NoRoom> {
        if let Some(place) = self.try_take() {
            return Ok(place);
        }
        let (number, called) = self.0.lock().join(key)?;
        let _waiting = Waiting { room: self, number };
        match tokio::time::timeout(longest, called).await {
            Ok(Ok(place)) => Ok(place),
            // Somebody whose line is shorter came.
            Ok(Err(_)) => Err(NoRoom::LineFull),
            Err(_) => Err(NoRoom::TooSlow),
        }
    }
}

impl State {
    fn join(&mut self, key: Option<&KeyId>) -> Result<(u64, oneshot::Receiver<Place>), NoRoom> {
        let line = self.lines.iter().position(|line| line.key.as_ref() == key);
        let before = line.and_then(|line| self.lines.get(line)).map_or(0, |line| line.waiting.len());
        if self.waiting >= self.most_waiting && !self.make_room(before) {
            return Err(NoRoom::LineFull);
        }
        let (called, receiver) = oneshot::channel();
        let number = self.number;
        self.number += 1;
        self.waiting += 1;
        let waiter = Waiter { number, called };
        // Who had to leave was the last of a line of at least two, so that no line has gone.
        match line.and_then(|line| self.lines.get_mut(line)) {
            Some(line) => line.waiting.push_back(waiter),
            None => self.lines.push_back(Line { key: key.cloned(), waiting: VecDeque::from([waiter]) }),
        }
        Ok((number, receiver))
    }

    /// The last of the longest line has to leave for somebody in whose line there are at least two fewer, so that one key
    /// can't fill the lines of all.
    fn make_room(&mut self, before: usize) -> bool {
        let Some(longest) = self.lines.iter_mut().max_by_key(|line| line.waiting.len()) else { return false };
        if longest.waiting.len() < before + 2 {
            return false;
        }
        longest.waiting.pop_back();
        self.waiting -= 1;
        true
    }

    /// Calls those in whose turn it is, as long as there are places.
    fn call(&mut self, room: &Arc<Room>) {
        while self.inside < self.most
            && let Some(mut line) = self.lines.pop_front()
        {
            let Some(waiter) = line.waiting.pop_front() else { continue };
            if !line.waiting.is_empty() {
                self.lines.push_back(line);
            }
            self.waiting -= 1;
            self.inside += 1;
            if let Err(mut place) = waiter.called.send(Place(Some(Arc::clone(room)))) {
                // It has just left. Dropping its place as it is would lock this again.
                place.0 = None;
                self.inside -= 1;
            }
        }
    }

    fn leave(&mut self, number: u64) {
        for line in &mut self.lines {
            let before = line.waiting.len();
            line.waiting.retain(|waiter| waiter.number != number);
            self.waiting -= before - line.waiting.len();
        }
        self.lines.retain(|line| !line.waiting.is_empty());
    }
}

/// Leaves the line, also when its caller hangs up.
struct Waiting<'a> {
    room: &'a Room,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.room.0.lock().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    type Taking<'a> = Pin<Box<dyn Future<Output = Result<Place, NoRoom>> + 'a>>;

    fn poll(taking: &mut Taking<'_>) -> Poll<Result<Place, NoRoom>> {
        taking.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    fn key(name: &str) -> KeyId {
        KeyId::new(name)
    }

    fn queue<'a>(room: &'a Arc<Room>, keys: &'a [KeyId]) -> Vec<Taking<'a>> {
        let mut all: Vec<Taking<'a>> = Vec::new();
        for key in keys {
            let mut taking: Taking<'a> = Box::pin(room.take(Some(key), LONG));
            assert!(poll(&mut taking).is_pending());
            all.push(taking);
        }
        all
    }

    /// Gives the one place back again and again; the order in which those who wait get it.
    fn served(first: Place, mut all: Vec<Taking<'_>>) -> Vec<usize> {
        let mut order = Vec::new();
        drop(first);
        while order.len() < all.len() {
            let next = all.iter_mut().enumerate().filter(|(at, _)| !order.contains(at));
            let got = next.map(|(at, taking)| (at, poll(taking))).find(|(_, got)| got.is_ready());
            let Some((at, Poll::Ready(Ok(place)))) = got else { panic!("nobody was called after {order:?}") };
            order.push(at);
            drop(place);
        }
        order
    }

    #[tokio::test]
    async fn keys_take_turns() {
        let room = Arc::new(Room::new(1, 100));
        let first = room.try_take().unwrap();
        assert!(room.try_take().is_none());
        let keys = [key("a"), key("a"), key("a"), key("b"), key("c"), key("b")];
        let all = queue(&room, &keys);
        assert_eq!(room.waiting(), 6);
        assert_eq!(served(first, all), [0, 3, 4, 1, 5, 2]);
        assert_eq!((room.waiting(), room.has_place()), (0, true));
    }

    #[tokio::test]
    async fn a_full_line_is_shared_out() {
        let room = Arc::new(Room::new(1, 3));
        let first = room.try_take().unwrap();
        let hog = [key("a"), key("a"), key("a")];
        let mut hogs = queue(&room, &hog);
        assert_eq!(room.take(Some(&key("a")), LONG).await.unwrap_err(), NoRoom::LineFull);
        // The last of the hog's calls gives way, and only as long as its line is the longer one.
        let b = [key("b")];
        let mut others = queue(&room, &b);
        let Poll::Ready(Err(NoRoom::LineFull)) = poll(&mut hogs[2]) else { panic!("it should have left") };
        assert_eq!(room.take(Some(&key("b")), LONG).await.unwrap_err(), NoRoom::LineFull);
        assert_eq!(room.waiting(), 3);
        // A caller that hangs up leaves the line.
        drop(hogs.remove(0));
        assert_eq!(room.waiting(), 2);
        drop(first);
        assert!(poll(&mut others[0]).is_ready() || poll(&mut hogs[0]).is_ready());
    }

    #[tokio::test]
    async fn a_place_for_who_has_just_left_goes_to_the_next() {
        let room = Arc::new(Room::new(1, 9));
        let first = room.try_take().unwrap();
        let keys = [key("a"), key("b")];
        let mut all = queue(&room, &keys);
        drop(first);
        // `a` was called, and hangs up before it looks.
        drop(all.remove(0));
        assert!(matches!(poll(&mut all[0]), Poll::Ready(Ok(_))));
        assert!(room.has_place());
    }

    #[tokio::test]
    async fn limits_change_while_calls_wait() {
        let room = Arc::new(Room::new(1, 9));
        let _first = room.try_take().unwrap();
        let keys = [key("a"), key("b")];
        let mut all = queue(&room, &keys);
        room.resize(2, 9);
        let Poll::Ready(Ok(_second)) = poll(&mut all[0]) else { panic!("there is a place now") };
        room.resize(1, 9);
        drop(_second);
        assert!(poll(&mut all[1]).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let room = Arc::new(Room::new(1, 9));
        let _first = room.try_take().unwrap();
        assert_eq!(room.take(None, LONG).await.unwrap_err(), NoRoom::TooSlow);
        assert_eq!(room.waiting(), 0);
    }
}
