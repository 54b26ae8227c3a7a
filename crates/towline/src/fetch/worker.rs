//! Runs downloads beside the thread that builds and renders, which itself never waits on a runtime.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

/// A runtime that is started by the first download.
#[derive(Debug, Default)]
pub(super) struct Worker {
    runtime: Mutex<Option<Runtime>>,
}

impl Worker {
    /// Does asynchronous work and waits for it.
    pub(super) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> std::io::Result<T> {
        let handle = {
            let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            match runtime.as_ref() {
                Some(runtime) => runtime.handle().clone(),
                None => {
                    let started = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
                    runtime.insert(started).handle().clone()
                }
            }
        };
        let (sender, receiver) = sync_channel(1);
        handle.spawn(async move {
            // The receiver waits below until there is an answer.
            let _ = sender.send(work.await);
        });
        receiver.recv().map_err(|_| std::io::Error::other("the download was interrupted"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}
