//! What a service's status means for the user: a kind, the first lines of the text, a hint.

use super::grpc::Fault;
use super::status::{
    CANCELLED, DEADLINE_EXCEEDED, NOT_FOUND, OUT_OF_RANGE, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
    Status, UNAUTHENTICATED, UNAVAILABLE, UNIMPLEMENTED,
};
use crate::error::{Error, ErrorKind};

/// How many lines of the service's text are shown. A plan follows, and a stack trace.
const LINES: usize = 12;

/// How many bytes of it.
const MAX_LENGTH: usize = 2_000;

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Cut(error) | Fault::Unusable(error) => error,
            Fault::Status(status) => error_of(status),
        }
    }
}

/// The error for a status. The whole text of the service is its source.
pub(crate) fn error_of(status: Status) -> Error {
    let (kind, message) = (kind(&status), message(&status));
    let mut error = Error::new(kind, message).with_code(status.class.clone());
    if let Some(hint) = hint(&status) {
        error = error.with_hint(hint);
    }
    error.with_source(status.message)
}

fn kind(status: &Status) -> ErrorKind {
    let state = status.sql_state.as_deref().unwrap_or_default();
    if is_missing(status) {
        return ErrorKind::NotFound;
    }
    match status.code {
        _ if state == "HY008" || status.is_of_class("OPERATION_CANCELED") => ErrorKind::Cancelled,
        CANCELLED => ErrorKind::Cancelled,
        DEADLINE_EXCEEDED => ErrorKind::Timeout,
        UNAUTHENTICATED => ErrorKind::Authentication,
        PERMISSION_DENIED => ErrorKind::PermissionDenied,
        RESOURCE_EXHAUSTED | OUT_OF_RANGE | UNIMPLEMENTED => ErrorKind::BadRequest,
        UNAVAILABLE => ErrorKind::Connection,
        NOT_FOUND => ErrorKind::NotFound,
        // 22: the data do not allow it; 42: the query is wrong.
        _ if ["22", "42", "0A", "21", "3D", "3F"]
            .iter()
            .any(|class| state.starts_with(class)) =>
        {
            ErrorKind::BadRequest
        }
        _ if status.class.is_some() || is_analysis(&status.message) => ErrorKind::BadRequest,
        _ => ErrorKind::Server,
    }
}

fn is_missing(status: &Status) -> bool {
    [
        "TABLE_OR_VIEW_NOT_FOUND",
        "PATH_NOT_FOUND",
        "SCHEMA_NOT_FOUND",
    ]
    .iter()
    .any(|class| status.is_of_class(class))
}

/// Sail's words for a query that is wrong.
fn is_analysis(message: &str) -> bool {
    [
        "invalid argument",
        "analysis error",
        "error in SQL parser",
        "Schema error",
        "missing argument",
        "cannot resolve",
        "missing from the schema",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// The first lines of the service's text.
fn message(status: &Status) -> String {
    let text = status.message.trim();
    if text.is_empty() {
        return format!(
            "the Spark server failed without a message (gRPC status {})",
            status.code
        );
    }
    // What follows the state is the plan, and after it the trace of the server's own program.
    let end = text.find("\n\tat ").unwrap_or(text.len());
    let text = &text[..end];
    let mut lines = Vec::new();
    let mut room = MAX_LENGTH;
    for line in text.lines() {
        let is_plan = !lines.is_empty() && (line.starts_with('\'') || line.starts_with("+- "));
        if lines.len() == LINES || is_plan {
            break;
        }
        let line = line.trim_end();
        let part = &line[..line.floor_char_boundary(room)];
        lines.push(part);
        if part.len() < line.len() {
            break;
        }
        room -= part.len();
    }
    while lines
        .last()
        .is_some_and(|line| line.trim_end_matches(';').is_empty())
    {
        lines.pop();
    }
    lines.join("\n")
}

/// The hints by class. The first that fits is given.
const HINTS: [(&str, &str); 22] = [
    (
        "TABLE_OR_VIEW_NOT_FOUND",
        "`spark.sql(\"show tables\")?` lists what there is; a temporary view lives only in its session: \
         `df.create_or_replace_temp_view(name)?` makes it again",
    ),
    (
        "UNRESOLVED_COLUMN",
        "`df.schema()?` lists the columns; in SQL, a string goes in single quotes, and a name \
         with a space in `backticks`",
    ),
    (
        "PARSE_SYNTAX_ERROR",
        "the message names the line and the position; a keyword used as a name goes in `backticks`",
    ),
    (
        "UNRESOLVED_ROUTINE",
        "check the function's name: `spark.sql(\"show functions\")?` lists them",
    ),
    (
        "DIVIDE_BY_ZERO",
        "`try_divide(a, b)` yields null where b is 0",
    ),
    (
        "CAST_INVALID_INPUT",
        "`try_cast(x as ..)` yields null where the text is malformed",
    ),
    (
        "ARITHMETIC_OVERFLOW",
        "cast to a wider type first, or use `try_add`, `try_multiply`",
    ),
    (
        "AMBIGUOUS_REFERENCE",
        "both sides have such a column: name them with `.alias(\"a\")` and `col(\"a.name\")`, or join with the names of the columns",
    ),
    (
        "PATH_NOT_FOUND",
        "a path refers to the machine on which the server runs",
    ),
    (
        "PATH_ALREADY_EXISTS",
        "`.mode(SaveMode::Overwrite)` replaces what is there, `.mode(SaveMode::Append)` adds to it",
    ),
    (
        "TABLE_OR_VIEW_ALREADY_EXISTS",
        "`.mode(SaveMode::Overwrite)` replaces what is there; of views, `create_or_replace_temp_view` does",
    ),
    (
        "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
        "`create_or_replace_temp_view` replaces it",
    ),
    (
        "DATATYPE_MISMATCH",
        "cast one side: `col(\"a\").cast(\"bigint\")`",
    ),
    (
        "MISSING_AGGREGATION",
        "a column that is not grouped by needs an aggregate such as `first(..)`",
    ),
    (
        "DATA_SOURCE_NOT_FOUND",
        "the server lacks this format; Delta needs its package on Spark (`--packages io.delta:..`), and \
         the local engine has it",
    ),
    (
        "UNBOUND_SQL_PARAMETER",
        "give its value: `spark.sql_with(query, [(\"name\", lit(..))])?`",
    ),
    (
        "COLUMN_ALREADY_EXISTS",
        "give the columns different names with AS, or `.alias(..)`",
    ),
    (
        "INVALID_HANDLE",
        "the server has closed the session or the query: make the call again",
    ),
    (
        "UNSUPPORTED_FEATURE",
        "this server can't do it; another engine may",
    ),
    (
        "NUM_COLUMNS_MISMATCH",
        "both sides need the same columns: `.select(..)` them",
    ),
    (
        "DELTA_CONCURRENT",
        "another writer changed the table in the meantime: run it again",
    ),
    (
        "INCOMPATIBLE_DATA_FOR_TABLE",
        "the frame's columns or types differ from the table's: `.select(..)` and `.cast(..)` them",
    ),
];

/// Sail's and the server's own words, where there is no class.
const HINTS_BY_WORDS: [(&str, &str); 12] = [
    (
        "stopped SparkContext",
        "the server ran out of memory, or was stopped: restart it",
    ),
    ("table not found", HINTS[0].1),
    ("No table named", HINTS[0].1),
    ("No field named", HINTS[1].1),
    ("cannot resolve attribute", HINTS[1].1),
    ("error in SQL parser", HINTS[2].1),
    ("invalid argument: found", HINTS[2].1),
    ("divide by zero", HINTS[4].1),
    ("already exists", HINTS[9].1),
    ("unknown function", HINTS[3].1),
    (
        "OutOfMemory",
        "the server ran out of memory: give it more, or work on a part of the data",
    ),
    (
        "Object Store error",
        "check the path, which refers to the machine on which the server runs, and its credentials",
    ),
];

fn hint(status: &Status) -> Option<&'static str> {
    let by_class = HINTS.iter().find(|(class, _)| status.is_of_class(class));
    let by_words = || {
        HINTS_BY_WORDS
            .iter()
            .find(|(words, _)| status.message.contains(words))
    };
    let by_code = || match status.code {
        UNAUTHENTICATED => Some("renew the token, and write it into SPARK_REMOTE as `;token=..`"),
        PERMISSION_DENIED => Some("ask for the right to use the table or the cluster"),
        UNIMPLEMENTED => Some("this server can't do it; another engine may"),
        RESOURCE_EXHAUSTED | OUT_OF_RANGE => Some(
            "the message is too large: write the data to a parquet file, and read it with `spark.read()`",
        ),
        UNAVAILABLE => Some("check whether the server still runs"),
        _ => None,
    };
    by_class
        .or_else(by_words)
        .map(|(_, hint)| *hint)
        .or_else(by_code)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn status(code: i32, class: &str, state: &str, message: &str) -> Status {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Status {
            code,
            message: message.to_owned(),
            class: text(class),
            sql_state: text(state),
            error_id: None,
        }
    }

    #[test]
    fn the_plan_and_the_trace_are_left_out() {
        let error = error_of(status(
            13,
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            "42703",
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `x` cannot be resolved. SQLSTATE: 42703; line 10 pos 7;\n\
             'Project ['x]\n+- OneRowRelation\n\n\tat org.apache.spark.sql.Dataset\n",
        ));
        assert_snapshot!(error, @r#"
        [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `x` cannot be resolved. SQLSTATE: 42703; line 10 pos 7;
          hint: `df.schema()?` lists the columns; in SQL, a string goes in single quotes, and a name with a space in `backticks`
        "#);
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert_eq!(error.code(), Some("UNRESOLVED_COLUMN.WITH_SUGGESTION"));
        let source = std::error::Error::source(&error).unwrap();
        assert!(
            source.to_string().contains("org.apache"),
            "all of it is the source"
        );
    }

    #[test]
    fn kinds_follow_the_class_the_state_and_the_code() {
        for (code, class, state, text, kind) in [
            (
                13,
                "TABLE_OR_VIEW_NOT_FOUND",
                "42P01",
                "x",
                ErrorKind::NotFound,
            ),
            (13, "DIVIDE_BY_ZERO", "22012", "x", ErrorKind::BadRequest),
            (1, "OPERATION_CANCELED", "HY008", "x", ErrorKind::Cancelled),
            (16, "", "", "x", ErrorKind::Authentication),
            (7, "", "", "x", ErrorKind::PermissionDenied),
            (12, "", "", "x", ErrorKind::BadRequest),
            (13, "", "", "invalid argument: x", ErrorKind::BadRequest),
            (
                13,
                "",
                "",
                "internal error: attribute ObjectName([x]) is missing from the schema: cannot resolve attribute",
                ErrorKind::BadRequest,
            ),
            (
                13,
                "",
                "",
                "java.lang.OutOfMemoryError: Java heap space",
                ErrorKind::Server,
            ),
        ] {
            assert_eq!(
                error_of(status(code, class, state, text)).kind(),
                kind,
                "{class} {text}"
            );
        }
        let silent = error_of(status(2, "", "", ""));
        assert!(silent.message().contains("gRPC status 2"));
        assert!(error_of(status(13, "", "", "OutOfMemory")).hint().is_some());
    }

    proptest! {
        #[test]
        fn any_text_has_an_error(text: String, code: i32, times in 1_usize..200) {
            let error = error_of(status(code, "", "", &text.repeat(times)));
            prop_assert!(error.message().len() < 10_000);
        }
    }
}
