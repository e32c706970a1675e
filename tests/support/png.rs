//! Makes screenshots small enough for a repository: a palette instead of 16 million colors.
//!
//! It reads Chromium's format (8 bits per channel, not interlaced), and writes the few main colors
//! of a page. The many shades at the edges of letters become the nearest of these.

use std::collections::HashMap;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;

/// Enough for a page with text and a chart: more colors would only make the file larger.
const COLORS: usize = 64;
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

type Color = [u8; 3];

/// The same picture in 64 colors.
pub(crate) fn reduced(png: &[u8]) -> Vec<u8> {
    let (width, pixels) = decoded(png);
    let palette = palette(&pixels);
    let mut nearest = HashMap::new();
    let mut lines = Vec::new();
    for line in pixels.chunks(width) {
        // The filter type `none`: neighboring indices in a palette are unrelated.
        lines.push(0);
        lines.extend(line.iter().map(|color| {
            *nearest
                .entry(*color)
                .or_insert_with(|| nearest_of(&palette, *color))
        }));
    }
    encoded(width, pixels.len() / width, &palette.concat(), &lines)
}

/// The most frequent colors.
fn palette(pixels: &[Color]) -> Vec<Color> {
    let mut counts: HashMap<Color, usize> = HashMap::new();
    for color in pixels {
        *counts.entry(*color).or_default() += 1;
    }
    let mut colors: Vec<_> = counts.into_iter().collect();
    colors.sort_unstable_by_key(|&(color, count)| (std::cmp::Reverse(count), color));
    colors
        .into_iter()
        .map(|(color, _)| color)
        .take(COLORS)
        .collect()
}

fn nearest_of(palette: &[Color], color: Color) -> u8 {
    let distance = |other: &Color| -> u32 {
        let channels = other.iter().zip(color);
        channels.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let nearest = (0..palette.len()).min_by_key(|&at| distance(&palette[at]));
    nearest.unwrap().try_into().unwrap()
}

/// The width of a picture, and its pixels from left to right and from top to bottom.
fn decoded(png: &[u8]) -> (usize, Vec<Color>) {
    let chunks: Vec<_> = chunks(png).collect();
    let (_, header) = chunks[0];
    let width = u32::from_be_bytes(header[..4].try_into().unwrap()) as usize;
    let channels = match header[8..] {
        [8, 2, 0, 0, 0] => 3,
        [8, 6, 0, 0, 0] => 4,
        _ => panic!("not a screenshot of Chromium: {header:?}"),
    };
    let data: Vec<u8> = chunks
        .iter()
        .filter(|(kind, _)| kind == b"IDAT")
        .flat_map(|(_, data)| data.iter().copied())
        .collect();
    let filtered = decompress_to_vec_zlib(&data).unwrap();
    let mut above = vec![0; width * channels];
    let mut pixels = Vec::new();
    for line in filtered.chunks_exact(1 + width * channels) {
        let line = unfiltered(line[0], &line[1..], &above, channels);
        pixels.extend(
            line.chunks(channels)
                .map(|pixel| [pixel[0], pixel[1], pixel[2]]),
        );
        above = line;
    }
    (width, pixels)
}

/// Reverses the filter of a line, which stores differences from neighboring bytes (section 9 of
/// the PNG specification).
fn unfiltered(filter: u8, line: &[u8], above: &[u8], channels: usize) -> Vec<u8> {
    let mut read: Vec<u8> = Vec::with_capacity(line.len());
    for (at, &byte) in line.iter().enumerate() {
        let before = at.checked_sub(channels);
        let left = before.map_or(0, |before| read[before]);
        let (up, corner) = (above[at], before.map_or(0, |before| above[before]));
        let expected = match filter {
            0 => 0,
            1 => left,
            2 => up,
            3 => left.midpoint(up),
            4 => paeth(left, up, corner),
            _ => panic!("PNG has no filter {filter}"),
        };
        read.push(byte.wrapping_add(expected));
    }
    read
}

/// Which of the three is nearest to left + up - corner; the earlier one of two.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    [left, up, corner]
        .into_iter()
        .min_by_key(|&one| estimate.abs_diff(i16::from(one)))
        .unwrap()
}

fn chunks(png: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = png.strip_prefix(SIGNATURE).expect("a PNG");
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (kind, after) = after.split_at(4);
        let (data, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        rest = &after[4..];
        Some((kind, data))
    })
}

fn encoded(width: usize, height: usize, palette: &[u8], lines: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for side in [width, height] {
        header.extend(u32::try_from(side).unwrap().to_be_bytes());
    }
    // 8 bits per pixel, with a palette.
    header.extend([8, 3, 0, 0, 0]);
    let mut png = SIGNATURE.to_vec();
    for (kind, data) in [
        (b"IHDR", header.as_slice()),
        (b"PLTE", palette),
        (b"IDAT", compress_to_vec_zlib(lines, 10).as_slice()),
        (b"IEND", &[][..]),
    ] {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let checked = png.len();
        png.extend(kind);
        png.extend(data);
        let sum = crc(&png[checked..]);
        png.extend(sum.to_be_bytes());
    }
    png
}

/// The checksum at the end of a chunk (annex D of the PNG specification).
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| match sum & 1 {
        1 => 0xEDB8_8320 ^ (sum >> 1),
        _ => sum >> 1,
    };
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), step)
    })
}
