//! A sign of life on anything over a second, on standard error and only if that is a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What passes unnoticed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long each picture stands.
const TICK: Duration = Duration::from_millis(100);
/// The pictures of the spinner.
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

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
            // A file's name may be in it, which must not move the cursor.
            let message: String = message.chars().filter(|c| !c.is_control()).collect();
            let mut patience = PATIENCE;
            for picture in SPINNER.iter().cycle() {
                if ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
                    break; // the sender was dropped
                }
                patience = TICK;
                let _ = write!(stderr(), "\r{picture} {message}");
            }
            if patience == TICK {
                // Back to the line's beginning, and nothing on it.
                let _ = write!(stderr(), "\r\x1b[2K");
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
