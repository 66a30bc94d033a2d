//! A canary for a password: wherever it comes from, it is on the wire and nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Options, Script};

use crate::files_below;
use crate::support::campaign::Campaign;
use crate::support::server::Server;

pub(crate) const USER: &str = "letters@coalition.example";
pub(crate) const CANARY: &str = "canary-7Vq9-hunter2";

/// The canary, and every form in which AUTH carries it (RFC 4616; LOGIN).
fn forms() -> Vec<String> {
    let plain = format!("\0{USER}\0{CANARY}");
    let mut forms = vec![CANARY.to_owned(), STANDARD.encode(CANARY), STANDARD.encode(&plain)];
    forms.push(forms[2].trim_end_matches('=').to_owned());
    forms
}

/// That no form of the canary is in `text`.
#[track_caller]
pub(crate) fn holds_no_canary(what: &str, text: &[u8]) {
    for form in forms() {
        let found = text.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "{form} in {what}:\n{}", String::from_utf8_lossy(text));
    }
}

/// The ways to give a password, with what each needs.
pub(crate) fn sources(campaign: impl Fn() -> Campaign) -> Vec<(&'static str, Campaign)> {
    let with = |source: &str| {
        let campaign = campaign().set("retry.first", "\"1ms\"").set("retry.most", "\"1ms\"");
        campaign.set("smtp.username", &format!("\"{USER}\"")).set("smtp.password", source)
    };
    let private = |campaign: Campaign| {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o600);
        for name in ["config.toml", "secret"] {
            if campaign.path(name).exists() {
                std::fs::set_permissions(campaign.path(name), mode.clone()).expect("our own file");
            }
        }
        campaign
    };
    vec![
        ("inline", private(with(&format!("\"{CANARY}\"")))),
        ("env", with("{ env = \"CANARY\" }").env("CANARY", CANARY)),
        ("file", private(with("{ file = \"secret\" }").file("secret", CANARY))),
        ("command", with("{ command = [\"cat\", \"secret\"] }").file("secret", CANARY)),
    ]
}

/// Runs every command and looks at all that was printed and written.
fn look_everywhere(name: &str, campaign: &Campaign) {
    let commands: [&[&str]; 12] = [
        &["check", "-vv", "--online"],
        &["check", "--json"],
        &["preview", "-vv"],
        &["test", "-vv", "--to", "me@coalition.example"],
        &["send", "-vv", "--yes"],
        &["resend", "-vv", "--yes"],
        &["status", "-vv"],
        &["status", "--json"],
        &["log", "-vv"],
        &["log", "--json"],
        &["report", "--html", "report.html", "--csv", "report.csv", "--json"],
        &["rehearse", "-vv"],
    ];
    for command in commands {
        let run = campaign.run(command);
        holds_no_canary(&format!("{name}: stdout of {command:?}"), run.stdout.as_bytes());
        holds_no_canary(&format!("{name}: stderr of {command:?}"), run.stderr.as_bytes());
    }
    for (path, bytes) in files_below(&campaign.path("")) {
        if !path.ends_with("/secret") && !path.ends_with("/config.toml") {
            holds_no_canary(&format!("{name}: {path}"), &bytes);
        }
    }
}

#[test]
fn a_password_that_works_is_on_the_wire_and_nowhere_else() {
    let login = Some((USER.to_owned(), CANARY.to_owned()));
    let server = Server::with(Options { login, ..Options::default() });
    let sources = sources(|| Campaign::small(server.port(), 3));
    for (name, campaign) in &sources {
        look_everywhere(name, campaign);
        assert!(campaign.path("ledger.db").exists() && campaign.path("report.html").exists(), "{name}");
    }
    // A test letter and three of the batch for each source: the password was taken.
    assert_eq!(server.letters().len(), 4 * sources.len());
}

#[test]
fn a_server_that_repeats_the_password_in_its_replies_does_not_make_us_show_it() {
    let plain = STANDARD.encode(format!("\0{USER}\0{CANARY}"));
    let refusals = [
        format!("535 5.7.8 wrong password {CANARY} in {plain}"),
        format!("535-5.7.8 {}\n535 5.7.8 {}", &plain[..20], STANDARD.encode(CANARY)),
        format!("500 unrecognised: AUTH PLAIN {plain}"),
        format!("AUTH PLAIN {plain}: what?"),
    ];
    for refusal in refusals {
        let login = Some((USER.to_owned(), CANARY.to_owned()));
        let answer = Action::Reply(refusal.clone());
        let script = Script::new(move |cue| if cue.phase == Phase::Auth { answer.clone() } else { Action::Behave });
        let server = Server::with(Options { login, script, ..Options::default() });
        for (name, campaign) in sources(|| Campaign::small(server.port(), 1)).into_iter().skip(2).take(1) {
            look_everywhere(&format!("{name}, {refusal}"), &campaign);
        }
        assert_eq!(server.letters().len(), 0);
    }
}

#[test]
fn a_letter_refused_later_with_the_password_in_the_reply_keeps_it_out_of_the_ledger() {
    let login = Some((USER.to_owned(), CANARY.to_owned()));
    let answer = Action::Reply(format!("550 5.7.1 {USER} logged in with {CANARY}"));
    let script = Script::new(move |cue| if cue.phase == Phase::Rcpt { answer.clone() } else { Action::Behave });
    let server = Server::with(Options { login, script, ..Options::default() });
    let (name, campaign) = sources(|| Campaign::small(server.port(), 1)).swap_remove(1);
    look_everywhere(name, &campaign);
}

#[test]
fn a_broken_line_with_a_password_is_told_without_its_text() {
    let campaign = Campaign::small(2525, 1);
    let config = campaign.read("config.toml");
    for line in [
        format!("password = \"{CANARY}"),
        format!("password = {CANARY}"),
        format!("pasword = \"{CANARY}\""),
        format!("password = [\"{CANARY}\"]"),
        format!("password = \"\"\"\n{CANARY}\n"),
        format!("host = \"smtps://me:{CANARY}@mail.ngo.test\""),
    ] {
        let campaign = Campaign::small(2525, 1).config(&config.replace("[smtp]", &format!("[smtp]\n{line}")));
        let run = campaign.run(&["check"]).expect_code(78);
        holds_no_canary(&line, run.stderr.as_bytes());
        holds_no_canary(&line, campaign.run(&["check", "--json"]).stdout.as_bytes());
    }
}
