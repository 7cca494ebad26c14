//! `SMTP_CHECK`: greeting, HELO, QUIT (RFC 5321).

use model::lvs::SmtpCheck;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::dial;
use crate::trouble::Trouble;

/// RFC 5321 §4.5.3.1.5 has lines of 512 bytes; a reply of many lines is longer.
const MAX_REPLY_BYTES: usize = 8 * 1024;

pub(crate) async fn ask(check: &SmtpCheck) -> Result<(), Trouble> {
    let stream = dial::tcp(&check.connection).await?;
    let mut dialogue = Dialogue { check, stream, heard: Vec::with_capacity(256) };
    dialogue.expect(b"220", "greeting").await?;
    dialogue.say(&format!("HELO {}\r\n", check.helo)).await?;
    dialogue.expect(b"250", "answer to HELO").await?;
    dialogue.say("QUIT\r\n").await?;
    // Whatever it says to that: it is well.
    dialogue.reply("answer to QUIT").await.map(drop)
}

struct Dialogue<'a> {
    check: &'a SmtpCheck,
    stream: TcpStream,
    /// What was received and not looked at yet.
    heard: Vec<u8>,
}

impl Dialogue<'_> {
    async fn say(&mut self, line: &str) -> Result<(), Trouble> {
        let written = self.stream.write_all(line.as_bytes()).await;
        written.map_err(|error| Trouble::underway(&error, &self.check.connection))
    }

    async fn expect(&mut self, code: &[u8; 3], what: &str) -> Result<(), Trouble> {
        let reply = self.reply(what).await?;
        if reply.starts_with(code) {
            return Ok(());
        }
        let line = reply.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line: String = String::from_utf8_lossy(line).trim().chars().take(80).collect();
        Err(Trouble::server(format!("the {what} is `{}`", line.escape_debug())))
    }

    /// The next reply, all its lines.
    async fn reply(&mut self, what: &str) -> Result<Vec<u8>, Trouble> {
        let limit = self.check.connection.timeout;
        let missed = format!("no {what} in time");
        dial::within(limit, self.read_reply(what), &missed).await
    }

    async fn read_reply(&mut self, what: &str) -> Result<Vec<u8>, Trouble> {
        loop {
            if let Some(end) = end_of_reply(&self.heard) {
                let rest = self.heard.split_off(end);
                return Ok(std::mem::replace(&mut self.heard, rest));
            }
            if self.heard.len() >= MAX_REPLY_BYTES {
                return Err(Trouble::server(format!("the {what} does not end")));
            }
            let read = self.stream.read_buf(&mut self.heard).await;
            if read.map_err(|error| Trouble::underway(&error, &self.check.connection))? == 0 {
                return Err(Trouble::server(format!("the connection was closed before the {what}")));
            }
        }
    }
}

/// How long the first reply is: up to a line without a hyphen after its code (RFC 5321 §4.2.1).
fn end_of_reply(heard: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in heard.split_inclusive(|&byte| byte == b'\n') {
        if !line.ends_with(b"\n") {
            return None;
        }
        end += line.len();
        if line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::end_of_reply;

    #[test]
    fn a_reply_ends_with_a_line_without_hyphen() {
        for (heard, end) in [
            (&b"220 me\r\n"[..], Some(8)),
            (b"220-me\r\n220 more\r\nrest", Some(18)),
            (b"220-me\r\n", None),
            (b"220 me", None),
            (b"\n", Some(1)),
            (b"", None),
        ] {
            assert_eq!(end_of_reply(heard), end, "{}", heard.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes(heard in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(end_of_reply(&heard).is_none_or(|end| end <= heard.len() && heard[end - 1] == b'\n'));
        }
    }
}
