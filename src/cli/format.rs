//! Numbers and shapes for people.

use std::time::Duration;

pub(super) use cnn::text::grouped;

/// A duration with three significant digits: `12.3 µs`, `1.02 s`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        _ if seconds < 1e-3 => (seconds * 1e6, "µs"),
        _ if seconds < 1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

/// `1 image`, `3 images`
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

/// Columns of the terminal, or what `COLUMNS` says; `None` where output goes elsewhere.
pub(super) fn columns() -> Option<u16> {
    let said = || {
        std::env::var("COLUMNS")
            .ok()?
            .parse()
            .ok()
            .filter(|&columns| columns > 0)
    };
    terminal_size::terminal_size().map(|(width, _)| width.0).or_else(said)
}

/// Milliseconds to the clock's last digit, nanoseconds.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e9).round() / 1e6
}

/// `1 × 32 × 32`
pub(super) fn dims(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits() {
        let text = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(text(1_234), "1.23 µs");
        assert_eq!(text(12_340_000), "12.3 ms");
        assert_eq!(text(123_400_000), "123 ms");
        assert_eq!(text(2_000_000_000), "2.00 s");
    }
}
