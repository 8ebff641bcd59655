//! Places in a parsed document by the bytes at which they stand: found, taken out, put in.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use crate::blueprint::error::{Location, Step};

/// The innermost place whose key or value stands at these bytes.
pub(super) fn locate(table: &DeTable<'_>, span: &Range<usize>, above: &Location) -> Option<Location> {
    table.iter().find_map(|(key, value)| {
        let name: &str = key.get_ref();
        let place = above.at(name);
        let inner = locate_in(value, span, &place);
        inner.or_else(|| (key.span() == *span || value.span() == *span).then_some(place))
    })
}

fn locate_in(value: &Spanned<DeValue<'_>>, span: &Range<usize>, at: &Location) -> Option<Location> {
    if let DeValue::Table(table) = value.get_ref() {
        return locate(table, span, at);
    }
    let DeValue::Array(array) = value.get_ref() else { return None };
    array.iter().enumerate().find_map(|(index, element)| {
        let place = at.at(index);
        locate_in(element, span, &place).or_else(|| (element.span() == *span).then_some(place))
    })
}

/// The innermost table at these bytes that does not have the field, or had it before it was taken out. A header stands for its
/// table and for those above it that have none of their own.
pub(super) fn lacking(
    table: &DeTable<'_>,
    span: &Range<usize>,
    (field, taken): (&str, &[Location]),
    above: &Location,
) -> Option<Location> {
    table.iter().find_map(|(key, value)| {
        let name: &str = key.get_ref();
        lacking_in(value, span, (field, taken), &above.at(name))
    })
}

fn lacking_in(
    value: &Spanned<DeValue<'_>>,
    span: &Range<usize>,
    (field, taken): (&str, &[Location]),
    at: &Location,
) -> Option<Location> {
    match value.get_ref() {
        DeValue::Table(table) => {
            let lacks = || !table.contains_key(field) || taken.contains(&at.at(field));
            let inner = lacking(table, span, (field, taken), at);
            inner.or_else(|| (value.span() == *span && lacks()).then(|| at.clone()))
        }
        DeValue::Array(array) => {
            let mut elements = array.iter().enumerate();
            elements.find_map(|(index, element)| lacking_in(element, span, (field, taken), &at.at(index)))
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    }
}

/// Takes out what [`locate`] finds; whether there was anything.
pub(super) fn take(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    if table.iter_mut().any(|(_, value)| take_in(value, span)) {
        return true;
    }
    let here = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span);
    let key = here.map(|(key, _)| key.get_ref().clone().into_owned());
    key.is_some_and(|key| table.remove(key.as_str()).is_some())
}

fn take_in(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    if let DeValue::Table(table) = value.get_mut() {
        return take(table, span);
    }
    let DeValue::Array(array) = value.get_mut() else { return false };
    if array.iter_mut().any(|element| take_in(element, span)) {
        return true;
    }
    let mut kept = DeArray::new();
    for element in array.iter().filter(|element| element.span() != *span) {
        kept.push(element.clone());
    }
    let is_taken = kept.len() < array.len();
    *array = kept;
    is_taken
}

/// Puts a value into the table to which these steps lead; whether they do.
pub(super) fn put<'i>(table: &mut DeTable<'i>, (steps, field): (&[Step], &str), value: Spanned<DeValue<'i>>) -> bool {
    let Some((first, steps)) = steps.split_first() else {
        table.insert(Spanned::new(value.span(), Cow::Owned(field.to_owned())), value);
        return true;
    };
    let Step::Key(first) = first else { return false };
    table.get_mut(first.as_str()).is_some_and(|inner| put_in(inner, (steps, field), value))
}

fn put_in<'i>(inner: &mut Spanned<DeValue<'i>>, (steps, field): (&[Step], &str), value: Spanned<DeValue<'i>>) -> bool {
    match (inner.get_mut(), steps.split_first()) {
        (DeValue::Table(table), _) => put(table, (steps, field), value),
        (DeValue::Array(array), Some((Step::Index(index), steps))) => {
            array.get_mut(*index).is_some_and(|element| put_in(element, (steps, field), value))
        }
        _ => false,
    }
}

/// Puts another value where one stands at these bytes; whether there was one.
pub(super) fn replace<'i>(table: &mut DeTable<'i>, span: &Range<usize>, value: &DeValue<'i>) -> bool {
    table.iter_mut().any(|(_, inner)| replace_in(inner, span, value))
}

fn replace_in<'i>(inner: &mut Spanned<DeValue<'i>>, span: &Range<usize>, value: &DeValue<'i>) -> bool {
    if inner.span() == *span {
        *inner.get_mut() = value.clone();
        return true;
    }
    match inner.get_mut() {
        DeValue::Table(table) => replace(table, span, value),
        DeValue::Array(array) => array.iter_mut().any(|element| replace_in(element, span, value)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            false
        }
    }
}
