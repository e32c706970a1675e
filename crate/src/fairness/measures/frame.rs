//! A metric by group, with the terms of Fairlearn.

use std::collections::BTreeMap;

/// A metric for each group and over all, as in Fairlearn's `MetricFrame`.
///
/// ```
/// use evenhand::fairness::measures::MetricFrame;
///
/// let groups = ["f", "f", "m", "m"];
/// let hired = [0.0, 1.0, 1.0, 1.0];
/// let rate = |hired: &[&f64]| Some(hired.iter().copied().sum::<f64>() / hired.len() as f64);
/// let frame = MetricFrame::new(&groups, &hired, rate);
/// assert_eq!(frame.by_group()["f"], Some(0.5));
/// assert_eq!(frame.difference(), Some(0.5));
/// assert_eq!(frame.ratio(), Some(0.5));
/// ```
///
/// If a metric is undefined (or NaN) for a group, the comparisons between groups are undefined,
/// too.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFrame {
    by_group: BTreeMap<String, Option<f64>>,
    overall: Option<f64>,
}

impl MetricFrame {
    /// Computes the metric for the rows of each group and for all rows. If `groups` and `rows`
    /// differ in length, the excess of the longer one is ignored.
    pub fn new<T>(
        groups: &[impl AsRef<str>],
        rows: &[T],
        metric: impl Fn(&[&T]) -> Option<f64>,
    ) -> Self {
        let mut of_group: BTreeMap<String, Vec<&T>> = BTreeMap::new();
        for (group, row) in groups.iter().zip(rows) {
            of_group
                .entry(group.as_ref().to_owned())
                .or_default()
                .push(row);
        }
        let all: Vec<_> = groups.iter().zip(rows).map(|(_, row)| row).collect();
        let metric = |rows: &[&T]| metric(rows).filter(|value| !value.is_nan());
        let by_group = of_group
            .into_iter()
            .map(|(group, rows)| (group, metric(&rows)));
        Self {
            by_group: by_group.collect(),
            overall: metric(&all),
        }
    }

    /// The metric of each group.
    pub fn by_group(&self) -> &BTreeMap<String, Option<f64>> {
        &self.by_group
    }

    /// The metric of all rows.
    pub fn overall(&self) -> Option<f64> {
        self.overall
    }

    /// The smallest value of any group.
    pub fn group_min(&self) -> Option<f64> {
        self.groups()?.into_iter().reduce(f64::min)
    }

    /// The largest value of any group.
    pub fn group_max(&self) -> Option<f64> {
        self.groups()?.into_iter().reduce(f64::max)
    }

    /// The largest value minus the smallest: 0 is parity.
    pub fn difference(&self) -> Option<f64> {
        Some(self.group_max()? - self.group_min()?)
    }

    /// The largest absolute difference between a group and the overall value.
    pub fn difference_to_overall(&self) -> Option<f64> {
        let overall = self.overall?;
        self.groups()?
            .into_iter()
            .map(|group| (group - overall).abs())
            .reduce(f64::max)
    }

    /// The smallest value divided by the largest: 1 is parity. Undefined if the largest is 0 or a
    /// value is negative.
    pub fn ratio(&self) -> Option<f64> {
        let (min, max) = (self.group_min()?, self.group_max()?);
        (min >= 0.0 && max > 0.0).then(|| min / max)
    }

    /// The metrics of all groups, if all are defined.
    fn groups(&self) -> Option<Vec<f64>> {
        self.by_group.values().copied().collect()
    }
}
