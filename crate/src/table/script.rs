//! The script and its style, which an output contains once, however many tables it has.

use std::sync::LazyLock;

use crate::display::SHARED_BLOCK;
use crate::sideband::{table_script, without_comments};

/// The style and the script, without comments and indentation.
pub(super) fn block() -> &'static str {
    static BLOCK: LazyLock<String> = LazyLock::new(|| {
        let style = without_comments(include_str!("style.css"));
        let script = table_script();
        format!("{SHARED_BLOCK}{style}</style><script>{script}</script>")
    });
    &BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_small() {
        assert!(block().len() < 25_500, "{}", block().len());
        assert!(!block().contains("EVCXR_") && !block().contains("http"));
    }
}
