//! Finding the entry of a word. Every line of a file asks for one.

use std::sync::LazyLock;

use super::{Block, Keyword};

/// The entries of a block, by the length of their names: only a few have the same.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_length: Vec<Vec<&'static Keyword>>,
}

impl Names {
    fn of(block: Block) -> Self {
        let mut names = Self::default();
        for keyword in block.keywords() {
            let length = keyword.name.len();
            if names.by_length.len() <= length {
                names.by_length.resize(length + 1, Vec::new());
            }
            if let Some(same) = names.by_length.get_mut(length) {
                same.push(keyword);
            }
        }
        names
    }

    /// The entry of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'static Keyword> {
        self.by_length.get(name.len())?.iter().copied().find(|keyword| keyword.name == name)
    }
}

/// The entries of `block`.
pub(crate) fn names(block: Block) -> &'static Names {
    // In the order of the blocks. There are so many that a map takes longer.
    static NAMES: LazyLock<Vec<(Block, Names)>> = LazyLock::new(|| {
        let mut names: Vec<_> = Block::ALL.iter().map(|&block| (block, Names::of(block))).collect();
        names.sort_by_key(|(block, _)| *block);
        names
    });
    static NONE: Names = Names { by_length: Vec::new() };
    let index = NAMES.binary_search_by_key(&block, |(block, _)| *block).ok();
    index.and_then(|index| NAMES.get(index)).map_or(&NONE, |(_, names)| names)
}
