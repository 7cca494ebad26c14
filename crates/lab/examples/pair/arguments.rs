//! The command line of a measurement: options with values, then `--` and the daemon with its arguments.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::Failure;
use super::daemon::Daemon;

/// What stands on the command line and was not taken yet.
pub(crate) struct Arguments {
    options: BTreeMap<String, String>,
    command: Vec<String>,
}

impl Arguments {
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut arguments = std::env::args().skip(1);
        let mut options = BTreeMap::new();
        while let Some(option) = arguments.next().filter(|option| option != "--") {
            let value = arguments.next().filter(|value| value != "--");
            let value = value.ok_or_else(|| usage(&option, "an option with a value is expected"))?;
            options.insert(option, value);
        }
        Ok(Self { options, command: arguments.collect() })
    }

    /// The value of `option`, or what it is without it.
    pub(crate) fn take<T: FromStr>(
        &mut self,
        option: &str,
        default: &str,
        expected: &'static str,
    ) -> Result<T, Failure> {
        let value = self.options.remove(option);
        let value = value.as_deref().unwrap_or(default);
        value.parse().map_err(|_| usage(&format!("{option} {value}"), expected))
    }

    /// The daemon, once every option was taken.
    pub(crate) fn daemon(self) -> Result<Daemon, Failure> {
        if let Some(option) = self.options.keys().next() {
            return Err(usage(option, "there is no such option"));
        }
        Daemon::new(self.command).ok_or_else(|| usage("--", "then a daemon and its arguments, with {conf}"))
    }
}

fn usage(argument: &str, expected: &'static str) -> Failure {
    Failure::Usage { argument: argument.to_owned(), expected }
}

/// An advertisement interval as it stands in a file.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    pub(crate) text: String,
    pub(crate) span: Duration,
}

impl FromStr for Interval {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let seconds: f64 = text.parse().map_err(drop)?;
        let span = Duration::try_from_secs_f64(seconds).map_err(drop)?;
        let text = text.to_owned();
        if span < Duration::from_millis(10) { Err(()) } else { Ok(Self { text, span }) }
    }
}
