//! ROUGE-L: the longest sequence of words that two answers share.

use std::collections::HashMap;

use crate::fairness::text::Text;

/// The most words of a text that are compared, which limits the time to half a second.
const MAX_LENGTH: usize = 1 << 17;

/// The similarity of two answers by ROUGE-L, from 0 to 1.
///
/// F1 = 2 P R / (P + R) with P = LCS / |b| and R = LCS / |a|, where LCS is the length of the
/// longest common subsequence of words: the same words in the same order, gaps allowed. Words are
/// runs of letters and digits in lower case; those of more than three letters are reduced to their
/// stems (Porter). Symmetric. `None` if a text has no word.
///
/// The LCS is computed 64 words at a time (Hyyrö 2004), in memory proportional to the length of the
/// texts rather than to their product. Only the first 131,072 words of a text (about 700 kB) are
/// compared. Unlike this function, `rouge_score` knows only the letters a to z and drops all
/// others.
///
/// Mask the words of the groups first ([`Lexicon::mask`](crate::fairness::lexicon::Lexicon::mask)).
///
/// Source: Lin (2004), ROUGE; `rouge_score` with its stemmer, as used by LangFair 0.8.
pub fn rouge_l(a: &Text, b: &Text) -> Option<f64> {
    let (a, b) = (start(a.stems()), start(b.stems()));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let common = common_subsequence(a, b) as f64;
    // Equals 2PR / (P + R).
    Some(2.0 * common / (a.len() + b.len()) as f64)
}

fn start(words: &[u64]) -> &[u64] {
    words.get(..MAX_LENGTH).unwrap_or(words)
}

/// The length of the longest common subsequence.
fn common_subsequence(mut a: &[u64], mut b: &[u64]) -> usize {
    let mut ends = 0;
    while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
        if x != y {
            break;
        }
        (a, b, ends) = (rest_a, rest_b, ends + 1);
    }
    while let ([rest_a @ .., x], [rest_b @ .., y]) = (a, b) {
        if x != y {
            break;
        }
        (a, b, ends) = (rest_a, rest_b, ends + 1);
    }
    ends + bit_parallel(a, b)
}

/// Each bit of `row` represents a word of `a`; it is cleared if that word extends the longest
/// common subsequence.
fn bit_parallel(a: &[u64], b: &[u64]) -> usize {
    let blocks = a.len().div_ceil(64);
    let places = places(a);
    // The bits of a word that occurs in more places than there are blocks are stored; those of
    // other words are set when needed. Either way a word costs at most one pass over a row, and few
    // rows are stored.
    let dense: HashMap<u64, Vec<u64>> = places
        .iter()
        .filter(|(_, places)| places.len() > blocks)
        .map(|(&word, places)| {
            let mut bits = vec![0; blocks];
            set(&mut bits, places);
            (word, bits)
        })
        .collect();
    let mut row = vec![u64::MAX; blocks];
    let mut scratch = vec![0; blocks];
    for word in b {
        if let Some(bits) = dense.get(word) {
            step(&mut row, bits);
        } else if let Some(places) = places.get(word) {
            set(&mut scratch, places);
            step(&mut row, &scratch);
            for place in places {
                if let Some(block) = scratch.get_mut(place / 64) {
                    *block = 0;
                }
            }
        }
    }
    // Bits past the end are never cleared, since no word is there.
    row.iter().map(|block| block.count_zeros() as usize).sum()
}

fn places(words: &[u64]) -> HashMap<u64, Vec<usize>> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, &word) in words.iter().enumerate() {
        places.entry(word).or_default().push(place);
    }
    places
}

fn set(bits: &mut [u64], places: &[usize]) {
    for place in places {
        if let Some(block) = bits.get_mut(place / 64) {
            *block |= 1 << (place % 64);
        }
    }
}

/// row' = (row + (row & bits)) | (row & !bits), with the carry from block to block.
fn step(row: &mut [u64], bits: &[u64]) {
    let mut carry = false;
    for (block, bits) in row.iter_mut().zip(bits) {
        let (sum, over) = block.overflowing_add(*block & bits);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        carry = over || over_again;
        *block = sum | (*block & !bits);
    }
}
