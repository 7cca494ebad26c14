//! The command line of `steadfast lab`.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Arg;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Help,
    Run(Options),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Leave it running at the end.
    pub(super) keep: bool,
    /// Where to write the captured frames.
    pub(super) pcap: Option<PathBuf>,
    /// One file a host, in this order; none for the built-in pair.
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Option(#[from] lexopt::Error),
    #[error("one file is one host, and one host cannot fail over: give two files or more")]
    OneFile,
    #[error("more than {} files", super::plan::MOST_HOSTS)]
    TooManyFiles,
}

pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request, Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
            Arg::Long("keep") => options.keep = true,
            Arg::Long("pcap") => options.pcap = Some(parser.value()?.into()),
            Arg::Value(file) => options.files.push(file.into()),
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected().into()),
        }
    }
    match options.files.len() {
        1 => Err(Error::OneFile),
        count if count > super::plan::MOST_HOSTS => Err(Error::TooManyFiles),
        _ => Ok(Request::Run(options)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_and_files_mix() {
        let expected = Options {
            keep: true,
            pcap: Some("x.pcap".into()),
            files: vec!["a.conf".into(), "b.conf".into()],
        };
        assert_eq!(parsed("a.conf --keep b.conf --pcap x.pcap").unwrap(), Request::Run(expected));
        assert_eq!(parsed("").unwrap(), Request::Run(Options::default()));
        assert_eq!(parsed("--keep -h").unwrap(), Request::Help);
    }

    #[test]
    fn mistakes_are_named() {
        let said = |line| parsed(line).unwrap_err().to_string();
        assert_eq!(said("--speed"), "invalid option '--speed'");
        assert_eq!(said("--pcap"), "missing argument for option '--pcap'");
        assert_eq!(
            said("a.conf"),
            "one file is one host, and one host cannot fail over: give two files or more"
        );
    }
}
