//! The batch over time: how many letters were accepted, put off, refused or lost in each interval, as a drawing (inline SVG)
//! and as the same table.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::super::dossier::Dossier;
use super::super::{duration, shown};
use super::{figures, instant};
use crate::domain::delivery::State;
use crate::domain::markup::escape;

/// Lengths of an interval that people think in, in seconds.
const STEPS: [i64; 17] =
    [1, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];
/// The most intervals that are drawn.
const MOST: i64 = 40;
/// What is stacked, from the bottom.
const STACKED: [State; 4] = [State::Accepted, State::Deferred, State::Failed, State::Uncertain];

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 40.0;

/// What happened in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interval {
    from: Timestamp,
    /// In the order of [`STACKED`].
    counts: [u64; 4],
}

/// Settled attempts, sorted into intervals of one length that follow each other without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Timeline {
    /// In seconds.
    step: i64,
    intervals: Vec<Interval>,
}

impl Timeline {
    /// `None` if nothing was settled.
    fn new(settled: &[(Timestamp, State)]) -> Option<Self> {
        let (first, last) = (settled.first()?.0.as_second(), settled.last()?.0.as_second());
        let fits = |step: &&i64| (last.div_euclid(**step) - first.div_euclid(**step)) < MOST;
        // Beyond forty months an interval is as long as it must be.
        let step = STEPS.iter().find(fits).copied().unwrap_or_else(|| (last - first) / (MOST - 1) + 1);
        let origin = first.div_euclid(step) * step;
        let count = (last - origin) / step + 1;
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut intervals: Vec<Interval> =
            (0..count).map(|place| Interval { from: at(origin + place * step), counts: [0; 4] }).collect();
        for (moment, state) in settled {
            let place = usize::try_from((moment.as_second() - origin) / step).unwrap_or(0);
            if let (Some(interval), Some(kind)) =
                (intervals.get_mut(place), STACKED.iter().position(|stacked| stacked == state))
            {
                interval.counts[kind] += 1;
            }
        }
        Some(Self { step, intervals })
    }

    fn begin(&self) -> Timestamp {
        self.intervals[0].from
    }

    fn end(&self) -> Timestamp {
        let last = self.intervals[self.intervals.len() - 1].from;
        last.checked_add(SignedDuration::from_secs(self.step)).unwrap_or(last)
    }

    fn tallest(&self) -> u64 {
        self.intervals.iter().map(|interval| interval.counts.iter().sum()).max().unwrap_or(0)
    }

    /// What an instant on the axis is called: as exact as the intervals are.
    fn label(&self, at: Timestamp) -> String {
        let format = match self.step {
            ..60 => "%H:%M:%S",
            60..43_200 => "%H:%M",
            _ => "%-d %b",
        };
        at.strftime(format).to_string()
    }
}

/// The drawing, its caption, and the table that says the same.
pub(super) fn section(dossier: &Dossier) -> String {
    let Some(timeline) = Timeline::new(&dossier.settled) else {
        return "<p>Nothing was handed over yet.</p>\n".to_owned();
    };
    let mut html = String::from("<figure tabindex=\"0\" aria-label=\"The letters over time\">\n");
    html.push_str(&drawing(&timeline, dossier));
    let caption = figures::beside_event(dossier).unwrap_or_default();
    let _ = writeln!(
        html,
        "<figcaption>What the servers answered, in intervals of {}; times are UTC. A letter that was put off and sent again \
         counts each time. {caption}</figcaption>\n</figure>",
        duration(u64::try_from(timeline.step).unwrap_or(0))
    );
    html.push_str(&table(&timeline));
    html
}

fn drawing(timeline: &Timeline, dossier: &Dossier) -> String {
    let (begin, end) = (timeline.begin(), timeline.end());
    let event = dossier.event.as_ref().filter(|event| is_near(event.at, begin, end));
    let (from, to) = event.map_or((begin, end), |event| (begin.min(event.at), end.max(event.at)));
    let span = seconds(from, to).max(1.0);
    let x = |at: Timestamp| LEFT + seconds(from, at) / span * (WIDTH - LEFT - RIGHT);
    let top = nice(timeline.tallest());
    let y = |count: u64| HEIGHT - BOTTOM - count_of(count) / count_of(top) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"chart-title chart-desc\">\n\
         <title id=\"chart-title\">Letters over time</title>\n<desc id=\"chart-desc\">{}</desc>\n",
        escape(&described(timeline, dossier))
    );
    for mark in [0, top / 2, top].into_iter().filter(|mark| *mark == 0 || top > 1 || *mark == top) {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/><text class=\"axis\" x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{mark}</text>",
            WIDTH - RIGHT,
            y(mark),
            LEFT - 8.0,
            y(mark) + 4.0
        );
    }
    svg.push_str(&bars(timeline, &x, &y));
    svg.push_str(&axis(timeline, &x));
    if let Some(event) = event {
        let at = x(event.at);
        let (anchor, beside) = if at > WIDTH / 2.0 { ("end", at - 6.0) } else { ("start", at + 6.0) };
        let _ = writeln!(
            svg,
            "<line class=\"event\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/><text class=\"axis\" x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">the event begins</text>",
            TOP - 8.0,
            HEIGHT - BOTTOM,
            TOP + 2.0
        );
    }
    svg.push_str(&legend(timeline));
    svg.push_str("</svg>\n");
    svg
}

/// An event is drawn if that leaves the bars at least half of the width.
fn is_near(event: Timestamp, begin: Timestamp, end: Timestamp) -> bool {
    let span = seconds(begin, end);
    seconds(event, begin) <= span && seconds(end, event) <= span
}

fn bars(timeline: &Timeline, x: &dyn Fn(Timestamp) -> f64, y: &dyn Fn(u64) -> f64) -> String {
    let mut svg = String::new();
    let step = SignedDuration::from_secs(timeline.step);
    for interval in &timeline.intervals {
        let left = x(interval.from);
        let width = (x(interval.from.checked_add(step).unwrap_or(interval.from)) - left - 1.0).clamp(1.0, 60.0);
        let mut below = 0;
        for (state, count) in STACKED.into_iter().zip(interval.counts).filter(|(_, count)| *count > 0) {
            let (bottom, upper) = (y(below), y(below + count));
            let _ = writeln!(
                svg,
                "<rect class=\"{}\" x=\"{left:.1}\" y=\"{upper:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                shown(state),
                bottom - upper
            );
            below += count;
        }
    }
    svg
}

/// A few labels, at round times where there are any, and the day below wherever it is another one.
fn axis(timeline: &Timeline, x: &dyn Fn(Timestamp) -> f64) -> String {
    let span = timeline.end().as_second() - timeline.begin().as_second();
    let every = STEPS.into_iter().find(|step| *step >= timeline.step && span / step < 7).unwrap_or(span);
    let is_round = |interval: &&Interval| interval.from.as_second().rem_euclid(every.max(1)) == 0;
    let mut labelled: Vec<&Interval> = timeline.intervals.iter().filter(is_round).collect();
    if labelled.is_empty() {
        labelled.push(&timeline.intervals[0]);
    }
    let mut svg = String::new();
    let mut day = String::new();
    for interval in labelled {
        let at = x(interval.from);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{0:.1}\" y2=\"{1:.1}\"/><text class=\"axis\" x=\"{at:.1}\" y=\"{2:.1}\">{3}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 4.0,
            HEIGHT - BOTTOM + 17.0,
            timeline.label(interval.from)
        );
        let today = interval.from.strftime("%-d %b %Y").to_string();
        if today != day && timeline.step < 43_200 {
            let _ =
                writeln!(svg, "<text class=\"axis\" x=\"{at:.1}\" y=\"{:.1}\">{today}</text>", HEIGHT - BOTTOM + 32.0);
            day = today;
        }
    }
    svg
}

fn legend(timeline: &Timeline) -> String {
    let mut svg = String::new();
    let mut at = LEFT;
    for (kind, state) in STACKED.into_iter().enumerate() {
        if timeline.intervals.iter().all(|interval| interval.counts[kind] == 0) {
            continue;
        }
        let _ = writeln!(
            svg,
            "<rect class=\"{0}\" x=\"{at:.1}\" y=\"4\" width=\"10\" height=\"10\"/><text class=\"axis\" x=\"{1:.1}\" y=\"13\">{0}</text>",
            shown(state),
            at + 15.0
        );
        at += 90.0;
    }
    svg
}

/// The drawing in a sentence, for those who do not see it.
fn described(timeline: &Timeline, dossier: &Dossier) -> String {
    let total = |kind: usize| -> u64 { timeline.intervals.iter().map(|interval| interval.counts[kind]).sum() };
    let said: Vec<String> = STACKED
        .into_iter()
        .enumerate()
        .filter(|(kind, _)| total(*kind) > 0)
        .map(|(kind, state)| format!("{} {}", total(kind), shown(state)))
        .collect();
    let event = dossier.event.as_ref().map_or_else(String::new, |event| format!(" The event began {}.", event.at));
    format!("From {} to {}: {}.{event}", timeline.begin(), timeline.end(), said.join(", "))
}

fn table(timeline: &Timeline) -> String {
    let mut table = String::from(
        "<details>\n<summary>The same as a table</summary>\n<table class=\"figures\">\n<thead><tr><th scope=\"col\">From (UTC)</th>",
    );
    for state in STACKED {
        let _ = write!(table, "<th scope=\"col\" class=\"number\">{}</th>", shown(state));
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for interval in timeline.intervals.iter().filter(|interval| interval.counts != [0; 4]) {
        let _ = write!(table, "<tr><th scope=\"row\">{}</th>", instant(interval.from));
        for count in interval.counts {
            let _ = write!(table, "<td class=\"number\">{count}</td>");
        }
        table.push_str("</tr>\n");
    }
    table.push_str("</tbody>\n</table>\n</details>\n");
    table
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "to be drawn")]
fn count_of(count: u64) -> f64 {
    count as f64
}

/// The next number of 1, 2, 4, 6, 10, 20 … that a scale may end at: its half is whole, but for 1.
fn nice(most: u64) -> u64 {
    let mut decade = 1;
    loop {
        for step in [1, 2, 4, 6] {
            if step * decade >= most {
                return step * decade;
            }
        }
        decade *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_634_738_400 + second).expect("in range")
    }

    #[test]
    fn every_settled_attempt_is_in_one_interval_and_there_are_never_too_many() {
        for span in [0, 1, 59, 3_600, 86_400, 30 * 86_400, 400 * 86_400, 20_000 * 86_400] {
            let settled: Vec<(Timestamp, State)> = (0..=10).map(|n| (at(span * n / 10), State::Accepted)).collect();
            let timeline = Timeline::new(&settled).expect("something");
            assert!(timeline.intervals.len() <= 40, "{span}: {}", timeline.intervals.len());
            assert_eq!(timeline.intervals.iter().map(|i| i.counts[0]).sum::<u64>(), 11, "{span}");
            assert!(timeline.begin() <= at(0) && timeline.end() > at(span), "{span}");
        }
        assert_eq!(Timeline::new(&[]), None);
    }

    #[test]
    fn a_scale_ends_at_a_round_number_that_holds_the_tallest_bar() {
        assert_eq!([0, 1, 2, 3, 5, 7, 11, 41, 61, 193].map(nice), [1, 1, 2, 4, 6, 10, 20, 60, 100, 200]);
    }

    #[test]
    fn an_event_is_drawn_only_where_it_leaves_room_for_the_letters() {
        assert!(
            is_near(at(150), at(0), at(100)) && is_near(at(-50), at(0), at(100)) && is_near(at(50), at(0), at(100))
        );
        assert!(!is_near(at(201), at(0), at(100)) && !is_near(at(-101), at(0), at(100)));
    }
}
