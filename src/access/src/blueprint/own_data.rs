//! Validation of what an organization keeps of its own: its profile, and what of it is metered.

use super::{
    document::{Document, FieldKind, ProfileField},
    error::Location,
};
use crate::profile;

/// A place, what is wrong there, and what to do about it.
pub(super) type Mistake = (Location, String, String);

/// Everything that is wrong with a document's profile sections and meters.
pub(super) fn mistakes(document: &Document) -> Vec<Mistake> {
    let mut found = Vec::new();
    profile_sections(document, &mut found);
    meters(document, &mut found);
    found
}

fn root(step: &str) -> Location {
    Location::default().at(step)
}

fn key(location: &Location, key: &str, found: &mut Vec<Mistake>) {
    let snake = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !snake {
        let problem = format!("the key `{key}` is not snake_case");
        found.push((location.clone(), problem, "use lower-case letters, digits and `_`".to_owned()));
    }
}

fn profile_sections(document: &Document, found: &mut Vec<Mistake>) {
    for (name, section) in &document.profile {
        let location = root("profile").at(name);
        key(&location, name, found);
        if section.fields.is_empty() {
            let problem = "a section without fields".to_owned();
            found.push((location.clone(), problem, "declare at least one field, or leave the section out".to_owned()));
        }
        for (name, field) in &section.fields {
            let place = location.at("fields").at(name);
            key(&place, name, found);
            profile_field(&place, field, found);
        }
    }
}

fn profile_field(location: &Location, field: &ProfileField, found: &mut Vec<Mistake>) {
    let is_choice = field.kind == FieldKind::Choice;
    if is_choice && field.options.is_empty() {
        found.push((location.clone(), "nothing can be chosen".to_owned(), "name the `options`".to_owned()));
    }
    if !is_choice && !field.options.is_empty() {
        let problem = "only a choice has options".to_owned();
        found.push((location.at("options"), problem, "write `kind = \"choice\"`, or leave the options out".to_owned()));
    }
    for (index, option) in field.options.iter().enumerate() {
        if option.trim() != option || option.is_empty() {
            let problem = "an option that is empty or has blanks at its ends".to_owned();
            found.push((location.at("options").at(index), problem, "write what people choose".to_owned()));
        }
        if field.options.iter().take(index).any(|earlier| earlier == option) {
            let problem = format!("a second option `{option}`");
            found.push((location.at("options").at(index), problem, "name each option once".to_owned()));
        }
    }
    if let Some(default) = &field.default
        && let Err(unfit) = profile::normal(field, default)
    {
        let problem = format!("`{default}` is no value of this field: {}", unfit.problem);
        found.push((location.at("default"), problem, unfit.fix));
    }
}

fn meters(document: &Document, found: &mut Vec<Mistake>) {
    for (name, meter) in &document.meters {
        let location = root("meters").at(name);
        key(&location, name, found);
        if meter.unit.trim().is_empty() {
            let fix = "say what is counted, as `credits` or `bytes`".to_owned();
            found.push((location.at("unit"), "the unit is empty".to_owned(), fix));
        }
    }
    for (plan, name, limit) in document
        .plans
        .iter()
        .flat_map(|(plan, rules)| rules.meters.iter().map(move |(meter, limit)| (plan, meter, limit)))
    {
        let location = root("plans").at(plan).at("meters").at(name);
        if !document.meters.contains_key(name) {
            let problem = format!("there is no meter `{name}`");
            found.push((location.clone(), problem, "declare it in `meters`".to_owned()));
        }
        if i64::try_from(limit.limit).is_err() {
            found.push((location.at("limit"), "more than can be counted".to_owned(), "leave the meter out".to_owned()));
        }
    }
}
