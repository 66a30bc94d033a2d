//! Every screen as a picture, from real runs: `scripts/screenshots` calls this and makes the files small.

use std::fs;
use std::path::PathBuf;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};

use crate::driver::Browser;
use crate::stage::{campaign, preview};
use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::terminal::Terminal;

/// A page: the picture's name, the file below the campaign, what follows the `#`, width, height, colours, and what has to be
/// true before the picture is taken.
type Shot = (&'static str, &'static str, &'static str, u32, u32, &'static str, &'static str);

const LETTER_THERE: &str = "document.querySelector('#pane .shown')";
/// Before the letters go out.
const PREVIEW: [Shot; 9] = [
    ("preview-list", "preview/index.html", "", 1280, 1010, "light", "true"),
    ("preview-letter", "preview/index.html", "KEN", 1280, 860, "light", LETTER_THERE),
    ("preview-dark", "preview/index.html", "KEN", 1280, 860, "dark", LETTER_THERE),
    (
        "preview-compare",
        "preview/compare.html",
        "KEN,FJI",
        1280,
        860,
        "light",
        "document.querySelectorAll('.text').length > 5",
    ),
    ("preview-changes", "preview/letters/FJI.html", "v-changes", 1000, 520, "light", "document.querySelector('del')"),
    ("preview-phone-list", "preview/index.html", "", 400, 860, "light", "true"),
    ("preview-phone-letter", "preview/letters/KEN.html", "", 400, 860, "light", "true"),
    // The phone's list begins below the batch.
    ("preview-phone-letters", "preview/index.html", "list", 400, 860, "light", "true"),
    ("preview-right-to-left", "preview/letters/EGY.html", "w-phone,s-dark", 1000, 860, "light", "true"),
];
/// Afterwards.
const REPORT: [Shot; 2] = [
    ("report", "report.html", "", 1280, 860, "light", "true"),
    ("report-phone", "report.html", "", 400, 860, "dark", "true"),
];

#[test]
#[ignore = "writes pictures: scripts/screenshots"]
fn every_screen_as_a_picture() {
    let out = PathBuf::from(std::env::var_os("DEMARCHE_SCREENS").expect("scripts/screenshots says where"));
    fs::create_dir_all(&out).expect("a folder");
    let server = Server::scripted(Script::new(|cue| {
        let is = |names: &[&str]| cue.recipient.is_some_and(|it| names.iter().any(|name| it.starts_with(name)));
        match cue.phase {
            Phase::Rcpt if is(&["nru@", "plw@"]) => Action::Reply("550 5.1.1 <mission>: user unknown".to_owned()),
            Phase::Rcpt if is(&["tza@", "uga@", "zmb@"]) => {
                Action::Reply("451 4.7.1 greylisted, try again in 5 minutes".to_owned())
            }
            Phase::EndOfData if is(&["pry@"]) => Action::AcceptThen(Box::new(Action::Close)),
            _ => Action::Behave,
        }
    }));
    let campaign = with_relay(campaign(), server.port());
    preview(&campaign);
    let browser = Browser::start();
    let folder = campaign.path("open-letter");
    let keep = |name: &str, png: Vec<u8>| fs::write(out.join(format!("{name}.png")), png).expect("a picture");
    let csv = campaign.read("open-letter/recipients.csv").replace("fji@", "registry.fji@");
    let campaign = campaign.file("open-letter/recipients.csv", csv);
    preview(&campaign);
    let shoot = |(name, page, fragment, width, height, scheme, ready): Shot| {
        browser.media("screen", scheme);
        browser.size(width, height);
        browser.open(&folder.join(page), fragment);
        browser.wait(ready);
        keep(name, browser.picture());
    };
    PREVIEW.into_iter().for_each(shoot);
    terminal(&campaign, &browser, &keep);
    campaign.run(&["--config", "open-letter/config.toml", "report", "--html", "open-letter/report.html"]);
    REPORT.into_iter().for_each(shoot);
}

/// The screens of a campaign from the first check to the last word.
fn terminal(campaign: &Campaign, browser: &Browser, keep: &dyn Fn(&str, Vec<u8>)) {
    let folder = campaign.path("open-letter");
    let screen = |name: &str, rows: usize, command: &str| {
        let terminal = Terminal::start(&folder, rows);
        terminal.line(command);
        terminal.wait_for_prompt();
        keep(name, terminal.picture(browser, campaign.path("").as_path()));
    };
    screen("terminal-check", 44, "demarche check");
    errors(campaign, &|command| screen("terminal-errors", 48, command));
    let sending = Terminal::start(&folder, 36);
    sending.line("demarche send");
    sending.wait("anything else");
    keep("terminal-send", sending.picture(browser, campaign.path("").as_path()));
    sending.line("send");
    // Once it says how fast it goes and how long it takes.
    sending.wait("s left");
    keep("terminal-progress", sending.picture(browser, campaign.path("").as_path()));
    sending.wait_for_prompt();
    drop(sending);
    screen("terminal-status", 78, "demarche status");
    screen("terminal-log", 24, "demarche log NRU");
    screen("terminal-resend", 34, "demarche -q resend --dry-run");
}

/// A file with mistakes, beside the good one for as long as its picture is taken.
fn errors(campaign: &Campaign, shoot: &dyn Fn(&str)) {
    let good = campaign.read("open-letter/recipients.csv");
    let bad = "state,to,language\nKenya,ken @missions.example,en\nKorea,kor@missions.example,\nFrnace,fra@missions.example,fr\n";
    fs::write(campaign.path("open-letter/recipients.csv"), bad).expect("our own folder");
    shoot("demarche check");
    fs::write(campaign.path("open-letter/recipients.csv"), good).expect("our own folder");
}

/// The campaign with a relay on this machine, slow enough to be seen at work.
fn with_relay(campaign: Campaign, port: u16) -> Campaign {
    let mut config: toml::Table = campaign.read("open-letter/config.toml").parse().expect("TOML");
    let smtp = format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nconnections = 2\n");
    config.insert("smtp".to_owned(), toml::Value::Table(smtp.parse().expect("TOML")));
    config.insert("pace".to_owned(), toml::Value::Table("rate = \"40/s\"".parse().expect("TOML")));
    config.insert("retry".to_owned(), toml::Value::Table("linger = \"0s\"".parse().expect("TOML")));
    campaign.file("open-letter/config.toml", config.to_string())
}
