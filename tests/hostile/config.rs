//! The config file: what each kind of wrong, risky or senseless setting gets.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::support::campaign::Campaign;
use crate::{campaign, check, read_by_a_person};

/// A campaign of one row whose config ends with these lines.
fn with_lines(lines: &str) -> Campaign {
    let campaign = campaign().recipients("state,to\nKenya,ken@missions.example\n");
    let config = "[campaign]\nid = \"open-letter\"\nname = \"An open letter\"\n\n[sender]\nfrom = \"letters@coalition.example\"\n";
    campaign.config(&format!("{config}\n{lines}\n"))
}

#[test]
fn unknown_keys_and_wrong_types_are_told_all_at_once() {
    let lines = "[pase]\nrate = 1\n[smtp]\nhots = \"127.0.0.1\"\nport = \"2525\"\nconnections = true\n[letter]\nattachments = \"a.pdf\"\n[retry]\nattempts = 3.5\n";
    assert_snapshot!(check(&with_lines(lines)), @r#"
    exit 78
    error[unknown-key]: unknown table or key "pase"
     --> config.toml:8:2
      |
    8 | [pase]
      |  ^^^^
      |
      = help: did you mean "pace"? Known here: campaign, vars, sender, recipients, letter, smtp, pace, retry, ledger

    error[unknown-key]: unknown key "hots" in [smtp]
      --> config.toml:11:1
       |
    11 | hots = …
       | ^^^^
       |
       = help: did you mean "host"? Known here: host, port, security, username, password, connections, ca_file, ehlo_name, messages_per_connection, timeouts

    error[wrong-type]: smtp.port is a text, and must be a whole number
      --> config.toml:12:8
       |
    12 | port = "2525"
       |        ^^^^^^
       |
       = help: write port = 465

    error[wrong-type]: smtp.connections is true or false, and must be a whole number
      --> config.toml:13:15
       |
    13 | connections = true
       |               ^^^^
       |
       = help: write connections = 2

    error[wrong-type]: retry.attempts is a number with a fraction, and must be a whole number
      --> config.toml:17:12
       |
    17 | attempts = 3.5
       |            ^^^
       |
       = help: write attempts = 6

    5 errors; nothing was sent.
    "#);
}

#[test]
fn senseless_rates_are_told_each_at_its_place() {
    let lines = "[pace]\nrate = [\"0/min\", \"-5/min\", \"NaN/s\", \"99999999/s\", \"often\"]\nper_domain = nan\n";
    assert_snapshot!(check(&with_lines(lines)), @r#"
    exit 78

    error[rate-zero]: pace.rate would never send anything
     --> config.toml:9:9
      |
    9 | rate = ["0/min", "-5/min", "NaN/s", "99999999/s", "often"]
      |         ^^^^^^^
      |
      = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit

    error[rate-invalid]: pace.rate is not a rate
     --> config.toml:9:18
      |
    9 | rate = ["0/min", "-5/min", "NaN/s", "99999999/s", "often"]
      |                  ^^^^^^^^
      |
      = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit

    error[rate-invalid]: pace.rate is not a rate
     --> config.toml:9:28
      |
    9 | rate = ["0/min", "-5/min", "NaN/s", "99999999/s", "often"]
      |                            ^^^^^^^
      |
      = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit

    error[rate-absurd]: pace.rate is faster than 100,000 a second, which no relay takes
     --> config.toml:9:37
      |
    9 | rate = ["0/min", "-5/min", "NaN/s", "99999999/s", "often"]
      |                                     ^^^^^^^^^^^^
      |
      = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit

    error[rate-invalid]: pace.rate is not a rate
     --> config.toml:9:51
      |
    9 | rate = ["0/min", "-5/min", "NaN/s", "99999999/s", "often"]
      |                                                   ^^^^^^^
      |
      = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit

    error[wrong-type]: pace.per_domain is a number with a fraction, and must be a text or a list of texts
      --> config.toml:10:14
       |
    10 | per_domain = nan
       |              ^^^
       |
       = help: write per_domain = "30/min"

    6 errors; nothing was sent.
    "#);
}

#[test]
fn times_without_a_good_zone_are_told() {
    let lines = "[campaign.event]\nname = \"E\"\nat = \"2031-10-21T10:00\"\n[pace]\nhours = \"09:00-18:00\"\ntimezone = \"Mars/Olympus\"\n";
    assert_snapshot!(check(&with_lines(lines)), @r#"
    exit 78
    error[time-zone-missing]: campaign.event.at has no time zone, so that nobody knows which moment it is
      --> config.toml:10:6
       |
    10 | at = "2031-10-21T10:00"
       |      ^^^^^^^^^^^^^^^^^^
       |
       = help: write the zone in brackets, as in "2021-10-21T10:00[America/New_York]", or an offset, as in "2021-10-21T10:00-04:00"

    error[time-zone-invalid]: pace.timezone names a time zone that does not exist
      --> config.toml:13:12
       |
    13 | timezone = "Mars/Olympus"
       |            ^^^^^^^^^^^^^^
       |
       = help: write a name from the IANA list, such as "America/New_York" or "UTC"

    2 errors; nothing was sent.
    "#);
    assert_snapshot!(check(&with_lines("[campaign.event]\nname = \"E\"\nat = \"2031-10-21T10:00[Mars/Olympus]\"\n")), @r#"
    exit 78
    error[time-zone-invalid]: campaign.event.at names a time zone that does not exist
      --> config.toml:10:6
       |
    10 | at = "2031-10-21T10:00[Mars/Olympus]"
       |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write a name from the IANA list, such as "America/New_York" or "UTC"

    1 error; nothing was sent.
    "#);
}

#[test]
fn a_password_in_the_file_is_warned_of_and_refused_where_everybody_can_read_it() {
    let lines = "[smtp]\nhost = \"mail.ngo.test\"\nusername = \"letters@coalition.example\"\npassword = \"hunter2\"\n";
    let private = with_lines(lines);
    std::fs::set_permissions(private.path("config.toml"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    let exposed = with_lines(lines);
    std::fs::set_permissions(exposed.path("config.toml"), std::fs::Permissions::from_mode(0o644)).expect("ours");
    assert_snapshot!(format!("{}{}", check(&private), check(&exposed)), @r#"
    exit 0
    warning[password-inline]: smtp.password stands in the config itself, which is easily copied or shared with it
    --> config.toml:11:12
     = help: write password = { env = "NAME" }, { file = "path" } or { command = ["pass", "show", "name"] }


    exit 78

    error[password-exposed]: smtp.password stands in a file that everybody on this machine can read
    --> config.toml:11:12
     = help: write password = { env = "NAME" }, { file = "path" } or { command = ["pass", "show", "name"] }; or at least close the file: chmod 600

    1 error; nothing was sent.
    "#);
}

#[test]
fn a_password_file_that_everybody_can_read_is_refused_and_one_of_ones_own_is_not() {
    let lines = "[smtp]\nhost = \"mail.ngo.test\"\nusername = \"letters@coalition.example\"\npassword = { file = \"secret\" }\n";
    let campaign = with_lines(lines).file("secret", "hunter2");
    std::fs::set_permissions(campaign.path("secret"), std::fs::Permissions::from_mode(0o644)).expect("ours");
    let exposed = check(&campaign);
    std::fs::set_permissions(campaign.path("secret"), std::fs::Permissions::from_mode(0o640)).expect("ours");
    assert_snapshot!(format!("{exposed}{}", check(&campaign)), @"
    exit 78

    error[password-exposed]: the password stands in FOLDER/secret, which everybody on this machine can read
     = help: close the file: chmod 600 FOLDER/secret

    1 error; nothing was sent.
    exit 0
    ");
}

#[test]
fn logins_without_tls_and_ports_unlike_their_security_are_told() {
    let login = "username = \"letters@coalition.example\"\npassword = { env = \"P\" }\n";
    let relays = [
        "host = \"mail.ngo.test\"\nsecurity = \"none\"\nport = 25\n",
        "host = \"mail.ngo.test\"\nsecurity = \"starttls\"\nport = 465\n",
        "host = \"mail.ngo.test\"\nsecurity = \"tls\"\nport = 587\n",
    ];
    let told: String = relays.iter().map(|relay| check(&with_lines(&format!("[smtp]\n{relay}{login}")))).collect();
    assert_snapshot!(told, @r#"
    exit 78

    error[security-none]: smtp.security would send the password and every letter in clear to mail.ngo.test
      --> config.toml:10:12
       |
    10 | security = "none"
       |            ^^^^^^
       |
       = help: write "tls" (port 465) or "starttls" (port 587); "none" is for a server on this machine only

    1 error; nothing was sent.
    exit 0
    warning[port-unlike-security]: smtp.port is where servers speak TLS from the first byte, which is not STARTTLS
      --> config.toml:11:8
       |
    11 | port = 465
       |        ^^^
       |
       = help: write security = "tls", or port = 587 for STARTTLS


    exit 0
    warning[port-unlike-security]: smtp.port is where servers speak STARTTLS, which is not TLS from the first byte
      --> config.toml:11:8
       |
    11 | port = 587
       |        ^^^
       |
       = help: write security = "starttls", or port = 465 for TLS from the first byte
    "#);
}

#[test]
fn a_sender_unlike_the_account_and_a_link_that_is_not_https_are_told() {
    let lines = "list_unsubscribe = \"http://coalition.example/stop\"\n[smtp]\nhost = \"mail.ngo.test\"\nusername = \"me@elsewhere.test\"\npassword = { env = \"P\" }\n";
    assert_snapshot!(check(&with_lines(lines)), @r#"
    exit 78
    warning[sender-unlike-account]: smtp.username is an account of elsewhere.test, but the letter comes from coalition.example
      --> config.toml:11:12
       |
    11 | username = "me@elsewhere.test"
       |            ^^^^^^^^^^^^^^^^^^^
       |
       = help: many servers refuse that, or the receiver takes it for forged: use the account of sender.from

    error[unsubscribe-invalid]: sender.list_unsubscribe must be an https or a mailto URL
     --> config.toml:8:20
      |
    8 | list_unsubscribe = "http://coalition.example/stop"
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write "https://…" or "mailto:name@domain", or leave the key out

    1 error; nothing was sent.
    "#);
}

#[test]
fn send_without_a_host_or_with_the_samples_is_refused() {
    let none = with_lines("");
    let sample = with_lines("[smtp]\nhost = \"smtp.coalition.example\"\n");
    let told: String =
        [none, sample].iter().map(|campaign| read_by_a_person(campaign, &campaign.run(&["send", "--yes"]))).collect();
    assert_snapshot!(told, @r#"
    exit 78
    error[host-missing]: smtp.host is missing, so there is no server to send through
    --> config.toml
     = help: write host = "…" in [smtp]: the provider of the sender's mailbox tells its name

    error[sender-placeholder]: sender.from "letters@coalition.example" is a placeholder: no mail ever arrives there
    --> config.toml
     = help: write an address of your own

    error[placeholders]: 1 placeholder address, to which no letter can go: line 2
    --> recipients.csv
     = help: fill in the missions' addresses; to try things out, use `preview` or `rehearse`

    3 errors (2 in config.toml, 1 in recipients.csv); nothing was sent.
    exit 78
    error[host-placeholder]: smtp.host "smtp.coalition.example" is the sample's: there is no such server
    --> config.toml
     = help: write the name that the provider of the sender's mailbox tells; `rehearse` needs none

    error[sender-placeholder]: sender.from "letters@coalition.example" is a placeholder: no mail ever arrives there
    --> config.toml
     = help: write an address of your own

    error[placeholders]: 1 placeholder address, to which no letter can go: line 2
    --> recipients.csv
     = help: fill in the missions' addresses; to try things out, use `preview` or `rehearse`

    3 errors (2 in config.toml, 1 in recipients.csv); nothing was sent.
    "#);
}

#[test]
fn a_file_that_is_no_config_is_refused() {
    let missing = campaign();
    std::fs::remove_file(missing.path("config.toml")).expect("there");
    let folder = campaign();
    std::fs::remove_file(folder.path("config.toml")).expect("there");
    std::fs::create_dir(folder.path("config.toml")).expect("free");
    let fifo = campaign();
    std::fs::remove_file(fifo.path("config.toml")).expect("there");
    crate::attachments::fifo(&fifo, "config.toml");
    let latin = campaign().file("config.toml", b"[campaign]\nname = \"\xe9\"\n");
    let large = campaign().file("config.toml", vec![b'#'; 1024 * 1024 + 1]);
    let empty = campaign().config("");
    let nested = campaign().config(&format!("[vars]\nx = {}{}\n", "[".repeat(5000), "]".repeat(5000)));
    let told: String = [missing, folder, fifo, latin, large, empty, nested].iter().map(check).collect();
    assert_snapshot!(told, @r#"
    exit 78
    error[config-missing]: there is no config file here
    --> config.toml
     = help: run `demarche init` to make a campaign folder, or pass --config

    1 error; nothing was sent.
    exit 78
    error[config-unreadable]: this is not a file
    --> config.toml
     = help: pass the file with --config, such as --config campaign/config.toml

    1 error; nothing was sent.
    exit 78
    error[config-unreadable]: this is not a file
    --> config.toml
     = help: pass the file with --config, such as --config campaign/config.toml

    1 error; nothing was sent.
    exit 78
    error[config-not-utf8]: the config file is not UTF-8
    --> config.toml:2
     = help: save it as UTF-8 in the editor

    1 error; nothing was sent.
    exit 78
    error[config-too-large]: the file is longer than 1 MB, which no config is
    --> config.toml
     = help: pass the config file with --config

    1 error; nothing was sent.
    exit 78
    error[missing-key]: campaign.id is missing
    --> config.toml
     = help: write id = "open-letter-2021" in a table [campaign]

    error[missing-key]: campaign.name is missing
    --> config.toml
     = help: write name = "Open letter" in a table [campaign]

    error[missing-key]: sender.from is missing
    --> config.toml
     = help: write from = "Coalition Secretariat <letters@coalition.example>" in a table [sender]

    3 errors; nothing was sent.
    exit 78
    error[toml-syntax]: this is not TOML: cannot recurse further; max recursion depth met
     --> config.toml:2:85
      |
     :::
    2 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                         ^
      |
      = help: write key = "text in quotes", key = 5 or key = ["a", "list"], one to a line

    1 error; nothing was sent.
    "#);
}

#[test]
fn paths_that_lead_out_of_the_folder_are_refused_all_at_once() {
    let campaign = with_lines(
        "[recipients]\nfile = \"/etc/passwd\"\n[letter]\ntemplates = \"../templates\"\nattachments = [\"~/a.pdf\", \"link\"]\n[ledger]\nfile = \"a/../../ledger.db\"\n",
    );
    std::os::unix::fs::symlink("/etc/hostname", campaign.path("link")).expect("ours");
    assert_snapshot!(check(&campaign), @r#"
    exit 78
    error[path-outside]: recipients.file is an absolute path, and must be relative to the campaign folder
     --> config.toml:9:8
      |
    9 | file = "/etc/passwd"
      |        ^^^^^^^^^^^^^
      |
      = help: copy it into the campaign folder and write its path from there

    error[path-outside]: letter.templates leads out of the campaign folder by ".."
      --> config.toml:11:13
       |
    11 | templates = "../templates"
       |             ^^^^^^^^^^^^^^
       |
       = help: copy it into the campaign folder and write its path from there

    error[path-outside]: letter.attachments begins with "~", and must be relative to the campaign folder
      --> config.toml:12:16
       |
    12 | attachments = ["~/a.pdf", "link"]
       |                ^^^^^^^^^
       |
       = help: copy it into the campaign folder and write its path from there

    error[path-outside]: letter.attachments is a link that leads out of the campaign folder
      --> config.toml:12:27
       |
    12 | attachments = ["~/a.pdf", "link"]
       |                           ^^^^^^
       |
       = help: copy it into the campaign folder and write its path from there

    error[path-outside]: ledger.file leads out of the campaign folder by ".."
      --> config.toml:14:8
       |
    14 | file = "a/../../ledger.db"
       |        ^^^^^^^^^^^^^^^^^^^
       |
       = help: copy it into the campaign folder and write its path from there

    5 errors; nothing was sent.
    "#);
}
