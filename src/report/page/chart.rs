//! The batch over time: how many tries were accepted, put off, refused or lost in each interval, as a drawing (inline SVG)
//! and as the same table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::super::dossier::Dossier;
use super::super::tally::Standing;
use super::super::{duration, name};
use super::coverage::cell;
use super::text::{counted, instant, names};
use super::timeline::{Interval, STACKED, STEPS, Timeline};
use crate::domain::delivery::State;
use crate::domain::markup::escape;

/// A drawing's measures, in pixels of its own; the narrow one is for screens on which the wide one's text could not be read.
struct Sheet {
    class: &'static str,
    width: f64,
    height: f64,
}

const SHEETS: [Sheet; 2] =
    [Sheet { class: "wide", width: 760.0, height: 248.0 }, Sheet { class: "narrow", width: 350.0, height: 236.0 }];
const LEFT: f64 = 40.0;
/// Half a label: the last one stands at its mark, too.
const RIGHT: f64 = 36.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 42.0;
/// The least distance between two labels.
const LABEL: f64 = 78.0;
/// The widest bar.
const WIDEST: f64 = 90.0;

/// The most letters that are named in the caption.
const NAMED: usize = 8;

/// The drawing, its caption, and the table that says the same.
pub(super) fn section(dossier: &Dossier) -> String {
    let Some(timeline) = Timeline::new(&dossier.settled) else {
        return "<p>Nothing was handed over yet.</p>\n".to_owned();
    };
    // One bar would say nothing that a sentence does not.
    if let [only] = timeline.intervals.as_slice() {
        return format!("<p>All at {}\u{a0}UTC: {}</p>\n", instant(only.from), bridge(dossier));
    }
    let mut html = format!("<figure>\n{}", legend(&timeline));
    for sheet in &SHEETS {
        html.push_str(&drawing(&timeline, dossier, sheet));
    }
    let _ = writeln!(
        html,
        "<figcaption>What came of each try to deliver a letter; each bar is {} wide, times are UTC. {}</figcaption>\n</figure>",
        duration(u64::try_from(timeline.step).unwrap_or(0)),
        bridge(dossier)
    );
    html.push_str(&table(&timeline));
    html
}

/// How the tries come to the letters: `191 tries at 189 letters: Chad and Fiji were tried twice.`
fn bridge(dossier: &Dossier) -> String {
    let tried = dossier.records.iter().filter(|record| record.attempts > 0).count();
    let mut text =
        format!("{} at {}", counted(dossier.settled.len(), "try", "tries"), counted(tried, "letter", "letters"));
    let mut often: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for record in &dossier.records {
        often.entry(dossier.tries(record).count()).or_default().push(name(record));
    }
    let parts: Vec<String> = often.range(2..).map(|(times, who)| again(*times, who)).collect();
    if !parts.is_empty() {
        let _ = write!(text, ": {}, and every one of these tries is in it", parts.join(", "));
    }
    text.push('.');
    let on_word = dossier.records.iter().filter(|record| dossier.standing(record) == Standing::OnWord);
    let on_word: Vec<&str> = on_word.map(name).collect();
    if !on_word.is_empty() {
        let (stands, its) = if on_word.len() == 1 { ("stands", "its") } else { ("stand", "their") };
        let _ = write!(
            text,
            " What a person confirmed afterwards is no try: {} {stands} in it by what {its} tries came to.",
            some(&on_word)
        );
    }
    text
}

/// `Chad and Fiji were tried twice`.
fn again(times: usize, who: &[&str]) -> String {
    let times = if times == 2 { "twice".to_owned() } else { format!("{times} times") };
    let were = if who.len() == 1 { "was" } else { "were" };
    format!("{} {were} tried {times}", some(who))
}

/// `Benin`, `Chad and Fiji`; of many, their number.
fn some(who: &[&str]) -> String {
    match who {
        [one] => names([*one]),
        [all @ .., last] if who.len() <= NAMED => format!("{} and {}", names(all.iter().copied()), names([*last])),
        _ => counted(who.len(), "letter", "letters"),
    }
}

fn drawing(timeline: &Timeline, dossier: &Dossier, sheet: &Sheet) -> String {
    let (begin, end) = (timeline.begin(), timeline.end());
    let event = dossier.event.as_ref().filter(|event| is_near(event.at, begin, end));
    let (from, to) = event.map_or((begin, end), |event| (begin.min(event.at), end.max(event.at)));
    let span = seconds(from, to).max(1.0);
    let x = |at: Timestamp| LEFT + seconds(from, at) / span * (sheet.width - LEFT - RIGHT);
    let top = nice(timeline.tallest());
    let y = |count: u64| sheet.floor() - count_of(count) / count_of(top) * (sheet.floor() - TOP);
    let mut svg = format!(
        "<svg class=\"chart {0}\" viewBox=\"0 0 {1} {2}\" role=\"img\" aria-labelledby=\"{0}-title {0}-desc\">\n\
         <title id=\"{0}-title\">Tries over time</title>\n<desc id=\"{0}-desc\">{3}</desc>\n",
        sheet.class,
        sheet.width,
        sheet.height,
        escape(&described(timeline, dossier))
    );
    svg.push_str("<text class=\"axis\" x=\"0\" y=\"12\">tries</text>\n");
    let half = (top > 1).then_some(top / 2);
    for mark in [Some(0), half, Some(top)].into_iter().flatten() {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/><text class=\"axis\" x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{mark}</text>",
            sheet.width - RIGHT,
            y(mark),
            LEFT - 8.0,
            y(mark) + 4.0
        );
    }
    svg.push_str(&bars(timeline, &x, &y));
    svg.push_str(&axis(timeline, sheet, &x));
    if let Some(event) = event {
        let at = x(event.at);
        let (anchor, beside) = if at > sheet.width / 2.0 { ("end", at - 6.0) } else { ("start", at + 6.0) };
        let _ = writeln!(
            svg,
            "<line class=\"event\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/><text class=\"axis\" x=\"{beside:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">the event begins</text>",
            TOP - 16.0,
            sheet.floor(),
            TOP - 8.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

impl Sheet {
    /// Where the bars stand.
    fn floor(&self) -> f64 {
        self.height - BOTTOM
    }
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
        let room = x(interval.from.checked_add(step).unwrap_or(interval.from)) - left;
        let width = (room - 1.5).clamp(1.5, WIDEST);
        let left = left + (room - width).max(0.0) / 2.0;
        let mut below = 0;
        for (state, count) in STACKED.into_iter().zip(interval.counts).filter(|(_, count)| *count > 0) {
            let (bottom, upper) = (y(below), y(below + count));
            let _ = writeln!(
                svg,
                "<rect class=\"{}\" x=\"{left:.1}\" y=\"{upper:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                Standing::of_state(state).class(),
                bottom - upper
            );
            below += count;
        }
    }
    svg
}

/// A few labels, at round times and at the beginning, and the day or the year below wherever it is another one.
fn axis(timeline: &Timeline, sheet: &Sheet, x: &dyn Fn(Timestamp) -> f64) -> String {
    let first = &timeline.intervals[0];
    let apart = |seconds: i64| {
        let later = first.from.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(first.from);
        x(later) - x(first.from) >= LABEL
    };
    let every = STEPS.into_iter().find(|step| *step >= timeline.step && apart(*step));
    let is_round = |interval: &&Interval| every.is_some_and(|every| interval.from.as_second().rem_euclid(every) == 0);
    let mut labelled: Vec<&Interval> = timeline.intervals.iter().filter(is_round).collect();
    if labelled.len() < 2 {
        // No round length is short enough, or weeks stand beside months.
        let each =
            (1..timeline.intervals.len()).find(|count| apart(i64::try_from(*count).unwrap_or(0) * timeline.step));
        labelled = timeline.intervals.iter().step_by(each.unwrap_or(timeline.intervals.len())).collect();
    }
    if labelled.first().is_none_or(|next| x(next.from) - x(first.from) >= LABEL) {
        labelled.insert(0, first);
    }
    let mut svg = String::new();
    let mut day = String::new();
    for interval in labelled {
        let at = x(interval.from);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{0:.1}\" y2=\"{1:.1}\"/><text class=\"axis\" x=\"{at:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{3}</text>",
            sheet.floor(),
            sheet.floor() + 5.0,
            sheet.floor() + 20.0,
            timeline.label(interval.from)
        );
        let today = interval.from.strftime(if timeline.step < 43_200 { "%-d %b %Y" } else { "%Y" }).to_string();
        if today != day {
            let _ = writeln!(
                svg,
                "<text class=\"axis\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{today}</text>",
                sheet.floor() + 35.0
            );
            day = today;
        }
    }
    svg
}

/// The colours with their words: text of the page, so that it breaks where the screen ends.
fn legend(timeline: &Timeline) -> String {
    let used =
        STACKED.into_iter().enumerate().filter(|(kind, _)| timeline.intervals.iter().any(|it| it.counts[*kind] > 0));
    let one = |(_, state): (usize, State)| {
        let standing = Standing::of_state(state);
        format!(
            "<li><svg class=\"swatch\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"{}\" x=\"1\" y=\"1\" width=\"10\" height=\"10\"/></svg>{}</li>",
            standing.class(),
            standing.label()
        )
    };
    let items: String = used.map(one).collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

/// The drawing in a sentence, for those who do not see it.
fn described(timeline: &Timeline, dossier: &Dossier) -> String {
    let total = |kind: usize| -> u64 { timeline.intervals.iter().map(|interval| interval.counts[kind]).sum() };
    let said: Vec<String> = STACKED
        .into_iter()
        .enumerate()
        .filter(|(kind, _)| total(*kind) > 0)
        .map(|(kind, state)| format!("{} {}", total(kind), Standing::of_state(state).label()))
        .collect();
    let utc = |at: Timestamp| at.strftime("%-d %B %Y, %H:%M:%S UTC").to_string();
    let event = dossier.event.as_ref().map_or_else(String::new, |event| {
        let began = if event.at <= dossier.facts.now { "began" } else { "begins" };
        format!(" The event {began} {}.", utc(event.at))
    });
    format!("From {} to {}: {}.{event}", utc(timeline.begin()), utc(timeline.end()), said.join(", "))
}

fn table(timeline: &Timeline) -> String {
    let mut table = String::from(
        "<details class=\"data\">\n<summary>The same as a table</summary>\n<table class=\"figures groups\">\n<thead><tr><th scope=\"col\">From (UTC)</th>",
    );
    for state in STACKED {
        let _ = write!(table, "<th scope=\"col\" class=\"number\">{}</th>", Standing::of_state(state).label());
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for interval in timeline.intervals.iter().filter(|interval| interval.counts != [0; 4]) {
        let _ = write!(table, "<tr><th scope=\"row\">{}</th>", instant(interval.from));
        for (state, count) in STACKED.into_iter().zip(interval.counts) {
            table.push_str(&cell(Standing::of_state(state).label(), usize::try_from(count).unwrap_or(usize::MAX)));
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

/// The next number of 1, 2, 4, 6, 8, 10, 20, 30 … that a scale may end at: its half is whole, but for 1.
fn nice(most: u64) -> u64 {
    let mut decade = 1_u64;
    loop {
        for step in [1, 2, 3, 4, 5, 6, 8] {
            let halves = step == 1 || (step * decade).is_multiple_of(2);
            if halves && step * decade >= most {
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
    fn a_scale_ends_at_a_round_number_that_holds_the_tallest_bar() {
        assert_eq!([0, 1, 2, 3, 5, 7, 9, 11, 41, 61, 193, 203].map(nice), [1, 1, 2, 4, 6, 8, 10, 20, 50, 80, 200, 300]);
    }

    #[test]
    fn an_event_is_drawn_only_where_it_leaves_room_for_the_letters() {
        assert!(
            is_near(at(150), at(0), at(100)) && is_near(at(-50), at(0), at(100)) && is_near(at(50), at(0), at(100))
        );
        assert!(!is_near(at(201), at(0), at(100)) && !is_near(at(-101), at(0), at(100)));
    }
}
