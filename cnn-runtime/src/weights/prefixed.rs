//! Names with something before them: `module.conv1.weight`, as wrappers of networks write them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::{WeightError, WeightSource};

/// A source whose tensors are asked for without what stands before all their names.
#[derive(Debug)]
pub struct Prefixed<S> {
    source: S,
    prefix: String,
}

impl<S> Prefixed<S> {
    /// `prefix` is put before every name that is asked for.
    pub fn new(source: S, prefix: impl Into<String>) -> Self {
        Prefixed {
            source,
            prefix: prefix.into(),
        }
    }

    fn whole(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl<S: WeightSource> WeightSource for Prefixed<S> {
    fn slice(&self, name: &str, shape: &[usize], range: Range<usize>) -> Result<Cow<'_, [f32]>, WeightError> {
        self.source.slice(&self.whole(name), shape, range)
    }

    fn release(&self, name: &str, range: Range<usize>) {
        self.source.release(&self.whole(name), range);
    }

    fn names(&self) -> Vec<String> {
        let names = self.source.names();
        let bare = |name: &String| name.strip_prefix(&self.prefix).map(str::to_owned);
        names.iter().filter_map(bare).collect()
    }

    fn describe(&self) -> String {
        self.source.describe()
    }

    fn unused(&self, used: &HashSet<String>) -> Vec<String> {
        self.source.unused(&used.iter().map(|name| self.whole(name)).collect())
    }
}

/// What stands before the names of a source, given the `wanted` ones: with it more of them are found than without.
/// The first in the alphabet where several do equally well.
pub fn prefix(present: &[String], wanted: &HashSet<String>) -> Option<String> {
    let bare = present.iter().filter(|name| wanted.contains(*name)).count();
    if bare == wanted.len() {
        return None;
    }
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let longest = wanted.iter().map(String::len).max().unwrap_or(0);
    for name in present {
        // From the end, as long as what is after the dot can be a wanted name.
        let dots = name
            .rmatch_indices('.')
            .take_while(|(dot, _)| name.len() - dot - 1 <= longest);
        for (dot, _) in dots {
            if wanted.contains(&name[dot + 1..]) {
                *found.entry(&name[..=dot]).or_default() += 1;
            }
        }
    }
    let best = found.into_iter().rev().max_by_key(|(_, count)| *count);
    best.filter(|(_, count)| *count > bare)
        .map(|(prefix, _)| prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::MapSource;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_stands_before_all_names_is_found() {
        let wanted: HashSet<_> = names(&["conv.weight", "conv.bias", "fc.weight"]).into_iter().collect();
        for expected in ["module.", "model.", "state_dict.", "model.module.", "backbone."] {
            let present: Vec<_> = wanted.iter().map(|name| format!("{expected}{name}")).collect();
            assert_eq!(prefix(&present, &wanted).as_deref(), Some(expected));
        }
        assert_eq!(
            prefix(&names(&["conv.weight", "conv.bias", "fc.weight"]), &wanted),
            None
        );
        assert_eq!(prefix(&names(&["conv.weight", "m.conv.weight"]), &wanted), None);
        assert_eq!(prefix(&names(&["fc.bias", "other"]), &wanted), None);
        // One tensor is missing: the others are under the prefix all the same.
        let some = names(&["m.conv.weight", "m.fc.weight", "ema.conv.weight"]);
        assert_eq!(prefix(&some, &wanted).as_deref(), Some("m."));
    }

    #[test]
    fn tensors_are_found_under_the_prefix() {
        let mut map = MapSource::new();
        map.insert("module.a.bias", &[1], vec![3.0]).unwrap();
        map.insert("epoch", &[1], vec![9.0]).unwrap();
        let source = Prefixed::new(map, "module.");
        assert_eq!(*source.tensor("a.bias", &[1]).unwrap(), [3.0]);
        assert_eq!(source.names(), ["a.bias"]);
        let error = source.tensor("a.weight", &[1]).unwrap_err().to_string();
        assert!(error.contains("`module.a.weight`"), "{error}");
        assert_eq!(source.unused(&HashSet::from(["a.bias".to_owned()])), ["epoch"]);
    }
}
