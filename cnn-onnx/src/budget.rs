//! Memory that a file may make its import take, counted and asked for before it is taken.

use cnn_runtime::memory::available_memory;

use crate::tensor::count;

/// What computing an element of a constant takes at most: two operands in double precision, and the result.
const ELEMENT: u64 = 24;

/// Elements that constants of one repeated number may have altogether where they are written out: made of a few bytes, they
/// must not fill a disk.
const REPEATED: u64 = 1 << 26;

/// Multiplications and elements of results that operators on constants may cost altogether: a minute of the interpreter.
const MOST_WORK: u128 = 1 << 33;

/// Smaller amounts are not asked for: any program needs as much.
const UNASKED: u64 = 1 << 20;

/// Bytes that may still be taken.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u64,
    limit: u64,
    repeated: u64,
    work: u128,
}

impl Budget {
    /// So many bytes; what the machine has available if `None`.
    pub(crate) fn new(limit: Option<u64>) -> Budget {
        let limit = limit.unwrap_or_else(available_memory);
        Budget {
            left: limit,
            limit,
            repeated: REPEATED,
            work: MOST_WORK,
        }
    }

    /// Counts a constant that is about to be computed, and makes sure that the system has the memory for it.
    pub(crate) fn constant(&mut self, dims: &[usize]) -> Result<(), String> {
        let bytes = (count(dims)? as u64).saturating_mul(ELEMENT);
        let what = || format!("a constant of dimensions {dims:?}, computed while importing,");
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            format!(
                "{} takes up to {bytes} bytes, more than is left of {}; --max-memory says how much may be taken",
                what(),
                self.limit
            )
        })?;
        // Everything that follows takes less, so that it is there: the same thread takes it next.
        match bytes > UNASKED && Vec::<u8>::new().try_reserve_exact(bytes as usize).is_err() {
            true => Err(format!("there is no memory for {}", what().trim_end_matches(','))),
            false => Ok(()),
        }
    }

    /// Counts what an operator on constants costs that is about to be run.
    pub(crate) fn work(&mut self, work: u128) -> Result<(), String> {
        let left = self.work.checked_sub(work);
        self.work =
            left.ok_or("computing constants takes more than eight thousand million multiplications altogether")?;
        Ok(())
    }

    /// Counts a weight that is one number, repeated.
    pub(crate) fn repeated(&mut self, dims: &[usize]) -> Result<(), String> {
        let left = self.repeated.checked_sub(count(dims)? as u64);
        self.repeated = left.ok_or_else(|| {
            format!("weights of one repeated number, here {dims:?}, have more than {REPEATED} elements altogether")
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_constants_cost_is_counted_over_all_of_them() {
        let mut budget = Budget::new(Some(1 << 20));
        assert_eq!(budget.work(MOST_WORK - 1), Ok(()));
        assert_eq!(budget.work(1), Ok(()));
        assert!(budget.work(1).is_err());
        assert!(budget.constant(&[1 << 14]).is_ok());
        assert!(budget.constant(&[1 << 20]).is_err());
    }
}
