//! What a person reads, at 80 columns: the status screen, the log, the outcome table and the list before a resend.

mod report_sample;

use demarche::domain::delivery::{Event, State};
use demarche::domain::outcome::Phase;
use demarche::domain::record::Remark;
use demarche::report::{Again, Style, log, outcome_table, resend_list, status};
use jiff::tz::TimeZone;
use report_sample::{at, attempts, counts, facts, of_every_state, record, word};

const PLAIN: Style = Style { width: 80, colour: false, unicode: true };

#[test]
fn the_screen_shows_who_needs_attention_and_what_to_do() {
    let records = of_every_state();
    insta::assert_snapshot!(status(&records, &counts(&records), &facts(&["Tuvalu"]), &PLAIN), @r#"
    Stand with women human rights defenders
    1 of 7 letters accepted; 1 uncertain, 1 failed, 1 deferred, 3 still to be sent.

    state       letters    share  what it means
    accepted          1   14.3 %  a server took the letter
    uncertain         1   14.3 %  handed over; nobody knows if it was taken
    failed            1   14.3 %  refused for good, for one address at least
    deferred          1   14.3 %  refused for now; not delivered yet
    sending           2   28.6 %  a run is at it, or was cut off
    queued            1   14.3 %  waiting to be sent
    suppressed        1           left out on purpose; never sent
    all               8

    Uncertain: no valid reply came, so it may or may not have arrived (1)
      MLI  Mali
        mli@missions.example: nobody knows whether it arrived (the server closed the
        connection; after the letter, end-of-data, 2021-10-20 10:02:11 EDT)

    Failed: refused for good, not delivered to the addresses named (1)
      GBR  United Kingdom of Great Britain and Northern Ireland
        gbr@missions.example: no such mailbox (550 5.1.1 No such user here; at the
        address, rcpt, 2021-10-20 10:02:11 EDT)
        taken for deputy@missions.example

    Deferred: refused for now, not delivered yet (1)
      DEU  Germany
        deu@missions.example: nothing is wrong with the address (451 4.7.1
        Greylisted, please try again in a few minutes; at the address, rcpt,
        2021-10-20 10:02:11 EDT)
        Waits until the server takes it; `demarche send` tries again from 20 October
        2021, 10:16 EDT on (in 6 min 26 s), `demarche resend` at once

    Suppressed: left out on purpose, never sent (1)
      CIV  Côte d'Ivoire
        note: asked not to be written to

    Missing: expected, and not in the batch (1)
      Tuvalu

    What to do next
      1 letter uncertain: find out whether it arrived (the first of these tells
      how), then say so. It is never sent again without your word.
          demarche resolve MLI
          demarche resolve MLI --sent --note "…"
          demarche resolve MLI --not-sent --note "…"
      1 letter failed: no such mailbox; correct the address in the recipients file.
      Then
          demarche resend
      1 letter deferred: the first of these tries again once due (from 20 October
      2021, 10:16 EDT), the second at once
          demarche send
          demarche resend
      3 letters still to be sent: go on with
          demarche send
      Missing missions: add a row for each to the recipients file, then
          demarche send

    digest  4bb24efc9641afc5ded1ca77eabb6e2fcf062d2112ccd61bd8bd6acd89180bae
    ledger  ledger.db, as of 2021-10-20 10:10:00 EDT
    "#);
}

#[test]
fn a_batch_that_was_accepted_needs_nothing_more() {
    let records = [record("KEN", State::Accepted), record("FRA", State::Accepted)];
    insta::assert_snapshot!(status(&records, &counts(&records), &facts(&[]), &PLAIN), @"
    Stand with women human rights defenders
    Every letter was accepted: 2 of 2.

    state       letters    share  what it means
    accepted          2  100.0 %  a server took the letter
    all               2

    Nothing is left to do.

    digest  4bb24efc9641afc5ded1ca77eabb6e2fcf062d2112ccd61bd8bd6acd89180bae
    ledger  ledger.db, as of 2021-10-20 10:10:00 EDT
    ");
}

#[test]
fn the_screen_says_who_approved_the_batch_and_when_it_is_another_one_now() {
    use demarche::domain::{approval::Approval, digest::Digest};
    let mut about = facts(&[]);
    let approval = |batch: &[u8], by: &str| Approval {
        number: 1,
        digest: Digest::of(batch),
        by: by.into(),
        note: String::new(),
        at: about.now,
        letters: 1,
        withdrawn: None,
    };
    let (this, that) = (approval(b"batch", "The Chair"), approval(b"another", "The Chair"));
    let screen = |about: &demarche::report::Facts| status(&[], &counts(&[]), about, &PLAIN);
    assert!(!screen(&about).contains("approved"));
    about.approvals = vec![that];
    assert!(screen(&about).contains("\nnot approved as a whole; `demarche approve --list` shows what was\n"));
    about.approvals.push(this);
    assert!(screen(&about).contains("\napproved by The Chair\n"));
}

#[test]
fn the_screen_and_the_log_say_with_which_batch_a_run_was_begun_and_whether_it_was_approved_by_then() {
    let mut about = facts(&[]);
    about.runs = vec![report_sample::run()];
    let screen = |about: &demarche::report::Facts| status(&[], &counts(&[]), about, &PLAIN);
    let said = screen(&about);
    let plain = "\nrun     send, 2021-10-20 10:02:00 EDT by desk on office, with this batch,\n        confirmed by typing the word\n";
    assert!(said.contains(plain), "{said}");
    let digest = about.digest;
    let given = at("2021-10-20T14:00:00Z");
    let approval = demarche::domain::approval::Approval {
        number: 1,
        digest,
        by: "The Chair".into(),
        note: String::new(),
        at: given,
        letters: 1,
        withdrawn: None,
    };
    about.runs[0].began.approvals = vec![(&approval).into()];
    about.approvals = vec![approval];
    about.runs.push(demarche::domain::record::RunRecord { run: 2, ..report_sample::run() });
    let runs: Vec<_> = about.runs.iter().collect();
    insta::assert_snapshot!(demarche::report::runs(&runs, &about, &PLAIN), @"
    Run 1  send, 2021-10-20 10:02:00 EDT by desk on office, with this batch,
           confirmed by typing the word; approved by The Chair before it began
    Run 2  send, 2021-10-20 10:02:00 EDT by desk on office, with this batch,
           confirmed by typing the word; approved by nobody
    ");
    assert!(screen(&about).contains("\nruns    2, the last: send, "), "{}", screen(&about));
}

#[test]
fn each_cause_of_a_refusal_has_its_own_advice_and_a_full_mailbox_no_time() {
    let [mut unknown, mut filtered, mut full] =
        [("KEN", State::Failed), ("FRA", State::Failed), ("DEU", State::Deferred)].map(|(id, state)| record(id, state));
    filtered.addresses[0].word = Some(word(Phase::EndOfData, 554, "5.7.1", "refused by policy"));
    full.addresses[0].word = Some(word(Phase::Rcpt, 452, "4.2.2", "over quota"));
    unknown.addresses[0].state = State::Failed;
    let records = [unknown, filtered, full];
    let screen = status(&records, &counts(&records), &facts(&[]), &PLAIN);
    let (_, steps) = screen.split_once("What to do next\n").expect("steps");
    insta::assert_snapshot!(steps.split_once("\n\n").expect("an end").0, @"
    2 letters failed; by cause:
      - 1 address: no such mailbox; correct the address in the recipients file
      - 1 address: refused by a rule or filter; ask the mission's IT, or write to
        another address of it
    Then
        demarche resend
    1 letter deferred: the mailbox is full; wait a day or two, or ask for a second
    address. Then
        demarche resend
    ");
}

#[test]
fn who_settled_a_letter_by_word_is_told_on_the_screen_and_in_the_log() {
    let said = Remark {
        at: at("2021-10-20T15:00:00Z"),
        event: Event::ResolveSent,
        note: "the registry confirmed it".into(),
        by: Some("The Secretariat".into()),
    };
    let mut about = facts(&[]);
    let mali = record("MLI", State::Accepted);
    about.resolved = vec![(mali.id.clone(), said.clone())];
    let line = "recorded as arrived by The Secretariat on 2021-10-20:";
    let screen = status(std::slice::from_ref(&mali), &counts(std::slice::from_ref(&mali)), &about, &PLAIN);
    assert!(screen.contains("Every letter was accepted: 1 of 1, 1 of them on a person's word."), "{screen}");
    assert!(screen.contains("On a person's word (1)") && screen.contains(&format!("MLI Mali: {line}")), "{screen}");
    let told = log(&mali, &attempts(), &[said], &facts(&[]), &PLAIN);
    assert!(told.contains("note         recorded as arrived by The Secretariat on"), "{told}");
}

#[test]
fn the_steps_after_a_rehearsal_are_those_of_a_real_send() {
    let records = of_every_state();
    let about = demarche::report::Facts { rehearsal: true, ..facts(&[]) };
    let screen = status(&records, &counts(&records), &about, &PLAIN);
    assert!(screen.lines().nth(1).is_some_and(|line| line.starts_with("REHEARSAL: nothing was sent")), "{screen}");
    assert!(screen.contains("\nWhat to do next after a real send\n"), "{screen}");
}

#[test]
fn an_empty_ledger_says_how_to_begin() {
    insta::assert_snapshot!(status(&[], &counts(&[]), &facts(&[]), &PLAIN), @"
    Stand with women human rights defenders
    No letter was planned or sent yet.

    What to do next
      Look at the letters, then send them:
          demarche preview
          demarche send

    digest  4bb24efc9641afc5ded1ca77eabb6e2fcf062d2112ccd61bd8bd6acd89180bae
    ledger  ledger.db, as of 2021-10-20 10:10:00 EDT
    ");
}

#[test]
fn each_letter_that_is_put_off_says_what_it_waits_for_until_when_and_what_to_do() {
    let said = |record: demarche::domain::record::DeliveryRecord| {
        let records = [record];
        let screen = status(&records, &counts(&records), &facts(&[]), &PLAIN);
        let (_, entry) = screen.split_once("Deferred: ").expect("a part");
        let (entry, _) = entry.split_once("What to do next").expect("steps");
        entry.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let greylisted = record("DEU", State::Deferred);
    let mut full = greylisted.clone();
    full.addresses[0].word = Some(word(Phase::Rcpt, 452, "4.2.2", "over quota"));
    let mut due = greylisted.clone();
    due.not_before = Some(at("2021-10-20T14:09:00Z"));
    let mut exhausted = full.clone();
    exhausted.not_before = None;
    for (record, waits) in [
        (
            greylisted,
            "Waits until the server takes it; `demarche send` tries again from 20 October 2021, 10:16 EDT on (in 6 min 26 s)",
        ),
        (
            full,
            "Waits for room in the mailbox, which only the mission can make: tell them, or ask for another address; `demarche send` tries again from 20 October 2021, 10:16 EDT on",
        ),
        (due, "it is due since 20 October 2021, 10:09 EDT: `demarche send` tries again"),
        (exhausted, "another address; its tries are used up, and only `demarche resend` tries again"),
    ] {
        let said = said(record);
        assert!(said.contains(waits), "{said}");
    }
}

#[test]
fn a_long_list_is_cut_but_never_that_of_the_uncertain() {
    let ids = [
        "AFG", "ALB", "DZA", "AND", "AGO", "ATG", "ARG", "ARM", "AUS", "AZE", "BHS", "BHR", "BGD", "BRB", "BLR", "BEL",
        "BLZ", "BEN", "BTN", "BOL", "BIH", "AUT",
    ];
    let of = |state| {
        let records: Vec<_> = ids.iter().map(|id| record(id, state)).collect();
        status(&records, &counts(&records), &facts(&[]), &PLAIN)
    };
    assert!(
        of(State::Failed).contains("  and 2 more: `demarche report --csv FILE` lists all\n")
            && !of(State::Failed).contains("Austria")
    );
    assert!(of(State::Uncertain).contains("Austria") && !of(State::Uncertain).contains("more: "));
}

#[test]
fn a_narrow_terminal_gets_no_line_that_it_would_break_except_commands_and_digests() {
    let records = of_every_state();
    let mut about = facts(&["Tuvalu"]);
    about.runs = vec![report_sample::run(), report_sample::run()];
    about.rehearsal = true;
    let screen = status(&records, &counts(&records), &about, &Style { width: 60, ..PLAIN });
    for line in screen.lines().filter(|line| !line.contains("demarche ") && !line.starts_with("digest")) {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn without_colour_and_unicode_the_screen_is_plain_ascii() {
    let records = of_every_state();
    let plain = Style { unicode: false, ..PLAIN };
    let screen = status(&records, &counts(&records), &facts(&["Côte d’Ivoire"]), &plain);
    assert!(screen.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{screen}");
    let coloured = status(&records, &counts(&records), &facts(&[]), &Style { colour: true, ..PLAIN });
    assert!(coloured.contains("\u{1b}[31m"));
}

/// A mission that has the letter, and whose copy a hostile address was refused.
fn short_of_a_copy() -> demarche::domain::record::DeliveryRecord {
    let mut kenya = record("KEN", State::Accepted);
    let mut copy = record("FRA", State::Failed).addresses.remove(0);
    (copy.field, copy.address) = (demarche::domain::message::Field::Cc, "\u{1b}[2J@missions.example".into());
    kenya.state = State::Failed;
    kenya.addresses.push(copy);
    kenya
}

#[test]
fn a_terminal_is_never_told_what_to_do_by_a_server() {
    let mut bad = record("KEN", State::Failed);
    bad.addresses[0].word.as_mut().expect("a word").text = "\u{1b}[2J\u{202e}gone".into();
    bad.note = Some("\u{7}".into());
    let mut run = report_sample::run();
    (run.began.by, run.began.host) = (Some("\u{1b}[2J".into()), Some("\u{7}\u{202e}".into()));
    let screens = [
        status(std::slice::from_ref(&bad), &counts(std::slice::from_ref(&bad)), &facts(&["\u{1b}c"]), &PLAIN),
        log(&bad, &attempts(), &[], &facts(&[]), &PLAIN),
        resend_list(
            &Again {
                records: std::slice::from_ref(&bad),
                held: &[("KEN".into(), "\u{1b}[2J".into())],
                ..Again::default()
            },
            &TimeZone::UTC,
            &PLAIN,
        ),
        demarche::report::runs(&[&run], &facts(&[]), &PLAIN),
        demarche::report::copies(&[short_of_a_copy()], &PLAIN),
    ];
    for screen in screens {
        assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{screen:?}");
    }
}

#[test]
fn the_log_tells_every_attempt_in_the_servers_words() {
    insta::assert_snapshot!(log(&record("KEN", State::Accepted), &attempts(), &[], &facts(&[]), &PLAIN), @"
    Kenya (KEN): accepted
      to           ken@missions.example: accepted
      Message-ID   <KEN.1@coalition.example>
      digest       60287af6fcb065238659c494aeebc152f518469d2e69a7ca0aaa6a50171e809a

    Attempt 1 (run 1): given back, provably not delivered
      begun        2021-10-20 10:02:10 EDT
      recorded     2021-10-20 10:02:12 EDT
      last word    while connecting (connect): the server closed the connection
      to           ken@missions.example: queued

    Attempt 2 (run 2): deferred
      begun        2021-10-20 10:02:10 EDT
      recorded     2021-10-20 10:02:12 EDT
      last word    at the address (rcpt): 451 4.7.1 Greylisted, please try again in
                   a few minutes
      to           ken@missions.example: deferred

    Attempt 3 (run 3): accepted
      begun        2021-10-20 10:02:10 EDT
      handed over  2021-10-20 10:02:11 EDT
      recorded     2021-10-20 10:02:12 EDT
      last word    after the letter (end-of-data): 250 2.0.0 Ok: queued as 4XyZ12abc
      queue id     4XyZ12abc
      to           ken@missions.example: accepted
    ");
}

#[test]
fn the_log_of_a_letter_that_waits_says_so() {
    insta::assert_snapshot!(log(&record("KEN", State::Queued), &[], &[], &facts(&[]), &PLAIN), @"
    Kenya (KEN): queued
      to           ken@missions.example: queued
      digest       60287af6fcb065238659c494aeebc152f518469d2e69a7ca0aaa6a50171e809a

    No attempt was made yet.
    ");
}

#[test]
fn the_table_has_a_row_for_each_state_that_has_letters() {
    let mut counts = counts(&of_every_state());
    counts.accepted = 186;
    insta::assert_snapshot!(outcome_table(&counts, &PLAIN), @"
    state       letters    share  what it means
    accepted        186   96.9 %  a server took the letter
    uncertain         1    0.5 %  handed over; nobody knows if it was taken
    failed            1    0.5 %  refused for good, for one address at least
    deferred          1    0.5 %  refused for now; not delivered yet
    sending           2    1.0 %  a run is at it, or was cut off
    queued            1    0.5 %  waiting to be sent
    suppressed        1           left out on purpose; never sent
    all             193
    ");
}

#[test]
fn the_list_before_a_resend_names_what_goes_and_what_is_held_back() {
    let records = [record("DEU", State::Deferred), record("GBR", State::Failed)];
    let held = [(
        "FRA".to_owned(),
        "the address was refused as unknown and is still the same: 550 5.1.1 no such user".to_owned(),
    )];
    insta::assert_snapshot!(resend_list(&Again { records: &records, held: &held, ..Again::default() }, &TimeZone::UTC, &PLAIN), @"
    To be sent again: 2 letters
      DEU  Germany, deferred
        deu@missions.example: 451 4.7.1 Greylisted, please try again in a few
        minutes (2021-10-20 14:02:11 UTC)
      GBR  United Kingdom of Great Britain and Northern Ireland, failed
        gbr@missions.example: 550 5.1.1 No such user here (2021-10-20 14:02:11 UTC)

    Held back: 1 letter
      FRA  France
        the address was refused as unknown and is still the same: 550 5.1.1 no such
        user
      These are not sent. Correct their addresses in the recipients file and resend,
      or send to the same addresses with
          demarche resend --force
    ");
}

#[test]
fn a_resend_of_nothing_says_so() {
    insta::assert_snapshot!(resend_list(&Again::default(), &TimeZone::UTC, &PLAIN), @"
    Nothing to send again.
    ");
}
