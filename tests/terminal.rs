//! What a person meets on a terminal: the real program on a pseudo-terminal (that of `script`, which Debian always has) of a
//! chosen width; and what a pipe, a plain terminal and a log file get instead.

mod report_sample;
#[path = "support/mod.rs"]
mod support;

use std::io::Write as _;
use std::process::Stdio;

use demarche::domain::delivery::State;
use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use demarche::report::{Style, evidence};
use report_sample::{attempts, record};
use support::campaign::{Campaign, Run};
use support::server::Server;

/// Runs the program on a terminal of `columns`, with `typed` at the keyboard. Both streams are one there.
fn on_a_terminal(campaign: &Campaign, columns: u16, typed: &str, arguments: &[&str]) -> Run {
    let program = campaign.command(arguments);
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().expect("our own words"))).collect();
    let line = format!("stty cols {columns} rows 40 -echo; exec {}", words.join(" "));
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(campaign.path(".")).env_clear();
    script.envs(program.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    script.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().expect("script is part of every Debian");
    child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("script listens");
    let output = child.wait_with_output().expect("it ends");
    let shown = String::from_utf8(output.stdout).expect("UTF-8").replace('\r', "");
    Run { code: output.status.code(), stdout: shown, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

#[test]
fn on_a_narrow_terminal_every_sentence_is_broken_to_fit() {
    let campaign = Campaign::small(2525, 3).set("smtp.hots", "1").set("campaign.nmae", "\"x\"");
    for columns in [60, 80] {
        let shown = on_a_terminal(&campaign, columns, "", &["check"]).expect_code(78).stdout;
        assert!(shown.contains("did you mean"), "{shown}");
        for line in shown.lines() {
            assert!(line.chars().count() <= usize::from(columns), "{columns} columns: {line:?}");
        }
    }
}

#[test]
fn on_a_pipe_a_sentence_stays_on_one_line_whatever_the_terminal_is() {
    let campaign = Campaign::small(2525, 3).env("COLUMNS", "40");
    let told = campaign.run(&["check"]).expect_code(0).stderr;
    let whole = "placeholder addresses (such as ken@missions.example): they can be previewed and rehearsed, and `send` \
                 refuses them unless the relay is on this machine";
    assert!(told.lines().any(|line| line.contains(whole)), "{told}");
}

#[test]
fn approve_asks_for_its_word_and_records_nothing_for_another() {
    let campaign = Campaign::small(2525, 3);
    let other = on_a_terminal(&campaign, 80, "yes\n", &["approve", "--by", "Chair"]).expect_code(0).stdout;
    assert!(
        other.contains("Does Chair approve exactly these letters") && other.contains("Nothing was recorded."),
        "{other}"
    );
    assert!(!campaign.path("ledger.db").exists());
    let word = on_a_terminal(&campaign, 80, "approve\n", &["approve", "--by", "Chair"]).expect_code(0).stdout;
    assert!(word.contains("Recorded: Chair approves this batch of 3 letters."), "{word}");
    assert_eq!(campaign.run(&["status", "--json"]).json()["approvals"][0]["by"], "Chair");
}

#[test]
fn send_asks_for_its_word_and_sends_nothing_for_another() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let no = on_a_terminal(&campaign, 80, "yes\n", &["send"]).expect_code(0).stdout;
    assert!(no.contains("Type \"send\" to go on, anything else to stop"), "{no}");
    assert!(no.contains("You typed \"yes\"; the word is \"send\".") && no.contains("Nothing was sent."), "{no}");
    assert!(server.letters().is_empty());
    let yes = on_a_terminal(&campaign, 80, "send\n", &["send"]).expect_code(0).stdout;
    assert!(yes.contains("accepted          3  100.0 %"), "{yes}");
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn with_no_input_nobody_is_asked_even_on_a_terminal() {
    let campaign = Campaign::small(2525, 3);
    let told = on_a_terminal(&campaign, 80, "send\n", &["--no-input", "send"]).expect_code(64).stdout;
    assert!(told.contains("--no-input forbids to ask, and no word was given beforehand"), "{told}");
}

#[test]
fn a_plain_terminal_gets_ascii_without_colour_and_without_a_bar() {
    let server = Server::start();
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to\nCIV,civ@missions.example\n").env("TERM", "xterm");
    let campaign = campaign.env("NO_COLOR", "");
    let rich = on_a_terminal(&campaign, 80, "", &["send", "--yes", "-v"]).expect_code(0).stdout;
    assert!(rich.contains('\u{1b}') && rich.contains("Côte d'Ivoire"), "{rich}");
    for arguments in [&["--plain", "status"][..], &["--plain", "log", "CIV"], &["--plain", "check"]] {
        let plain = on_a_terminal(&campaign, 80, "", arguments).expect_code(0).stdout;
        assert!(plain.is_ascii() && !plain.contains('\u{1b}'), "{plain}");
    }
    let log = on_a_terminal(&campaign, 80, "", &["--plain", "log", "CIV"]).stdout;
    assert!(log.contains("Cote d'Ivoire"), "{log}");
}

#[test]
fn a_terminal_of_another_locale_gets_ascii_and_a_pipe_gets_utf_8() {
    let campaign = Campaign::small(2525, 0).recipients("state,to\nCIV,nobody\n").env("LANG", "C");
    let shown = on_a_terminal(&campaign, 80, "", &["check"]).expect_code(65).stdout;
    assert!(shown.is_ascii(), "{shown}");
    let server = Server::start();
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to\nCIV,civ@missions.example\n").env("LANG", "C");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(campaign.run(&["log", "CIV"]).expect_code(0).stdout.contains("Côte d'Ivoire"));
}

#[test]
fn the_log_file_tells_what_happened_with_times_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let arguments = ["--log-file", "run.log", "--log-format", "json", "--quiet", "send", "--yes"];
    let run = campaign.run(&arguments).expect_code(0);
    assert_eq!(run.stderr, "", "--quiet is about the screen alone");
    let mode = std::fs::metadata(campaign.path("run.log")).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines: Vec<serde_json::Value> =
        campaign.read("run.log").lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!((messages.first(), messages.last()), (Some(&"started"), Some(&"ended")));
    assert_eq!(messages.iter().filter(|message| message.contains("  accepted: 250")).count(), 3);
    assert_eq!(lines.last().expect("some")["code"], 0);
    for line in &lines {
        let _: jiff::Timestamp = line["timestamp"].as_str().expect("a time").parse().expect("RFC 3339");
    }
    let text = campaign.run(&["--log-file", "run.txt", "check"]).expect_code(0);
    assert!(!text.stderr.is_empty());
    let log = campaign.read("run.txt");
    assert!(log.lines().all(|line| line.starts_with("20")), "each line has its time: {log}");
    assert!(log.contains("WARN") && log.contains("code=\"placeholders\""), "{log}");
}

#[test]
fn a_log_file_that_cannot_be_written_stops_the_command_before_it_does_anything() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let run = campaign.run(&["--log-file", "no/such/folder/run.log", "send", "--yes"]).expect_code(73);
    assert!(run.stderr.contains("the log file no/such/folder/run.log cannot be written"), "{}", run.stderr);
    assert!(server.letters().is_empty() && !campaign.path("ledger.db").exists());
}

#[test]
fn help_explains_commands_and_topics_and_knows_near_names() {
    let campaign = Campaign::new();
    let help = |topic: &[&str]| campaign.run(&[&["help"], topic].concat());
    assert!(help(&[]).expect_code(0).stdout.contains("Topics (`demarche help TOPIC`):\n  exit-codes"));
    assert!(help(&["send"]).expect_code(0).stdout.contains("Usage: demarche send [OPTIONS]"));
    assert!(help(&["exit-codes"]).expect_code(0).stdout.contains("75  some rows are deferred or still queued"));
    assert!(help(&["config"]).expect_code(0).stdout.contains("[smtp]"));
    for topic in ["files", "templates", "addressing", "languages"] {
        let page = help(&[topic]).expect_code(0).stdout;
        let marks = page.lines().find(|line| {
            line.starts_with('#') || line.starts_with("|--") || (line.contains("](") && !line.contains('`'))
        });
        assert!(marks.is_none(), "{topic}: {marks:?}");
        let narrow = on_a_terminal(&campaign, 60, "", &["help", topic]).expect_code(0).stdout;
        // Code stays as it is, and so does a command or a word that has no room.
        let prose = narrow.lines().filter(|line| !line.starts_with("    ") && !line.contains('`'));
        let wide: Vec<&str> = prose.filter(|line| line.trim_end().chars().count() > 60).collect();
        assert!(wide.is_empty(), "{topic}: {wide:#?}");
    }
    let languages = help(&["templates"]).stdout;
    assert!(languages.contains("`demarche help languages`"), "{languages}");
    let unknown = help(&["exitcodes"]).expect_code(64).stderr;
    assert!(unknown.contains("did you mean `demarche help exit-codes`?"), "{unknown}");
}

#[test]
fn manual_pages_are_made_for_every_command() {
    let campaign = Campaign::new();
    campaign.run(&["man", "--out", "pages"]).expect_code(0);
    let send = campaign.read("pages/demarche-send.1");
    assert!(send.starts_with(".ie") && send.contains("\\-\\-approve"), "{send}");
    assert!(campaign.read("pages/demarche.1").contains("demarche\\-resolve(1)"));
    assert!(campaign.run(&["man", "resolve"]).expect_code(0).stdout.contains("\\-\\-not\\-sent"));
}

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    let campaign = Campaign::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = campaign.run(&["completions", shell]).expect_code(0).stdout;
        assert!(script.contains("rehearse") && script.contains("not-sent"), "{shell}");
        // Values that cannot be read from the command line's types: missions by their ids, and topics.
        assert!(
            script.contains("KEN") && (shell == "fish" || script.contains("exit-codes")) || shell == "powershell",
            "{shell}"
        );
    }
}

#[test]
fn the_evidence_of_an_uncertain_letter_tells_how_to_find_out() {
    let style = Style { width: 80, colour: false, unicode: true };
    let mali = record("MLI", State::Uncertain);
    let mut attempts = attempts();
    let last = attempts.last_mut().expect("three of them");
    (last.outcome, last.word) = (Some(State::Uncertain), mali.last.clone());
    insta::assert_snapshot!(evidence(&mali, &attempts, &jiff::tz::TimeZone::UTC, &style), @r#"
    MLI  Mali: uncertain
      Attempt 3 handed the letter over at 2021-10-20 14:02:11 UTC. Then: the server
      closed the connection. No valid answer came, so that nobody here can know
      whether the server took it.

    How to find out
      - ask the mission: mli@missions.example
      - or look into the relay's log or message trace (the provider's support can)
        for
          Message-ID  <MLI.1@coalition.example>
          at about    2021-10-20 14:02:11 UTC to 2021-10-20 14:02:12 UTC
      - a copy to your own archive (sender.bcc), if it came, says that the relay
        took the letter

    Then say what you learnt
          demarche resolve MLI --sent --note "…"
          demarche resolve MLI --not-sent --note "…"
    Until then it stays uncertain and is not sent again. --not-sent puts it back in
    the queue: if it did arrive, the mission gets it twice.
    "#);
}

#[test]
fn resolve_without_a_word_shows_the_evidence_and_changes_nothing() {
    let lost = Action::AcceptThen(Box::new(Action::Close));
    let of_and = Some("and@missions.example".to_owned());
    let rule = Rule { phase: Phase::EndOfData, connection: None, recipient: of_and, times: Some(1), action: lost };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 5);
    let too_early = campaign.run(&["resolve", "AND"]).expect_code(74);
    assert!(too_early.stderr.contains("there is no ledger"), "{}", too_early.stderr);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let shown = campaign.run(&["resolve", "and"]).expect_code(0).stdout;
    assert!(shown.starts_with("AND  Andorra: uncertain\n"), "{shown}");
    let status = campaign.run(&["status", "--json"]).json();
    let andorra = status["deliveries"].as_array().expect("rows").iter().find(|row| row["id"] == "AND").expect("a row");
    assert!(shown.contains(andorra["message_id"].as_str().expect("one")), "{shown}");
    assert_eq!(andorra["state"], "uncertain");
    let note_alone = campaign.run(&["resolve", "AND", "--note", "x"]).expect_code(64).stderr;
    assert!(note_alone.contains("--note goes with --sent or --not-sent"), "{note_alone}");
    let word_alone = campaign.run(&["resolve", "AND", "--sent"]).expect_code(64).stderr;
    assert!(word_alone.contains("--note <TEXT>"), "{word_alone}");
    let settled = campaign.run(&["resolve", "KEN"]).expect_code(64).stderr;
    assert!(settled.contains("the ledger has no row \"KEN\""), "{settled}");
    campaign.run(&["resolve", "AND", "--sent", "--note", "their registry, by phone"]).expect_code(0);
    let done = campaign.run(&["resolve", "AND"]).expect_code(64).stderr;
    assert!(done.contains("AND Andorra is accepted on a person's word (recorded as arrived on "), "{done}");
}

#[test]
fn check_shows_each_problem_by_itself_and_the_other_commands_tell_them_in_few_lines() {
    let server = Server::start();
    let rows =
        "state,to\nKEN,a@missions.example\nUGA,a@missions.example\nTCD,b@missions.example\nPER,b@missions.example\n";
    let campaign = Campaign::small(server.port(), 0).recipients(rows);
    let check = campaign.run(&["check"]).expect_code(0);
    let heads: Vec<usize> =
        check.stderr.lines().enumerate().filter(|(_, line)| line.starts_with("warning[")).map(|(at, _)| at).collect();
    assert!(heads.len() > 2, "{}", check.stderr);
    let lines: Vec<&str> = check.stderr.lines().collect();
    for head in heads.iter().skip(1) {
        assert_eq!(lines[head - 1], "", "each stands by itself: {}", check.stderr);
    }
    assert!(check.stderr.ends_with("\n\n"), "the summary is apart from them: {:?}", check.stderr);

    let send = campaign.run(&["send", "--yes"]).expect_code(0).stderr;
    assert!(!send.contains("warning[") && send.contains("  - recipients.csv:"), "{send}");
    for shared in ["a@missions.example stands in", "b@missions.example stands in"] {
        assert!(send.contains(shared), "each is a question of its own: {send}");
    }
    let whole = campaign.run(&["send", "--yes", "-v"]).expect_code(0).stderr;
    assert!(whole.contains("warning[address-shared]"), "{whole}");
    let wrong = Campaign::small(server.port(), 0).recipients(&format!("{rows}Atlantis,c@missions.example\n"));
    let refused = wrong.run(&["send", "--yes"]).expect_code(65).stderr;
    let at = |what: &str| refused.find(what).unwrap_or_else(|| panic!("{what} is not in {refused}"));
    assert!(at("  - recipients.csv:") < at("error[") && at("error[") < at("1 error; nothing was sent."), "{refused}");
}

#[test]
fn the_figures_of_a_summary_add_up_to_every_row_and_every_state() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 20)
        .set("recipients.audience", "\"member-states\"")
        .file("suppressed.csv", "address\nafg@missions.example\n");
    campaign.run(&["send", "--yes", "--limit", "4"]).expect_code(0);
    let told = campaign.run(&["send", "--yes", "--only", "Belgique,BTN"]).expect_code(0).stderr;
    let block: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("  Letters:")).take(5).collect();
    let numbers: Vec<usize> = block
        .iter()
        .map(|line| {
            line.trim_start_matches("  Letters:").trim().split(' ').next().expect("a word").parse().expect("a number")
        })
        .collect();
    assert_eq!(numbers.iter().sum::<usize>(), 193, "{block:#?}");
    assert!(block[0].ends_with("2 to go: Belgium, Bhutan"), "{block:#?}");
    assert!(block[1].ends_with("4 sent before: a server has the letter"), "{block:#?}");
    assert!(block[2].ends_with("13 not chosen this time") && block[3].ends_with("1 left out on purpose: Afghanistan"));
    assert!(block[4].contains("173 states without a row: "), "{block:#?}");
}

#[test]
fn the_question_names_the_number_of_letters_and_that_the_event_is_over() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let asked = on_a_terminal(&campaign, 80, "no\n", &["send"]).stdout;
    assert!(asked.contains("Send 3 letters now?"), "{asked}");
    let over = campaign.set("campaign.event", "{ name = \"debate\", at = \"2021-10-21T10:00[America/New_York]\" }");
    let asked = on_a_terminal(&over, 80, "no\n", &["send", "--limit", "1"]).stdout;
    assert!(asked.contains("The event lies in the past. Send 1 letter now all the same?"), "{asked}");
}

#[test]
fn a_command_and_a_digest_stay_whole_on_a_narrow_terminal_and_are_told_by_colour() {
    let campaign = Campaign::small(2525, 3).env("TERM", "xterm").env("NO_COLOR", "");
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("one").to_owned();
    let shown = on_a_terminal(&campaign, 60, "", &["preview"]).expect_code(0).stdout;
    assert!(shown.contains(&format!("    \u{1b}[36mdemarche send --approve {digest}\u{1b}[39m\n")), "{shown:?}");
    let check = on_a_terminal(&campaign, 60, "", &["check"]).expect_code(0).stdout;
    assert!(check.contains(&format!("\n  {digest}\n")), "{check}");
    let plain = on_a_terminal(&campaign, 60, "", &["--plain", "check"]).expect_code(0).stdout;
    assert!(plain.contains("`demarche rehearse`") && plain.contains(&digest), "{plain}");
}

#[test]
fn people_get_times_by_the_clock_of_the_machine_with_its_zone_and_scripts_get_utc() {
    let greylisted = Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some("and@missions.example".to_owned()),
        times: None,
        action: Action::Reply("450 4.7.1 greylisted".to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![greylisted]));
    let mut campaign = Campaign::small(server.port(), 5).env("TZ", "Asia/Kathmandu").set("retry.linger", "\"1h\"");
    let running = campaign.spawn(&["send", "--yes"]);
    let waits = || running.stderr().contains("waiting until ").then_some(());
    assert!(support::supervised::poll(std::time::Duration::from_secs(20), waits).is_some(), "{}", running.stderr());
    running.signal("INT");
    let sent = running.wait().expect_code(75).stderr;
    let line = sent.lines().find(|line| line.starts_with("waiting until ")).expect("a line");
    assert!(line.contains(" +0545"), "{line}");
    assert!(
        line.ends_with("or press Ctrl-C: `demarche send` tries them when they are due, `demarche resend` at once"),
        "{line}"
    );
    approve_something(&campaign);
    for arguments in [&["status"][..], &["log"], &["resend", "--dry-run"], &["approve", "--list"]] {
        let shown = campaign.run(arguments).stdout;
        assert!(shown.contains("+0545") && !shown.contains("Z\n") && !shown.contains("Z)"), "{shown}");
    }
    let status = campaign.run(&["status"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(status.contains("1 letter deferred: the first of these tries again once due (from "), "{status}");
    assert!(status.contains(", the second at once demarche send demarche resend"), "{status}");
    let json = campaign.run(&["status", "--json"]).json();
    let due = json["deliveries"].as_array().expect("rows").iter().find_map(|row| row["not_before"].as_str());
    assert!(due.expect("a time").ends_with('Z'), "{json}");
}

fn approve_something(campaign: &Campaign) {
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("one").to_owned();
    campaign.run(&["approve", &digest, "--by", "The Chair"]).expect_code(0);
}

#[test]
fn the_log_of_all_missions_sets_them_apart_and_says_each_answer_once() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let log = campaign.run(&["log"]).expect_code(0).stdout;
    assert!(log.contains("\n\nAlbania (ALB): accepted\n") && log.contains("\n\nAlgeria (DZA): accepted\n"), "{log}");
    assert_eq!(log.matches(": 250 ").count(), 3, "{log}");
}

#[test]
fn the_postbox_prints_three_lines_that_can_be_put_into_the_section_that_is_there() {
    let mut campaign = Campaign::small(2525, 3);
    let running = campaign.spawn(&["postbox", "--port", "0"]);
    let printed = || running.stdout().contains("demarche send").then_some(());
    assert!(support::supervised::poll(std::time::Duration::from_secs(20), printed).is_some(), "{}", running.stdout());
    let told = running.stdout();
    let lines: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let [host, port, security] = lines[..] else { panic!("three lines: {told}") };
    assert_eq!((host, security), ("host = \"127.0.0.1\"", "security = \"none\""));
    let port = port.strip_prefix("port = ").expect("a port");
    running.signal("INT");
    running.wait().expect_code(0);
    campaign.set("smtp.port", port).run(&["check"]).expect_code(0);
}

#[test]
fn what_is_wrong_with_a_command_line_and_where_a_pack_is_fits_a_narrow_terminal() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let both = ["report", "--pack", "evidence.zip", "--verify", "evidence.zip"];
    for (arguments, code) in
        [(&both[..], 64), (&["report", "--pack", "evidence.zip"], 0), (&["report", "--verify", "evidence.zip"], 0)]
    {
        let shown = on_a_terminal(&campaign, 60, "", arguments).expect_code(code).stdout;
        let alone = |line: &str| !line.trim().contains(' ') || line.trim_start().starts_with("demarche ");
        let wide: Vec<&str> =
            shown.lines().filter(|line| line.trim_end().chars().count() > 60 && !alone(line)).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

#[test]
fn on_a_narrow_terminal_the_table_of_outcomes_breaks_what_it_explains_and_cuts_nothing() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::Rcpt => Action::Reply("550 5.1.1 no such user".to_owned()),
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 1);
    let shown = on_a_terminal(&campaign, 60, "", &["send", "--yes"]).expect_code(1).stdout;
    let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("failed 1 100.0 % refused for good, for one address at least all 1"), "{shown}");
}

#[test]
fn at_takes_a_time_and_its_help_names_one_that_is_to_come() {
    let campaign = Campaign::small(2525, 1).env("TZ", "America/New_York");
    let told = campaign.run(&["send", "--at", "tomorrow"]).expect_code(64).stderr;
    let example = told.split_whitespace().find(|word| word.ends_with("T09:00[America/New_York]")).expect("an example");
    let at: jiff::ZonedDateTime = example.parse().expect("a time with a zone");
    assert!(at.timestamp() > demarche::clock::now(), "{told}");
}
