//! `init --from FILE`: a list of missions as it comes becomes a campaign folder, and nothing of it is lost.

mod support;

use std::fs;

use rust_xlsxwriter::{Url, Workbook};
use support::campaign::{Campaign, Run};

const MESSY: &str = "Pays;Courriel;Titre;Remarques\n\
    Pays-Bas;mailto:nl@m1.example;S.E. M.;premier\n\
    Corée;kr@m2.example;;\n\
    Malte;mt(at)m3.example;;\n\
    Kenya;ke@m4.example, ke2@m4.example;;\n\
    KENYA;autre@m5.example;;\n\
    Tchad;td@m6.example;;trop;long\n";

fn init(campaign: &Campaign, more: &[&str]) -> Run {
    let arguments: Vec<&str> =
        ["init", "letter", "--from", "list.csv"].into_iter().chain(more.iter().copied()).collect();
    campaign.run(&arguments)
}

fn messy() -> Campaign {
    Campaign::new().file("list.csv", MESSY)
}

#[test]
fn what_is_unclear_is_not_guessed_without_a_terminal_and_nothing_is_written() {
    let campaign = messy();
    let run = init(&campaign, &[]).expect_code(64);
    assert!(run.stderr.contains("What is \"Titre\"?"), "{}", run.stderr);
    assert!(
        run.stderr.contains("--column honorific=Titre") && run.stderr.contains("--column rank=Titre"),
        "{}",
        run.stderr
    );
    let run = init(&campaign, &["--column", "honorific=Titre"]).expect_code(64);
    assert!(run.stderr.contains("\"Courriel\"") && run.stderr.contains("→ to\n"), "{}", run.stderr);
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    let run = init(&campaign, &["--column", "Titre", "--yes"]).expect_code(64);
    assert!(run.stderr.contains("OURS=HEADER"), "{}", run.stderr);
    assert!(!campaign.path("letter").exists());
}

#[test]
fn the_clean_file_has_every_row_and_check_points_at_what_a_person_must_decide() {
    let campaign = messy();
    let run = init(&campaign, &["--column", "honorific=Titre", "--yes"]).expect_code(0);
    insta::assert_snapshot!(campaign.read("letter/recipients.csv"), @"
    state,to,cc,bcc,language,rank,name,gender,attachment,verified_on,id,honorific,Remarques
    Netherlands (Kingdom of the),nl@m1.example,,,,,,,,,NLD,S.E. M.,premier
    Corée,kr@m2.example,,,,,,,,,,,
    Malta,mt(at)m3.example,,,,,,,,,MLT,,
    Kenya,ke@m4.example; ke2@m4.example,,,,,,,,,KEN,,
    Kenya,autre@m5.example,,,,,,,,,KEN,,
    Tchad,td@m6.example,,trop,long
    ");
    insta::assert_snapshot!(run.stdout, @r#"
    Changed:
      state       3 cells  line 2: "Pays-Bas" → "Netherlands (Kingdom of the)"
      to          2 cells  line 2: "mailto:nl@m1.example" → "nl@m1.example"
      id          4 cells  line 2: nothing → "NLD"
    Without a row: 189 of the 193 Member States: Afghanistan, Albania, Algeria, Andorra, Angola, Antigua and Barbuda, Argentina, Armenia and 181 more
    To decide: 5, 4 of them before anything can be sent
      - line 3: "Corée" could be several states; write "Democratic People's Republic of Korea" (PRK) or "Republic of Korea" (KOR)
      - line 4: "mt(at)m3.example" is not an e-mail address; write mt@m3.example
      - line 6: the id "KEN" stands on lines 5 and 6; every row needs an id of its own, upper and lower case aside
      - line 7: this row has 5 cells, the header has 4; put a cell that holds the separator into quotes
      - line 6: Kenya has two rows: lines 5 and 6; both are written to; take one out if that is not meant
    All of it is in letter/recipients.todo.md.

    Wrote letter:
      config.toml             who sends, through which server, how fast
      recipients.csv          6 rows from list.csv
      templates/letter.en.md  the letter, and letter.ar.md, .es.md, .fr.md, .ru.md, .zh.md
      templates/layout.html   its letterhead
    Next: `cd letter && demarche check`
    "#);
    let todo = campaign.read("letter/recipients.todo.md");
    let (decisions, rest) = todo.split_once("\n## Member States").expect("states have no row");
    insta::assert_snapshot!(decisions, @r#"
    # recipients.csv, from list.csv

    ## To decide

    `demarche check` shows what is left of these.

    - [ ] line 3: "Corée" could be several states; write "Democratic People's Republic of Korea" (PRK) or "Republic of Korea" (KOR)
    - [ ] line 4: "mt(at)m3.example" is not an e-mail address; write mt@m3.example
    - [ ] line 6: the id "KEN" stands on lines 5 and 6; every row needs an id of its own, upper and lower case aside
    - [ ] line 7: this row has 5 cells, the header has 4; put a cell that holds the separator into quotes
    - [ ] line 6: Kenya has two rows: lines 5 and 6; both are written to; take one out if that is not meant
    "#);
    assert!(
        rest.ends_with("- line 5: nothing → \"KEN\"\n- line 6: nothing → \"KEN\"\n"),
        "every change is listed: {rest}"
    );
    assert!(todo.contains("- [ ] Zimbabwe (ZWE)\n"), "who has no row is listed: {todo}");
    assert_eq!(todo.matches("- [ ] ").count(), 189 + 5, "{todo}");
    let check = campaign.run(&["--config", "letter/config.toml", "check", "--json"]).expect_code(65).json();
    let errors = check["errors"].as_array().expect("a list");
    let found: Vec<(&str, u64)> =
        errors.iter().map(|e| (e["code"].as_str().expect("a code"), e["line"].as_u64().expect("a line"))).collect();
    assert_eq!(found, [("state-ambiguous", 3), ("address-invalid", 4), ("id-doubled", 6), ("row-ragged", 7)]);
}

#[test]
fn a_clean_list_stays_as_it_is_and_needs_no_word() {
    let campaign = Campaign::new();
    let campaign =
        campaign.file("list.csv", "state,to,language,my own column\nKenya,ke@m.example,en,x\nMalta,mt@m.example,,\n");
    init(&campaign, &[]).expect_code(0);
    insta::assert_snapshot!(campaign.read("letter/recipients.csv"), @"
    state,to,cc,bcc,language,rank,name,gender,attachment,verified_on,id,my own column
    Kenya,ke@m.example,,,en,,,,,,KEN,x
    Malta,mt@m.example,,,,,,,,,MLT,
    ");
    campaign.run(&["--config", "letter/config.toml", "check"]).expect_code(0);
    let again = init(&campaign, &[]).expect_code(73);
    assert!(again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
}

#[test]
fn what_is_written_once_is_written_the_same_the_second_time() {
    let campaign = messy();
    init(&campaign, &["--column", "honorific=Titre", "--yes"]).expect_code(0);
    campaign.run(&["init", "again", "--from", "letter/recipients.csv"]).expect_code(0);
    assert_eq!(campaign.read("again/recipients.csv"), campaign.read("letter/recipients.csv"));
}

/// Answers the program's questions on a terminal of its own: an answer each time it waits behind a colon.
const ON_A_TERMINAL: &str = r#"
import os, pty, sys
answers = sys.argv[1].split(",")
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, new = b"", b""
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    seen, new = seen + read, new + read
    if new.endswith(b"to stop: ") and answers:
        os.write(terminal, answers.pop(0).encode() + b"\n")
        new = b""
sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn on_a_terminal_what_is_unclear_is_asked_and_the_columns_are_confirmed() {
    if !support::python_or_skip("a terminal") {
        return;
    }
    let ask = |campaign: &Campaign, answers: &str| {
        let output = std::process::Command::new("python3")
            .args([
                "-c",
                ON_A_TERMINAL,
                answers,
                env!("CARGO_BIN_EXE_demarche"),
                "init",
                "letter",
                "--from",
                "list.csv",
            ])
            .current_dir(campaign.path(""))
            .env("NO_COLOR", "1")
            .output()
            .expect("Python runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let campaign = messy();
    for (answers, code) in [("3", 64), ("1,no", 64)] {
        let (found, said) = ask(&campaign, answers);
        assert_eq!(found, Some(code), "{said}");
        assert!(!campaign.path("letter").exists(), "{said}");
    }
    let (code, said) = ask(&campaign, "2,yes");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("What is \"Titre\"?\n  1  an honorific, such as \"H.E. Mr.\"\n  2  the rank, "), "{said}");
    assert!(said.contains("  \"Titre\"      → rank\n") && said.contains("Is that right?"), "{said}");
    assert!(campaign.read("letter/recipients.csv").contains("Netherlands (Kingdom of the),nl@m1.example,,,,S.E. M.,"));
}

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, kenya) in [("New York", "ke@m1.example"), ("Geneva", "ke@m2.example")] {
        let sheet = workbook.add_worksheet().set_name(name).expect("a name");
        for (row, (state, to)) in (0..).zip([("Country", "E-mail"), ("Kenya", kenya), ("Malta", "mt@m.example")]) {
            sheet.write(row, 0, state).expect("written").write(row, 1, to).expect("written");
        }
        sheet.write(3, 0, "Peru").expect("written");
        sheet.write(3, 1, Url::new("mailto:pe@m.example").set_text("Write")).expect("written");
        sheet.set_row_hidden(2).expect("hidden");
    }
    workbook.save_to_buffer().expect("saved")
}

#[test]
fn a_workbook_becomes_a_csv_once_its_sheet_and_its_hidden_rows_are_settled() {
    let campaign = Campaign::new().file("list.xlsx", workbook());
    let init = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["init", "letter", "--from", "list.xlsx", "--yes"].into_iter().chain(more.iter().copied()).collect();
        campaign.run(&arguments)
    };
    let run = init(&[]).expect_code(65);
    assert!(run.stderr.contains("--sheet 'New York'"), "{}", run.stderr);
    let run = init(&["--sheet", "Geneva"]).expect_code(65);
    assert!(run.stderr.contains("row is hidden") && run.stderr.contains("--hidden leave-out"), "{}", run.stderr);
    assert!(!campaign.path("letter").exists());
    let run = init(&["--sheet", "Geneva", "--hidden", "leave-out"]).expect_code(0);
    assert!(run.stdout.contains("2 rows from list.xlsx, sheet \"Geneva\""), "{}", run.stdout);
    insta::assert_snapshot!(campaign.read("letter/recipients.csv"), @"
    state,to,cc,bcc,language,rank,name,gender,attachment,verified_on,id
    Kenya,ke@m2.example,,,,,,,,,KEN
    Peru,pe@m.example,,,,,,,,,PER
    ");
    assert!(campaign.read("letter/recipients.todo.md").contains("it was left out"));
    campaign.run(&["--config", "letter/config.toml", "check"]).expect_code(0);
}

#[test]
fn a_campaign_can_be_sent_straight_from_a_workbook() {
    let campaign = Campaign::small(2525, 0).set("recipients.file", "\"list.xlsx\"").file("list.xlsx", workbook());
    let unclear = campaign.run(&["check", "--json"]).expect_code(65).json();
    assert_eq!(unclear["errors"][0]["code"], "sheet-unclear");
    let hidden = campaign.run(&["check", "--json", "--sheet", "Geneva"]).expect_code(65).json();
    assert_eq!(hidden["errors"][0]["code"], "rows-hidden");
    let shown = {
        let mut workbook = Workbook::new();
        for name in ["New York", "Geneva"] {
            let sheet = workbook.add_worksheet().set_name(name).expect("a name");
            for (row, (state, to)) in (0..).zip([("Country", "E-mail"), ("Kenya", "ke@m.example")]) {
                sheet.write(row, 0, state).expect("written").write(row, 1, to).expect("written");
            }
        }
        workbook.save_to_buffer().expect("saved")
    };
    fs::write(campaign.path("list.xlsx"), shown).expect("our own folder");
    let by_flag = campaign.run(&["preview", "--json", "--sheet", "Geneva"]).expect_code(0).json();
    let campaign = campaign.set("recipients.sheet", "\"Geneva\"");
    let by_config = campaign.run(&["preview", "--json"]).expect_code(0).json();
    assert_eq!(by_flag["digest"], by_config["digest"]);
    assert_eq!(by_config["letters"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_list_that_cannot_be_read_whole_writes_nothing() {
    for (list, code) in [
        ("state,to\nKenya,\"ke@m.example\nMalta,mt@m.example\n", "quote-unclosed"),
        ("state,who\nKenya,ke@m.example\n", "column-to-missing"),
        ("state,to,\nKenya,ke@m.example,x\n", "header-blank"),
        ("", "file-empty"),
    ] {
        let campaign = Campaign::new().file("list.csv", list);
        let run = init(&campaign, &["--yes"]).expect_code(65);
        assert!(run.stderr.contains(code), "{code}: {}", run.stderr);
        assert!(!campaign.path("letter").exists());
    }
    let run = init(&Campaign::new(), &[]).expect_code(65);
    assert!(run.stderr.contains("there is no file list.csv"), "{}", run.stderr);
}

#[test]
fn the_config_that_init_writes_tells_how_to_suppress_an_address_and_that_works() {
    let campaign = Campaign::new();
    campaign.run(&["init", "letter"]).expect_code(0);
    let config = campaign.read("letter/config.toml").replace("\n# ", " ");
    assert!(config.contains("put it into a file \"suppressed.csv\" beside this one, one address a line"), "{config}");
    let campaign = campaign.file("letter/suppressed.csv", "ken@missions.example\n");
    let run = campaign.run(&["--config", "letter/config.toml", "check", "--json"]).expect_code(0);
    assert_eq!(run.json()["coverage"]["suppressed"], serde_json::json!(["KEN"]));
}
