//! The pictures that a notebook's Markdown names: files beside the notebook, which its page contains.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::error::{Context, Result};
use crate::jupyter::notebook::{Notebook, on_a_line};
use crate::paths::home::private;

/// The kinds of pictures that browsers show.
const KINDS: [&str; 6] = ["gif", "jpeg", "jpg", "png", "svg", "webp"];

/// The size limit of a picture, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Copies the pictures into this folder, at the same relative paths, where the converter finds them.
/// What is outside of the notebook's folder is left out, also where a link leads there: the page may
/// be passed on.
pub(super) fn copy(notebook: &Notebook, to: &Path) -> Result<()> {
    let Ok(folder) = notebook.folder().canonicalize() else {
        return Ok(());
    };
    for markdown in notebook.markdown() {
        for name in named(&markdown) {
            let Some(file) = inside(&folder, name) else {
                continue;
            };
            let copy = to.join(name);
            if copy.exists() {
                continue;
            }
            let context = || format!("cannot copy the picture {}", on_a_line(&file));
            private::create_folder(copy.parent().unwrap_or(to)).with_context(context)?;
            fs::copy(&file, &copy).with_context(context)?;
        }
    }
    Ok(())
}

/// The picture with this relative path, if it is one that may be in the page.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let is_plain = |component| matches!(component, Component::Normal(_));
    let kind = path.extension()?.to_str()?.to_ascii_lowercase();
    if !path.components().all(is_plain) || !KINDS.contains(&kind.as_str()) {
        return None;
    }
    let file = folder.join(path).canonicalize().ok()?;
    let found = fs::metadata(&file).ok()?;
    (file.starts_with(folder) && found.is_file() && found.len() <= LARGEST).then_some(file)
}

/// The addresses in `![..](address)` and `<img src="address">`.
fn named(markdown: &str) -> impl Iterator<Item = &str> {
    let of_markdown = markdown.split("](").skip(1);
    let of_markdown = of_markdown.filter_map(|rest| rest.split([')', ' ', '\n']).next());
    let of_html = markdown.split("src=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    });
    of_markdown.chain(of_html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_addresses() {
        let markdown = "![a](one.png) [b](two.md) ![c](three.svg \"title\")\n<img src=\"four.jpg\"> <img src='five.gif'> ![";
        let found: Vec<_> = named(markdown).collect();
        assert_eq!(
            found,
            ["one.png", "two.md", "three.svg", "four.jpg", "five.gif"]
        );
    }

    #[test]
    fn only_pictures_beside_the_notebook_are_copied() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("notebooks");
        fs::create_dir_all(folder.join("figures")).unwrap();
        for file in [
            "notebooks/a.png",
            "notebooks/figures/b.SVG",
            "notebooks/c.txt",
            "secret.png",
        ] {
            fs::write(place.path().join(file), file).unwrap();
        }
        std::os::unix::fs::symlink("../secret.png", folder.join("link.png")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("zero.png")).unwrap();
        let outside = place.path().join("secret.png");
        let markdown = format!(
            "![](a.png) ![](figures/b.SVG) ![](c.txt) ![](../secret.png) ![]({}) ![](link.png) \
             ![](zero.png) ![](none.png) ![](figures/../a.png) ![](.) ![](http://host/a.png)",
            outside.display()
        );
        let text = serde_json::json!({
            "cells": [{"cell_type": "markdown", "metadata": {}, "source": markdown}],
            "metadata": {"kernelspec": {"name": "rust"}}, "nbformat": 4, "nbformat_minor": 5,
        });
        let notebook =
            Notebook::parse(&folder.join("a.ipynb"), text.to_string().as_bytes()).unwrap();
        let copies = tempfile::tempdir().unwrap();
        copy(&notebook, copies.path()).unwrap();
        let list = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(list(copies.path()), ["a.png", "figures"]);
        assert_eq!(list(&copies.path().join("figures")), ["b.SVG"]);
    }
}
