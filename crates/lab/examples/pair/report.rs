//! Figures on standard output: one line each as they come, `CASE QUANTITY VALUE UNIT`, which `cargo xtask bench`
//! collects, then a line for people that begins with `#`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use super::Failure;

/// The figures of one case.
pub(crate) struct Report {
    case: String,
    figures: Vec<Figure>,
}

struct Figure {
    quantity: &'static str,
    value: f64,
    unit: &'static str,
}

impl Report {
    pub(crate) fn new(case: impl Into<String>) -> Self {
        Self { case: case.into(), figures: Vec::new() }
    }

    /// Notes a span; `than` is what it is compared with, and it may be shorter.
    pub(crate) fn excess(
        &mut self,
        quantity: &'static str,
        span: Duration,
        than: Duration,
    ) -> io::Result<()> {
        self.note(quantity, (span.as_secs_f64() - than.as_secs_f64()) * 1000.0, "ms")
    }

    pub(crate) fn span(&mut self, quantity: &'static str, span: Duration) -> io::Result<()> {
        self.excess(quantity, span, Duration::ZERO)
    }

    pub(crate) fn note(&mut self, quantity: &'static str, value: f64, unit: &'static str) -> io::Result<()> {
        writeln!(io::stdout(), "{} {quantity} {value:.3} {unit}", self.case)?;
        self.figures.push(Figure { quantity, value, unit });
        Ok(())
    }

    /// Median and range of every quantity.
    pub(crate) fn summarise(&self, setting: &str) -> io::Result<()> {
        let mut quantities: Vec<&str> = self.figures.iter().map(|figure| figure.quantity).collect();
        quantities.dedup();
        quantities.sort_unstable();
        quantities.dedup();
        for quantity in quantities {
            let of_it = || self.figures.iter().filter(|figure| figure.quantity == quantity);
            let mut values: Vec<f64> = of_it().map(|figure| figure.value).collect();
            values.sort_by(f64::total_cmp);
            let (Some(least), Some(most)) = (values.first(), values.last()) else { continue };
            let unit = of_it().next().map_or("", |figure| figure.unit);
            writeln!(
                io::stdout(),
                "# {} {setting}: {quantity} {:.3} {unit} ({least:.3} to {most:.3}, {} runs)",
                self.case,
                median(&values),
                values.len(),
            )?;
        }
        Ok(())
    }
}

/// Of values in order, at least one.
fn median(values: &[f64]) -> f64 {
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => values[middle - 1].midpoint(values[middle]),
        _ => values[middle],
    }
}

/// Runs a measurement, and says why it failed if it did.
pub(crate) fn main(measure: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
