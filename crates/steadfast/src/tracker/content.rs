//! What a tracked file says: a number, read as keepalived reads it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// What was found in the place of a tracked file.
#[derive(Debug)]
pub(super) enum Content {
    /// There is none.
    Missing,
    /// Not a byte: its writer may be about to write.
    Empty,
    /// This number. 0 also of a file that does not begin with one.
    Number(i32),
    /// A number that does not fit 32 bits.
    TooLarge,
    /// A folder, a pipe, a device: nothing of that is opened.
    NotRegular,
    /// It is there, but not for us.
    Unreadable(io::Error),
}

/// Reads the file at `path`, of which only the first bytes count. A symbolic link counts as what it points to.
pub(super) fn read(path: &Path) -> Content {
    match first_bytes(path) {
        Ok(Some(bytes)) if bytes.is_empty() => Content::Empty,
        Ok(Some(bytes)) => number(&bytes).map_or(Content::TooLarge, Content::Number),
        Ok(None) => Content::NotRegular,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Content::Missing
        }
        Err(error) => Content::Unreadable(error),
    }
}

fn first_bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Opening a device may do something already.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    // It may have become another thing by now; opening that must not wait, nor make a terminal this process's own.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file: File = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata().as_ref().is_ok_and(Metadata::is_file) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(READ_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// So much of a file counts, as with keepalived.
const READ_BYTES: u64 = 127;

/// The number at the beginning of `bytes`, as C's `strtol` reads it with base 0: blanks, a sign, `0x` for hexadecimal,
/// `0` for octal digits, and anything after them. 0 if there is none; `None` if it does not fit.
fn number(bytes: &[u8]) -> Option<i32> {
    let blanks = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (negative, digits) = match bytes.get(blanks..).unwrap_or_default() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => (16, rest),
        [b'0', rest @ ..] => (8, rest),
        rest => (10, rest),
    };
    let digits = digits.iter().map_while(|byte| char::from(*byte).to_digit(base));
    let size = digits
        .fold(0_i64, |size, digit| size.saturating_mul(i64::from(base)).saturating_add(i64::from(digit)));
    i32::try_from(if negative { -size } else { size }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_keepalived_reads_it() {
        for (text, expected) in [
            ("5", 5),
            ("6\n", 6),
            (" 7\n", 7),
            ("\t8", 8),
            ("\n9", 9),
            ("\u{b}7", 7),
            ("+10", 10),
            ("-4", -4),
            ("-0", 0),
            ("- 3", 0),
            ("5x", 5),
            ("6 x", 6),
            ("x", 0),
            ("0x10", 16),
            ("0xg", 0),
            ("010", 8),
            ("08", 0),
            ("3.5", 3),
            ("1e2", 1),
            ("7\08", 7),
            ("1\n2", 1),
            ("2147483647", i32::MAX),
            ("-2147483648", i32::MIN),
        ] {
            assert_eq!(number(text.as_bytes()), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_none() {
        for text in ["2147483648", "-2147483649", "99999999999999999999", "0xffffffffffffffffffff"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn only_a_regular_file_is_opened_and_only_its_beginning_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("load");
        assert!(matches!(read(&path), Content::Missing));
        assert!(matches!(read(dir.path()), Content::NotRegular));
        assert!(matches!(read(&path.join("below")), Content::Missing));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(read(&path), Content::Empty));
        assert!(matches!(read(&path.join("below")), Content::Missing), "no folder, so nothing in it");
        std::fs::write(&path, [b" ".repeat(126), b"51".to_vec()].concat()).unwrap();
        assert!(matches!(read(&path), Content::Number(5)));
        std::fs::write(&path, [b" ".repeat(200), b"5".to_vec()].concat()).unwrap();
        assert!(matches!(read(&path), Content::Number(0)));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&link, &link).unwrap();
        assert!(matches!(read(&link), Content::Unreadable(_)), "a link to itself");
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(read(&pipe), Content::NotRegular));
        assert!(matches!(read(Path::new("/dev/zero")), Content::NotRegular));
    }
}
