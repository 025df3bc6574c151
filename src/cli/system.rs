//! What the operating system does to the process: signals that end it, a standard output that nobody opened.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output was open when the process began.
static OPEN: AtomicBool = AtomicBool::new(true);

/// Looks before Rust's own start, which opens `/dev/null` in place of a closed standard output: what is written there
/// would seem to have arrived.
#[cfg(target_os = "linux")]
extern "C" fn look() {
    // SAFETY: asks for a descriptor's flags, which changes nothing whether it is open or not.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    OPEN.store(flags != -1, Ordering::Relaxed);
}

#[cfg(target_os = "linux")]
#[used]
// SAFETY: the section holds pointers to functions of this type, which the C library calls before `main`; it passes
// arguments that this one does not take. It calls nothing that Rust's runtime must have prepared.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

/// Whether there is a standard output.
pub(super) fn has_standard_output() -> bool {
    OPEN.load(Ordering::Relaxed)
}

/// Lets signals that end the process remove its temporary files first.
pub(super) fn end_cleanly() {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
            return; // They end it all the same.
        };
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                cnn::io::atomic::remove_unfinished();
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        };
        let _ = std::thread::Builder::new().stack_size(1 << 16).spawn(wait);
    }
}
