//! The names that code in a cell and the kernel's wrapper share. The launcher uses them from here;
//! they are not part of the library's API.

mod table_script;

pub use table_script::{table_script, without_comments};

/// The variable with the token that marks the beginning of a line as a message for the kernel's
/// wrapper. The token is generated anew for each kernel, so that no text from a model can contain it.
pub const TOKEN_VARIABLE: &str = "EVENHAND_OUTPUTS";

/// What follows the token before a Jupyter message in JSON: `{"msg_type": .., "content": ..}`.
pub const SHOW: &str = "show ";

/// What follows the token before the message of an error that ends the cell, with `\\`, `\n` and `\r`
/// for a backslash and line ends.
pub const FAILED: &str = "error ";

/// The variable that names a file whose existence asks the work in this process to stop. The
/// wrapper creates the file when the user presses the stop button, because the only signal that
/// evcxr handles would discard all variables.
pub const STOP_FILE_VARIABLE: &str = "EVENHAND_STOP_FILE";

/// The variable that names the program that starts the local Spark engine: the launcher. Called with
/// `spark --for-parent`, it prints the engine's address, maybe a folder for its tables after it, and
/// ends with its standard input. `--master MASTER` asks for Apache Spark.
pub const SPARK_ENGINE_VARIABLE: &str = "EVENHAND_SPARK_ENGINE";

/// Whether the text is a master of Apache Spark on this machine: `local`, `local[N]`, `local[*]`,
/// `local[N,FAILURES]` or `local-cluster[WORKERS,CORES,MEGABYTES]`.
pub fn is_local_master(text: &str) -> bool {
    let numbers = |text: &str| {
        let numbers: Option<Vec<u32>> = text.split(',').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| !numbers.contains(&0))
    };
    let inside = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(']');
    if let Some(cluster) = inside("local-cluster[") {
        return numbers(cluster).is_some_and(|numbers| numbers.len() == 3);
    }
    match inside("local[") {
        Some(inside) => {
            let (cores, failures) = inside.split_once(',').unwrap_or((inside, "1"));
            (cores == "*" || numbers(cores).is_some_and(|numbers| numbers.len() == 1))
                && numbers(failures).is_some_and(|numbers| numbers.len() == 1)
        }
        None => text == "local",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_of_this_machine_are_told_from_all_others() {
        for text in [
            "local",
            "local[*]",
            "local[4]",
            "local[*,3]",
            "local-cluster[2,1,768]",
        ] {
            assert!(is_local_master(text), "{text}");
        }
        for text in [
            "",
            "local[]",
            "local[0]",
            "local[-1]",
            "local[1,2,3]",
            "local[2",
            "local[2]; rm",
            "local-cluster[2,1]",
            "localhost",
            "sc://localhost",
            "yarn",
            "spark://local[2]",
        ] {
            assert!(!is_local_master(text), "{text}");
        }
    }
}
