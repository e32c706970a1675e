//! Errors of the code that evcxr writes around a cell, which only repeat that the cell has another one.

use super::error::CellError;

/// Whether the error may only follow from another one: evcxr shows a last line in its `Debug` form, and
/// compiles a `?` in a function without a result, if it can't compile the cell as it is.
pub fn may_follow(error: &CellError) -> bool {
    let is_of_debug = error.value.contains("doesn't implement `Debug`");
    // In the reader's own code, the place is quoted below the message.
    let is_in_cell = error.traceback.len() > 1;
    let is_of_operator = error
        .value
        .starts_with("the `?` operator can only be used in ");
    (is_of_debug && !is_in_cell) || is_of_operator
}

/// Of errors that have no other cause, the one in the reader's own code.
pub fn nearest(errors: Vec<CellError>) -> Option<CellError> {
    errors
        .into_iter()
        .max_by_key(|error| error.traceback.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_the_readers_own_code_follows_from_none() {
        let error = |value: &str, lines: &[&str]| CellError {
            name: "Error".to_owned(),
            value: value.to_owned(),
            traceback: lines.iter().map(ToString::to_string).collect(),
        };
        let debug = "`LazyFrame` doesn't implement `Debug`";
        assert!(may_follow(&error(debug, &[debug])));
        assert!(!may_follow(&error(
            debug,
            &[debug, "1 | println!(\"{lazy:?}\")"]
        )));
        let operator = "the `?` operator can only be used in a function that returns `Result`";
        assert!(may_follow(&error(operator, &[operator, "1 | f()?"])));
        assert!(!may_follow(&error(
            "mismatched types",
            &["mismatched types"]
        )));
    }
}
