//! Declarations of which a token is missing, doubled or another never panic and say what is wrong, once or little more.

mod text;

use proc_macro2::{Group, Punct, Spacing, TokenStream, TokenTree};
use text::errors;

const NETWORK: &str = "
    /// A network.
    pub(crate) network Net, max_arena = \"64KiB\" {
        input image: [3, 8, 8];
        input other: { shape = [4, 4, 3], layout = \"hwc\" };
        block unit(x; f, act) {
            conv = conv(x, filters = f, kernel = [3, 3], padding = same, activation = clip(min = -1, max = inf));
            add(act(conv), conv)
        }
        u = unit(image, f = 4, act = relu);
        layer1.0.conv1 = conv(other, filters = 4, kernel = 4, weights = \"part.0\");
        y = dense(flatten(concat([u, unit(u, f = 2, act = tanh)])), units = 5);
        return y, layer1.0.conv1;
    }";

/// The stream with one token replaced, for each token and each replacement.
fn edits(tokens: &TokenStream, replace: &dyn Fn(&TokenTree) -> Vec<TokenTree>) -> Vec<TokenStream> {
    let trees: Vec<_> = tokens.clone().into_iter().collect();
    let mut found = Vec::new();
    for (i, tree) in trees.iter().enumerate() {
        let with = |new: Vec<TokenTree>| -> TokenStream {
            trees[..i]
                .iter()
                .cloned()
                .chain(new)
                .chain(trees[i + 1..].iter().cloned())
                .collect()
        };
        found.push(with(replace(tree)));
        if let TokenTree::Group(group) = tree {
            let inner = edits(&group.stream(), replace).into_iter();
            found.extend(inner.map(|stream| with(vec![Group::new(group.delimiter(), stream).into()])));
        }
    }
    found
}

/// Most edits make one mistake of the network, none makes many.
fn assert_few_errors(replace: &dyn Fn(&TokenTree) -> Vec<TokenTree>) {
    let tokens: TokenStream = NETWORK.parse().expect("tokens");
    assert_eq!(errors(&tokens.to_string()).len(), 0);
    let edited = edits(&tokens, replace);
    let mut several = 0;
    for edited in &edited {
        let text = edited.to_string();
        let found = errors(&text);
        assert!(found.len() <= 3, "{text}\n{found:#?}");
        assert!(
            found.iter().all(|one| !one.at.is_empty() && !one.text.is_empty()),
            "{text}\n{found:#?}"
        );
        several += usize::from(found.len() > 1);
    }
    assert!(
        edited.len() > 150 && several * 8 < edited.len(),
        "{several} of {}",
        edited.len()
    );
}

#[test]
fn without_a_token() {
    assert_few_errors(&|_| Vec::new());
}

#[test]
fn with_a_token_twice() {
    assert_few_errors(&|token| vec![token.clone(), token.clone()]);
}

#[test]
fn with_another_token() {
    assert_few_errors(&|_| vec![Punct::new('+', Spacing::Alone).into()]);
}
