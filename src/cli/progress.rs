//! A sign of life on anything over a second, on standard error and only if that is a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What passes unnoticed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows a spinner with a message once a second has passed; dropping it takes the spinner away.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(super) fn new(message: impl Into<String>) -> Progress {
        if !stderr().is_terminal() {
            return Progress(None);
        }
        let message = message.into();
        let (end, ended) = channel::<()>();
        let show = move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                    .with_style(ProgressStyle::default_spinner())
                    .with_message(message);
                bar.enable_steady_tick(Duration::from_millis(100));
                let _ = ended.recv(); // until the sender is dropped
                bar.finish_and_clear();
            }
        };
        let thread = std::thread::Builder::new().spawn(show);
        Progress(thread.ok().map(|thread| (end, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}
