//! Scalars of our own: whole numbers of 64 bits, and days.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// A whole number of 64 bits with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int64(pub i64);

/// A whole number of 64 bits with its sign. It is written as text, because many clients read numbers in JSON as floating point,
/// which is exact to 53 bits only. As input, text and a plain number are taken.
#[Scalar(name = "Int64")]
impl ScalarType for Int64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            // Only the one spelling: no sign or zero in front that a reader would trip over.
            Value::String(text) => text.parse::<i64>().ok().filter(|number| number.to_string() == *text),
            _ => return Err(InputValueError::expected_type(value)),
        };
        number.map(Self).ok_or_else(|| InputValueError::custom("not a whole number of 64 bits"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A day as text; which days there are, the service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date(pub String);

/// A day, as `2026-11-30` (RFC 3339 `full-date`).
#[Scalar(name = "Date", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_64_bits_is_read_as_it_is_written() {
        for number in [0, -1, i64::MIN, i64::MAX, 1 << 31, (1 << 53) + 1] {
            assert_eq!(Int64::parse(Int64(number).to_value()).ok(), Some(Int64(number)));
            assert_eq!(Int64::parse(Value::from(number)).ok(), Some(Int64(number)));
        }
        for bad in ["", "+1", "01", "1.0", "9223372036854775808", "1e3", " 1"] {
            assert!(Int64::parse(Value::from(bad)).is_err(), "{bad}");
        }
        assert!(Int64::parse(Value::from(1.5)).is_err() && Int64::parse(Value::from(true)).is_err());
    }
}
