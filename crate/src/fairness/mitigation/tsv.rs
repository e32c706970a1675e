//! Shipped data: lines of fields with tabs between, and comments that start with `#`.

/// The lines that hold data, each as its first `N` fields; a field that is not there is empty.
pub(super) fn lines<const N: usize>(text: &str) -> impl Iterator<Item = [&str; N]> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('\t');
            std::array::from_fn(|_| fields.next().unwrap_or_default())
        })
}
