//! Hints about polars: which part of it a method is in that is not compiled in, and where its other
//! names are.

/// The toolkit's feature that compiles all of them.
const FULL: &str = "polars-full";

/// The features of polars that are not compiled in, and the methods of expressions in each.
const PARTS: [(&str, &[&str]); 33] = [
    ("arg_where", &["arg_where"]),
    ("array_to_struct", &["to_struct"]),
    (
        "binary_encoding",
        &["base64_decode", "hex_decode", "reinterpret"],
    ),
    ("business", &["add_business_days", "is_business_day"]),
    ("cutqcut", &["cut", "qcut", "qcut_uniform"]),
    ("dtype-array", &["arr", "reshape", "to_array"]),
    ("ewma", &["ewm_mean", "ewm_std", "ewm_sum", "ewm_var"]),
    ("ewma_by", &["ewm_mean_by", "ewm_sum_by"]),
    (
        "find_many",
        &["contains_any", "extract_many", "find_many", "replace_many"],
    ),
    ("hist", &["hist"]),
    ("index_of", &["index_of"]),
    ("interpolate_by", &["interpolate_by"]),
    ("is_close", &["is_close"]),
    ("is_last_distinct", &["is_last_distinct"]),
    ("list_count", &["count_matches"]),
    ("list_drop_nulls", &["drop_nulls"]),
    ("list_gather", &["gather_every"]),
    ("list_sample", &["sample_fraction", "sample_n"]),
    (
        "list_sets",
        &[
            "set_difference",
            "set_intersection",
            "set_symmetric_difference",
            "union",
        ],
    ),
    ("moment", &["kurtosis", "skew"]),
    ("month_end", &["month_end"]),
    ("month_start", &["month_start"]),
    ("offset_by", &["offset_by"]),
    ("pct_change", &["pct_change"]),
    ("peaks", &["peak_max", "peak_min"]),
    ("random", &["shuffle", "sample_frac"]),
    ("repeat_by", &["repeat_by"]),
    ("rle", &["rle", "rle_id"]),
    (
        "rolling_window",
        &[
            "rolling_map",
            "rolling_max",
            "rolling_mean",
            "rolling_median",
            "rolling_min",
            "rolling_quantile",
            "rolling_std",
            "rolling_sum",
            "rolling_var",
        ],
    ),
    ("row_hash", &["hash"]),
    ("search_sorted", &["search_sorted"]),
    ("sign", &["sign"]),
    (
        "trigonometry",
        &[
            "arccos", "arcsin", "arctan", "arctan2", "cos", "cosh", "cot", "degrees", "radians",
            "sin", "sinh", "tan", "tanh",
        ],
    ),
];

/// Parts of two words that belong to a text's own methods.
const OF_TEXTS: [(&str, &[&str]); 3] = [
    ("string_encoding", &["base64_encode", "hex_encode"]),
    ("string_normalize", &["normalize"]),
    ("string_reverse", &["reverse"]),
];

const QUERY: &str =
    "it is a part of a query: `df.lazy().group_by([col(\"x\")]).agg([col(\"y\").mean()])`";
const ROWS: &str =
    "a column has its values, `df.column(\"x\")?.f64()?.iter()`, and `df.get_row(0)?` is a row";

/// Methods for which something else is at hand.
const INSTEAD: [(&str, &str); 24] = [
    (
        "to_integer",
        "`.cast(DataType::Int64)` on the strings themselves parses decimal numbers",
    ),
    (
        "group_by_dynamic",
        "polars has it only with packages that the toolkit leaves out; \
         `.group_by([col(\"day\").dt().truncate(lit(\"1mo\"))])` groups by months",
    ),
    (
        "json_decode",
        "polars has it only with packages that the toolkit leaves out; `read(\"name.jsonl\")?` \
         reads objects, and `serde_json` parses strings",
    ),
    (
        "json_path_match",
        "polars has it only with packages that the toolkit leaves out; `read(\"name.jsonl\")?` \
         reads objects, and `serde_json` parses strings",
    ),
    (
        "semi_join",
        "`.join(other, [col(\"id\")], [col(\"id\")], JoinArgs::new(JoinType::Semi))` does it",
    ),
    (
        "anti_join",
        "`.join(other, [col(\"id\")], [col(\"id\")], JoinArgs::new(JoinType::Anti))` does it",
    ),
    (
        "to_titlecase",
        "polars has it only for a nightly compiler; `.str().to_uppercase()` and `.str().to_lowercase()` are here",
    ),
    ("describe", "it is a function: `describe(&df)?`"),
    ("agg", QUERY),
    ("groupby", QUERY),
    ("group_by", QUERY),
    ("with_columns", QUERY),
    (
        "join",
        "two frames are joined as queries: `a.lazy().join(b.lazy(), [col(\"id\")], [col(\"id\")], \
         Default::default())`",
    ),
    ("is_empty", "it is `df.height() == 0`"),
    ("iter_rows", ROWS),
    ("iterrows", ROWS),
    (
        "value_counts",
        "it counts in a query: `df.lazy().select([col(\"x\").value_counts(true, false, \"count\", false)])`",
    ),
    (
        "mean",
        "a column computes as a series: `.as_materialized_series()` before it",
    ),
    (
        "median",
        "a column computes as a series: `.as_materialized_series()` before it",
    ),
    ("to_csv", "`save(&df, \"name.csv\")?` writes a frame"),
    ("write_csv", "`save(&df, \"name.csv\")?` writes a frame"),
    (
        "write_ndjson",
        "`save(&df, \"name.jsonl\")?` writes a frame",
    ),
    ("write_json", "`save(&df, \"name.jsonl\")?` writes a frame"),
    (
        "write_parquet",
        "`save(&df, \"name.parquet\")?` writes a frame",
    ),
];

/// Functions and types of polars, here and in Python, and what is at hand for them.
const FUNCTIONS: [(&str, &str); 15] = [
    ("read_csv", "`read(\"name.csv\")?` reads a file"),
    ("read_ndjson", "`read(\"name.jsonl\")?` reads a file"),
    ("read_json", "`read(\"name.jsonl\")?` reads a file"),
    ("read_parquet", "`read(\"name.parquet\")?` reads a file"),
    ("scan_csv", "`scan(\"name.csv\")?` reads a file lazily"),
    ("scan_ndjson", "`scan(\"name.jsonl\")?` reads a file lazily"),
    (
        "scan_parquet",
        "`scan(\"name.parquet\")?` reads a file lazily",
    ),
    ("write_csv", "`save(&df, \"name.csv\")?` writes a frame"),
    ("CsvReader", "`read(\"name.csv\")?` reads a file"),
    ("JsonLineReader", "`read(\"name.jsonl\")?` reads a file"),
    ("JsonReader", "`read(\"name.jsonl\")?` reads a file"),
    ("LazyCsvReader", "`scan(\"name.csv\")?` reads a file lazily"),
    (
        "LazyJsonLineReader",
        "`scan(\"name.jsonl\")?` reads a file lazily",
    ),
    (
        "cov",
        "a covariance is `((col(\"x\") - col(\"x\").mean()) * (col(\"y\") - col(\"y\").mean())).mean()`",
    ),
    (
        "pearson_corr",
        "a correlation is `((col(\"x\") - col(\"x\").mean()) * (col(\"y\") - col(\"y\").mean())).mean() / \
         (col(\"x\").std(0) * col(\"y\").std(0))`",
    ),
];

/// Names of polars that its prelude has, and the toolkit's does not.
const NAMES: [&str; 52] = [
    "all",
    "all_horizontal",
    "any_horizontal",
    "as_struct",
    "by_name",
    "coalesce",
    "cols",
    "concat",
    "concat_list",
    "concat_str",
    "date_range",
    "datetime",
    "dtype_col",
    "dtype_cols",
    "duration",
    "fold_exprs",
    "len",
    "max_horizontal",
    "mean_horizontal",
    "min_horizontal",
    "nth",
    "pivot",
    "sum_horizontal",
    "ternary_expr",
    "when",
    "Categories",
    "ChunkAgg",
    "ChunkCompareEq",
    "ChunkCompareIneq",
    "CsvParseOptions",
    "CsvReadOptions",
    "CsvWriter",
    "ExplodeOptions",
    "Field",
    "FillNullStrategy",
    "Int32Chunked",
    "Int64Chunked",
    "InterpolationMethod",
    "JoinArgs",
    "JoinType",
    "NullValues",
    "PlSmallStr",
    "QuantileMethod",
    "RankMethod",
    "RankOptions",
    "RoundMode",
    "Schema",
    "SortOptions",
    "StringChunked",
    "StrptimeOptions",
    "TimeUnit",
    "UnpivotArgsDSL",
];

/// The types of polars, as the compiler's messages end their names.
const TYPES: [&str; 10] = [
    "Expr`",
    "NameSpace`",
    "LazyFrame`",
    "LazyGroupBy`",
    "DataFrame`",
    "Series`",
    "Column`",
    "Selector`",
    "ListChunked`",
    "ChunkedArray<",
];

/// How the compiler begins to say that it does not know a name.
const UNKNOWN: [&str; 6] = [
    "cannot find function `",
    "cannot find type `",
    "use of undeclared type `",
    "cannot find value `",
    "cannot find struct, variant or union type `",
    "cannot find `",
];

/// A hint, if the message is about a name of polars that is not here.
pub fn hint(message: &str) -> Option<String> {
    if let Some(method) = between(message, "no method named `") {
        return method_hint(message, method);
    }
    let shown = |hint: &str| Some(format!("  hint: {hint}"));
    let name = UNKNOWN.iter().find_map(|begin| between(message, begin))?;
    if let Some((_, hint)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
        return shown(hint);
    }
    NAMES.contains(&name).then(|| {
        format!(
            "  hint: `{name}` is one of polars' other names: `use evenhand::polars::prelude::*;`"
        )
    })
}

fn method_hint(message: &str, method: &str) -> Option<String> {
    let is_of_polars = TYPES.iter().any(|name| message.contains(name));
    if !is_of_polars {
        return None;
    }
    if let Some((_, hint)) = INSTEAD.iter().find(|(name, _)| *name == method) {
        return Some(format!("  hint: {hint}"));
    }
    let is_of_texts = message.contains("StringNameSpace`");
    let of_texts = OF_TEXTS.iter().filter(|_| is_of_texts);
    let (part, _) = of_texts
        .chain(&PARTS)
        .find(|(_, methods)| methods.contains(&method))?;
    Some(format!(
        "  hint: `{method}` is in the part `{part}` of polars, which is not compiled in. Write `:dep evenhand \
         = {{ features = [\"{FULL}\"] }}` in the notebook's first cell, and restart the kernel: \
         that adds all of polars' functions on columns, and takes some minutes to compile, once"
    ))
}

/// The text between this beginning and the next backtick.
fn between<'a>(message: &'a str, begin: &str) -> Option<&'a str> {
    message.split_once(begin)?.1.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_compiled_in_has_a_part_and_a_way() {
        for (message, told) in [
            (
                "no method named `sin` found for enum `Expr` in the current scope",
                "part `trigonometry`",
            ),
            (
                "no method named `reverse` found for struct `StringNameSpace` in the current scope",
                "part `string_reverse`",
            ),
            (
                "no method named `anti_join` found for struct `LazyFrame` in the current scope",
                "JoinType::Anti",
            ),
            (
                "no method named `describe` found for struct `DataFrame` in the current scope",
                "describe(&df)?",
            ),
            (
                "cannot find function `concat_str` in this scope",
                "evenhand::polars::prelude::*",
            ),
            (
                "cannot find function `read_csv` in this scope",
                "`read(\"name.csv\")?`",
            ),
            (
                "cannot find `LazyCsvReader` in `prelude`",
                "`scan(\"name.csv\")?`",
            ),
            (
                "cannot find function `pearson_corr` in module `evenhand::polars::prelude`",
                ".std(0)",
            ),
            (
                "no method named `groupby` found for struct `evenhand::prelude::DataFrame` in the current scope",
                "`df.lazy().group_by(",
            ),
            (
                "no method named `mean` found for enum `evenhand::prelude::Column` in the current scope",
                "`.as_materialized_series()`",
            ),
            (
                "use of undeclared type `JoinArgs`",
                "evenhand::polars::prelude::*",
            ),
        ] {
            let hint = hint(message).unwrap_or_default();
            assert!(
                hint.starts_with("  hint: ") && hint.contains(told),
                "{message}: {hint}"
            );
        }
    }

    #[test]
    fn each_part_is_in_the_feature_that_is_named_and_not_compiled_in() {
        let manifest = include_str!("../../../../Cargo.toml");
        let (before, full) = manifest.split_once(&format!("\n{FULL} = [")).unwrap();
        let (full, after) = full.split_once(']').unwrap();
        for (part, methods) in PARTS.iter().chain(&OF_TEXTS) {
            let named = format!("\"polars-expr/{part}\"");
            assert!(full.contains(&named), "{part}");
            let alone = format!("    \"{part}\",");
            assert!(
                !before.contains(&alone) && !after.contains(&alone),
                "{part}"
            );
            assert!(!methods.is_empty());
        }
    }

    #[test]
    fn methods_of_other_types_and_unknown_ones_have_none() {
        for message in [
            "no method named `sin` found for type `i32` in the current scope",
            "no method named `hash` found for struct `Person` in the current scope",
            "no method named `frobnicate` found for enum `Expr` in the current scope",
            "cannot find function `frobnicate` in this scope",
            "mismatched types",
        ] {
            assert_eq!(hint(message), None, "{message}");
        }
    }
}
