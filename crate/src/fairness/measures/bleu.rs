//! BLEU: how many n-grams two answers share.

use crate::fairness::text::Text;

/// The count used if no n-gram is common, as in NLTK's smoothing method 1.
const EPSILON: f64 = 0.1;

/// The similarity of two answers by BLEU, from 0 to 1: the smaller of the two directions.
///
/// BLEU = min(1, e^(1 - r/h)) · (p_1 p_2 p_3 p_4)^(1/4), where p_n is the share of the n-grams of
/// tokens that also occur in the other text, each counted at most as often as it occurs there, and
/// h and r are the lengths of the two texts. If no n-gram is common, their number is taken as 0.1
/// (smoothing method 1 of Chen and Cherry 2014). Tokens are in lower case and include punctuation.
/// 0 if no token is common; `None` if a text has no tokens.
///
/// Two equal texts give 1. This differs from NLTK, which gives less to equal texts of fewer than
/// four tokens, because they have no 4-gram.
///
/// Mask the words of the groups first ([`Lexicon::mask`](crate::fairness::lexicon::Lexicon::mask)).
///
/// Source: Papineni et al. (2002); counterfactual use as LangFair 0.8 (Bouchard 2024).
pub fn bleu(a: &Text, b: &Text) -> Option<f64> {
    let (a, b) = (a.prints(), b.prints());
    if a.is_empty() || b.is_empty() {
        return None;
    }
    if a == b {
        return Some(1.0);
    }
    // The number of common runs is the same in both directions.
    let (mut runs_a, mut runs_b) = (Vec::new(), Vec::new());
    let common = [1, 2, 3, 4].map(|n| {
        grow(&mut runs_a, a, n);
        grow(&mut runs_b, b, n);
        common(&runs_a, &runs_b)
    });
    if common[0] == 0 {
        return Some(0.0);
    }
    let directed = |own: usize, other: usize| {
        let logs = (1..).zip(common).map(|(n, common)| {
            let runs = (own + 1).saturating_sub(n).max(1) as f64;
            let matched = if common == 0 { EPSILON } else { common as f64 };
            (matched / runs).ln() / 4.0
        });
        let brevity = (1.0 - other as f64 / own as f64).min(0.0);
        (logs.sum::<f64>() + brevity).exp()
    };
    Some(directed(a.len(), b.len()).min(directed(b.len(), a.len())))
}

/// Extends the fingerprints of (n-1)-grams to those of n-grams.
fn grow(runs: &mut Vec<u64>, prints: &[u64], n: usize) {
    if n == 1 {
        return runs.extend(prints);
    }
    runs.truncate((prints.len() + 1).saturating_sub(n));
    for (run, next) in runs.iter_mut().zip(prints.iter().skip(n - 1)) {
        // Multiplication by an odd factor is invertible, and makes the fingerprint depend on order.
        *run = run.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ next;
    }
}

/// The size of the multiset intersection of two lists.
fn common(a: &[u64], b: &[u64]) -> usize {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    let (mut i, mut j, mut common) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        common += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    common
}
