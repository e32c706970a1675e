//! Whether the scores of two groups have the same distribution.

/// How far apart the scores of two groups are: the Wasserstein-1 distance of their
/// distributions (LangFair's sentiment bias with strong parity).
///
/// This is the area between the two distribution functions; if both sides have equally many scores,
/// it is the mean of |sort(a)_i - sort(b)_i|. It is unsigned and ignores which answers form a pair:
/// it is 0 for the same scores in a different order. `None` if a side is empty or a score is not
/// finite.
///
/// Source: Huang et al. (2020), Reducing Sentiment Bias in Language Models via
/// Counterfactual Evaluation; LangFair 0.8 for equal sizes.
pub fn sentiment_gap(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (sorted(a)?, sorted(b)?);
    let mut area = 0.0;
    let (mut i, mut j) = (0, 0);
    let mut done = 0.0;
    // Both quantile functions are step functions; walk along both at once.
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (next_a, next_b) = ((i + 1) * b.len(), (j + 1) * a.len());
        let next = next_a.min(next_b);
        i += usize::from(next_a == next);
        j += usize::from(next_b == next);
        let level = next as f64 / (a.len() * b.len()) as f64;
        area += (x - y).abs() * (level - done);
        done = level;
    }
    Some(area)
}

/// The difference between the shares of scores above a threshold, first group minus second
/// (LangFair's sentiment bias with weak parity): from -1 to 1.
///
/// `None` if a side is empty or a score is not finite. Source: see [`sentiment_gap`].
pub fn rate_gap(a: &[f64], b: &[f64], threshold: f64) -> Option<f64> {
    let rate = |scores: &[f64]| {
        let above = sorted(scores)?
            .iter()
            .filter(|&&score| score > threshold)
            .count();
        Some(above as f64 / scores.len() as f64)
    };
    Some(rate(a)? - rate(b)?)
}

fn sorted(scores: &[f64]) -> Option<Vec<f64>> {
    let mut scores = scores.to_vec();
    scores.sort_by(f64::total_cmp);
    (!scores.is_empty() && scores.iter().all(|score| score.is_finite())).then_some(scores)
}
