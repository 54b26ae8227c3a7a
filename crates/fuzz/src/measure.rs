//! What an input costs: processor time and memory of this process, where the system tells; and a watch over inputs that
//! never come back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time this thread has spent on a processor.
pub(crate) fn thread_time() -> Option<Duration> {
    let text = fs_err::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Most memory this process has held at one time, in bytes, where the system tells.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let text = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Begins the measurement of the peak anew.
pub(crate) fn reset_peak() {
    drop(fs_err::write("/proc/self/clear_refs", "5"));
}

/// Does something that has to end within this time and memory, whatever it ends with. One at a time: memory is measured for
/// the whole process, so that all tests of a program that take much of it have to come here.
///
/// # Panics
/// When it took longer or more.
#[expect(clippy::disallowed_methods, reason = "real time is what is bounded here")]
pub fn bounded<T>(time: Duration, memory: u64, work: impl FnOnce() -> T) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    reset_peak();
    let started = Instant::now();
    let result = work();
    let (spent, peak) = (started.elapsed(), peak_memory());
    drop(one);
    assert!(spent < time, "took {spent:?}");
    assert!(peak.is_none_or(|peak| peak < memory), "took {} MiB", peak.unwrap_or_default() >> 20);
    result
}

/// Longest wait for one input, whatever else the machine does.
const PATIENCE: u64 = 600;

/// Ends the process over an input that never comes back.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Seconds for which the present input has run; 0 between inputs.
    seconds: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn start(name: String) -> Self {
        let (seconds, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watch = Self { seconds: Arc::clone(&seconds), over: Arc::clone(&over) };
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
                if seconds.load(Ordering::Relaxed) > 0 && seconds.fetch_add(1, Ordering::Relaxed) > PATIENCE {
                    eprintln!("{name} does not come back from an input");
                    std::process::abort();
                }
            }
        });
        watch
    }

    pub(crate) fn begin(&self) {
        self.seconds.store(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.seconds.store(0, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
