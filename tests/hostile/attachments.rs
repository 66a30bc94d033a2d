//! Attachments: what each path that leads elsewhere, each file that is none, and each letter that is too large gets.

use std::os::unix::fs::symlink;
use std::process::Command;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Offers, Options, Rule, Script};
use insta::assert_snapshot;

use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::{campaign, check, read_by_a_person};

/// A campaign of one row for each attachment.
fn with_attachments(campaign: Campaign, paths: &[&str]) -> Campaign {
    let rows: Vec<String> =
        paths.iter().enumerate().map(|(n, path)| format!("row{n},m{n}@missions.example,{path}\n")).collect();
    campaign
        .template("letter.en.md", "+++\nsubject = \"Open letter\"\n+++\n\nText\n")
        .recipients(&format!("id,to,attachment\n{}", rows.concat()))
}

/// Makes a FIFO, which nobody will ever write to.
pub(crate) fn fifo(campaign: &Campaign, name: &str) {
    let made = Command::new("mkfifo").arg(campaign.path(name)).status().expect("mkfifo is there");
    assert!(made.success(), "a FIFO");
}

#[test]
fn paths_that_lead_out_of_the_folder_or_to_no_file_are_refused_all_at_once() {
    let campaign = campaign().file("outside/../deep/a.pdf", "x");
    symlink("/etc/hostname", campaign.path("link.pdf")).expect("our own folder");
    symlink("/etc", campaign.path("etc")).expect("our own folder");
    symlink("/dev/zero", campaign.path("zero.pdf")).expect("our own folder");
    fifo(&campaign, "fifo.pdf");
    let paths = [
        "/etc/hostname",
        "../a.pdf",
        "deep/../../a.pdf",
        "~/a.pdf",
        "link.pdf",
        "etc/hostname",
        "zero.pdf",
        "fifo.pdf",
        "deep",
        "missing.pdf",
        "C:\\a.pdf",
        "deep/a.pdf",
    ];
    assert_snapshot!(check(&with_attachments(campaign, &paths)), @r#"
    exit 65

    error[attachment-invalid]: the attachment "../a.pdf" is not a path inside the campaign folder
     --> recipients.csv:3:26
      |
    3 | row1,m1@missions.example,../a.pdf
      |                          ^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "/etc/hostname" is not a path inside the campaign folder
     --> recipients.csv:2:26
      |
    2 | row0,m0@missions.example,/etc/hostname
      |                          ^^^^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "C:\a.pdf" is not a path inside the campaign folder
      --> recipients.csv:12:28
       |
    12 | row10,m10@missions.example,C:\a.pdf
       |                            ^^^^^^^^
       |
       = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "deep" is not a file
      --> recipients.csv:10:26
       |
    10 | row8,m8@missions.example,deep
       |                          ^^^^
       |
       = help: name a file, not a folder or a device

    error[attachment-invalid]: the attachment "deep/../../a.pdf" is not a path inside the campaign folder
     --> recipients.csv:4:26
      |
    4 | row2,m2@missions.example,deep/../../a.pdf
      |                          ^^^^^^^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "etc/hostname" is a link that leaves the campaign folder
     --> recipients.csv:7:26
      |
    7 | row5,m5@missions.example,etc/hostname
      |                          ^^^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "fifo.pdf" is not a file
     --> recipients.csv:9:26
      |
    9 | row7,m7@missions.example,fifo.pdf
      |                          ^^^^^^^^
      |
      = help: name a file, not a folder or a device

    error[attachment-invalid]: the attachment "link.pdf" is a link that leaves the campaign folder
     --> recipients.csv:6:26
      |
    6 | row4,m4@missions.example,link.pdf
      |                          ^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "missing.pdf" is not there
      --> recipients.csv:11:26
       |
    11 | row9,m9@missions.example,missing.pdf
       |                          ^^^^^^^^^^^
       |
       = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "zero.pdf" is a link that leaves the campaign folder
     --> recipients.csv:8:26
      |
    8 | row6,m6@missions.example,zero.pdf
      |                          ^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "~/a.pdf" is not a path inside the campaign folder
     --> recipients.csv:5:26
      |
    5 | row3,m3@missions.example,~/a.pdf
      |                          ^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    11 errors; nothing was sent.
    "#);
}

#[test]
fn the_same_paths_in_the_config_and_in_the_letter_are_refused_too() {
    let campaign = campaign()
        .recipients("state,to\nKenya,ken@missions.example\n")
        .set("letter.attachments", "[\"/etc/hostname\", \"../a.pdf\", \"~/a.pdf\", \"missing.pdf\", \"a\\u0007.pdf\"]");
    assert_snapshot!(check(&campaign), @r#"
    exit 78
    error[path-outside]: letter.attachments is an absolute path, and must be relative to the campaign folder
     --> config.toml:9:16
      |
    9 | attachments = ["/etc/hostname", "../a.pdf", "~/a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                ^^^^^^^^^^^^^^^
      |
      = help: copy it into the campaign folder and write its path from there

    error[path-outside]: letter.attachments leads out of the campaign folder by ".."
     --> config.toml:9:33
      |
    9 | attachments = ["/etc/hostname", "../a.pdf", "~/a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                                 ^^^^^^^^^^
      |
      = help: copy it into the campaign folder and write its path from there

    error[path-outside]: letter.attachments begins with "~", and must be relative to the campaign folder
     --> config.toml:9:45
      |
    9 | attachments = ["/etc/hostname", "../a.pdf", "~/a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                                             ^^^^^^^^^
      |
      = help: copy it into the campaign folder and write its path from there

    error[path-invalid]: letter.attachments holds a control character
     --> config.toml:9:71
      |
    9 | attachments = ["/etc/hostname", "../a.pdf", "~/a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                                                                       ^^^^^^^^^^^^^
      |
      = help: rename the file

    4 errors; nothing was sent.
    "#);
    let campaign = crate::campaign().recipients("state,to\nKenya,ken@missions.example\n").template(
        "letter.en.md",
        "+++\nsubject = \"a\"\nattachments = [\"/etc/hostname\", \"../a.pdf\", \"missing.pdf\", \"a\\u0007.pdf\"]\n+++\n\nText\n",
    );
    assert_snapshot!(check(&campaign), @r#"
    exit 65

    error[attachment-invalid]: the attachment "../a.pdf" is not a path inside the campaign folder
     --> templates/letter.en.md:3:33
      |
    3 | attachments = ["/etc/hostname", "../a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                                 ^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "/etc/hostname" is not a path inside the campaign folder
     --> templates/letter.en.md:3:16
      |
    3 | attachments = ["/etc/hostname", "../a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                ^^^^^^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    error[attachment-invalid]: the attachment "a\u{7}.pdf" has a control character in its name
    --> templates/letter.en.md
     = help: rename the file

    error[attachment-invalid]: the attachment "missing.pdf" is not there
     --> templates/letter.en.md:3:45
      |
    3 | attachments = ["/etc/hostname", "../a.pdf", "missing.pdf", "a\u0007.pdf"]
      |                                             ^^^^^^^^^^^^^
      |
      = help: put the file into the campaign folder and name it by its path from there

    4 errors; nothing was sent.
    "#);
}

#[test]
fn a_letter_over_the_servers_size_is_refused_and_the_others_are_sent() {
    let server =
        Server::with(Options { offers: Offers { size: Some(20_000), ..Offers::default() }, ..Options::default() });
    // 15,000 octets fit into 20,000; in base64 they do not.
    let campaign = with_attachments(Campaign::small(server.port(), 0), &["small.pdf", "large.pdf"])
        .file("small.pdf", "x")
        .file("large.pdf", vec![7; 15_000]);
    let run = campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(server.ids(), ["row0"]);
    let told = read_by_a_person(&campaign, &run);
    let told = told.lines().find(|line| line.starts_with("row1")).unwrap_or_else(|| panic!("the row is named: {told}"));
    // How many octets follows from the layout.
    let said = "octets, and the server takes 20000 at most (SIZE) (at the sender)";
    assert!(told.starts_with("row1  failed: the message has 2") && told.ends_with(said), "{told}");
}

#[test]
fn an_attachment_that_changed_since_the_plan_is_pointed_out_and_the_frozen_one_is_sent() {
    let later = Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some("m1@missions.example".to_owned()),
        times: Some(1),
        action: Action::Reply("451 4.3.0 later".to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![later]));
    let campaign = with_attachments(Campaign::small(server.port(), 0), &["a.txt", "a.txt"]).file("a.txt", "approved");
    campaign.run(&["send", "--yes"]).expect_code(75);
    let campaign = campaign.file("a.txt", "replaced");
    let run = campaign.run(&["resend", "--yes"]).expect_code(0);
    let letters = server.letters();
    let last = String::from_utf8_lossy(&letters.last().expect("a letter").bytes).into_owned();
    assert!(last.contains("approved") || last.contains("YXBwcm92ZWQ="), "{last}");
    let told = read_by_a_person(&campaign, &run);
    assert_snapshot!(told.lines().filter(|line| line.contains("other changes")).collect::<String>(), @r#"warning: other changes to the letters of 1 rows are not taken (row1): pass --refresh to take them"#);
}

#[test]
fn an_attachment_that_changed_since_the_approval_is_refused() {
    let server = Server::start();
    let campaign = with_attachments(Campaign::small(server.port(), 0), &["a.txt"]).file("a.txt", "approved");
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    let campaign = campaign.file("a.txt", "replaced");
    let run = campaign.run(&["send", "--approve", &digest]).expect_code(65);
    let told = read_by_a_person(&campaign, &run);
    // The digests.
    let told =
        told.lines().filter(|line| !line.trim_end().ends_with(|c: char| c.is_ascii_hexdigit())).collect::<Vec<_>>();
    assert_snapshot!(told.join("\n"), @"
    error: this is not the batch that was approved: letters, rows or settings have changed since it was previewed, or a digit of it is wrong; nothing was sent
             run `demarche preview`, look, and approve its digest
    ");
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn an_attachment_that_changed_since_the_plan_sends_nothing_by_the_usual_word() {
    let server = Server::start();
    let campaign = with_attachments(Campaign::small(server.port(), 0), &["a.txt", "a.txt"]).file("a.txt", "approved");
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = campaign.file("a.txt", "replaced");
    let run = campaign.run(&["send", "--yes"]).expect_code(65);
    let told = read_by_a_person(&campaign, &run);
    assert_snapshot!(told.split_once("error").expect("an error").1, @"
    : 1 letters would go out as they were frozen, not as they are in the files now; nothing was sent
     = help: --refresh sends the letters of the files, --frozen the frozen ones
    ");
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_name_outside_ascii_is_written_by_rfc_2231() {
    let server = Server::start();
    let campaign =
        with_attachments(Campaign::small(server.port(), 0), &["lettre à l’État.pdf"]).file("lettre à l’État.pdf", "x");
    campaign.run(&["send", "--yes"]).expect_code(0);
    let letter = String::from_utf8(server.letters()[0].bytes.clone()).expect("ASCII");
    assert!(letter.is_ascii(), "{letter}");
    let disposition: String =
        letter.split("Content-Disposition: attachment").nth(1).expect("a field").lines().take(3).collect();
    assert_snapshot!(disposition, @"; filename*0*=utf-8''lettre%20%C3%A0%20l%E2%80%99%C3%89tat.pdfContent-Transfer-Encoding: base64");
}
