//! Showing a chart, and saving it to a file.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::figure::Chart;
use super::hover;
use super::png::png;
use super::svg::{document, svg};
use crate::display::{MimeBundle, Show, escaped};
use crate::error::{Error, ErrorKind, Result};

/// JupyterLab's dark theme does not tell the pictures on its page that it is dark.
const DARK: &str =
    "<style>[data-jp-theme-light=false] .evenhand-chart img{color-scheme:dark}</style>";

impl Show for Chart {
    /// An image embedded in the page, a description of its data in words, and the chart as text.
    fn mime_bundle(&self) -> MimeBundle {
        let shown = match document(self, true) {
            Ok(svg) => format!(
                "<div style=\"position:relative;width:fit-content;max-width:100%\"><img \
                 style=\"max-width:100%;height:auto;display:block\" alt=\"{}\" \
                 src=\"data:image/svg+xml;base64,{}\">{}</div>",
                escaped(&format!("{}. {}", self.name(), self.description())),
                STANDARD.encode(svg),
                hover::html(&self.scene())
            ),
            Err(error) => format!("<p>{}</p>", escaped(error.message())),
        };
        MimeBundle {
            html: format!(
                "<div class=\"evenhand evenhand-chart tex2jax_ignore mathjax_ignore\" style=\"overflow:auto;margin-bottom:1em\">{DARK}{shown}</div>"
            ),
            text: self.text(),
        }
    }
}

impl Chart {
    /// Writes the chart to a file: `.svg`, which is sharp at any size and contains a description of
    /// its data, or `.png`, with twice the chart's pixels on each side.
    ///
    /// # Errors
    /// The file has another extension (`ErrorKind::Argument`); the file can't be written
    /// (`ErrorKind::Io`); the text in a PNG has a letter that is neither Latin, Greek nor Cyrillic,
    /// which the included font does not contain (`ErrorKind::Display`).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let bytes = match extension.to_str() {
            Some("svg") => svg(self)?.into_bytes(),
            Some("png") => png(self)?,
            _ => {
                let message = format!("`{}` is neither `.svg` nor `.png`", path.display());
                return Err(Error::new(ErrorKind::Argument, message)
                    .with_hint("the file extension determines the format"));
            }
        };
        fs::write(path, bytes).map_err(|error| {
            let message = format!("the chart can't be written to {}", path.display());
            let failed = Error::new(ErrorKind::Io, message).with_source(error);
            match path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            {
                Some(folder) => {
                    failed.with_hint(format!("there is no folder {}", folder.display()))
                }
                None => failed,
            }
        })
    }
}
