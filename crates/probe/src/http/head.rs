//! The head of a response (RFC 9112 §2.1), read as forgivingly as a check may.

use httparse::{EMPTY_HEADER, ParserConfig, Response, Status};
use memchr::memmem;

const MAX_HEADERS: usize = 128;

/// What a check wants to know of a response before its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// How long the body is; it ends with the connection if `None`.
    pub(crate) body_bytes: Option<u64>,
}

impl Head {
    /// Whether the response itself is still to come. After 101 another protocol is.
    pub(crate) const fn is_interim(self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

/// Why a response has no head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the answer is no HTTP response ({0})")]
    NoHttp(#[from] httparse::Error),
    #[error("the header of the response does not end")]
    Endless,
    #[error("Content-Length is `{0}`")]
    Length(Box<str>),
}

/// Where the head ends, if it does: after the first empty line.
pub(crate) fn end(received: &[u8]) -> Option<usize> {
    memmem::find(received, b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a head that [`end`] has found.
pub(crate) fn parse(head: &[u8]) -> Result<Head, Malformed> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = Response::new(&mut headers);
    let mut config = ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.ignore_invalid_headers_in_responses(true);
    let status = match config.parse_response(&mut response, head)? {
        Status::Complete(_) => response.code.ok_or(Malformed::Endless)?,
        Status::Partial => return Err(Malformed::Endless),
    };
    let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
    let length = response.headers.iter().find(|header| is_length(header.name));
    let body_bytes = match (status, length) {
        // RFC 9112 §6.3.
        (100..=199 | 204 | 304, _) => Some(0),
        (_, Some(header)) => Some(number(header.value)?),
        (_, None) => None,
    };
    Ok(Head { status, body_bytes })
}

fn number(value: &[u8]) -> Result<u64, Malformed> {
    let number = str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Malformed::Length(value.escape_ascii().to_string().chars().take(40).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(head: &str) -> Result<Head, Malformed> {
        parse(&head.as_bytes()[..end(head.as_bytes()).expect("an empty line")])
    }

    #[test]
    fn heads() {
        let head = |status, body_bytes| Ok(Head { status, body_bytes });
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello"), head(200, Some(12)));
        assert_eq!(read("HTTP/1.0 404 Not Found\r\n\r\n"), head(404, None));
        assert_eq!(read("HTTP/1.1 200\r\ncontent-length : 3 \r\n\r\n"), head(200, Some(3)));
        assert_eq!(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n"), head(304, Some(0)));
        assert_eq!(read("HTTP/1.1 200 OK\r\nb\x01d: x\r\nContent-Length: 1\r\n\r\n"), head(200, Some(1)));
    }

    #[test]
    fn what_is_none_says_so() {
        assert_eq!(end(b"HTTP/1.1 200 OK\nContent-Length: 12\n\n"), None);
        assert!(matches!(read("SSH-2.0-x\r\n\r\n"), Err(Malformed::NoHttp(_))));
        assert!(matches!(read("HTTP/1.1 2000 OK\r\n\r\n"), Err(Malformed::NoHttp(_))));
        let error = read("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").unwrap_err();
        assert_eq!(error.to_string(), "Content-Length is `-1`");
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        assert!(matches!(read(&format!("HTTP/1.1 200 OK\r\n{many}\r\n")), Err(Malformed::NoHttp(_))));
    }

    proptest! {
        #[test]
        fn any_bytes(tail in proptest::collection::vec(any::<u8>(), 0..300), like_http in any::<bool>()) {
            let start: &[u8] = if like_http { b"HTTP/1.1 200 OK\r\nContent-Length:" } else { b"" };
            let received = [start, &tail, b"\r\n\r\n"].concat();
            let end = end(&received).unwrap();
            prop_assert!(end <= received.len());
            let _any = parse(&received[..end]);
        }
    }
}
