//! Filters of a transposed convolution as those of an ordinary one.

/// Which taps of a transposed convolution's kernel an ordinary convolution has, for those outputs that a stride leads
/// from one to the next; see Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016).
///
/// The tensor is `[channels, filters/groups, kh, kw]`, of the filters `[filters, channels/groups, rows, columns]`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transposed {
    /// Height and width of the tensor's kernel.
    pub kernel: [usize; 2],
    /// Filters and channels are in so many groups.
    pub groups: usize,
    /// The kernel's row of each row of the filters; none is a row of zeros.
    pub rows: Vec<Option<usize>>,
    /// The same for columns.
    pub columns: Vec<Option<usize>>,
}

impl Transposed {
    /// The shape of the tensor of so many filters, each of so many channels.
    pub(super) fn shape(&self, [filters, channels]: [usize; 2]) -> [usize; 4] {
        let [kh, kw] = self.kernel;
        let groups = self.groups.max(1);
        [channels * groups, filters / groups, kh, kw]
    }

    /// The filters, one after the other.
    pub(super) fn arrange(&self, [filters, channels]: [usize; 2], tensor: &[f32]) -> Vec<f32> {
        let [_, members, kh, kw] = self.shape([filters, channels]);
        let mut weights = Vec::with_capacity(filters * channels * self.rows.len() * self.columns.len());
        for filter in 0..filters {
            // A group's filters see its channels only, and the tensor has a row of `members` filters for each channel.
            let group = filter / members;
            for channel in group * channels..(group + 1) * channels {
                let kernel = &tensor[(channel * members + filter % members) * kh * kw..][..kh * kw];
                for row in &self.rows {
                    let tap = |column: &Option<usize>| Some(kernel[(*row)? * kw + (*column)?]);
                    weights.extend(self.columns.iter().map(|column| tap(column).unwrap_or(0.0)));
                }
            }
        }
        weights
    }
}
