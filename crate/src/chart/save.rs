//! A chart on the screen and in a file.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::figure::Chart;
use super::png::png;
use super::svg::svg;
use crate::display::{MimeBundle, Show, escaped};
use crate::error::{Error, ErrorKind, Result};

impl Show for Chart {
    /// An image inside the page, its data in words beside it, and the chart in text.
    fn mime_bundle(&self) -> MimeBundle {
        let shown = match svg(self) {
            Ok(svg) => format!(
                "<img style=\"max-width:100%;height:auto\" alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">",
                escaped(&format!("{}. {}", self.name(), self.description())),
                STANDARD.encode(svg)
            ),
            Err(error) => format!("<p>{}</p>", escaped(error.message())),
        };
        MimeBundle {
            html: format!(
                "<div class=\"evenhand tex2jax_ignore mathjax_ignore\" style=\"overflow:auto;margin-bottom:1em\">{shown}</div>"
            ),
            text: self.text(),
        }
    }
}

impl Chart {
    /// Writes the chart into a file: `.svg`, which is sharp at any size and holds its data in
    /// words, or `.png`, with twice as many pixels as the chart has on each side.
    ///
    /// # Errors
    /// Another ending (`ErrorKind::Argument`); a file that can't be written (`ErrorKind::Io`);
    /// in a PNG a letter that is neither Latin, Greek nor Cyrillic, which the font that ships
    /// does not hold (`ErrorKind::Display`).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let bytes = match ending.to_str() {
            Some("svg") => svg(self)?.into_bytes(),
            Some("png") => png(self)?,
            _ => {
                let message = format!("`{}` is neither `.svg` nor `.png`", path.display());
                return Err(Error::new(ErrorKind::Argument, message)
                    .with_hint("the ending of the name decides what is written"));
            }
        };
        fs::write(path, bytes).map_err(|error| {
            let message = format!("the chart can't be written to {}", path.display());
            Error::new(ErrorKind::Io, message).with_source(error)
        })
    }
}
