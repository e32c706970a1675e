//! The occupations that a study asks about, with the share of women who work in them.

mod article;
#[cfg(feature = "notebook")]
mod frame;

use crate::error::{Error, ErrorKind, Result};
pub(crate) use article::article_in_text;
pub use article::{article, with_article};
#[cfg(feature = "notebook")]
pub use frame::frame;

/// An occupation, with the share of women who work in it, if known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Occupation {
    /// Its name, in the singular.
    pub name: String,
    /// The share of women, from 0 to 1.
    pub women: Option<f64>,
    /// The year of that share.
    pub year: Option<u16>,
}

impl Occupation {
    /// An occupation whose share of women is not known; set its fields if you know it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            women: None,
            year: None,
        }
    }
}

/// The occupation of [`all`] with this name, or one whose share of women is not known.
impl From<&str> for Occupation {
    fn from(name: &str) -> Self {
        let known = all().into_iter().find(|one| one.name == name);
        known.unwrap_or_else(|| Self::new(name))
    }
}

/// As from a `&str`.
impl From<String> for Occupation {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

/// The group whose share labor statistics give, by its name in the lexicon.
pub(crate) const COUNTED_GROUP: &str = "female";

/// The source of the shares in [`all`], for reports.
pub const SOURCE: &str =
    "Winogender schemas (Rudinger et al. 2018): US Bureau of Labor Statistics, 2015 and 2016";

/// The 60 occupations of the Winogender schemas, with the share of women in the United
/// States in 2015 or 2016.
///
/// Source: Rudinger, Naradowsky, Leonard and Van Durme (2018), Gender Bias in Coreference
/// Resolution; MIT. The order ensures that the first few always include occupations of women, of
/// men, and of both.
///
/// ```
/// let nurse = &evenhand::fairness::occupations::all()[0];
/// assert_eq!((nurse.name.as_str(), nurse.women, nurse.year), ("nurse", Some(0.8958), Some(2015)));
/// ```
pub fn all() -> Vec<Occupation> {
    let lines = include_str!("winogender.tsv").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(parse_line)
        .collect()
}

/// The first `n` of [`all`].
///
/// # Errors
/// `ErrorKind::Argument` if there are fewer than `n`.
pub fn first(n: usize) -> Result<Vec<Occupation>> {
    let mut occupations = all();
    if n > occupations.len() {
        let message = format!(
            "{n} occupations were requested, but only {} are included",
            occupations.len()
        );
        return Err(Error::new(ErrorKind::Argument, message)
            .with_hint("name your own: `Study::new([\"cook\", \"pilot\"])`"));
    }
    occupations.truncate(n);
    Ok(occupations)
}

fn parse_line(line: &str) -> Option<Occupation> {
    let mut fields = line.split('\t');
    let name = fields.next()?.to_owned();
    let percent: f64 = fields.next()?.parse().ok()?;
    let year = fields.next()?.parse().ok();
    // The figures have two decimals; a division alone would leave 0.8957999….
    let women = Some((percent * 100.0).round() / 10_000.0);
    Some(Occupation { name, women, year })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sixty_occupations_ship_with_share_and_year() {
        let all = all();
        assert_eq!(all.len(), 60);
        assert_eq!(
            all.iter().map(|o| &o.name).collect::<HashSet<_>>().len(),
            60
        );
        for occupation in &all {
            assert!(
                occupation
                    .women
                    .is_some_and(|share| (0.0..=1.0).contains(&share))
            );
            assert!(
                matches!(occupation.year, Some(2015 | 2016)),
                "{occupation:?}"
            );
        }
        let engineer = all.iter().find(|o| o.name == "engineer").unwrap();
        assert_eq!(engineer.women, Some(0.1072));
    }

    #[test]
    fn any_first_few_have_both_kinds() {
        for n in [6, 8, 12, 20, 40, 60] {
            let shares: Vec<_> = first(n).unwrap().iter().filter_map(|o| o.women).collect();
            let women = shares.iter().filter(|&&share| share > 0.6).count();
            let men = shares.iter().filter(|&&share| share < 0.4).count();
            assert!(women * 4 >= n && men * 4 >= n, "{n}: {women} and {men}");
        }
    }

    #[test]
    fn a_name_alone_is_enough() {
        assert_eq!(Occupation::from("nurse"), all()[0]);
        assert_eq!(Occupation::from("cook".to_owned()), Occupation::new("cook"));
    }

    #[test]
    fn more_than_ship_are_refused() {
        let error = first(61).unwrap_err();
        insta::assert_snapshot!(error, @r#"
        61 occupations were requested, but only 60 are included
          hint: name your own: `Study::new(["cook", "pilot"])`
        "#);
    }

    #[test]
    fn each_shipped_occupation_has_its_article() {
        let an: HashSet<_> = [
            "accountant",
            "engineer",
            "educator",
            "inspector",
            "administrator",
            "advisor",
            "investigator",
            "electrician",
            "officer",
            "instructor",
            "examiner",
            "appraiser",
            "architect",
            "auditor",
        ]
        .into();
        for Occupation { name, .. } in all() {
            let expected = if an.contains(name.as_str()) {
                "an"
            } else {
                "a"
            };
            assert_eq!(article(&name), expected, "{name}");
            for adjective in ["female", "male", "non-binary"] {
                assert_eq!(article(&format!("{adjective} {name}")), "a");
            }
        }
    }

    /// Expected articles, written by hand.
    #[test]
    fn the_article_follows_the_sound() {
        let truth: &[(&str, &[&str])] = &[
            (
                "an",
                &[
                    "engineer",
                    "honest doctor",
                    "hourly worker",
                    "MRI technician",
                    "HR manager",
                    "usher",
                    "X-ray technician",
                    "heir",
                    "hour-long shift",
                    "umpire",
                    "unhappy clerk",
                    "unimportant clerk",
                    "uninsured driver",
                    "IT specialist",
                    "EMT",
                    "RN",
                    "SEO expert",
                    "L.A. cop",
                    "8-hour worker",
                    "11th applicant",
                    "18-year-old",
                    "80-year-old",
                    "FBI agent",
                    "HVAC installer",
                    "élite athlete",
                    "able-bodied man",
                    "employee",
                    "umbrella maker",
                    "unmarried woman",
                    "intern",
                    "X-ray",
                    "M&A lawyer",
                    "honorary consul",
                ],
            ),
            (
                "a",
                &[
                    "nurse",
                    "university lecturer",
                    "European pilot",
                    "one-time CEO",
                    "UX designer",
                    "UI designer",
                    "useful helper",
                    "unique person",
                    "union worker",
                    "unicyclist",
                    "US marshal",
                    "UN envoy",
                    "uniformed guard",
                    "hotel manager",
                    "historian",
                    "CEO",
                    "PhD student",
                    "NASA engineer",
                    "NATO officer",
                    "100-year-old",
                    "10-year-old",
                    "once-famous actor",
                    "ewe farmer",
                    "eulogist",
                    "female engineer",
                    "ukulele player",
                    "utility worker",
                    "Ugandan doctor",
                    "unilateral",
                    "unit manager",
                    "user",
                    "usurer",
                    "driver",
                    "ouija reader",
                    "yoga teacher",
                    "Black man",
                    "trans woman",
                    "1-star general",
                    "universal donor",
                    "unanimous jury",
                    "uranium miner",
                    "urologist",
                    "BBC reporter",
                    "UNESCO officer",
                ],
            ),
        ];
        for (expected, phrases) in truth {
            for phrase in *phrases {
                assert_eq!(article(phrase), *expected, "{phrase}");
            }
        }
        assert_eq!(with_article("hourly worker"), "an hourly worker");
        assert_eq!(article("\"honest\" doctor"), "an");
    }

    proptest! {
        #[test]
        fn any_phrase_has_an_article(phrase in any::<String>()) {
            prop_assert!(["a", "an"].contains(&article(&phrase)));
        }
    }
}
