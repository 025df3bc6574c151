//! A sign of life on anything over a second, on standard error and only if that is a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What passes unnoticed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long each picture stands.
const TICK: Duration = Duration::from_millis(100);
/// The pictures of the spinner.
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Shows a spinner with a message once a second has passed; dropping it takes the spinner away.
pub(super) struct Progress(Option<(Sender<String>, JoinHandle<()>)>);

impl Progress {
    pub(super) fn new(message: impl Into<String>) -> Progress {
        if !stderr().is_terminal() {
            return Progress(None);
        }
        let mut message = plain(&message.into());
        let (sender, messages) = channel::<String>();
        let show = move || {
            let mut patience = PATIENCE;
            let mut pictures = SPINNER.iter().cycle();
            let mut shown = false;
            let begin = Instant::now();
            loop {
                match messages.recv_timeout(patience) {
                    Ok(other) => {
                        message = plain(&other);
                        patience = if shown {
                            TICK
                        } else {
                            PATIENCE.saturating_sub(begin.elapsed())
                        };
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                patience = TICK;
                shown = true;
                let picture = pictures.next().unwrap_or(&' ');
                let _ = write!(stderr(), "\r\x1b[2K{picture} {message}");
            }
            if shown {
                // Back to the line's beginning, and nothing on it.
                let _ = write!(stderr(), "\r\x1b[2K");
            }
        };
        let thread = std::thread::Builder::new().spawn(show);
        Progress(thread.ok().map(|thread| (sender, thread)))
    }

    /// Says something else from now on.
    pub(super) fn say(&self, message: impl Into<String>) {
        if let Some((sender, _)) = &self.0 {
            // Nobody listens any more: then nothing is shown.
            let _ = sender.send(message.into());
        }
    }
}

/// A file's name may be in a message, which must not move the cursor.
fn plain(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).collect()
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
