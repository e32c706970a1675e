//! The proximity of words to the words of a group.

/// For each token, the sum of 0.95^d over all other marked tokens at distance d, ignoring those
/// farther than `window`. Takes one pass in each direction, however many tokens are marked.
pub(super) fn nearness(marked: &[bool], window: Option<usize>) -> Vec<f64> {
    let mut near = vec![0.0; marked.len()];
    sweep(marked, window, 0..marked.len(), &mut near);
    sweep(marked, window, (0..marked.len()).rev(), &mut near);
    near
}

const WEIGHT: f64 = 0.95;

fn sweep(
    marked: &[bool],
    window: Option<usize>,
    order: impl Iterator<Item = usize> + Clone,
    near: &mut [f64],
) {
    let is_marked = |at: usize| marked.get(at).is_some_and(|&marked| marked);
    // The weight of a token that leaves the window. None leaves until the window is full.
    let leave = window.map(|window| WEIGHT.powi(i32::try_from(window).unwrap_or(i32::MAX)));
    let mut leaving = order.clone();
    let mut sum = 0.0;
    for (step, at) in order.enumerate() {
        if let Some(near) = near.get_mut(at) {
            *near += sum;
        }
        if let (Some(window), Some(weight)) = (window, leave)
            && step >= window
            && leaving.next().is_some_and(is_marked)
        {
            sum -= weight;
        }
        if is_marked(at) {
            sum += 1.0;
        }
        sum *= WEIGHT;
    }
}
