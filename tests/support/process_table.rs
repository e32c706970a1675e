//! What `/proc` says about the processes of this machine. Without it, there are none.

/// The processes whose fields are meant: their state, parent, group, and so on.
pub(crate) fn processes(is_meant: impl Fn(&[&str]) -> bool) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // The name in parentheses may contain anything, so the fields begin after it.
            let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            is_meant(&fields.split_whitespace().collect::<Vec<_>>())
        })
        .collect()
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    processes(|fields| fields.get(1) == Some(&parent.as_str()))
}
