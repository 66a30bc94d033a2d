//! kill -9 at random moments, again and again: every row is accepted once or listed uncertain; none is missing, none has two.
//!
//! `scripts/soak` runs the same test longer: `DEMARCHE_SOAK_KILLS` says how many kills, `DEMARCHE_SOAK_SECONDS` when to stop
//! all the same, and `DEMARCHE_SOAK_SEED` repeats a run's choices.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use demarche::domain::outcome::Phase;
use fastrand::Rng;

use crate::stage::Stage;
use crate::support::campaign::Campaign;
use crate::truth::{check, remains};

/// Every mission of the shipped list.
const ROWS: usize = 193;
const SESSIONS: usize = 10;
/// Kills where nothing else is asked for.
const KILLS: u64 = 60;

/// When the program is killed.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// What the server sees; `None` is the start of the program.
    phase: Option<Phase>,
    /// How often.
    nth: u32,
    /// And then so long.
    after: Duration,
}

impl Moment {
    /// Mostly around the handover, where the writes are; now and then while the program starts and plans.
    fn choose(random: &mut Rng) -> Self {
        let phases = [
            Phase::Connect,
            Phase::Mail,
            Phase::Rcpt,
            Phase::Data,
            Phase::Body,
            Phase::Body,
            Phase::EndOfData,
            Phase::EndOfData,
            Phase::EndOfData,
        ];
        if random.u32(..10) == 0 {
            return Self { phase: None, nth: 1, after: Duration::from_micros(random.u64(..80_000)) };
        }
        let phase = phases[random.usize(..phases.len())];
        let nth = if phase == Phase::Connect { random.u32(1..=10) } else { random.u32(1..=25) };
        let after = match random.u32(..3) {
            0 => Duration::ZERO,
            1 => Duration::from_micros(random.u64(..400)),
            _ => Duration::from_micros(random.u64(..5_000)),
        };
        Self { phase: Some(phase), nth, after }
    }

    fn name(&self) -> String {
        self.phase.map_or_else(|| "start".to_owned(), |phase| phase.to_string())
    }
}

/// What came of all kills.
#[derive(Debug, Default)]
struct Figures {
    kills: u64,
    campaigns: u64,
    letters: usize,
    uncertain: usize,
    /// Uncertain at one kill, at most.
    largest: usize,
    /// Kills that left a letter uncertain.
    costly: u64,
    /// Letters claimed at a kill without an intent: queued again.
    requeued: usize,
    by_phase: BTreeMap<String, u64>,
}

struct Limits {
    kills: u64,
    until: Option<Instant>,
}

impl Limits {
    fn reached(&self, figures: &Figures) -> bool {
        figures.kills >= self.kills || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// One campaign, killed until nothing is left of it to send or the limits are reached; then it is sent to its end.
fn campaign(random: &mut Rng, limits: &Limits, figures: &mut Figures, context: &str) {
    let stage = Stage::new();
    let mut campaign = Campaign::small(stage.server.port(), ROWS).set("smtp.connections", &SESSIONS.to_string());
    let mut unsure = 0;
    while !limits.reached(figures) {
        let moment = Moment::choose(random);
        if let Some(phase) = moment.phase {
            stage.arm(phase, moment.nth);
        }
        let mut running = campaign.spawn(&["send", "--yes"]);
        if moment.phase.is_some() && !stage.wait(&mut running) {
            stage.disarm();
            break;
        }
        std::thread::sleep(moment.after);
        let settled = running.has_ended();
        running.kill();
        if settled {
            break;
        }
        let left = remains(&campaign);
        let here = left.unsure.checked_sub(unsure).expect("what is uncertain stays so");
        assert!(here <= SESSIONS, "{context}: {here} letters in the window of {SESSIONS} sessions at {moment:?}");
        unsure = left.unsure;
        figures.kills += 1;
        figures.largest = figures.largest.max(here);
        figures.costly += u64::from(here > 0);
        figures.requeued += left.claimed;
        *figures.by_phase.entry(moment.name()).or_default() += 1;
    }
    stage.disarm();
    let rest = campaign.run(&["send", "--yes"]);
    assert!(matches!(rest.code, Some(0 | 2)), "{context}: {rest:?}");
    let settled = check(&campaign, &stage.server, ROWS, context);
    assert_eq!(settled.uncertain, unsure, "{context}: uncertain, but in no kill's window");
    let held = stage.server.letters().len();
    campaign.run(&["send", "--yes"]);
    assert_eq!(stage.server.letters().len(), held, "{context}: a settled campaign sent more");
    figures.campaigns += 1;
    figures.letters += held;
    figures.uncertain += settled.uncertain;
}

#[test]
fn killed_again_and_again_it_leaves_nobody_with_two_letters_and_nobody_without_a_state() {
    let seed = number("DEMARCHE_SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let until = number("DEMARCHE_SOAK_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let limits = Limits { kills: number("DEMARCHE_SOAK_KILLS").unwrap_or(KILLS), until };
    let mut random = Rng::with_seed(seed);
    let mut figures = Figures::default();
    say(&format!("seed = {seed}"));
    while !limits.reached(&figures) {
        let context = format!("seed {seed}, campaign {}, {} kills", figures.campaigns + 1, figures.kills);
        campaign(&mut random, &limits, &mut figures, &context);
    }
    report(&figures);
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn report(figures: &Figures) {
    let per_kill = figures.uncertain as f64 / figures.kills.max(1) as f64;
    let phases: Vec<String> = figures.by_phase.iter().map(|(name, count)| format!("{name} {count}")).collect();
    say(&format!("kills survived = {}", figures.kills));
    say(&format!("kills by moment = {}", phases.join(", ")));
    say(&format!("sessions = {SESSIONS}"));
    say(&format!("campaigns of {ROWS} rows settled = {}", figures.campaigns));
    say(&format!("letters that the server took = {}", figures.letters));
    say(&format!("uncertain rows = {}", figures.uncertain));
    say(&format!("uncertain rows per kill = {per_kill:.2}"));
    say(&format!("largest number of uncertain rows at one kill = {}", figures.largest));
    say(&format!("kills that left a row uncertain = {}", figures.costly));
    say(&format!("letters claimed at a kill and provably not delivered = {}", figures.requeued));
    // Each would have ended the test.
    say("letters sent twice = 0");
    say("rows lost = 0");
}

/// A line that `scripts/soak` collects.
#[expect(clippy::print_stderr, reason = "the figures are for people, and for scripts/soak")]
fn say(line: &str) {
    eprintln!("reliability: {line}");
}
