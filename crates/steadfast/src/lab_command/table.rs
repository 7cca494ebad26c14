//! What is printed.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use lab::Outage;
use model::Instant;

use super::stage::Stage;

/// A table whose lines are begun when a step begins and finished when it ends.
pub(super) struct Table {
    begin: Instant,
    /// The width of the event column.
    events: usize,
    /// The width of the holder column.
    holders: usize,
}

/// What came of a step.
pub(super) struct Line<'a> {
    /// The hosts that hold the address.
    pub(super) holders: &'a [usize],
    /// The longest time without an answer.
    pub(super) outage: Outage,
    /// What the timers alone ask; `None` if the master stayed.
    pub(super) asked: Option<Duration>,
}

impl Table {
    /// Prints who takes part, and the heading.
    pub(super) fn begin(stage: &Stage, out: &mut impl Write) -> io::Result<Self> {
        let hosts = stage.actors.len();
        writeln!(out, "{hosts} hosts and a client on a LAN; 1000 requests a second to {}\n", stage.vip)?;
        for actor in &stage.actors {
            let (machine, instance) = (&actor.machine, &actor.machine.instance);
            writeln!(
                out,
                "  {}  {:<15}  priority {:<3}  VRRPv{}, router {}, every {}  {}",
                machine.name,
                machine.address,
                instance.priority,
                instance.version,
                instance.vrid,
                instance.advert_interval,
                machine.file,
            )?;
        }
        writeln!(
            out,
            "\n  This machine's files are read-only to their scripts; /run and /tmp are each host's own."
        )?;
        let table = Self {
            begin: lab::now(),
            events: (3 * hosts + 6).max("a loses power (kill -9)".len()),
            holders: (3 * hosts).max("holder".len()),
        };
        let (event, holder) = ("event", "holder");
        let (events, holders) = (table.events, table.holders);
        writeln!(out, "\n  seconds  {event:<events$}  {holder:<holders$}  ms unanswered  ms by the timers")?;
        out.flush()?;
        Ok(table)
    }

    /// Begins a line.
    pub(super) fn announce(&self, at: Instant, event: &str, out: &mut impl Write) -> io::Result<()> {
        let events = self.events;
        write!(out, "  {:>7.3}  {event:<events$}  ", at.since(self.begin).as_secs_f64())?;
        out.flush()
    }

    /// Ends it.
    pub(super) fn finish(&self, line: &Line<'_>, stage: &Stage, out: &mut impl Write) -> io::Result<()> {
        let names = line.holders.iter().map(|&index| &*stage.actors[index].machine.name);
        let holder = if line.holders.is_empty() { "nobody".to_owned() } else { list(names) };
        let holders = self.holders;
        let length = millis(line.outage.length);
        let outage = if line.outage.over { length } else { format!("> {length}") };
        let asked = line.asked.map_or_else(|| "-".to_owned(), millis);
        writeln!(out, "{holder:<holders$}  {outage:>13}  {asked:>16}")?;
        out.flush()
    }

    /// The summary.
    pub(super) fn end(&self, well: bool, stage: &Stage, out: &mut impl Write) -> io::Result<()> {
        let answered = stage.client.answered_since(self.begin);
        let requests = stage.client.asked();
        let verdict = if well {
            "every step ended with one holder and a client that was served"
        } else {
            "NOT every step ended with one holder and a client that was served"
        };
        writeln!(out, "\n{verdict}; {answered} of {requests} requests were answered")?;
        out.flush()
    }
}

/// `a, b and c`.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Milliseconds with a tenth, thousands apart.
fn millis(span: Duration) -> String {
    let tenths = span.as_micros() / 100;
    let mut text = String::new();
    let whole = (tenths / 10).to_string();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    // Writing to a string does not fail.
    write!(text, ".{}", tenths % 10).ok();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(millis(Duration::from_micros(3_609_375)), "3 609.3");
        assert_eq!(millis(Duration::from_micros(950)), "0.9");
        assert_eq!(millis(Duration::from_millis(12_345_678)), "12 345 678.0");
    }

    #[test]
    fn hosts_are_listed_as_people_do() {
        assert_eq!(list(["a"]), "a");
        assert_eq!(list(["a", "b", "c"]), "a, b and c");
    }
}
