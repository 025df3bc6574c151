//! How far outputs are from what is expected.

/// How far `found` is from `expected`, in units of the largest element expected; infinite if the lengths differ, or
/// one is NaN where the other is not.
pub fn distance(expected: &[f32], found: &[f32]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    let largest = expected
        .iter()
        .filter(|x| x.is_finite())
        .fold(0.0f32, |largest, x| largest.max(x.abs()));
    let mut greatest = 0.0f64;
    for (&a, &b) in expected.iter().zip(found) {
        if a == b || (a.is_nan() && b.is_nan()) {
            continue;
        }
        let difference = (f64::from(a) - f64::from(b)).abs();
        if difference.is_nan() {
            return f64::INFINITY;
        }
        greatest = greatest.max(difference);
    }
    if greatest == 0.0 {
        0.0
    } else {
        greatest / f64::from(largest)
    }
}
