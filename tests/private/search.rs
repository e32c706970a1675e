//! A search for a text in everything below a folder, in every form in which a program may have kept it.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use evenhand::base64_encoding::base64;
use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

/// The most that is read of a compressed part.
const MAX_SIZE: usize = 64 << 20;

/// What lies below a folder and holds the text: in the content of a file, compressed or not, in a name, or
/// in the target of a link. Links are not followed, and a file with several names is read once.
pub(super) fn holders(folder: &Path, text: &str) -> Vec<PathBuf> {
    let forms = Forms::of(text);
    let mut found = Vec::new();
    forms.search(folder, &mut HashSet::new(), &mut found);
    found
}

/// The forms of the text.
struct Forms(Vec<Vec<u8>>);

impl Forms {
    fn of(text: &str) -> Self {
        let plain = text.as_bytes().to_vec();
        let utf16 = text.encode_utf16();
        let little = utf16.clone().flat_map(u16::to_le_bytes).collect();
        let big = utf16.flat_map(u16::to_be_bytes).collect();
        let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![plain, little, big, hex.into_bytes()];
        // Any number of bytes may be before it and after it.
        for before in 0..3 {
            let bytes = [vec![0; before], text.as_bytes().to_vec()].concat();
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            forms.push(base64(&bytes)[own].as_bytes().to_vec());
        }
        Self(forms)
    }

    fn search(&self, path: &Path, seen: &mut HashSet<(u64, u64)>, found: &mut Vec<PathBuf>) {
        match self.look(path, seen, found) {
            // What a kernel of another test has just removed is gone. Anything else that can't be
            // read would be unsearched.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                panic!("{}: {error}", path.display())
            }
            _ => {}
        }
    }

    fn look(
        &self,
        path: &Path,
        seen: &mut HashSet<(u64, u64)>,
        found: &mut Vec<PathBuf>,
    ) -> std::io::Result<()> {
        let about = fs::symlink_metadata(path)?;
        let name = path.file_name().unwrap_or_default();
        let mut holds = self.are_in(name.as_bytes());
        if about.is_symlink() {
            holds |= self.are_in(fs::read_link(path)?.as_os_str().as_bytes());
        } else if about.is_dir() {
            for entry in fs::read_dir(path)? {
                self.search(&entry?.path(), seen, found);
            }
        } else if about.is_file() && seen.insert((about.dev(), about.ino())) {
            let bytes = fs::read(path)?;
            holds |= self.are_in(&bytes) || uncompressed(&bytes).any(|part| self.are_in(&part));
        }
        if holds {
            found.push(path.to_owned());
        }
        Ok(())
    }

    /// Whether one of the forms is in these bytes, as they are or without what nobody sees.
    fn are_in(&self, bytes: &[u8]) -> bool {
        let has = |bytes: &[u8]| self.0.iter().any(|form| contains(bytes, form));
        has(bytes)
            || std::str::from_utf8(bytes).is_ok_and(|text| {
                let is_unseen = |c| {
                    matches!(
                        c,
                        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
                    )
                };
                let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
                seen.len() < text.len() && has(seen.as_bytes())
            })
    }
}

/// Whether the part is in the text, by the algorithm of Boyer, Moore and Horspool: gigabytes are
/// searched.
fn contains(text: &[u8], part: &[u8]) -> bool {
    let mut shifts = [part.len(); 256];
    for (at, byte) in part[..part.len() - 1].iter().enumerate() {
        shifts[usize::from(*byte)] = part.len() - 1 - at;
    }
    let mut end = part.len();
    while end <= text.len() {
        let last = text[end - 1];
        if last == part[part.len() - 1] && text[..end].ends_with(part) {
            return true;
        }
        end += shifts[usize::from(last)];
    }
    false
}

/// The uncompressed parts of a file of gzip, zlib or zip, one after the other: all of them together may be
/// larger than the memory.
fn uncompressed(bytes: &[u8]) -> Box<dyn Iterator<Item = Vec<u8>> + '_> {
    let inflated = |data: &[u8]| decompress_to_vec_with_limit(data, MAX_SIZE).ok();
    match bytes {
        [0x1F, 0x8B, 8, flags, _, _, _, _, _, _, rest @ ..] => {
            // A name may come first, up to a zero.
            let name = rest
                .iter()
                .position(|byte| *byte == 0)
                .map_or(0, |end| end + 1);
            let data = if flags & 8 == 0 { rest } else { &rest[name..] };
            Box::new(inflated(data).into_iter())
        }
        [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..] => {
            let part = decompress_to_vec_zlib_with_limit(bytes, MAX_SIZE);
            Box::new(part.ok().into_iter())
        }
        [b'P', b'K', 3, 4, ..] => {
            let begins = move |at: &usize| bytes[*at..].starts_with(b"PK\x03\x04");
            let entries = (0..bytes.len()).filter(begins);
            let data = move |at: usize| {
                let entry = &bytes[at..];
                let length = |at| {
                    Some(
                        usize::from(*entry.get::<usize>(at)?)
                            | usize::from(*entry.get(at + 1)?) << 8,
                    )
                };
                entry.get(30 + length(26)? + length(28)?..)
            };
            Box::new(entries.filter_map(data).filter_map(inflated))
        }
        _ => Box::new(std::iter::empty()),
    }
}

#[test]
fn a_planted_key_is_seen_wherever_it_lies() {
    const KEY: &str = "Planted-0123456789";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let around = format!("before {KEY} after");
    let utf16 = |to: fn(u16) -> [u8; 2]| around.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let python = format!(
        r#"
import gzip, os, sqlite3, sys, zipfile, zlib
os.chdir(sys.argv[1])
text = {around:?}
gzip.open("compressed.gz", "wt").write(text)
open("compressed", "wb").write(zlib.compress(text.encode()))
with zipfile.ZipFile("archive.whl", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("first", "a" * 1000)
    archive.writestr("folder/second", text)
database = sqlite3.connect("signatures.db")
database.execute("create table notes (text)")
database.execute("insert into notes values (?)", (text,))
database.commit()
"#
    );
    let made = std::process::Command::new("python3")
        .args(["-c", &python])
        .arg(folder.path())
        .status();
    assert!(made.unwrap().success());
    fs::create_dir_all(path("deep/.hidden")).unwrap();
    fs::create_dir(path(&format!("folder-{KEY}"))).unwrap();
    std::os::unix::fs::symlink(format!("/nowhere/{KEY}"), path("link")).unwrap();
    let hidden: String = KEY.chars().flat_map(|c| [c, '\u{200B}']).collect();
    for (name, bytes) in [
        ("plain", around.clone().into_bytes()),
        ("deep/.hidden/.env", KEY.into()),
        (
            "binary",
            [&[0, 255, 254][..], KEY.as_bytes(), &[0]].concat(),
        ),
        ("utf16le", utf16(u16::to_le_bytes)),
        ("utf16be", [vec![1], utf16(u16::to_be_bytes)].concat()),
        ("split", hidden.into()),
        ("base64-0", base64(KEY.as_bytes()).into()),
        ("base64-1", base64(format!("u{KEY}").as_bytes()).into()),
        ("base64-2", base64(format!("us{KEY}x").as_bytes()).into()),
        ("clean", KEY[1..].into()),
    ] {
        fs::write(path(name), bytes).unwrap();
    }
    let mut found: Vec<_> = holders(folder.path(), KEY)
        .iter()
        .map(|path| {
            path.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "archive.whl",
            "base64-0",
            "base64-1",
            "base64-2",
            "binary",
            "compressed",
            "compressed.gz",
            "deep/.hidden/.env",
            "folder-Planted-0123456789",
            "link",
            "plain",
            "signatures.db",
            "split",
            "utf16be",
            "utf16le",
        ]
    );
}
