//! The page to hand on: what a person reads of it who has never seen the program, and what it can never hold.

mod report_sample;

use demarche::domain::approval::{Approval, Withdrawal};
use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::domain::message::Field;
use demarche::domain::outcome::Phase;
use demarche::domain::record::Remark;
use demarche::domain::state::StateCode;
use demarche::report::{Dossier, html};
use report_sample::{at, dossier, of_every_state, record, word};

/// The page as it reads: no markup, no style, each block on a line.
fn read(page: &str) -> String {
    let body = page.split_once("<main>").expect("a body").1;
    let mut text = String::new();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..].find('>').expect("tags end") + start;
        let tag = rest[start + 1..end].trim_start_matches('/');
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        if ["td", "th", "dt", "dd", "text"].contains(&name.as_str()) {
            text.push_str(" | ");
        }
        rest = &rest[end + 1..];
    }
    let unescaped = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">");
    let lines = unescaped.replace("&amp;", "&");
    let tidy = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
        cells.join(" | ")
    };
    lines.lines().map(tidy).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_person_can_tell_from_the_page_alone_what_became_of_each_mission() {
    let mut dossier = dossier(of_every_state(), &["Tuvalu"]);
    dossier.facts.approvals = vec![
        Approval {
            number: 1,
            digest: Digest::of(b"batch"),
            by: "The Chair".into(),
            note: "read in all languages".into(),
            at: at("2021-10-19T09:00:00Z"),
            letters: 8,
            withdrawn: None,
        },
        Approval {
            number: 1,
            digest: Digest::of(b"an earlier one"),
            by: "The Secretariat".into(),
            note: String::new(),
            at: at("2021-10-18T09:00:00Z"),
            letters: 7,
            withdrawn: Some(Withdrawal { at: at("2021-10-18T10:00:00Z"), note: "a name was wrong".into() }),
        },
    ];
    let remark = Remark {
        at: at("2021-10-20T15:00:00Z"),
        event: Event::ResolveSent,
        note: "the registry confirmed it".into(),
        by: Some("The Secretariat".into()),
    };
    dossier.facts.runs[0].began.approvals = vec![(&dossier.facts.approvals[0]).into()];
    dossier.remarks.insert("KEN".into(), vec![remark]);
    dossier.approvals_needed = 1;
    insta::assert_snapshot!(read(&html(&dossier)));
}

#[test]
fn a_batch_that_was_accepted_needs_nothing_more() {
    let page = read(&html(&dossier(vec![record("KEN", State::Accepted), record("FRA", State::Accepted)], &[])));
    assert!(page.contains("All 2 missions have the letter, as far as mail servers can tell."), "{page}");
    assert!(
        page.contains("Nothing is left to do.") && page.contains("Nothing was refused, put off or lost."),
        "{page}"
    );
}

/// Of Kenya the To took it and the copy was refused; of Mali a person says that it arrived; Germany's mailbox is full.
fn of_two_minds() -> Dossier {
    let mut kenya = record("KEN", State::Accepted);
    let mut copy = record("FRA", State::Failed).addresses.remove(0);
    copy.address = "second@missions.example".into();
    copy.field = Field::Cc;
    kenya.state = State::Failed;
    kenya.addresses.push(copy);
    let mut mali = record("MLI", State::Uncertain);
    mali.state = State::Accepted;
    mali.addresses[0].state = State::Accepted;
    let mut germany = record("DEU", State::Deferred);
    germany.addresses[0].word = Some(word(Phase::Rcpt, 452, "4.2.2", "over quota"));
    let mut dossier = dossier(vec![kenya, mali, germany, record("CIV", State::Suppressed)], &["Tuvalu"]);
    dossier.facts.coverage.missing = vec![StateCode::parse("TUV").expect("a state")];
    let said = Remark {
        at: at("2021-10-20T15:00:00Z"),
        event: Event::ResolveSent,
        note: "they told us".into(),
        by: Some("The Secretariat".into()),
    };
    dossier.remarks.insert("MLI".into(), vec![said]);
    dossier
}

#[test]
fn a_mission_has_the_letter_though_a_copy_was_refused_and_a_persons_word_is_called_that() {
    let page = read(&html(&of_two_minds()));
    for line in [
        "2 of 5 missions have the letter, as far as mail servers can tell. Of these, 1 lacks a copy for a further address, and \
         for 1 it is a person, not a server, who says so. Of the other 3: for 1 a mail server asked to try again later, \
         1 was left out on purpose, 1 has no letter planned.",
        "1 mission has the letter, but not every copy",
        "Kenya — second@missions.example (copy): refused",
        "The campaign means to reach 5 missions; 1 of them without a letter planned: 5 − 1 = 4 letters. 1 of the 4 letters was \
         left out on purpose: 4 − 1 = 3 to go.",
        "accepted, but for a copy | 1 | 33.3 % | the mission has the letter; a copy for a further address has not arrived",
        "on a person’s word | 1 | 33.3 %",
        "2 of the 5 missions that the campaign means to reach (in its settings: member-states) have the letter.",
        "African States | 1 | 1 | – | 1 | – | 3",
        "All groups | 1 | 1 | 1 | 1 | 1 | 5",
        "Kenya | second@missions.example (copy)the mission itself has it | refused",
        "Kenyaaccepted, but for a copy | ken@missions.example | accepted",
        "Mali | mli@missions.example | on a person’s word | recorded as arrived by The Secretariat | 20 Oct 2021, 15:00",
        "African States (2 of 3 missions have the letter; 1 accepted, but for a copy, 1 on a person’s word, 1 left out)",
        "Asia-Pacific States (0 of 1 mission has the letter; 1 no letter planned)",
        "Tuvalu | none | no letter planned",
        "Handed over | 3 of 4 letters, to 4 addresses in all",
        "left out | 1 | on the list, left out on purpose, never sent",
    ] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
    assert!(!page.contains("refused for good\n") && !page.contains("from 2021-10-20 14:16:26"), "{page}");
    assert!(page.contains("Germany. Send again in a day or two"), "{page}");
}

#[test]
fn an_approval_that_came_after_the_first_letter_is_marked() {
    let mut dossier = dossier(vec![record("KEN", State::Accepted)], &[]);
    let (digest, at) = (dossier.facts.digest, at("2021-10-20T14:05:00Z"));
    let approval =
        Approval { number: 1, digest, by: "The Chair".into(), note: String::new(), at, letters: 1, withdrawn: None };
    dossier.facts.approvals = vec![approval];
    let page = read(&html(&dossier));
    assert!(
        page.contains("Approved by | The Chair (20 October 2021, 14:05 UTC, after the first letter went out)"),
        "{page}"
    );
    assert!(page.contains("20 Oct 2021, 14:05:00after the first letter went out"), "{page}");
    assert!(page.contains("Not everything was approved before it went out: run 1 was not."), "{page}");
    assert!(page.contains("NOT approved before it began; only afterwards, by The Chair"), "{page}");
}

#[test]
fn the_page_says_under_which_digest_the_letters_went_out_and_who_had_approved_it_by_then() {
    let mut dossier = dossier(vec![record("KEN", State::Accepted)], &[]);
    let digest = dossier.facts.digest;
    let said = read(&html(&dossier));
    assert!(said.contains("Nobody approved what went out before it did; the campaign asks for no approval."), "{said}");
    assert!(said.contains("confirmed by typing the word, 20 Oct 2021, 14:01:58 UTC"), "{said}");
    assert!(said.contains(&format!("this batch: {digest}")) && said.contains("| approved by nobody |"), "{said}");

    let at = at("2021-10-20T14:00:00Z");
    let approval =
        Approval { number: 1, digest, by: "The Chair".into(), note: String::new(), at, letters: 1, withdrawn: None };
    dossier.facts.runs[0].began.approvals = vec![(&approval).into()];
    dossier.facts.approvals = vec![approval];
    let said = read(&html(&dossier));
    assert!(said.contains("Everything that went out was approved before the run that sent it began."), "{said}");
    assert!(said.contains("before it began:The Chair, 20 Oct 2021, 14:00:00 UTC"), "{said}");

    dossier.facts.runs[0].began = demarche::domain::run::Beginning::default();
    let said = read(&html(&dossier));
    assert!(said.contains("With which batch run 1 was begun is not on record"), "{said}");
    assert!(said.contains("by then: The Chair (this batch, 20 Oct 2021, 14:00:00 UTC)"), "{said}");
}

#[test]
fn a_rehearsal_says_so_before_all_else() {
    let mut dossier = dossier(of_every_state(), &[]);
    dossier.facts.rehearsal = true;
    assert!(read(&html(&dossier)).starts_with("REHEARSAL: nothing was sent"));
    dossier.facts.rehearsal = false;
    assert!(!html(&dossier).contains("REHEARSAL"));
}

#[test]
fn a_batch_of_nothing_has_a_page_too() {
    let mut nothing = dossier(Vec::new(), &[]);
    nothing.letters.clear();
    nothing.facts.runs.clear();
    let page = read(&html(&nothing));
    assert!(
        page.contains("No letter was planned or sent yet.") && page.contains("Nothing was handed over yet."),
        "{page}"
    );
}

#[test]
fn rows_without_a_state_stand_in_a_group_of_their_own() {
    let mut observer = record("PSE", State::Accepted);
    observer.recipient.state = demarche::domain::state::StateCode::parse("PSE");
    let office = record("row-1", State::Accepted);
    let page = read(&html(&dossier(vec![office, observer, record("KEN", State::Accepted)], &[])));
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in:\n{page}"));
    assert!(place("African States (1 of") < place("Observer States (1 of"));
    assert!(place("Observer States (1 of") < place("Other recipients (1 of"));
}

#[test]
fn the_page_holds_no_markup_from_a_value_and_loads_nothing() {
    let evil = "<script>x</script>\"'&<img src=https://tracker.invalid/a.png>";
    let mut bad = record("row-1", State::Failed);
    bad.recipient.name = Some(evil.into());
    bad.addresses[0].address = evil.into();
    bad.addresses[0].word.as_mut().expect("a word").text = evil.into();
    bad.note = Some(evil.into());
    let mut about = dossier(vec![bad], &[evil]);
    about.facts.campaign = evil.into();
    about.sender = evil.into();
    about.reply_to = Some(evil.into());
    about.audience = evil.into();
    about.event.as_mut().expect("an event").name = evil.into();
    about.facts.runs[0].program = Some(evil.into());
    let letter = &mut about.letters[0];
    letter.subject = evil.into();
    letter.text = evil.into();
    letter.mission = evil.into();
    letter.attachments = vec![evil.into()];
    let withdrawn = Some(Withdrawal { at: at("2021-10-18T10:00:00Z"), note: evil.into() });
    let digest = Digest::of(b"batch");
    about.facts.approvals = vec![Approval {
        number: 1,
        digest,
        by: evil.into(),
        note: evil.into(),
        at: at("2021-10-18T09:00:00Z"),
        letters: 1,
        withdrawn,
    }];
    let by = Some(evil.to_owned());
    let said = Remark { at: at("2021-10-20T15:00:00Z"), event: Event::Suppress, note: evil.into(), by };
    about.remarks.insert("row-1".into(), vec![said]);
    let page = html(&about);
    assert!(page.matches("&lt;script&gt;").count() > 15, "{page}");
    for tag in ["<script", "<img", "<link", "<iframe", "src=\"", "url(", "@import", "style=\"", "javascript:"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(page.match_indices("href=\"").all(|(at, _)| page[at..].starts_with("href=\"#")), "links stay on the page");
}

#[test]
fn the_policy_lets_in_the_pages_own_style_and_nothing_else() {
    let page = html(&dossier(of_every_state(), &[]));
    let between = |from: &str, to: &str| {
        let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from}")).1;
        rest.split_once(to).unwrap_or_else(|| panic!("no {to}")).0.to_owned()
    };
    let style = between("<style>", "</style>");
    let policy = between("http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let hash =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, Digest::of(style.as_bytes()).as_bytes());
    assert_eq!(policy, format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"));
}

#[test]
fn a_drawing_has_a_title_a_description_and_a_table_that_says_the_same() {
    let page = html(&dossier(of_every_state(), &[]));
    for which in ["wide", "narrow"] {
        assert!(page.contains(&format!("role=\"img\" aria-labelledby=\"{which}-title {which}-desc\"")), "{which}");
    }
    assert!(
        page.contains("1 accepted, 1 put off, 1 refused, 1 uncertain. The event begins 21 October 2021, 14:00:00 UTC."),
        "{page}"
    );
    assert!(page.contains("<summary>The same as a table</summary>"));
    assert!(page.contains("accepted 23 h 54 min before the event (Security Council open debate)"), "{}", read(&page));
}

#[test]
fn missions_and_letters_that_are_not_as_many_come_to_each_other_in_a_sum() {
    let mut second = record("row-2", State::Failed);
    second.recipient.state = StateCode::parse("KEN");
    let mut observer = record("VAT", State::Accepted);
    observer.recipient.state = StateCode::parse("VAT");
    let of_many = vec![
        record("KEN", State::Accepted),
        second,
        observer,
        record("row-4", State::Queued),
        record("CIV", State::Suppressed),
        record("FRA", State::Uncertain),
    ];
    let mut dossier = dossier(of_many, &["Tuvalu", "Nauru"]);
    dossier.expected.retain(|code| code.as_str() != "VAT");
    let page = read(&html(&dossier));
    for line in [
        "1 of 5 missions has the letter, as far as mail servers can tell. Of the other 4: 1 may or may not have it, 1 was left \
         out on purpose, 2 have no letter planned. 2 more letters are for recipients beyond these 5.",
        "The campaign means to reach 5 missions; 2 of them without a letter planned, 1 letter more to one that has a letter \
         already, 2 letters to somebody else: 5 − 2 + 1 + 2 = 6 letters. 1 of the 6 letters was left out on purpose: \
         6 − 1 = 5 to go.",
        "What became of the 6 letters",
        "The 5 missions by regional group",
        "African States (1 of 3 letters arrived; 1 refused, 1 left out)",
        "Written to beyond the missions that were meant (2): Holy See, row-4.",
    ] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
}

#[test]
fn a_list_of_anybody_is_counted_by_its_recipients_and_by_groups_only_where_there_are_any() {
    let offices = ["row-1", "row-2", "row-3"].map(|id| record(id, State::Accepted));
    let mut anybody = dossier(offices.to_vec(), &[]);
    anybody.audience = "any".into();
    let page = read(&html(&anybody));
    for line in [
        "All 3 recipients have the letter, as far as mail servers can tell.",
        "One letter for each of 3 recipients.",
        "3 of 3 recipients on the campaign’s list have the letter.",
        "All recipients (3 of 3 recipients have the letter)",
        "Every recipient",
    ] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
    for word in ["mission has", " missions ", "Every mission", "Mission |", "regional group", "Other recipients"] {
        assert!(!page.contains(word), "{word}\nin\n{page}");
    }
    let mut mixed = dossier(vec![record("KEN", State::Accepted), record("row-1", State::Failed)], &[]);
    mixed.expected.clear();
    let page = read(&html(&mixed));
    for line in ["African States | 1 | – | 1", "Other recipients | – | 1 | 1", "All groups | 1 | 1 | 2"] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
}

#[test]
fn the_only_one_without_a_letter_is_told_without_a_number() {
    for (state, words) in [
        (State::Failed, "For the other one a mail server refused it."),
        (State::Queued, "The other one is still to get it."),
        (State::Suppressed, "The other one was left out on purpose."),
    ] {
        let page = read(&html(&dossier(vec![record("KEN", State::Accepted), record("FRA", state)], &[])));
        let lead = format!("1 of 2 missions has the letter, as far as mail servers can tell. {words}\n");
        assert!(page.contains(&lead), "{page}");
    }
}

#[test]
fn answers_that_came_all_at_once_are_told_and_not_drawn() {
    let page = html(&dossier(vec![record("KEN", State::Accepted)], &[]));
    assert!(page.contains("1 answer of mail servers, all at"), "{}", read(&page));
    assert!(!page.contains("<figure>"));
}

#[test]
fn an_address_breaks_at_its_signs_only_wherever_it_is_shown() {
    let mut bad = record("KEN", State::Failed);
    bad.addresses[0].address = "first-second@missions.example".into();
    bad.addresses[0].word = Some(word(Phase::Rcpt, 550, "5.1.1", "<first-second@missions.example>: unknown"));
    let mut lost = record("FRA", State::Uncertain);
    lost.addresses[0].address = "first-second@missions.example".into();
    let mut about = dossier(vec![bad, lost], &[]);
    about.sender = "A-B <first-second@missions.example>".into();
    about.reply_to = Some("first-second@missions.example".into());
    let page = html(&about);
    let whole = "<span>first-second@</span><wbr>missions<wbr>.example";
    assert_eq!(page.matches(whole).count(), 6, "{page}");
    assert!(!page.replace(whole, "").contains("second@missions"), "{page}");
    assert!(page.contains("<bdi>A-B <span class=\"address\"><span>&lt;first-second@</span>"), "{page}");
}

#[test]
fn the_margins_of_paper_name_the_campaign_and_no_name_ends_the_style() {
    let mut about = dossier(of_every_state(), &[]);
    about.facts.campaign = format!("Women\"; }} </style> \\ (لا) {}", "x".repeat(100));
    about.facts.rehearsal = true;
    let page = html(&about);
    let style = page.split_once("<style>").expect("a style").1.split_once("</style>").expect("its end").0;
    let margins = style.split_once("@top-left").expect("a margin").1;
    assert!(
        margins.starts_with(" { content: \"Women\\22 \\3b  \\7d  \\3c \\2f style\\3e  \\5c  \\28 لا\\29  xxx"),
        "{margins}"
    );
    assert!(margins.contains("counter(page)") && margins.contains("20 October 2021\\2c  14\\3a 10 UTC"), "{margins}");
    assert!(margins.contains("REHEARSAL"), "{margins}");
}
