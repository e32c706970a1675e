//! Built-in data files: tab-separated fields, and comment lines that start with `#`.

/// The data lines, each as its first `N` fields; missing fields are empty.
pub(super) fn split_fields<const N: usize>(text: &str) -> impl Iterator<Item = [&str; N]> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('\t');
            std::array::from_fn(|_| fields.next().unwrap_or_default())
        })
}
