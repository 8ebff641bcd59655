//! Card numbers: recognized wherever somebody writes one, so that none is ever kept.
//!
//! The gateway shows how an organization pays; it never needs the number. A text is refused when a row of its digit groups, blanks
//! and dashes between them left out, has 13 to 19 digits whose Luhn sum is right. One in ten long numbers that are no card's is
//! refused too: whoever numbers invoices so writes a letter between.

use super::{UserError, UserErrorCode};
use crate::identity::email::is_invisible;

/// Digits of a card number, at least and at most (ISO/IEC 7812).
const LENGTH: std::ops::RangeInclusive<usize> = 13..=19;

/// Refuses a text in which there is a card number. The refusal does not repeat it.
///
/// # Errors
/// `INVALID` at the field.
pub fn refuse(field: &str, text: &str) -> Result<(), UserError> {
    if !holds_one(text) || crate::ablate::off("card_number") {
        return Ok(());
    }
    let refusal = UserError::new(UserErrorCode::Invalid, field, "this looks like a card number, and none is kept here");
    Err(refusal.remedy("Give the last four digits, and what the payment provider calls the card."))
}

/// Whether there is a card number in a text.
#[must_use]
pub fn holds_one(text: &str) -> bool {
    rows(text).iter().any(|groups| {
        (0..groups.len()).any(|from| {
            let mut digits = Vec::new();
            groups.iter().skip(from).any(|group| {
                digits.extend_from_slice(group);
                LENGTH.contains(&digits.len()) && luhn(&digits)
            })
        })
    })
}

/// The groups of digits of a text, in rows that something else than blanks and dashes divides.
fn rows(text: &str) -> Vec<Vec<Vec<u32>>> {
    let mut rows = vec![vec![Vec::new()]];
    for letter in text.chars() {
        let Some(row) = rows.last_mut() else { continue };
        if let Some(digit) = digit(letter) {
            if let Some(group) = row.last_mut() {
                group.push(digit);
            }
        } else if is_invisible(letter) && !letter.is_whitespace() {
            // As if it were not there.
        } else if is_separator(letter) {
            if row.last().is_some_and(|group| !group.is_empty()) {
                row.push(Vec::new());
            }
        } else {
            rows.push(vec![Vec::new()]);
        }
    }
    rows
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '-' | '.' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

/// A decimal digit, of the scripts in which keyboards write numbers.
fn digit(letter: char) -> Option<u32> {
    const ZEROS: [u32; 6] = [0x0030, 0x0660, 0x06f0, 0x0966, 0x09e6, 0xff10];
    let code = u32::from(letter);
    ZEROS.into_iter().find_map(|zero| code.checked_sub(zero).filter(|digit| *digit < 10))
}

/// The check sum of ISO/IEC 7812: every second digit from the right doubled, its own digits added.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_however_it_is_written() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "card 4111 1111 1111 1111, thank you",
            "x4111111111111111y",
            "4111 1111 1111 1111 123",
            "12/29 4111\u{2011}1111\u{2011}1111\u{2011}1111",
            "4111\u{200b}1111\u{a0}1111 1111",
            "４１１１１１１１１１１１１１１１",
            "378282246310005",
            "6011000990139424",
        ] {
            assert!(holds_one(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in
            ["", "1111", "4111111111111112", "2026-11-30", "INV-2026-0001", "411111111111", "4111x1111x1111x1111"]
        {
            assert!(!holds_one(text), "{text}");
        }
    }

    #[test]
    fn the_refusal_does_not_repeat_it() {
        let refusal = refuse("holder", "4111 1111 1111 1111").unwrap_err();
        assert!(!format!("{refusal:?}").contains("1111"));
    }
}
