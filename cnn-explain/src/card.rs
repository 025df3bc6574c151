//! The picture that networks are shown when nobody gives them one: a house under the sun, drawn for any size.
//!
//! Noise would do for the arithmetic, but nobody sees an edge in the maps of noise.

/// The picture's values, 0 … 1, as channels, rows, columns: grey for one channel, colours for three; more channels repeat
/// them.
pub fn picture([channels, rows, columns]: [usize; 3]) -> Vec<f32> {
    let mut picture = Vec::with_capacity(channels * rows * columns);
    for channel in 0..channels {
        for row in 0..rows {
            for column in 0..columns {
                let (u, v) = ((column as f32 + 0.5) / columns as f32, (row as f32 + 0.5) / rows as f32);
                let colour = colour(u, v);
                picture.push(match channels {
                    1 => 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2],
                    _ => colour[channel % 3],
                });
            }
        }
    }
    picture
}

/// Red, green and blue at a place of the unit square.
fn colour(u: f32, v: f32) -> [f32; 3] {
    let within = |value: f32, from: f32, to: f32| from <= value && value < to;
    let disc = |x: f32, y: f32, radius: f32| (u - x).hypot(v - y) < radius;
    let stripe = |value: f32, count: f32| ((value * count) as usize).is_multiple_of(2);
    if within(u, 0.30, 0.38) && within(v, 0.56, 0.76) {
        return [0.30, 0.18, 0.12]; // door
    }
    if within(u, 0.43, 0.52) && within(v, 0.50, 0.60) {
        return [0.92, 0.95, 0.75]; // window
    }
    if within(u, 0.18, 0.58) && within(v, 0.42, 0.76) {
        return [0.78, 0.36, 0.28]; // wall
    }
    if v < 0.42 && v > 0.16 + (u - 0.38).abs() * 1.05 {
        return [0.38, 0.20, 0.22]; // roof
    }
    if disc(0.80, 0.20, 0.11) {
        return [1.0, 0.88, 0.35]; // sun
    }
    if within(u, 0.64, 0.96) && within(v, 0.58, 0.78) && stripe(u, 34.0) {
        return [0.96, 0.96, 0.93]; // fence
    }
    if v > 0.72 {
        let shade = if stripe(u + v, 14.0) { 0.0 } else { 0.08 };
        return [0.30 - shade, 0.55 - shade, 0.22 - shade]; // meadow
    }
    [0.45 + 0.45 * v, 0.68 + 0.25 * v, 0.95] // sky
}
