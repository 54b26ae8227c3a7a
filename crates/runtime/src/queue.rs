//! The reconcile queue: each key at most once in it, never handed out twice at a time, earliest due first.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// A delay queue of distinct keys, shared by cloning.
#[derive(Debug)]
pub struct Queue<K> {
    inner: Arc<Inner<K>>,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

#[derive(Debug)]
struct Inner<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    /// Sorted by due time; the sequence number keeps keys due at the same time in order of arrival.
    due: BTreeMap<(Instant, u64), K>,
    entries: HashMap<K, Entry>,
    sequence: u64,
}

#[derive(Debug, Default)]
struct Entry {
    waiting: Option<(Instant, u64)>,
    running: bool,
    /// Asked for again while running.
    again: Option<Instant>,
}

impl<K: Clone + Eq + Hash> Default for Queue<K> {
    fn default() -> Self {
        let state = State { due: BTreeMap::new(), entries: HashMap::new(), sequence: 0 };
        Self { inner: Arc::new(Inner { state: Mutex::new(state), changed: Notify::new() }) }
    }
}

impl<K: Clone + Eq + Hash> Queue<K> {
    /// Asks for `key` to be handed out now (after it, if it is running at the moment).
    pub fn add(&self, key: K) {
        self.add_at(key, Instant::now());
    }

    /// Asks for `key` to be handed out at `due`; an earlier request for the same key stands.
    pub fn add_at(&self, key: K, due: Instant) {
        {
            let mut state = self.inner.state.lock();
            let entry = state.entries.entry(key.clone()).or_default();
            if entry.running {
                entry.again = Some(entry.again.map_or(due, |earlier| earlier.min(due)));
                return;
            }
            state.wait(key, due);
        }
        self.inner.changed.notify_one();
    }

    /// Waits for the next due key. Every key handed out must be given back with [`Queue::done`].
    pub async fn next(&self) -> K {
        loop {
            let changed = self.inner.changed.notified();
            let due = {
                let mut state = self.inner.state.lock();
                match state.due.first_key_value().map(|(&(due, _), _)| due) {
                    Some(due) if due <= Instant::now() => {
                        if let Some((_, key)) = state.due.pop_first() {
                            let entry = state.entries.entry(key.clone()).or_default();
                            entry.waiting = None;
                            entry.running = true;
                            return key;
                        }
                        None
                    }
                    other => other,
                }
            };
            match due {
                Some(due) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Gives a key back; `again` is when to hand it out next, unless something asks for it earlier.
    pub fn done(&self, key: &K, again: Option<Instant>) {
        {
            let mut state = self.inner.state.lock();
            let Some(entry) = state.entries.get_mut(key) else { return };
            entry.running = false;
            let due = match (entry.again.take(), again) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            match due {
                Some(due) => state.wait(key.clone(), due),
                None => {
                    state.entries.remove(key);
                }
            }
        }
        self.inner.changed.notify_one();
    }

    /// Forgets a waiting key (its object is gone). A running key finishes as usual.
    pub fn remove(&self, key: &K) {
        let mut state = self.inner.state.lock();
        let Some(entry) = state.entries.get_mut(key) else { return };
        entry.again = None;
        let waiting = entry.waiting.take();
        if !entry.running {
            state.entries.remove(key);
        }
        if let Some(slot) = waiting {
            state.due.remove(&slot);
        }
    }

    /// Keys that are due now and not yet handed out (the work queue's depth).
    pub fn depth(&self) -> usize {
        let state = self.inner.state.lock();
        state.due.range(..=(Instant::now(), u64::MAX)).count()
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    fn wait(&mut self, key: K, due: Instant) {
        let entry = self.entries.entry(key.clone()).or_default();
        match entry.waiting {
            Some((earlier, _)) if earlier <= due => return,
            Some(later) => {
                self.due.remove(&later);
            }
            None => {}
        }
        self.sequence += 1;
        entry.waiting = Some((due, self.sequence));
        self.due.insert((due, self.sequence), key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn hands_out_in_order_of_due_time_then_arrival() {
        let queue = Queue::default();
        let now = Instant::now();
        queue.add_at("late", now + Duration::from_secs(5));
        queue.add("first");
        queue.add("second");
        queue.add("first");
        for expected in ["first", "second", "late"] {
            let key = queue.next().await;
            assert_eq!(key, expected);
            queue.done(&key, None);
        }
        assert_eq!(Instant::now() - now, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_asked_for_while_running_runs_once_more() {
        let queue = Queue::default();
        queue.add("a");
        let key = queue.next().await;
        queue.add("a");
        queue.add("a");
        assert!(tokio::time::timeout(Duration::from_secs(1), queue.next()).await.is_err(), "never twice at a time");
        queue.done(&key, Some(Instant::now() + Duration::from_secs(3600)));
        let key = queue.next().await;
        queue.done(&key, None);
        assert!(tokio::time::timeout(Duration::from_secs(7200), queue.next()).await.is_err(), "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_request_replaces_a_later_one() {
        let queue = Queue::default();
        let now = Instant::now();
        queue.add_at("a", now + Duration::from_secs(60));
        queue.add_at("a", now + Duration::from_secs(1));
        queue.add_at("a", now + Duration::from_secs(30));
        let key = queue.next().await;
        assert_eq!(Instant::now() - now, Duration::from_secs(1));
        queue.done(&key, None);
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_removed_key_is_not_handed_out() {
        let queue = Queue::default();
        queue.add_at("a", Instant::now() + Duration::from_secs(1));
        queue.remove(&"a");
        assert!(tokio::time::timeout(Duration::from_secs(10), queue.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_wakes_for_a_new_key() {
        let queue = Queue::default();
        queue.add_at("later", Instant::now() + Duration::from_secs(100));
        let waiter = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.add("now");
        assert_eq!(waiter.await.unwrap(), "now");
    }
}
