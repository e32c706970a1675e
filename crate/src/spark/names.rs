//! Names of columns and tables in SQL.

/// A column's name as SQL takes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A table's name, whose parts are separated by dots. Parts in backticks stay as they are.
pub(super) fn quoted_path(name: &str) -> String {
    if name.contains('`') {
        return name.to_owned();
    }
    let parts: Vec<String> = name.split('.').map(quoted).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(quoted("a`b; drop"), "`a``b; drop`");
        assert_eq!(quoted_path("lab.answers"), "`lab`.`answers`");
        assert_eq!(quoted_path("`a.b`.c"), "`a.b`.c");
    }
}
