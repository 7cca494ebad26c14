//! A report as a drawing: for each failure a panel, in it a lane for each instance of each host.

use std::fmt::Write as _;
use std::time::Duration;

use model::Instant;
use sim::rehearsal::{Bar, Lane, Plan, Timeline};
use vrrp::StateName;

use super::report::Report;

/// The drawing. Sizes are pixels.
pub(super) fn draw(report: &Report<'_>) -> String {
    let plan = report.rehearsal.plan();
    let mut canvas = Canvas { body: String::new(), top: MARGIN };
    canvas.legend();
    if let Some(performed) = &report.performed {
        canvas.panel(plan, "Scenario", &performed.timeline, performed.from);
    }
    for played in report.played.iter().chain(&report.pairs) {
        canvas.panel(plan, &played.failure.told(plan), &played.timeline, played.broken.from);
    }
    canvas.finish()
}

struct Canvas {
    body: String,
    /// Where the next thing goes.
    top: usize,
}

impl Canvas {
    fn legend(&mut self) {
        let mut left = MARGIN;
        for state in [
            Some(StateName::Master),
            Some(StateName::Backup),
            Some(StateName::Fault),
            Some(StateName::Init),
            None,
        ] {
            let (top, name) = (self.top, word(state));
            self.rect(left, top, 14, 14, colour(state), None);
            self.text(left + 20, top + 12, "start", 12, &name);
            left += 120;
        }
        self.top += 34;
    }

    fn panel(&mut self, plan: &Plan, title: &str, timeline: &Timeline, origin: Instant) {
        self.text(MARGIN, self.top + 14, "start", 15, title);
        self.top += 24;
        let scale = Scale { from: timeline.from, until: timeline.until };
        let marks = self.top;
        let rows = timeline.marks.len();
        self.top += rows * MARK_HEIGHT + 6;
        let lanes = self.top;
        for lane in &timeline.lanes {
            self.lane(plan, lane, scale);
        }
        let bottom = self.top;
        self.axis(scale, origin);
        for (row, mark) in timeline.marks.iter().enumerate() {
            let (x, y) = (scale.x(mark.at), marks + row * MARK_HEIGHT);
            self.dashed(x, y + MARK_HEIGHT - 2, bottom);
            let text = format!("{} {}", relative(mark.at, origin), mark.text);
            // Near the right edge there is room on the left only.
            let (at, anchor) = if x > LEFT + WIDTH * 3 / 5 { (x - 4, "end") } else { (x + 4, "start") };
            self.text(at, y + 11, anchor, 11, &text);
        }
        let _ = lanes;
        self.top += PANEL_GAP;
    }

    fn lane(&mut self, plan: &Plan, lane: &Lane, scale: Scale) {
        let top = self.top;
        let name = format!("{} {}", plan.host_name(lane.part.host), lane.part.instance);
        self.text(LEFT - 8, top + 15, "end", 12, &shortened(&name));
        for bar in &lane.bars {
            let (left, right) = (scale.x(bar.from), scale.x(bar.until));
            let width = right.saturating_sub(left).max(1);
            self.rect(left, top, width, LANE_HEIGHT - 4, colour(bar.state), Some(&described(bar)));
            if width > 90 {
                let label = match bar.state {
                    Some(state) => format!("{state} {}", bar.priority),
                    None => word(None),
                };
                self.text(left + 5, top + 14, "start", 11, &label);
            }
        }
        self.top += LANE_HEIGHT;
    }

    fn axis(&mut self, scale: Scale, origin: Instant) {
        let top = self.top + 2;
        let step = scale.tick();
        let mut at = origin;
        while at <= scale.until {
            let x = scale.x(at);
            self.element(&format!(
                "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{}\" stroke=\"#555\"/>",
                top + 4
            ));
            self.text(x, top + 16, "middle", 11, &format!("{} s", at.since(origin).as_secs()));
            at = at + step;
        }
        self.element(&format!(
            "<line x1=\"{LEFT}\" y1=\"{top}\" x2=\"{}\" y2=\"{top}\" stroke=\"#555\"/>",
            LEFT + WIDTH
        ));
        self.top += 22;
    }

    fn rect(&mut self, x: usize, y: usize, width: usize, height: usize, fill: &str, title: Option<&str>) {
        let shape =
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"");
        let drawn = match title {
            Some(title) => format!("{shape}><title>{}</title></rect>", escaped(title)),
            None => format!("{shape}/>"),
        };
        self.element(&drawn);
    }

    fn dashed(&mut self, x: usize, from: usize, to: usize) {
        self.element(&format!(
            "<line x1=\"{x}\" y1=\"{from}\" x2=\"{x}\" y2=\"{to}\" stroke=\"#222\" stroke-dasharray=\"3 3\"/>"
        ));
    }

    fn text(&mut self, x: usize, y: usize, anchor: &str, size: usize, text: &str) {
        self.element(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        ));
    }

    fn element(&mut self, element: &str) {
        // Writing to a string cannot fail.
        let _written = writeln!(self.body, "{element}");
    }

    fn finish(self) -> String {
        let (width, height) = (LEFT + WIDTH + MARGIN * 2, self.top + MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" fill=\"#111\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// From time to place.
#[derive(Clone, Copy, Debug)]
struct Scale {
    from: Instant,
    until: Instant,
}

impl Scale {
    fn x(self, at: Instant) -> usize {
        let whole = self.until.since(self.from).as_nanos().max(1);
        let part = at.min(self.until).since(self.from).as_nanos();
        let pixels = part * WIDTH as u128 / whole;
        LEFT + usize::try_from(pixels).unwrap_or(WIDTH)
    }

    /// At most a dozen ticks, at round times.
    fn tick(self) -> Duration {
        let whole = self.until.since(self.from).as_secs();
        let round = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
        let fits = round.into_iter().find(|step| whole / step < 12);
        Duration::from_secs(fits.unwrap_or_else(|| (whole / 12).max(1)))
    }
}

fn colour(state: Option<StateName>) -> &'static str {
    match state {
        Some(StateName::Master) => "#58b368",
        Some(StateName::Backup) => "#a8c4de",
        Some(StateName::Fault) => "#e07a6c",
        Some(StateName::Init) => "#e6d690",
        None => "#dddddd",
    }
}

fn word(state: Option<StateName>) -> String {
    state.map_or_else(|| "not running".to_owned(), |state| state.to_string())
}

fn described(bar: &Bar) -> String {
    let reason = bar.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}, priority {}{reason}", word(bar.state), bar.priority)
}

fn relative(at: Instant, origin: Instant) -> String {
    super::report::seconds(at.since(origin))
}

/// What fits in front of a lane.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 26 { name.to_owned() } else { name.chars().take(25).chain(['…']).collect() }
}

/// Text as XML has it. What XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => escaped.push(' '),
            plain => escaped.push(plain),
        }
    }
    escaped
}

const MARGIN: usize = 16;
/// Where lanes begin, right of their names.
const LEFT: usize = 210;
/// How long lanes are.
const WIDTH: usize = 900;
const LANE_HEIGHT: usize = 24;
const MARK_HEIGHT: usize = 15;
const PANEL_GAP: usize = 26;
