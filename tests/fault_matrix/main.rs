//! The fault matrix: every cell of the table of faults against the embedded server, through the ledger and the run.
#![expect(clippy::print_stderr, reason = "how many cells a row has is worth a line")]

mod cells;
mod expect;
mod person;
mod relay;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use cells::{Cell, cells_of};
use table::{CHUNK_TABLE, Fault, Meaning, TABLE};

/// Cells at a time: most of them wait for the disk or for a deadline.
const AT_A_TIME: usize = 16;

fn check_row(name: &str, fault: Fault) {
    let (cells, started) = (cells_of(fault), Instant::now());
    let count = cells.len();
    let uncertain = cells.iter().filter(|cell| cell.meaning == Meaning::U).count();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut wrong = runtime.block_on(check_cells(cells));
    eprintln!("{name}: {count} cells in {:.1} s", started.elapsed().as_secs_f64());
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {count} cells are wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
    RIGHT.lock().unwrap_or_else(PoisonError::into_inner).count(count, uncertain);
}

/// The cells that were run and right, over all rows.
struct Right {
    rows: usize,
    cells: usize,
    uncertain: usize,
}

static RIGHT: Mutex<Right> = Mutex::new(Right { rows: 0, cells: 0, uncertain: 0 });

impl Right {
    /// Adds a row's cells; the last row tells the sums, which go into docs/reliability.md.
    fn count(&mut self, cells: usize, uncertain: usize) {
        self.rows += 1;
        self.cells += cells;
        self.uncertain += uncertain;
        if self.rows == TABLE.len() {
            eprintln!("reliability: faults tried = {}", self.rows);
            eprintln!("reliability: cells run = {}", self.cells);
            eprintln!(
                "reliability: uncertain cells, half of them with the letter kept and half without = {}",
                self.uncertain
            );
        }
    }
}

async fn check_cells(cells: Vec<Cell>) -> Vec<String> {
    let (mut running, mut wrong) = (JoinSet::new(), Vec::new());
    let mut cells = cells.into_iter();
    loop {
        while running.len() < AT_A_TIME
            && let Some(cell) = cells.next()
        {
            running.spawn(async move { (cell.name(), run::run(cell).await) });
        }
        let Some(done) = running.join_next().await else { return wrong };
        match done {
            Ok((_, found)) if found.is_empty() => {}
            Ok((name, found)) => wrong.push(format!("{name}\n  {}", found.join("\n  ").replace('\n', "\n  "))),
            Err(panic) => wrong.push(format!("a cell panicked: {panic}")),
        }
    }
}

/// A test for each row, and one that no row is without a test.
macro_rules! rows {
    ($($name:ident: $fault:expr,)*) => {
        $(#[test]
        fn $name() {
            check_row(stringify!($name), $fault);
        })*

        #[test]
        fn every_row_of_the_table_has_a_test() {
            let tested = [$($fault),*];
            for row in TABLE {
                assert!(tested.contains(&row.fault), "{:?} has none", row.fault);
            }
            assert_eq!(tested.len(), TABLE.len());
            let chunked: Vec<Fault> = CHUNK_TABLE.iter().map(|row| row.fault).collect();
            let by_data = TABLE.iter().map(|row| row.fault).filter(|fault| *fault != Fault::Injection);
            assert_eq!(chunked, by_data.collect::<Vec<_>>(), "both tables have the same rows");
        }
    };
}

rows! {
    a_421: Fault::Reply("421 4.3.2 the service closes"),
    a_450: Fault::Reply("450 4.2.0 the mailbox is busy"),
    a_451_of_greylisting: Fault::Reply("451 4.7.1 greylisted"),
    a_451: Fault::Reply("451 4.3.0 local trouble"),
    a_452: Fault::Reply("452 4.2.2 the mailbox is full"),
    a_452_for_too_many_recipients: Fault::Reply("452 4.5.3 too many recipients"),
    a_454: Fault::Reply("454 4.7.0 authentication is down for now"),
    a_535: Fault::Reply("535 5.7.8 wrong credentials"),
    a_530: Fault::Reply("530 5.7.0 authentication required"),
    a_550: Fault::Reply("550 5.1.1 no such user"),
    a_552: Fault::Reply("552 5.3.4 too large"),
    a_554: Fault::Reply("554 5.0.0 no"),
    a_daily_limit_of_the_account: Fault::Reply("550 5.4.5 daily user sending limit exceeded"),
    a_login_that_is_switched_off: Fault::Reply("550 5.7.30 basic authentication is not supported"),
    a_rate_of_the_account: Fault::Reply("450 4.2.1 receiving too fast"),
    too_many_connections: Fault::Reply("432 4.3.2 concurrent connections limit exceeded"),
    a_quota_of_the_account: Fault::Reply("554 5.2.0 submission quota exceeded"),
    a_throttled_account: Fault::Reply("454 Throttling failure: maximum rate exceeded"),
    a_policy: Fault::Reply("550 5.7.1 not allowed to send"),
    a_drop: Fault::Drop,
    a_reset: Fault::Reset,
    a_tls_alert: Fault::TlsAlert,
    a_stall: Fault::Stall,
    a_slow_drip: Fault::SlowDrip,
    garbage: Fault::Garbage,
    a_reply_of_two_codes: Fault::MixedCodes,
    a_reply_without_end: Fault::EndlessLines,
    a_huge_reply: Fault::HugeReply,
    a_line_without_end: Fault::OversizedLine,
    half_a_reply: Fault::HalfReply,
    an_extra_reply: Fault::ExtraReply,
    a_354_after_the_dot: Fault::GoOnAfterTheDot,
    plain_text_injected_at_starttls: Fault::Injection,
}
