// The cell that measures, behind lines that set PYTHON, SCRIPT and FOLDER.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each way reads each file.
const TURNS: usize = 5;

/// The seconds and the rows of evenhand.
fn ours(path: &str, way: &str) -> std::result::Result<(f64, usize), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let frame = match way {
        "eager" => read(path)?,
        _ => {
            let few = scan(path)?.filter(col("score").gt(lit(0.9)));
            few.select([col("id"), col("text")]).collect()?
        }
    };
    Ok((began.elapsed().as_secs_f64(), frame.height()))
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn measure() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut peer = Command::new(PYTHON)
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut asked = peer.stdin.take().ok_or("no input")?;
    let mut answers = BufReader::new(peer.stdout.take().ok_or("no output")?).lines();
    for ending in ["csv", "jsonl"] {
        let path = format!("{FOLDER}/large.{ending}");
        // The first reading of all brings the file into memory.
        std::io::copy(&mut std::fs::File::open(&path)?, &mut std::io::sink())?;
        for way in ["eager", "lazy"] {
            let (mut best, mut their_best) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..TURNS {
                let (seconds, rows) = ours(&path, way)?;
                writeln!(asked, "{way} {path}")?;
                let answer = answers.next().ok_or("the peer has ended")??;
                let (their_seconds, their_rows) = answer.split_once(' ').ok_or("no answer")?;
                if rows.to_string() != their_rows {
                    return Err(format!("{rows} rows, not {their_rows}").into());
                }
                best = best.min(seconds);
                their_best = their_best.min(their_seconds.parse()?);
            }
            println!(
                "{ending} {way}: {best:.2} s, polars in Python {their_best:.2} s, {:.2} times (load {})",
                best / their_best,
                load()
            );
        }
    }
    drop(asked);
    peer.wait()?;
    Ok(())
}

measure()?;
