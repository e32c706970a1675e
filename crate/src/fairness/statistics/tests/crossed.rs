//! Crossed random factors: the formula, missing cells, and the level and power by simulation.

use super::super::*;
use super::differences;
use crate::error::ErrorKind;
use crate::random::Random;

fn table(rows: &[&[f64]]) -> CrossedDifferences {
    let rows: Vec<Vec<Option<f64>>> = rows
        .iter()
        .map(|row| row.iter().copied().map(Some).collect())
        .collect();
    CrossedDifferences::new(&rows).unwrap()
}

/// By hand: the means of the rows are 2, 5 and 8, of the columns 3, 5 and 7, and the residuals are
/// 0 except for a square of 1, -1 and -1, 1. MS_rows = 3 * 18 / 2 = 27, MS_columns = 3 * 8 / 2 = 12,
/// MS_residuals = 4 / 4 = 1.
#[test]
fn the_standard_error_is_that_of_both_factors() {
    let found = table(&[&[1.0, 1.0, 4.0], &[2.0, 6.0, 7.0], &[6.0, 8.0, 10.0]]);
    let tested = found.tested().unwrap();
    assert_eq!(found.row_means(), [2.0, 5.0, 8.0]);
    let variance: f64 = (27.0 + 12.0 - 1.0) / 9.0;
    assert!((tested.standard_error - variance.sqrt()).abs() < 1e-12);
    let freedom = 38.0 * 38.0 / (27.0 * 27.0 / 2.0 + 12.0 * 12.0 / 2.0 + 1.0 / 4.0);
    assert!((tested.degrees_of_freedom - freedom).abs() < 1e-9);
    let shares = variance_components(&[3, 3], &[1.0, 1.0, 4.0, 2.0, 6.0, 7.0, 6.0, 8.0, 10.0]);
    let shares = shares.unwrap();
    assert_eq!(shares.rest, Some(1.0));
    assert!((shares.factors[0].unwrap() - 26.0 / 3.0).abs() < 1e-12);
    assert!((shares.factors[1].unwrap() - 11.0 / 3.0).abs() < 1e-12);
}

/// A missing cell of an additive table is restored, and costs a degree of freedom.
#[test]
fn a_missing_cell_is_filled_from_its_row_and_column() {
    let rows = [[1.0, 2.0, 5.0], [2.0, 3.0, 6.0], [6.0, 7.0, 10.0]];
    let mut rows: Vec<Vec<Option<f64>>> = rows.map(|row| row.map(Some).to_vec()).to_vec();
    rows[1][2] = None;
    let filled = CrossedDifferences::new(&rows).unwrap();
    assert!(
        (filled.mean() - 42.0 / 9.0).abs() < 1e-9,
        "{}",
        filled.mean()
    );
    rows[0][2] = None;
    rows[2][2] = None;
    let error = CrossedDifferences::new(&rows).unwrap_err();
    insta::assert_snapshot!(error, @"
    3 of 9 cells have no value, and each row and column needs one
      hint: leave out the rows or columns in which most are missing
    ");
}

#[test]
fn what_is_no_table_is_refused() {
    let refused = |rows: &[Vec<Option<f64>>]| CrossedDifferences::new(rows).unwrap_err().kind();
    let row = |values: &[f64]| -> Vec<Option<f64>> { values.iter().copied().map(Some).collect() };
    assert_eq!(refused(&[]), ErrorKind::Statistics);
    assert_eq!(refused(&[row(&[1.0, 2.0])]), ErrorKind::Statistics);
    assert_eq!(refused(&[row(&[1.0]), row(&[1.0])]), ErrorKind::Statistics);
    assert_eq!(
        refused(&[row(&[1.0, 2.0]), row(&[1.0])]),
        ErrorKind::Statistics
    );
    assert_eq!(
        refused(&[row(&[1.0, f64::NAN]), row(&[1.0, 2.0])]),
        ErrorKind::Statistics
    );
    assert_eq!(
        refused(&[row(&[1e200, 1.0]), row(&[1e200, 2.0])]),
        ErrorKind::Statistics
    );
    assert_eq!(variance_components(&[2, 2], &[1.0; 3]), None);
    assert_eq!(variance_components(&[1], &[1.0]), None);
    // Without spread there is no standard error.
    assert_eq!(
        table(&[&[0.3, 0.3], &[0.3, 0.3], &[0.3, 0.3]]).tested(),
        None
    );
}

/// Occupations and templates with normal effects of their own around a mean.
fn drawn(units: usize, templates: f64, mean: f64, random: &mut Random) -> CrossedDifferences {
    let gaps: Vec<f64> = (0..6).map(|_| templates * random.normal()).collect();
    let rows: Vec<Vec<Option<f64>>> = (0..units)
        .map(|_| {
            let own = mean + 0.8 * random.normal();
            let cell = |gap: &f64| Some(own + gap + 0.6 * random.normal());
            gaps.iter().map(cell).collect()
        })
        .collect();
    CrossedDifferences::new(&rows).unwrap()
}

/// The p-value of a report: the larger one of both tests.
fn p(found: &CrossedDifferences) -> f64 {
    let over_units = differences(&found.row_means());
    let over_units = PrimaryTest::new(&over_units, 1).p();
    found
        .tested()
        .map_or(over_units, |tested| tested.p().max(over_units))
}

#[test]
fn gaps_of_templates_are_not_taken_for_a_difference() {
    let samples = 1_000;
    for (units, templates) in [(12, 0.0), (12, 0.5), (12, 0.8), (20, 0.5), (20, 0.8)] {
        let mut random = Random::new(units as u64);
        let wrong = (0..samples).filter(|_| p(&drawn(units, templates, 0.0, &mut random)) <= 0.05);
        let rate = wrong.count() as f64 / f64::from(samples);
        assert!(
            rate <= 0.05 + 3.29 * (0.0475 / f64::from(samples)).sqrt(),
            "{units} {templates}: {rate}"
        );
        assert!(rate > 0.015, "{units} {templates}: {rate}");
    }
}

/// The numbers in the docs, to the error of the simulation.
#[test]
fn an_effect_of_0_8_is_found_in_seven_of_ten_studies() {
    let samples = 1_000;
    for (templates, expected) in [(0.5, 0.75), (0.8, 0.47)] {
        let mut random = Random::new(8);
        let found = (0..samples).filter(|_| p(&drawn(20, templates, 0.8, &mut random)) <= 0.05);
        let power = found.count() as f64 / f64::from(samples);
        assert!((power - expected).abs() < 0.05, "{templates}: {power}");
    }
}

/// With 60 units, and the coverage of the interval; `cargo test --release -- --ignored`.
#[test]
#[ignore = "a minute"]
fn the_level_and_the_coverage_over_templates() {
    let samples = 5_000;
    for units in [12, 20, 60] {
        for templates in [0.0, 0.5, 0.8] {
            let mut random = Random::new(units as u64);
            let (mut wrong, mut covered) = (0, 0);
            for _ in 0..samples {
                let found = drawn(units, templates, 0.0, &mut random);
                wrong += u32::from(p(&found) <= 0.05);
                let interval = found.tested().unwrap().interval(0.95).unwrap();
                covered += u32::from(interval.contains(0.0));
            }
            let share = |count: u32| f64::from(count) / f64::from(samples);
            assert!(
                share(wrong) <= 0.06,
                "{units} {templates}: {}",
                share(wrong)
            );
            assert!(
                (0.94..=0.97).contains(&share(covered)),
                "{units} {templates}: {}",
                share(covered)
            );
        }
    }
}
