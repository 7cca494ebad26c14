//! The command line of `steadfast rehearse`.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Arg;

use super::STREAM;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Help,
    Run(Options),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) pairs: bool,
    pub(super) deny_doubts: bool,
    pub(super) scenario: Option<PathBuf>,
    pub(super) json: Option<OsString>,
    pub(super) svg: Option<OsString>,
    pub(super) seed: u64,
    pub(super) config_id: Option<String>,
    /// One for each host.
    pub(super) files: Vec<OsString>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pairs: false,
            deny_doubts: false,
            scenario: None,
            json: None,
            svg: None,
            seed: 1,
            config_id: None,
            files: Vec::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Option(#[from] lexopt::Error),
    #[error("one file is one host, and one host cannot fail over: give two files or more")]
    TooFewFiles,
    #[error("a seed is a number from 0 to 18446744073709551615, not `{0}`")]
    Seed(String),
    #[error("--pairs belongs to the failures that --scenario replaces: give one of them")]
    PairsOfScenario,
    #[error("--json and --svg cannot both go to standard output")]
    OneStream,
    #[error("--{0} needs a name to write to, or - for standard output")]
    NoOut(&'static str),
}

pub(super) fn parse(arguments: Vec<OsString>) -> Result<Request, Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
            Arg::Long("pairs") => options.pairs = true,
            Arg::Long("deny-doubts") => options.deny_doubts = true,
            Arg::Long("scenario") => options.scenario = Some(parser.value()?.into()),
            Arg::Long("json") => options.json = Some(out("json", parser.value()?)?),
            Arg::Long("svg") => options.svg = Some(out("svg", parser.value()?)?),
            Arg::Long("seed") => {
                let word = parser.value()?.to_string_lossy().into_owned();
                options.seed = word.parse().map_err(|_| Error::Seed(word))?;
            }
            Arg::Short('i') | Arg::Long("config-id") => {
                options.config_id = Some(parser.value()?.to_string_lossy().into_owned());
            }
            Arg::Value(file) => options.files.push(file),
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected().into()),
        }
    }
    let streams = [&options.json, &options.svg].into_iter().flatten().filter(|out| *out == STREAM);
    if streams.count() > 1 {
        return Err(Error::OneStream);
    }
    if options.pairs && options.scenario.is_some() {
        return Err(Error::PairsOfScenario);
    }
    if options.files.len() < 2 {
        return Err(Error::TooFewFiles);
    }
    Ok(Request::Run(options))
}

fn out(option: &'static str, value: OsString) -> Result<OsString, Error> {
    if value.is_empty() { Err(Error::NoOut(option)) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, Error> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn options_and_files_mix() {
        let files = vec!["a.conf".into(), "b.conf".into()];
        let expected = Options { seed: 7, json: Some("-".into()), pairs: true, files, ..Options::default() };
        assert_eq!(parsed("a.conf --seed 7 --pairs b.conf --json -").unwrap(), Request::Run(expected));
        assert_eq!(parsed("a.conf -h").unwrap(), Request::Help);
    }

    #[test]
    fn mistakes_are_named() {
        let said = |line| parsed(line).unwrap_err().to_string();
        assert_eq!(said("--speed"), "invalid option '--speed'");
        let few = "one file is one host, and one host cannot fail over: give two files or more";
        assert_eq!((said("a.conf"), said("")), (few.to_owned(), few.to_owned()));
        assert!(said("--seed x a b").starts_with("a seed is a number from 0 to 1844"));
        assert!(said("--json - --svg - a b").contains("standard output"));
        assert!(said("--pairs --scenario s a b").contains("--scenario"));
    }
}
