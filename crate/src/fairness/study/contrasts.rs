//! What a study compares: pairs of groups, and the main effects of crossed characteristics.

use super::{Study, StudyGroup};

/// A comparison: the first minus the second, averaged over pairs of groups.
pub(in crate::fairness) struct Contrast<'s> {
    /// The names of both sides.
    pub(in crate::fairness) names: [&'s str; 2],
    /// The names of the groups of each pair: one pair of these names, or several that differ in one
    /// characteristic alone.
    pub(in crate::fairness) pairs: Vec<[&'s str; 2]>,
}

impl Contrast<'_> {
    /// `female - male`; for a main effect `old - young, mean of 2 pairs`.
    pub(in crate::fairness) fn label(&self) -> String {
        let label = self.names.join(" - ");
        match self.pairs.as_slice() {
            [pair] if *pair == self.names => label,
            pairs => format!("{label}, mean of {} pairs", pairs.len()),
        }
    }
}

impl Study {
    /// The names of the groups of each comparison; empty if there are fewer than two groups with an
    /// adjective.
    pub(in crate::fairness) fn pairs(&self) -> Vec<[&str; 2]> {
        if let Some([first, second]) = &self.compared {
            return vec![[first, second]];
        }
        let loaded = self.groups.iter().filter(|group| !group.is_neutral());
        let names: Vec<&str> = loaded.map(|group| group.name.as_str()).collect();
        let mut pairs = Vec::new();
        for (place, first) in names.iter().enumerate() {
            let others = names.iter().skip(place + 1);
            pairs.extend(others.map(|second| [*first, *second]));
        }
        pairs
    }

    /// The groups of the first comparison, which the descriptive parts of a report are about.
    pub(in crate::fairness) fn pair(&self) -> Option<[&str; 2]> {
        self.pairs().into_iter().next()
    }

    /// The groups that answers to neutral prompts are searched for: the first two that are compared
    /// and that the lexicon knows.
    pub(in crate::fairness) fn assumed_pair(&self) -> Option<[&str; 2]> {
        let groups = self.lexicon.groups();
        let is_known = |name: &str| groups.iter().any(|group| group.name == name);
        let pairs = self.pairs();
        let known = pairs
            .iter()
            .find(|pair| pair.iter().all(|name| is_known(name)));
        known.or(pairs.first()).copied()
    }

    /// Everything that is compared: the pairs, and the main effects.
    pub(in crate::fairness) fn contrasts(&self) -> Vec<Contrast<'_>> {
        let pairs = self.pairs().into_iter().map(|names| Contrast {
            names,
            pairs: vec![names],
        });
        pairs.chain(self.main_effects()).collect()
    }

    /// For each characteristic of crossed groups, each pair of its levels, over all pairs of groups
    /// that differ in it alone.
    fn main_effects(&self) -> Vec<Contrast<'_>> {
        let crossed: Vec<&StudyGroup> = self
            .groups
            .iter()
            .filter(|group| !group.is_neutral() && !group.levels.is_empty())
            .collect();
        if self.compared.is_some() {
            return Vec::new();
        }
        let characteristics = crossed.iter().map(|group| group.levels.len()).max();
        let characteristics = 0..characteristics.unwrap_or(0);
        characteristics
            .flat_map(|place| effects_of(&crossed, place))
            .collect()
    }
}

/// The main effects of the characteristic at this place.
fn effects_of<'s>(groups: &[&'s StudyGroup], place: usize) -> Vec<Contrast<'s>> {
    let mut effects: Vec<Contrast<'s>> = Vec::new();
    for (at, one) in groups.iter().enumerate() {
        for other in groups.iter().skip(at + 1) {
            let Some(levels) = only_difference(one, other, place) else {
                continue;
            };
            let pair = [one.name.as_str(), other.name.as_str()];
            match effects.iter_mut().find(|effect| effect.names == levels) {
                Some(effect) => effect.pairs.push(pair),
                None => effects.push(Contrast {
                    names: levels,
                    pairs: vec![pair],
                }),
            }
        }
    }
    effects.retain(|effect| effect.pairs.len() > 1);
    effects
}

/// The levels of two groups at this place, if they differ there and nowhere else.
fn only_difference<'s>(
    one: &'s StudyGroup,
    other: &'s StudyGroup,
    place: usize,
) -> Option<[&'s str; 2]> {
    if one.levels.len() != other.levels.len() {
        return None;
    }
    let levels = one.levels.iter().zip(&other.levels).enumerate();
    let mut differing = levels.filter(|(_, (one, other))| one != other);
    let (at, (one, other)) = differing.next()?;
    (at == place && differing.next().is_none()).then_some([one, other])
}
