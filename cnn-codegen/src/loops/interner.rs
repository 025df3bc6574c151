//! Numbers for things of which equal ones are the same.

use std::collections::HashMap;
use std::hash::Hash;

/// Things without repetitions, numbered in the order they came.
#[derive(Clone, Debug)]
pub(super) struct Interner<T>(HashMap<T, usize>);

impl<T: Clone + Eq + Hash> Interner<T> {
    pub(super) fn new() -> Interner<T> {
        Interner(HashMap::new())
    }

    /// The number of the one that is equal, or a new number.
    pub(super) fn number(&mut self, one: &T) -> usize {
        self.0.get(one).copied().unwrap_or_else(|| {
            let number = self.0.len();
            self.0.insert(one.clone(), number);
            number
        })
    }

    /// All, in the order of their numbers.
    pub(super) fn into_list(self) -> Vec<T> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|&(_, number)| number);
        all.into_iter().map(|(one, _)| one).collect()
    }
}
