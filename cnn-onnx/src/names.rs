//! Names for layers: the source's own, as far as the language's rule for names and their being unique allow.

use std::collections::{HashMap, HashSet};

use cnn_ir::front::is_valid;

use crate::proto;

/// Longer names are cut.
const LONGEST: usize = 100;

/// The names that are taken.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
    /// The number that a name had last, so that not all are tried again.
    numbers: HashMap<String, u64>,
}

impl Names {
    /// The first of the candidates that is free, else the first one with a number.
    pub(crate) fn claim(&mut self, candidates: &[String]) -> String {
        let free = candidates.iter().find(|name| !self.taken.contains(*name));
        let name = match (free, candidates.first()) {
            (Some(free), _) => free.clone(),
            (None, Some(first)) => self.numbered(first),
            (None, None) => self.numbered("layer"),
        };
        self.taken.insert(name.clone());
        name
    }

    fn numbered(&mut self, name: &str) -> String {
        let number = self.numbers.entry(name.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{name}_{number}");
            // As many numbers are tried as names are taken, at most.
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

/// The valid name nearest to one of the source's: `data:0` is `data_0`, `/layer1/conv` is `layer1.conv`.
pub(crate) fn valid(name: &str) -> String {
    let mut result: String = name
        .trim_start_matches('/')
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            '/' => '.',
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') => c,
            _ => '_',
        })
        .collect();
    if !result.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        result.insert(0, '_');
    }
    debug_assert!(is_valid(&result));
    result
}

/// What a node's layer may be called, best first: the module whose weights it has (`layer1.0.conv1` for
/// `layer1.0.conv1.weight`), the module that PyTorch tells in the node's path (`/layer1/layer1.0/conv1/Conv`) or its
/// metadata, the node's name, its output's name.
pub(crate) fn candidates(node: &proto::Node) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(module) = node.input.get(1).and_then(|weight| weight.strip_suffix(".weight"))
        && is_valid(module)
        && module.len() <= LONGEST
    {
        names.push(module.to_owned());
    }
    if let Some(module) = module(&node.name).or_else(|| scope(node)) {
        names.push(valid(&module));
    }
    names.extend(
        [Some(&node.name), node.output.first()]
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(|name| valid(name)),
    );
    if names.is_empty() {
        names.push(valid(&node.op_type));
    }
    names
}

/// `/layer1/layer1.0/conv1/Conv` is the module `layer1.0.conv1`: PyTorch repeats the path of a container in those
/// that are in it, and puts the operator last.
fn module(name: &str) -> Option<String> {
    let (path, _operator) = name.strip_prefix('/')?.rsplit_once('/')?;
    let mut module = String::new();
    for part in path.split('/') {
        let last = module.rsplit_once('/').map_or(&*module, |(_, last)| last).to_owned();
        match part.strip_prefix(&last) {
            Some(rest) if !last.is_empty() && rest.starts_with('.') => {
                module.truncate(module.len() - last.len());
            }
            _ if !module.is_empty() => module.push('/'),
            _ => {}
        }
        module.push_str(part);
    }
    Some(module)
}

/// The module that PyTorch's newer exporter tells: the last but one of `['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1']`.
fn scope(node: &proto::Node) -> Option<String> {
    let mut entries = node.metadata_props.iter();
    let scopes = &entries.find(|entry| entry.key == "pkg.torch.onnx.name_scopes")?.value;
    let (path, _operator) = scopes.strip_prefix("['")?.rsplit_once("', '")?;
    let module = path.rsplit_once("', '").map_or(path, |(_, module)| module);
    (!module.is_empty()).then(|| module.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_valid_and_unique() {
        assert_eq!(valid("data:0"), "data_0");
        assert_eq!(valid("/layer1/conv"), "layer1.conv");
        assert_eq!(valid("193"), "_193");
        assert_eq!(valid(""), "_");
        let mut names = Names::default();
        let candidates = ["a".to_owned(), "b".to_owned()];
        assert_eq!(names.claim(&candidates), "a");
        assert_eq!(names.claim(&candidates), "b");
        assert_eq!(names.claim(&candidates), "a_2");
        assert_eq!(names.claim(&[]), "layer_2");
    }

    #[test]
    fn modules_are_read_off_paths() {
        for (path, expected) in [
            ("/layer1/layer1.0/conv1/Conv", "layer1.0/conv1"),
            ("/features/features.0/features.0.2/Clip", "features.0.2"),
            ("/conv1/Relu", "conv1"),
            ("/avgpool/GlobalAveragePool", "avgpool"),
            ("/inception3a/branch2/branch2.0/conv/Conv", "inception3a/branch2.0/conv"),
        ] {
            assert_eq!(module(path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(module("/Flatten"), None);
        assert_eq!(module("node_conv2d"), None);
    }

    #[test]
    fn a_node_is_called_as_its_weights() {
        let node = proto::Node {
            name: "node_conv2d_1".into(),
            input: vec!["x".into(), "layer1.0.conv1.weight".into()],
            output: vec!["conv2d_1".into()],
            ..proto::Node::default()
        };
        assert_eq!(candidates(&node), ["layer1.0.conv1", "node_conv2d_1", "conv2d_1"]);
        for (scopes, expected) in [
            (
                "['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1']",
                Some("layer1.0.relu"),
            ),
            ("['', 'avgpool', 'mean']", Some("avgpool")),
            ("['', 'view']", None),
            ("['view']", None),
            ("", None),
        ] {
            let node = proto::Node {
                metadata_props: vec![proto::StringStringEntry {
                    key: "pkg.torch.onnx.name_scopes".into(),
                    value: scopes.into(),
                }],
                ..proto::Node::default()
            };
            assert_eq!(scope(&node).as_deref(), expected, "{scopes}");
        }
    }
}
