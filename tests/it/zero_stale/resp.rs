//! Just enough of Redis' protocol to tell where one reply ends and the next begins.

/// The length of the first reply in these bytes; `None` where it has not come whole.
pub(super) fn reply_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let number = || std::str::from_utf8(&bytes[1..end]).ok().and_then(|digits| digits.parse::<i64>().ok());
    let after = end + 2;
    match bytes[0] {
        b'$' => match usize::try_from(number()?) {
            Ok(length) => Some(after + length + 2).filter(|whole| bytes.len() >= *whole),
            Err(_nothing) => Some(after),
        },
        b'*' => {
            let mut whole = after;
            for _ in 0..number()?.max(0) {
                whole += reply_length(&bytes[whole..])?;
            }
            Some(whole)
        }
        _ => Some(after),
    }
}

#[test]
fn replies_are_told_apart() {
    for reply in ["+OK\r\n", ":12\r\n", "-ERR no\r\n", "$-1\r\n", "$0\r\n\r\n", "$2\r\n\r\n\r\n", "*-1\r\n", "*0\r\n"] {
        let (two, whole) = (format!("{reply}{reply}"), Some(reply.len()));
        assert_eq!(reply_length(two.as_bytes()), whole, "{reply:?}");
        let nested = format!("*3\r\n{reply}$1\r\nx\r\n{reply}");
        assert_eq!(reply_length(format!("{nested}{two}").as_bytes()), Some(nested.len()), "{reply:?}");
        for cut in 0..nested.len() {
            assert_eq!(reply_length(&nested.as_bytes()[..cut]), None, "{:?}", &nested[..cut]);
        }
    }
}
