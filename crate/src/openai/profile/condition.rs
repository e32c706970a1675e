//! With which settings a sampling field was refused.
//!
//! Some deployments refuse a field only with certain values (a temperature of 0), or only together with
//! other settings (an effort, `top_p`), and do not always say so. What one request was refused for is
//! therefore known for requests with the same settings. The first one with others is sent as it is
//! wanted, ahead of those like it. If it is refused too, the field is taken to be refused with what both
//! have in common, and if that is nothing, always.

use std::collections::BTreeMap;

use super::Profile;
use super::field::EFFORT;
use super::fields::Fields;
use crate::openai::ChatRequest;
use crate::text::sanitize_line;

/// How many sets of settings are distinguished.
pub(super) const MAX_COUNT: usize = 8;

/// The value of a field such as `tools`, of which only the presence counts.
const PRESENT: &str = "set";

/// The longest value that is told from others, in characters.
const MAX_VALUE: usize = 100;

/// The settings of a request on which a rejection may depend, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings(pub(super) BTreeMap<String, String>);

impl Settings {
    pub(super) fn from_request(wanted: &ChatRequest) -> Self {
        let value = |name: &str| {
            let value = wanted.setting(name)?;
            Some(sanitize_line(&value.to_string(), MAX_VALUE))
        };
        let names = Fields::optional(wanted).names().chain([EFFORT]);
        let values = names.filter_map(|name| Some((name.to_owned(), value(name)?)));
        let needed = Fields::needed(wanted);
        let needed = needed.map(|(name, _)| (sanitize_line(name, MAX_VALUE), PRESENT.to_owned()));
        Self(values.chain(needed).collect())
    }

    /// The settings other than this field, of which a rejection does not depend on the value.
    pub(super) fn without(mut self, field: Fields) -> Self {
        self.0.retain(|name, _| !field.names().any(|it| it == name));
        self
    }

    /// Does a request with these settings have all of the others?
    fn include(&self, others: &Self) -> bool {
        let mut others = others.0.iter();
        others.all(|(name, value)| self.0.get(name) == Some(value))
    }

    fn in_common(&self, other: &Self) -> Self {
        let common = self.0.iter();
        let common = common.filter(|(name, value)| other.0.get(*name) == Some(value));
        Self(
            common
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }
}

/// A field, and the settings with which it was refused or accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) field: Fields,
    pub(super) settings: Settings,
}

/// What was accepted although it had been refused for another request.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions(Vec<Condition>);

impl Exceptions {
    fn settings_of(&self, field: Fields) -> impl Iterator<Item = &Settings> {
        let found = self.0.iter().filter(move |it| it.field == field);
        found.map(|it| &it.settings)
    }

    pub(super) fn knows(&self, field: Fields) -> bool {
        self.settings_of(field).next().is_some()
    }

    /// Records that fields that are refused with other settings were accepted in this request as it was
    /// sent. Returns those of which this is news.
    pub(super) fn record(
        &mut self,
        profile: &Profile,
        wanted: &ChatRequest,
        sent: &ChatRequest,
    ) -> Fields {
        if profile.conditions.is_empty() {
            return Fields::default();
        }
        let mut news = Fields::default();
        let is_sent = |field: &Fields| Fields::optional(sent).contains(*field);
        for field in profile.tried(wanted).filter(is_sent) {
            let settings = Settings::from_request(wanted);
            let known = self
                .settings_of(field)
                .filter(|known| **known == settings)
                .count();
            if known == 0 && self.settings_of(field).count() < MAX_COUNT {
                if !profile.excepted.contains(field) {
                    news = news.with(field);
                }
                self.0.push(Condition { field, settings });
            }
        }
        news
    }
}

impl Profile {
    /// Records that a sampling field was refused with these settings.
    pub(super) fn refuse(&mut self, field: Fields, settings: Settings, known: &Exceptions) {
        let is_always = self.refused.contains(field) && !self.is_conditional(field);
        self.refused = self.refused.with(field);
        if is_always {
            return;
        }
        match self.widened(field, settings, known) {
            Some(settings) => self.conditions.push(Condition { field, settings }),
            None => self.conditions.retain(|it| it.field != field),
        }
        if !self.is_conditional(field) {
            self.excepted = self.excepted.without(field);
        }
    }

    /// The settings with which the field is refused after it was refused with these, too. They replace a
    /// condition that has some of them. `None` if it is always refused.
    fn widened(
        &mut self,
        field: Fields,
        settings: Settings,
        known: &Exceptions,
    ) -> Option<Settings> {
        let may_be = |common: &Settings| {
            !known
                .settings_of(field)
                .any(|accepted| accepted.include(common))
        };
        let common = |it: &Condition| {
            let common = it.settings.in_common(&settings);
            (it.field == field && may_be(&common)).then_some(common)
        };
        let wider = self.conditions.iter().enumerate();
        let wider = wider
            .filter_map(|(place, it)| Some((place, common(it)?)))
            .next();
        let settings = match wider {
            Some((place, common)) => {
                self.conditions.remove(place);
                common
            }
            None if self.conditions.len() < MAX_COUNT => settings,
            None => return None,
        };
        (!settings.0.is_empty()).then_some(settings)
    }

    /// Was the field refused only with certain settings so far?
    pub(super) fn is_conditional(&self, field: Fields) -> bool {
        self.conditions.iter().any(|it| it.field == field)
    }

    /// The refused fields of this request that were refused only with other settings.
    pub(super) fn tried(&self, wanted: &ChatRequest) -> impl Iterator<Item = Fields> {
        let settings = match self.conditions.is_empty() {
            true => Settings::default(),
            false => Settings::from_request(wanted),
        };
        let set = Fields::optional(wanted).and(self.refused);
        let set = set.each().filter(|field| self.is_conditional(*field));
        set.filter(move |field| {
            let mut of_field = self.conditions.iter().filter(|it| it.field == *field);
            !of_field.any(|it| settings.include(&it.settings))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::profile::file;

    const FIELD: Fields = Fields::TEMPERATURE;

    fn request(temperature: f64) -> ChatRequest {
        ChatRequest::from("x").temperature(temperature)
    }

    fn refused(requests: &[ChatRequest]) -> Profile {
        let mut profile = Profile::default();
        for request in requests {
            profile.refuse(
                FIELD,
                Settings::from_request(request),
                &Exceptions::default(),
            );
        }
        profile
    }

    fn is_tried(profile: &Profile, request: &ChatRequest) -> bool {
        profile.tried(request).next().is_some()
    }

    #[test]
    fn a_field_counts_as_refused_with_what_refused_requests_have_in_common() {
        let low = |temperature| request(temperature).set("reasoning_effort", "low");
        let profile = refused(&[low(0.5), low(0.7)]);
        assert!(!is_tried(&profile, &low(0.9)));
        assert!(is_tried(&profile, &request(0.5)));
        let profile = refused(&[low(0.5), request(0.7)]);
        assert!(!is_tried(&profile, &request(0.9)), "nothing in common");
        // The service's default says nothing about other values.
        let profile = refused(&[request(1.0)]);
        assert!(!is_tried(&profile, &request(0.5)));
    }

    #[test]
    fn a_condition_does_not_cover_what_was_accepted() {
        let effort = |effort: &str| request(0.5).set("reasoning_effort", effort);
        let mut profile = refused(&[effort("low")]);
        let mut known = Exceptions::default();
        let plain = request(0.5);
        assert_eq!(known.record(&profile, &plain, &plain), FIELD);
        assert!(known.knows(FIELD));
        profile.refuse(FIELD, Settings::from_request(&effort("high")), &known);
        assert!(is_tried(&profile, &plain));
        assert!(!is_tried(&profile, &effort("low")) && !is_tried(&profile, &effort("high")));
    }

    #[test]
    fn conditions_are_stored() {
        let profile = refused(&[request(0.0).seed(3)]);
        let stored = file::write(&profile, "host", "class");
        assert_eq!(file::parse_profile(&stored, "host", "class"), Ok(profile));
    }
}
