//! JSON with the line of every value, so that a mistake can be pointed at.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::Mistake;

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    /// Its line, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) value: Value,
}

/// A value; an object keeps its fields as they were written, twice the same name included.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Value {
    /// What a person calls it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a document.
pub(super) fn parse(source: &str) -> Result<Node, Mistake> {
    let mut root: Node = serde_json::from_str(source).map_err(|error| Mistake {
        line: error.line(),
        field: String::new(),
        problem: format!("this is not JSON: {error}"),
    })?;
    number(&mut root, &mut starts(source).into_iter());
    Ok(root)
}

/// Gives every value its line; both come in the order in which the values begin.
fn number(node: &mut Node, starts: &mut impl Iterator<Item = usize>) {
    node.line = starts.next().unwrap_or(1);
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| number(node, starts)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, node)| number(node, starts)),
        Value::Null | Value::Bool(_) | Value::Number | Value::Text(_) => {}
    }
}

/// The lines on which values begin, in the order of the text, which is known to be JSON.
fn starts(source: &str) -> Vec<usize> {
    let (mut line, mut lines) = (1, Vec::new());
    let mut bytes = source.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'{' | b'[' => lines.push(line),
            b'"' => {
                lines.push(line);
                while let Some(inner) = bytes.next() {
                    match inner {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            // The text before it was a field's name.
            b':' => drop(lines.pop()),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                lines.push(line);
                while bytes.next_if(|next| next.is_ascii_alphanumeric() || b"+-.".contains(next)).is_some() {}
            }
            _ => {}
        }
    }
    lines
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { line: 0, value: deserializer.deserialize_any(Reading)? })
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let source = "{\n \"a\": [1,\n  -2.5e3, \"x\\\"\n\"],\n \"b\\\\\": {\"c\"\n: null}, \"d\": true\n}";
        let source = source.replace("x\\\"\n\"", "x\\\"\"");
        let root = parse(&source).unwrap();
        assert_eq!(root.line, 1);
        let Value::Object(fields) = &root.value else { panic!("{root:?}") };
        let Value::List(list) = &fields[0].1.value else { panic!("{root:?}") };
        assert_eq!((fields[0].1.line, list[0].line, list[1].line, list[2].line), (2, 2, 3, 3));
        let Value::Object(inner) = &fields[1].1.value else { panic!("{root:?}") };
        assert_eq!((fields[1].1.line, inner[0].1.line, fields[2].1.line), (4, 5, 5));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_line() {
        for (source, line) in [("", 1), ("{\n\"a\": 1,\n}", 3), ("{}\n{}", 2), ("{\"a\":\n\"\u{1}\"}", 2)] {
            assert_eq!(parse(source).unwrap_err().line, line, "{source:?}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
