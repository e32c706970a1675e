//! Figures, drawn as SVG.

mod effects;

pub(crate) use effects::{Effect, effects};
