//! Did we write to all of them? Every spelling of a state, every audience, and what is mixed up between rows: as the real
//! program says it.

mod support;

use std::fmt::Write as _;

use demarche::domain::audience::Audience;
use demarche::domain::state;
use support::campaign::{Campaign, Run};
use support::server::Server;

/// A campaign with rows of our own: no relay is needed to check them.
fn rows(csv: &str) -> Campaign {
    Campaign::new().config_for(1).letter().recipients(csv).set("recipients.audience", "\"any\"")
}

fn codes(run: &Run, kind: &str) -> Vec<String> {
    let json = run.json();
    let found = json[kind].as_array().expect("a list").iter();
    found.map(|one| one["code"].as_str().expect("a code").to_owned()).collect()
}

fn message(run: &Run, code: &str) -> String {
    let json = run.json();
    let mut all = json["warnings"].as_array().expect("a list").iter().chain(json["errors"].as_array().expect("a list"));
    let found = all.find(|one| one["code"] == code).unwrap_or_else(|| panic!("no {code} in {}", run.stdout));
    found["message"].as_str().expect("a message").to_owned()
}

/// Real-looking addresses would be somebody's: the reserved name stands for the root.
fn mission(iso2: &str) -> String {
    format!("office@mission.{}.example", iso2.to_lowercase())
}

#[test]
fn the_193_sample_rows_are_clean() {
    let shipped = include_str!("../config.example.toml");
    let sample = include_str!("../recipients.csv");
    let campaign = Campaign::new().config(shipped).recipients(sample);
    let campaign = ["ar", "en", "es", "fr", "ru", "zh"].iter().fold(campaign, |campaign, language| {
        let path = format!("{}/templates/letter.{language}.md", env!("CARGO_MANIFEST_DIR"));
        campaign.template(&format!("letter.{language}.md"), &std::fs::read_to_string(path).expect("it ships"))
    });
    let run = campaign.run(&["check", "--json"]).expect_code(0);
    assert!(codes(&run, "errors").is_empty());
    assert_eq!(codes(&run, "warnings"), ["placeholders"]);
    let coverage = &run.json()["coverage"];
    assert_eq!((&coverage["expected"], &coverage["present"]), (&193.into(), &193.into()));
    for list in ["missing", "doubled", "foreign"] {
        assert_eq!(coverage[list].as_array().map(Vec::len), Some(0), "{list}");
    }
}

#[test]
fn every_alias_accents_and_case_folded_names_its_state_or_asks_which() {
    let aliases = include_str!("../data/state_aliases.csv");
    let mut reader = csv::Reader::from_reader(aliases.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a row")).collect();
    assert_eq!(records.len(), 1_689);
    let table = |spell: &dyn Fn(&str) -> String| {
        let mut text = String::from("state,to,id\n");
        for (at, record) in records.iter().enumerate() {
            let spelt = spell(&record[1]).replace('"', "\"\"");
            let _ = writeln!(text, "\"{spelt}\",a{at}@m.example,row-{at}");
        }
        text
    };
    let spellings: [&dyn Fn(&str) -> String; 3] =
        [&|alias| alias.to_owned(), &|alias| format!("  {}\u{a0}", alias.to_uppercase()), &|alias| {
            alias.to_lowercase()
        }];
    for spell in spellings {
        let run = rows(&table(spell)).run(&["check", "--json"]);
        let errors = run.json()["errors"].as_array().expect("a list").clone();
        for error in &errors {
            assert_eq!(error["code"], "state-ambiguous", "{error}");
        }
        // "Congo" in five languages stands in the table under one state and is used for two: it is asked about.
        assert_eq!(errors.len(), 5, "{}", run.stdout);
    }
}

#[test]
fn korea_and_congo_are_asked_about_and_guinea_is_guinea() {
    let run =
        rows("state,to\nKorea,a@m.example\nCongo,b@m.example\nGuinea,c@m.example\n").run(&["check"]).expect_code(65);
    for said in [
        "\"Korea\" could be several states",
        "\"Congo\" could be several states",
        "recipients.csv:2:1",
        "recipients.csv:3:1",
        "(PRK)",
        "(KOR)",
        "(COG)",
        "(COD)",
    ] {
        assert!(run.stderr.contains(said), "{said} not in:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("recipients.csv:4"), "{}", run.stderr);
    for (name, code) in
        [("Guinea", "GIN"), ("Guinea-Bissau", "GNB"), ("Equatorial Guinea", "GNQ"), ("Papua New Guinea", "PNG")]
    {
        let campaign = rows(&format!("state,to\n{name},a@m.example\n"));
        let run = campaign.run(&["preview", "--json"]).expect_code(0);
        assert_eq!(run.json()["letters"][0]["id"], code, "{name}");
    }
}

#[test]
fn an_observer_is_known_by_its_name_in_any_language_and_by_its_missions() {
    for (name, code) in [
        ("State of Palestine", "PSE"),
        ("the State of Palestine", "PSE"),
        ("État de Palestine", "PSE"),
        ("Estado de Palestina", "PSE"),
        ("دولة فلسطين", "PSE"),
        ("Permanent Observer Mission of the State of Palestine to the United Nations", "PSE"),
        ("Holy See", "VAT"),
        ("The Holy See", "VAT"),
        ("Saint-Siège", "VAT"),
        ("le Saint-Siège", "VAT"),
        ("Святой Престол", "VAT"),
        ("罗马教廷", "VAT"),
        ("Permanent Observer Mission of the Holy See", "VAT"),
        ("Mission permanente d'observation du Saint-Siège auprès de l'Organisation des Nations Unies", "VAT"),
        ("Misión Permanente de Observación de la Santa Sede ante las Naciones Unidas", "VAT"),
        ("Permanent Mission of Kenya to the United Nations", "KEN"),
    ] {
        let campaign = rows(&format!("state,to\n\"{name}\",a@m.example\n"));
        let run = campaign.run(&["preview", "--json"]).expect_code(0);
        assert_eq!(run.json()["letters"][0]["id"], code, "{name}");
    }
}

#[test]
fn only_a_name_that_is_really_near_is_suggested() {
    for (name, suggested) in [
        ("State of Palestin", Some("(PSE)")),
        ("Holly See", Some("(VAT)")),
        ("Kenia republic", Some("(KEN)")),
        ("Untied States", Some("(USA)")),
        ("Germny", Some("(DEU)")),
        ("State of Atlantis", None),
        ("European Union", None),
        ("Sovereign Order of Malta", None),
        ("Secretary-General", None),
    ] {
        let run = rows(&format!("state,to\n{name},a@m.example\n")).run(&["check", "--json"]).expect_code(65);
        let json = run.json();
        let told = json["errors"].as_array().expect("a list").iter().find(|one| one["code"] == "state-unknown");
        let help =
            told.unwrap_or_else(|| panic!("{name}: {}", run.stdout))["help"].as_str().expect("a help").to_owned();
        match suggested {
            Some(code) => assert!(help.contains(code) && !help.contains(" or "), "{name}: {help}"),
            None => assert!(help.starts_with("write its English name or its ISO code"), "{name}: {help}"),
        }
    }
}

#[test]
fn every_audience_counts_its_own_states() {
    for (audience, expected) in [
        ("\"member-states\"", 193),
        ("\"observers\"", 2),
        ("\"security-council-2021\"", 15),
        ("\"security-council-2026\"", 15),
        ("\"African Group\"", 54),
        ("\"asia-pacific-group\"", 54),
        ("\"Eastern European Group\"", 23),
        ("\"GRULAC\"", 33),
        ("\"WEOG\"", 29),
        ("[\"member-states\", \"observers\"]", 195),
        ("\"any\"", 0),
    ] {
        let campaign = rows("state,to\nKenya,a@m.example\n").set("recipients.audience", audience);
        let coverage = campaign.run(&["check", "--json"]).expect_code(0).json()["coverage"].clone();
        assert_eq!(coverage["expected"], expected, "{audience}");
        let missing = coverage["missing"].as_array().expect("a list").len();
        assert_eq!(
            missing + usize::try_from(coverage["present"].as_u64().expect("a number")).expect("small"),
            expected
        );
    }
    let run = rows("state,to\nKenya,a@m.example\n").set("recipients.audience", "\"security-council\"").run(&["check"]);
    assert!(run.stderr.contains("security-council-2021, security-council-2026"), "{}", run.stderr);
}

#[test]
fn missing_doubled_and_foreign_are_told_before_and_after_the_letters_went_out() {
    let server = Server::start();
    let campaign =
        Campaign::small(server.port(), 0).set("recipients.audience", "\"security-council-2021\"").recipients(
            "state,to,id\nKenya,a@m.example,\nKenya,b@m.example,ken-2\nHonduras,c@m.example,\n,d@m.example,osg\n",
        );
    let campaign = campaign.template("letter.en.md", "+++\nsubject = \"Open letter\"\n+++\n\n{{ salutation() }}\n");
    let expected = |coverage: &serde_json::Value, what: &str| {
        assert_eq!(coverage["expected"], 15, "{what}");
        assert_eq!(coverage["missing"].as_array().map(Vec::len), Some(14), "{what}");
        assert_eq!(coverage["doubled"], serde_json::json!(["KEN"]), "{what}");
        assert_eq!(coverage["foreign"], serde_json::json!(["HND"]), "{what}");
    };
    let check = campaign.run(&["check"]).expect_code(0);
    let words = check.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = "1 of 15 gets a letter; doubled: Kenya; outside the audience: HND (security-council-2021)";
    assert!(words.contains(line) && words.contains("14 states without a row: China, "), "{}", check.stdout);
    expected(&campaign.run(&["check", "--json"]).json()["coverage"], "check");
    expected(&campaign.run(&["preview", "--json"]).expect_code(0).json()["coverage"], "preview");
    let preview = campaign.run(&["preview"]).stdout;
    assert!(preview.contains(line) && preview.contains("14 states without a row: China, "), "{preview}");
    let page = campaign.read("preview/index.html");
    for said in [
        "1 of 15 missions get a letter",
        "is not in the list of recipients",
        "several letters: Kenya",
        "not asked for: Honduras (HND)",
        "2 to others than these missions",
    ] {
        assert!(page.contains(said), "{said}");
    }
    campaign.run(&["send", "--yes"]).expect_code(0);
    expected(&campaign.run(&["status", "--json"]).json()["coverage"], "status");
    let status = campaign.run(&["status"]).stdout;
    for said in
        ["not in the batch (14)", "States with several rows: Kenya.", "Rows of states outside the audience: HND."]
    {
        assert!(status.contains(said), "{said} not in:\n{status}");
    }
    expected(&campaign.run(&["report", "--json"]).json()["coverage"], "report");
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    let page = campaign.read("report.html");
    for said in [
        "<strong>Several letters to one mission</strong> (1): <bdi>Kenya</bdi>.",
        "<strong>Written to beyond the missions that were meant</strong> (2): <bdi>Honduras</bdi>",
        "no letter planned</span></th>",
        "<strong>No letter planned</strong> (14): ",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let (_, row) = page
        .split_once("by regional group</caption>")
        .and_then(|(_, table)| table.split_once("<th scope=\"row\" role=\"rowheader\">All groups</th>"))
        .expect("the sums");
    assert!(row.split("</tr>").next().expect("a row").contains("data-label=\"no letter planned\">14</td>"), "{row}");
}

#[test]
fn who_is_suppressed_is_not_counted_as_covered_anywhere() {
    let server = Server::start();
    let all = state::all().iter().filter(|state| state.member && state.code.as_str() != "PLW");
    let mut csv = String::from("state,to,id\n");
    for state in all {
        let _ = writeln!(csv, "{code},{code}@m.example,", code = state.code);
    }
    csv.push_str("KEN,second@m.example,ken-2\n,office@m.example,office\n");
    let campaign = Campaign::small(server.port(), 0)
        .set("recipients.audience", "\"member-states\"")
        .recipients(&csv)
        .file("suppressed.csv", "mmr@m.example\nnru@m.example\n")
        .template("letter.en.md", "+++\nsubject = \"Open letter\"\n+++\n\n{{ salutation() }}\n");
    let out = "2 left out on purpose: Myanmar, Nauru 1 state without a row: Palau";
    let line = "190 of 193 get a letter; doubled: Kenya";
    let said = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let check = campaign.run(&["check"]).expect_code(0);
    assert!(said(&check.stdout).contains(line) && said(&check.stdout).contains(out), "{}", check.stdout);
    let preview = said(&campaign.run(&["preview"]).expect_code(0).stdout);
    assert!(preview.contains(line) && preview.contains(out), "{preview}");
    for command in ["check", "preview"] {
        let coverage = &campaign.run(&[command, "--json"]).expect_code(0).json()["coverage"];
        assert_eq!(coverage["suppressed"], serde_json::json!(["MMR", "NRU"]), "{command}");
        assert_eq!((&coverage["present"], &coverage["missing"]), (&192.into(), &serde_json::json!(["PLW"])));
    }
    let page = campaign.read("preview/index.html");
    assert!(page.contains("190 of 193 missions get a letter"));
    assert!(page.contains("1 to others than these missions"), "a doubled row goes to no other");
    let sent = campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let told = said(&sent.stderr);
    let adds_up = format!("Letters: 1 to go: Afghanistan 191 not chosen this time {out}");
    assert!(told.contains(line) && told.contains(&adds_up), "{told}");

    // None is missing, and still not all of them get a letter.
    let campaign = campaign.recipients(&format!("{csv}PLW,plw@m.example,\n"));
    let check = said(&campaign.run(&["check"]).expect_code(0).stdout);
    assert!(
        check.contains("2 left out on purpose: Myanmar, Nauru Coverage: 191 of 193 get a letter; doubled: Kenya"),
        "{check}"
    );
}

#[test]
fn addresses_that_slipped_by_a_row_are_one_warning_that_says_where_and_how() {
    let states: Vec<_> = state::all().iter().filter(|state| state.group == "WEOG").take(12).collect();
    let mut text = String::from("state,to\n");
    for (at, row) in states.iter().enumerate() {
        // From the third row to the eighth each has the address of the row below.
        let owner = if (2..8).contains(&at) { states[at + 1] } else { row };
        let _ = writeln!(text, "{},{}", row.code, mission(&owner.iso2));
    }
    let run = rows(&text).run(&["check", "--json"]).expect_code(0);
    let told: Vec<String> = codes(&run, "warnings");
    assert_eq!(told.iter().filter(|code| *code == "rows-shifted").count(), 1, "{}", run.stdout);
    assert!(!told.contains(&"row-shift".to_owned()), "{}", run.stdout);
    let said = message(&run, "rows-shifted");
    assert!(said.contains("lines 4 to 9: 6 addresses are those of the mission of the row below"), "{said}");
}

#[test]
fn addresses_without_a_country_in_their_domain_are_compared_by_what_they_spell() {
    let names = ["kenya", "uganda", "ghana", "zambia", "malawi"];
    let mut text = String::from("state,to\n");
    for (at, name) in names.iter().enumerate() {
        let _ = writeln!(text, "{name},{}@un.example", names[(at + names.len() - 1) % names.len()]);
    }
    let run = rows(&text).run(&["check", "--json"]).expect_code(0);
    assert!(message(&run, "rows-shifted").contains("the row above"), "{}", run.stdout);
    let right = names.map(|name| format!("{name},{name}@un.example\n")).concat();
    let run = rows(&format!("state,to\n{right}")).run(&["check", "--json"]).expect_code(0);
    assert_eq!(codes(&run, "warnings"), ["placeholders"], "{}", run.stdout);
}

#[test]
fn one_row_whose_state_domain_or_name_disagree_is_told_by_itself() {
    let text = "state,to,name\nKenya,a@mission.fr.example,\nUganda,Permanent Mission of Ghana <b@m.example>,\n\
                Jordan,c@m.example,Georgia Chad\nMalta,d@m.example,Permanent Mission of Chad\n";
    let run = rows(text).run(&["check"]).expect_code(0);
    for said in [
        "the row is for Kenya, the domain \"mission.fr.example\" is of France",
        "the row is for Uganda, \"Permanent Mission of Ghana\" is of Ghana",
        "the row is for Malta, \"Permanent Mission of Chad\" is of Chad",
    ] {
        assert!(run.stderr.contains(said), "{said} not in:\n{}", run.stderr);
    }
    assert_eq!(run.stderr.matches("row-shift").count(), 3, "people are called Georgia Chad: {}", run.stderr);
}

#[test]
fn an_address_of_two_missions_and_a_copy_to_another_mission_are_told() {
    let text = "state,to,cc\nKenya,shared@m.example,\nUganda,SHARED@M.example,\nGhana,g@m.example,z@m.example\nZambia,z@m.example,archive@m.example\n";
    let run = rows(text).run(&["check", "--json"]).expect_code(0);
    let said = message(&run, "address-shared");
    assert!(said.ends_with("stands in 2 rows: lines 2 and 3, for Kenya and Uganda"), "{said}");
    let said = message(&run, "copy-to-another-mission");
    assert_eq!(said, "a copy of the letter to Ghana goes to z@m.example, the address of Zambia (line 5)");
}

#[test]
fn rows_nobody_verified_lately_or_ever_are_told() {
    let today = demarche::clock::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = |ago: i64| today.checked_sub(jiff::Span::new().days(ago)).expect("a date");
    let table = |domain: &str| {
        let (fresh, old) = (day(10), day(45));
        format!("state,to,verified_on\nKenya,a@{domain},{fresh}\nUganda,b@{domain},{old}\nGhana,c@{domain},\n")
    };
    let campaign = rows(&table("un-mission.ngo")).set("recipients.stale_after", "\"30 days\"");
    let run = campaign.run(&["check", "--json"]).expect_code(0);
    assert_eq!(message(&run, "rows-stale"), "1 row was last verified more than 30 days ago: line 3");
    assert_eq!(message(&run, "rows-unverified"), "1 row does not say when anybody verified the address: line 4");
    // By default 60 days; and placeholders have nothing to verify.
    let run = rows(&table("m.example")).run(&["check", "--json"]).expect_code(0);
    assert_eq!(codes(&run, "warnings"), ["placeholders"]);
    let tomorrow =
        rows(&format!("state,to,verified_on\nKenya,a@m.example,{}\n", day(-3))).run(&["check"]).expect_code(65);
    assert!(tomorrow.stderr.contains("is yet to come"), "{}", tomorrow.stderr);
}

const LETTER: &str = "+++\nsubject = \"Open letter\"\n+++\n\n{{ salutation(style=\"ambassador\") }}\n\nTo {{ state.formal }}, \
                      while Kenya and the Republic of Kenya preside. {{ row.remark }} {{ row.neighbour }}\n";

fn mixed_up(csv: &str) -> Run {
    rows(csv).template("letter.en.md", LETTER).run(&["check", "--json"]).expect_code(0)
}

#[test]
fn a_letter_that_names_another_ambassador_state_or_address_is_told() {
    let csv = "state,to,name,remark,neighbour\n\
               Kenya,k@m.example,Ada Example,We thank Bo Sample for the talks,\n\
               Uganda,u@m.example,Bo Sample,We thank the Republic of Ghana,\n\
               Ghana,g@m.example,Cy Pattern,Write to u@m.example,\n\
               Malawi,m@m.example,Di Model,,Zambia\n\
               Nigeria,n@m.example,Ed Figure,,\n";
    let run = mixed_up(csv);
    let said: Vec<String> = run.json()["warnings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["code"] == "letter-mixed-up")
        .map(|one| format!("{}: {}", one["line"], one["message"].as_str().expect("a message")))
        .collect();
    assert_eq!(
        said,
        [
            "2: the letter to Kenya names \"Bo Sample\", who stands in the row of Uganda",
            "3: the letter to Uganda names another state, \"Republic of Ghana\"",
            "4: the letter to Ghana names u@m.example, an address of Uganda",
            "5: the letter to Malawi names another state, \"Zambia\"",
        ],
    );
}

#[test]
fn what_all_letters_say_and_what_is_the_rows_own_is_no_mix_up() {
    // The presidency's state in every letter, a state inside another's name, one's own names in any of them.
    let csv = "state,to,name,remark,neighbour\n\
               Kenya,k@m.example,Ada Example,To the Republic of Kenya,\n\
               Niger,n@m.example,Bo Sample,,\n\
               Nigeria,g@m.example,Jordan,,\n\
               Guinea,m@m.example,Di Model,,\n\
               Papua New Guinea,p@m.example,Chad,Write to p@m.example,\n\
               Republic of the Congo,c@m.example,,,\n\
               Democratic Republic of the Congo,d@m.example,,,\n";
    let run = mixed_up(csv);
    assert_eq!(codes(&run, "warnings"), ["placeholders"], "{}", run.stdout);
    // The same words in most letters, though they come from the rows.
    let everywhere = "state,to,name,remark,neighbour\n\
                      Kenya,k@m.example,,Hosted by the Republic of Ghana,\n\
                      Uganda,u@m.example,,Hosted by the Republic of Ghana,\n\
                      Malawi,m@m.example,,Hosted by the Republic of Ghana,\n\
                      Malta,t@m.example,,,\n";
    assert_eq!(codes(&mixed_up(everywhere), "warnings"), ["placeholders"]);
}

#[test]
fn every_letter_that_ships_names_its_own_state_alone() {
    let sample = include_str!("../recipients.csv");
    for language in ["ar", "es", "fr", "ru", "zh"] {
        let path = format!("{}/templates/letter.{language}.md", env!("CARGO_MANIFEST_DIR"));
        let letter = std::fs::read_to_string(path).expect("it ships");
        let campaign = Campaign::new()
            .config(include_str!("../config.example.toml"))
            .recipients(sample)
            .set("letter.default_language", &format!("\"{language}\""))
            .template(&format!("letter.{language}.md"), &letter);
        let run = campaign.run(&["check", "--json"]).expect_code(0);
        assert!(!codes(&run, "warnings").contains(&"letter-mixed-up".to_owned()), "{}", run.stdout);
    }
}

#[test]
fn the_audiences_in_the_example_are_all_there_are() {
    let example = include_str!("../config.example.toml");
    for name in Audience::names() {
        assert!(example.contains(&format!("\"{name}\"")), "{name} is not in config.example.toml");
    }
}
