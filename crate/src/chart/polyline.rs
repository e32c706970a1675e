//! Lines with many points or with dashes.

use super::scene::Point;

/// Keeps only the first, the lowest, the highest and the last of the points in each column of
/// pixels: the line looks the same, even if it has a million points.
pub(super) fn thinned(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    let mut column: Vec<Point> = Vec::new();
    for point in points {
        if column
            .last()
            .is_some_and(|last| last[0].round() != point[0].round())
        {
            settle(&mut kept, &mut column);
        }
        column.push(point);
    }
    settle(&mut kept, &mut column);
    kept
}

fn settle(kept: &mut Vec<Point>, column: &mut Vec<Point>) {
    if column.len() <= 4 {
        kept.append(column);
        return;
    }
    let by_height =
        |one: &(usize, &Point), other: &(usize, &Point)| one.1[1].total_cmp(&other.1[1]);
    let place = |found: Option<(usize, &Point)>| found.map_or(0, |(place, _)| place);
    let mut places = [
        0,
        place(column.iter().enumerate().min_by(by_height)),
        place(column.iter().enumerate().max_by(by_height)),
        column.len() - 1,
    ];
    places.sort_unstable();
    kept.extend(places.map(|place| column[place]));
    column.clear();
}

/// The strokes of a line: every other length is a gap. Without lengths, there is one stroke.
pub(super) fn dashed(points: &[Point], lengths: &[f64]) -> Vec<Vec<Point>> {
    let Some((first, rest)) = points.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Vec::new();
    };
    if lengths.is_empty() {
        return vec![points.to_vec()];
    }
    let mut strokes = vec![vec![*first]];
    let (mut at, mut turn, mut left) = (*first, 0, lengths[0]);
    for to in rest {
        loop {
            let whole = (to[0] - at[0]).hypot(to[1] - at[1]);
            if whole < left {
                left -= whole;
                at = *to;
                extend(&mut strokes, turn, at);
                break;
            }
            let part = left / whole;
            at = [
                at[0] + (to[0] - at[0]) * part,
                at[1] + (to[1] - at[1]) * part,
            ];
            extend(&mut strokes, turn, at);
            turn += 1;
            left = lengths[turn % lengths.len()];
            if turn.is_multiple_of(2) {
                strokes.push(vec![at]);
            }
        }
    }
    strokes
}

fn extend(strokes: &mut [Vec<Point>], turn: usize, to: Point) {
    if let Some(stroke) = strokes.last_mut().filter(|_| turn.is_multiple_of(2)) {
        stroke.push(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashed_line_has_gaps_around_corners() {
        let corner = [[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]];
        assert_eq!(
            dashed(&corner, &[4.0, 2.0]),
            [
                vec![[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]],
                vec![[3.0, 3.0], [3.0, 4.0]]
            ]
        );
    }

    #[test]
    fn many_points_look_like_few() {
        let points = (0..100_000).map(|place| {
            let x = f64::from(place) / 1_000.0;
            [x, (x * 50.0).sin()]
        });
        let thin = thinned(points.clone());
        assert!(thin.len() <= 101 * 4, "{}", thin.len());
        let highest = |points: Vec<Point>| points.iter().map(|it| it[1]).fold(-2.0, f64::max);
        assert_eq!(highest(thin), highest(points.collect()));
    }
}
