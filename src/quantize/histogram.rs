//! From counted magnitudes to where they are cut off.

/// Bins of a histogram.
const BINS: usize = 2048;
/// Bins that a threshold moves by while the best is looked for.
const STEP: usize = 8;

/// How often magnitudes up to `most` were seen. Zeros, which every range has, are not counted.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    most: f32,
    counts: Vec<u64>,
}

impl Histogram {
    pub(super) fn new(most: f32) -> Histogram {
        Histogram {
            most,
            counts: vec![0; BINS],
        }
    }

    pub(super) fn count(&mut self, numbers: &[f32]) {
        let bins = BINS as f32 / self.most;
        for number in numbers {
            let magnitude = number.abs();
            if magnitude > 0.0 {
                // The cast saturates.
                let bin = (magnitude * bins) as usize;
                self.counts[bin.min(BINS - 1)] += 1;
            }
        }
    }

    /// The end of the first so many bins.
    fn end(&self, bins: usize) -> f32 {
        self.most * (bins as f32 / BINS as f32)
    }

    /// The magnitude that so many of a hundred numbers do not exceed.
    pub(super) fn percentile(&self, percent: f64) -> f32 {
        let all: u64 = self.counts.iter().sum();
        let wanted = all as f64 * percent / 100.0;
        let mut seen = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen as f64 >= wanted {
                return self.end(bin + 1);
            }
        }
        self.most
    }

    /// The magnitude to cut off at so that the numbers as one of so many levels lose the least information.
    pub(super) fn entropy(&self, levels: usize) -> f32 {
        let mut best = (f64::INFINITY, BINS);
        for bins in (levels..=BINS).step_by(STEP) {
            let divergence = self.divergence(bins, levels);
            if divergence < best.0 {
                best = (divergence, bins);
            }
        }
        self.end(best.1)
    }

    /// Kullback and Leibler's divergence of the numbers, cut off after so many bins, as levels from the numbers.
    fn divergence(&self, bins: usize, levels: usize) -> f64 {
        let (kept, beyond) = self.counts.split_at(bins);
        let beyond: u64 = beyond.iter().sum();
        let all = kept.iter().sum::<u64>() + beyond;
        let mut divergence = 0.0;
        let mut lost = 0.0;
        for level in 0..levels {
            let (first, last) = (level * bins / levels, (level + 1) * bins / levels);
            let held: u64 = kept[first..last].iter().sum();
            let used = kept[first..last].iter().filter(|count| **count > 0).count();
            for (bin, &count) in kept.iter().enumerate().take(last).skip(first) {
                // What is cut off becomes the greatest level; the levels themselves are made of what was within.
                let cut = count + if bin + 1 == bins { beyond } else { 0 };
                let p = cut as f64 / all as f64;
                if p == 0.0 {
                    continue;
                }
                // A level's numbers are spread over those of its bins that had any.
                let q = held as f64 / used.max(1) as f64 / (all - beyond).max(1) as f64;
                match count > 0 && q > 0.0 {
                    true => divergence += p * (p / q).ln(),
                    false => lost += p,
                }
            }
        }
        // Numbers where no level is.
        divergence + lost * (BINS as f64).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that fall off like a bell, and one far away.
    fn bell_and_stray() -> Histogram {
        let mut histogram = Histogram::new(100.0);
        let bell: Vec<f32> = (0..20_000)
            .map(|i| {
                let u = (i as f32 + 0.5) / 20_000.0;
                // Of the logistic distribution.
                (u / (1.0 - u)).ln()
            })
            .collect();
        histogram.count(&bell);
        histogram.count(&[100.0, 0.0]);
        histogram
    }

    #[test]
    fn a_percentile_leaves_out_what_is_rare() {
        let histogram = bell_and_stray();
        assert_eq!(histogram.percentile(100.0), 100.0);
        let most = histogram.percentile(99.99);
        assert!((8.0..12.0).contains(&most), "{most}");
        let half = histogram.percentile(50.0);
        assert!((1.0..1.2).contains(&half), "{half}");
    }

    #[test]
    fn entropy_cuts_off_the_stray_and_leaves_even_numbers_alone() {
        let most = bell_and_stray().entropy(128);
        assert!((5.0..20.0).contains(&most), "{most}");
        let mut even = Histogram::new(1.0);
        even.count(&(1..=20_000).map(|i| i as f32 / 20_000.0).collect::<Vec<_>>());
        let most = even.entropy(128);
        assert!(most > 0.97, "{most}");
    }
}
