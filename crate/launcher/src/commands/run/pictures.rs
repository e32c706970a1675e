//! The pictures that a notebook's Markdown names: files beside the notebook, which its page contains.

use std::fs;
use std::path::{Component, Path, PathBuf};

use evenhand::base64_encoding::base64;

use crate::commands::percent_encoding::percent_encoded;
use crate::error::{Context, Result};
use crate::jupyter::notebook::{Notebook, on_a_line};

/// The kinds of pictures that browsers show, by the endings of their files.
const KINDS: [(&str, &str); 6] = [
    ("gif", "gif"),
    ("jpeg", "jpeg"),
    ("jpg", "jpeg"),
    ("png", "png"),
    ("svg", "svg+xml"),
    ("webp", "webp"),
];

/// What the converter leaves as it is in an address, besides letters, digits and `-._~`.
const KEPT: &[u8] = b":/?#@!$&()*+,;='%";

/// The size limit of a picture, in bytes.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// The page with the pictures in it. What is outside of the notebook's folder is left out, also where a
/// link leads there: the page may be passed on.
///
/// nbconvert could embed them, but it completes each piece of HTML in a line of Markdown by itself, so that
/// `<b>word</b>` becomes `<b></b>word`.
pub(super) fn embedded(mut page: String, notebook: &Notebook) -> Result<String> {
    let Ok(folder) = notebook.folder().canonicalize() else {
        return Ok(page);
    };
    for markdown in notebook.markdown() {
        for name in named(&markdown) {
            let Some((file, kind)) = inside(&folder, name) else {
                continue;
            };
            let attribute = |name: &str| format!(" src=\"{}\"", name.replace('&', "&amp;"));
            let spellings = [
                attribute(name),
                attribute(&percent_encoded(name.as_bytes(), KEPT)),
            ];
            if !spellings.iter().any(|one| page.contains(one)) {
                continue;
            }
            let picture = fs::read(&file)
                .with_context(|| format!("cannot read the picture {}", on_a_line(&file)))?;
            let data = attribute(&format!("data:image/{kind};base64,{}", base64(&picture)));
            for spelling in spellings {
                page = page.replace(&spelling, &data);
            }
        }
    }
    Ok(page)
}

/// The picture with this relative path and its kind, if it is one that may be in the page.
fn inside(folder: &Path, name: &str) -> Option<(PathBuf, &'static str)> {
    let path = Path::new(name);
    let is_plain = |component| matches!(component, Component::Normal(_));
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let (_, kind) = KINDS.iter().find(|(ending, _)| *ending == extension)?;
    if !path.components().all(is_plain) {
        return None;
    }
    let file = folder.join(path).canonicalize().ok()?;
    let found = fs::metadata(&file).ok()?;
    let may_be = file.starts_with(folder) && found.is_file() && found.len() <= MAX_SIZE;
    may_be.then_some((file, *kind))
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
    fn only_pictures_beside_the_notebook_are_in_the_page() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("notebooks");
        fs::create_dir_all(folder.join("figures")).unwrap();
        for file in [
            "notebooks/a.png",
            "notebooks/figures/b.SVG",
            "notebooks/c.txt",
            "notebooks/é.png",
            "secret.png",
        ] {
            fs::write(place.path().join(file), file).unwrap();
        }
        std::os::unix::fs::symlink("../secret.png", folder.join("link.png")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.join("zero.png")).unwrap();
        let outside = place.path().join("secret.png");
        let markdown = format!(
            "![](a.png) ![](é.png) ![](figures/b.SVG) ![](c.txt) ![](../secret.png) ![]({}) ![](link.png) \
             ![](zero.png) ![](none.png) ![](figures/../a.png) ![](.) ![](http://host/a.png)",
            outside.display()
        );
        let text = serde_json::json!({
            "cells": [{"cell_type": "markdown", "metadata": {}, "source": markdown}],
            "metadata": {"kernelspec": {"name": "rust"}}, "nbformat": 4, "nbformat_minor": 5,
        });
        let notebook =
            Notebook::parse(&folder.join("a.ipynb"), text.to_string().as_bytes()).unwrap();
        let page = |names: &[&str]| {
            let images = names
                .iter()
                .map(|name| format!("<img alt=\"\" src=\"{name}\"/>"));
            images.collect::<String>()
        };
        let left = [
            "c.txt",
            "../secret.png",
            "link.png",
            "zero.png",
            "figures/../a.png",
        ];
        let html = page(&["a.png", "figures/b.SVG", "%C3%A9.png"]) + &page(&left);
        let data = |kind: &str, text: &str| {
            format!("data:image/{kind};base64,{}", base64(text.as_bytes()))
        };
        let pictures = [
            data("png", "notebooks/a.png"),
            data("svg+xml", "notebooks/figures/b.SVG"),
            data("png", "notebooks/é.png"),
        ];
        assert_eq!(
            embedded(html, &notebook).unwrap(),
            page(&pictures.each_ref().map(String::as_str)) + &page(&left)
        );
    }
}
