//! The page to hand on: what a person reads of it who has never seen the program, and what it can never hold.

mod report_sample;

use demarche::domain::approval::{Approval, Withdrawal};
use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::domain::message::Field;
use demarche::domain::outcome::Phase;
use demarche::domain::record::Remark;
use demarche::domain::state::StateCode;
use demarche::report::{Changes, Dossier, html};
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
    let lines = unescaped.replace("&amp;", "&").replace('\u{a0}', " ");
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
    assert!(page.contains("For all 2 missions a mail server took the letter."), "{page}");
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
    let attempt = &mut dossier.attempts.get_mut("MLI").expect("one")[0];
    (attempt.outcome, attempt.addresses[0].state) = (Some(State::Uncertain), State::Uncertain);
    dossier
}

#[test]
fn a_mission_has_the_letter_though_a_copy_was_refused_and_a_persons_word_is_called_that() {
    let page = read(&html(&of_two_minds()));
    for line in [
        "For 1 of 5 missions a mail server took the letter; for 1 more a person confirms that it arrived. A copy to a \
         second address was refused. Of the other 3: for 1 a mail server asked to try again later, 1 was left out on \
         purpose, 1 has no letter planned.",
        "For 1 mission the letter was taken, but not every copy",
        "Kenya — second@missions.example (copy): refused",
        "The campaign means to reach 5 missions; 1 of them without a letter planned: 5 − 1 = 4 letters. 1 of the 4 letters was \
         left out on purpose: 4 − 1 = 3 to be sent.",
        "accepted, copy refused | 1 | 33.3 % | taken for the mission; a copy to a second address was refused",
        "on a person’s word | 1 | 33.3 %",
        "For 2 of the 5 missions that the campaign means to reach a mail server took the letter or a person confirms that it arrived: “reached”, for short.",
        "African States | 1 | 1 | – | 1 | – | 3",
        "All groups | 1 | 1 | 1 | 1 | 1 | 5",
        "Kenya | second@missions.example (copy)The letter itself was taken. Only the copy goes again. | refused",
        "Kenyaaccepted, copy refused | ken@missions.example | accepted",
        "Malion a person’s word | mli@missions.example | uncertain | the server closed the connection | 20 Oct 2021, 14:02:11",
        "mli@missions.example | on a person’s word | The Secretariat recorded that it arrived: “they told us” | 20 Oct 2021, 15:00:00",
        "Mali | on a person’s word | The Secretariat recorded that it arrived: “they told us” | Nothing",
        "African States (2 of 3 missions reached; 1 accepted, copy refused, 1 on a person’s word, 1 left out)",
        "Asia-Pacific States (0 of 1 mission reached; 1 no letter planned)",
        "Tuvalu | none | no letter planned",
        "Tried | 3 of 4 letters, at 4 addresses in all",
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
    assert!(page.contains("Approved | Not everything was approved before it went out: round 1 was not."), "{page}");
    assert!(page.contains("20 Oct 2021, 14:05:00after it had begun to go out"), "{page}");
    assert!(page.contains("Not everything was approved before it went out: round 1 was not."), "{page}");
    assert!(page.contains("NOT approved before it began; only afterwards, by The Chair"), "{page}");
}

#[test]
fn the_page_says_under_which_digest_the_letters_went_out_and_who_had_approved_it_by_then() {
    let mut dossier = dossier(vec![record("KEN", State::Accepted)], &[]);
    let digest = dossier.facts.digest;
    let said = read(&html(&dossier));
    assert!(said.contains("Nobody approved what went out before it did; the campaign asks for no approval."), "{said}");
    assert!(said.contains("confirmed by typing the word that was asked for, 20 Oct 2021, 14:01:58 UTC"), "{said}");
    assert!(said.contains(&format!("It is\n{digest}")) && said.contains("| approved by nobody |"), "{said}");

    let at = at("2021-10-20T14:00:00Z");
    let approval =
        Approval { number: 1, digest, by: "The Chair".into(), note: String::new(), at, letters: 1, withdrawn: None };
    dossier.facts.runs[0].began.approvals = vec![(&approval).into()];
    dossier.facts.approvals = vec![approval];
    let said = read(&html(&dossier));
    assert!(said.contains("Everything that went out was approved before the round that sent it began."), "{said}");
    assert!(said.contains("before it began:The Chair, 20 Oct 2021, 14:00:00 UTC"), "{said}");

    dossier.facts.runs[0].began = demarche::domain::run::Beginning::default();
    let said = read(&html(&dossier));
    assert!(said.contains("With which version round 1 was begun is not on record"), "{said}");
    assert!(said.contains("by then: The Chair (the letters, 20 Oct 2021, 14:00:00 UTC)"), "{said}");
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
    assert!(page.contains("went out 23 h 54 min before the event (Security Council open debate)"), "{}", read(&page));
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
        "For 1 of 5 missions a mail server took the letter. Of the other 4: 1 may or may not have it, 1 was left \
         out on purpose, 2 have no letter planned. 2 more letters are for recipients beyond these 5.",
        "The campaign means to reach 5 missions; 2 of them without a letter planned, 1 letter more to one that has a letter \
         already, 2 letters to somebody else: 5 − 2 + 1 + 2 = 6 letters. 1 of the 6 letters was left out on purpose: \
         6 − 1 = 5 to be sent.",
        "What became of the 6 letters",
        "The 5 missions by regional group",
        "African States (1 of 3 letters taken or confirmed; 1 refused, 1 left out)",
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
        "For all 3 recipients a mail server took the letter.",
        "One letter for each of 3 recipients.",
        "For 3 of 3 recipients on the campaign’s list a mail server took the letter or a person confirms that it arrived",
        "All recipients (3 of 3 recipients reached)",
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
        let lead = format!("For 1 of 2 missions a mail server took the letter. {words}");
        assert!(page.contains(&lead), "{page}");
    }
}

#[test]
fn answers_that_came_all_at_once_are_told_and_not_drawn() {
    let page = html(&dossier(vec![record("KEN", State::Accepted)], &[]));
    assert!(page.contains("<p>All at "), "{}", read(&page));
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
    assert_eq!(page.matches(whole).count(), 8, "{page}");
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

/// A second run that tried these records again, after a first one; the letters changed between them.
fn in_two_rounds() -> Dossier {
    let mut about = dossier(
        vec![record("FRA", State::Accepted), record("KEN", State::Deferred), record("MLI", State::Queued)],
        &[],
    );
    let mut second = about.facts.runs[0].clone();
    let approval = |number: i64, batch: &[u8], when: &str| Approval {
        number,
        digest: Digest::of(batch),
        by: "The Chair".into(),
        note: String::new(),
        at: at(when),
        letters: 3,
        withdrawn: None,
    };
    let (old, new) = (approval(1, b"old", "2021-10-20T14:00:00Z"), approval(2, b"batch", "2021-10-20T14:20:06.284Z"));
    about.facts.runs[0].began.digest = Some(old.digest);
    about.facts.runs[0].began.approvals = vec![(&old).into()];
    second.run = 2;
    (second.started_at, second.ended_at) = (at("2021-10-20T14:20:06.646Z"), Some(at("2021-10-20T14:20:09Z")));
    second.began.confirmed_at = Some(at("2021-10-20T14:20:06.500Z"));
    second.began.approvals = vec![(&new).into()];
    about.facts.runs.push(second);
    about.facts.approvals = vec![old, new];
    let mut again = about.attempts["KEN"][0].clone();
    again.run = 2;
    again.addresses[0].word.as_mut().expect("a word").at = at("2021-10-20T14:20:07Z");
    about.records[1].addresses[0].word.clone_from(&again.addresses[0].word);
    about.attempts.get_mut("KEN").expect("one").push(again);
    about
}

#[test]
fn the_facts_and_the_record_of_the_rounds_say_the_same_of_who_approved_what_before_it_went_out() {
    let mut about = in_two_rounds();
    let page = read(&html(&about));
    for line in [
        "Approved | Everything that went out was approved before the round that sent it began.",
        "Version 1, sent in round 1: The Chair (20 October 2021, 14:00:00.000 UTC)",
        "Version 2, sent in round 2: The Chair (20 October 2021, 14:20:06.284 UTC)",
        // Of one second, and still in an order; all others have the same precision then.
        "2 | 20 Oct 2021, 14:20:06.646to 20 Oct 2021, 14:20:09.000",
        "The Chair, 20 Oct 2021, 14:20:06.284 UTC",
        "The Chair | version 1, of 3 letters | 20 Oct 2021, 14:00:00.000",
    ] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
    assert!(!page.contains("after it had begun to go out"), "{page}");
    // Given a moment later, the same approval came after the round began, in both places.
    about.facts.approvals[1].at = at("2021-10-20T14:20:06.900Z");
    about.facts.runs[1].began.approvals.clear();
    let page = read(&html(&about));
    assert_eq!(page.matches("Not everything was approved before it went out: round 2 was not.").count(), 2, "{page}");
    assert!(
        page.contains("Version 2, sent in round 2: NOT approved before it began; only afterwards, by The Chair"),
        "{page}"
    );
    assert!(page.contains("20 Oct 2021, 14:20:06.900after it had begun to go out"), "{page}");
}

#[test]
fn each_version_has_its_number_and_fingerprint_and_what_changed_or_which_letters_went_out_as_it() {
    let mut about = in_two_rounds();
    let (old, new) = (Digest::of(b"old").to_string(), Digest::of(b"batch").to_string());
    let page = read(&html(&about));
    assert!(page.contains(&format!("1 {} | the first one | round 1 | {old}", &old[..8])), "{page}");
    let unknown = "what changed since version 1 is not on record; as this version went out: Kenya | round 2";
    assert!(page.contains(&format!("2 {} | {unknown} | {new}", &new[..8])), "{page}");
    let changes = Changes {
        letters: vec![
            ("Kenya".into(), "address".into()),
            ("Mali".into(), "address".into()),
            ("France".into(), "language".into()),
        ],
        joined: vec!["Fiji".into()],
        left: Vec::new(),
        files: vec!["letter.en.md".into()],
    };
    about.history.insert(Digest::of(b"batch"), changes);
    let page = read(&html(&about));
    let known = "since version 1: letter.en.md; Kenya, Mali: address; France: language; Fiji: joined | round 2";
    assert!(page.contains(known), "{page}");
}

#[test]
fn what_is_due_by_now_can_be_sent_now_and_the_check_names_each_version_that_went_out() {
    let mut about = in_two_rounds();
    about.records[1].not_before = Some(at("2021-10-20T14:09:00Z"));
    let page = read(&html(&about));
    assert_eq!(page.matches("It can be sent again now.").count(), 2, "the task and the table: {page}");
    assert!(!page.contains("It is due from"), "{page}");
    let (old, new) = (Digest::of(b"old").to_string(), Digest::of(b"batch").to_string());
    let check = format!(
        "the fingerprint of every version that letters went under: version 1 ({}…) and version 2 ({}…), and who",
        &old[..8],
        &new[..8]
    );
    assert!(page.contains(&check), "{check}\nin\n{page}");
}

#[test]
fn rounds_say_how_far_they_came_and_answers_come_to_letters_in_a_sum() {
    let page = read(&html(&in_two_rounds()));
    for line in [
        "Sent | in 2 rounds: the first ended after 2 of 3 letters (the record does not say why); the second tried 1 again (Kenya).",
        "letters: Kenya was tried twice, and every one of these tries is in it.",
        "Kenyaput off | ken@missions.example | put off | 451 4.7.1 Greylisted, please try again in a few minutes | 20 Oct 2021, 14:02:11\n\
         ken@missions.example | put off | 451 4.7.1 Greylisted, please try again in a few minutes | 20 Oct 2021, 14:20:07",
        "France | fra@missions.example | accepted | 250 2.0.0 Ok: queued as 4XyZ12abc | 20 Oct 2021, 14:02:11\n",
    ] {
        assert!(page.contains(line), "{line}\nin\n{page}");
    }
    let mut twice = in_two_rounds();
    let again = twice.attempts["FRA"][0].clone();
    twice.attempts.get_mut("FRA").expect("one").push(again);
    let page = read(&html(&twice));
    assert!(!page.contains("No letter was sent again"), "a letter that was taken twice was sent again: {page}");
    assert!(read(&html(&in_two_rounds())).contains("No letter was sent again after a server had taken it."));
}

#[test]
fn the_lead_says_on_which_side_of_the_event_it_went_out() {
    let mut about = dossier(vec![record("FRA", State::Accepted), record("KEN", State::Accepted)], &[]);
    let mut lead = |event: &str| {
        about.event.as_mut().expect("an event").at = at(event);
        let page = read(&html(&about));
        page.lines().nth(2).expect("the lead").to_owned()
    };
    let after = "It went out 4 days after the event (Security Council open debate) had begun.";
    assert!(lead("2021-10-16T14:00:00Z").contains(after));
    let before = "The last letter so far went out 23 h 56 min before the event (Security Council open debate).";
    assert!(lead("2021-10-21T14:00:00Z").contains(before));
    let between = "began while it went out: 19 s after the first letter, 41 s before the last.";
    let lead = lead("2021-10-20T14:02:30Z");
    assert!(lead.contains(between), "{lead}");
}

#[test]
fn every_number_of_the_lead_leads_to_the_names_behind_it() {
    let mut about = of_two_minds();
    about.records.push(record("CHN", State::Queued));
    about.records.push(record("BRA", State::Uncertain));
    about.records.push(record("GBR", State::Failed));
    about.expected.extend(["CHN", "BRA", "GBR"].map(|code| StateCode::parse(code).expect("a state")));
    let page = html(&about);
    let lead = page.split_once("class=\"verdict\">").expect("a lead").1.split_once("</p>").expect("its end").0;
    let links: Vec<&str> =
        lead.split("href=\"#").skip(1).map(|rest| rest.split_once('"').expect("a quote").0).collect();
    assert!(links.len() >= 9, "{lead}");
    let of_number = lead.split(['<', '>']).filter(|text| text.trim().parse::<u32>().is_ok());
    assert_eq!(of_number.count(), links.len() - 2, "one is “x of y”, one “the other x”; all numbers are links: {lead}");
    for link in &links {
        assert_eq!(page.matches(&format!("id=\"{link}\"")).count(), 1, "{link}");
    }
    let said = read(&page);
    let table = said.split_once("What is to be done next").expect("the table").1;
    for row in [
        "Brazil | uncertain | bra@missions.example: no receipt came after the letter | Ask the mission whether it has the letter, or look into the mail server’s log; then record the answer (demarche resolve). It is never sent again without that.",
        "Germany | put off | deu@missions.example: the mailbox is full | Send again in a day or two; meanwhile ask the mission for a second address.",
        "China | to be sent | not tried yet | Unless it is being sent right now, go on with demarche send.",
        "Côte d'Ivoire | left out | asked not to be written to | Nothing: it is meant so",
        "Tuvalu | no letter planned | not on the list of recipients | Add a row to the list of recipients, then send.",
        "Kenya | accepted, copy refused | second@missions.example (copy): no such mailbox | Find the mission’s present address (its website, the protocol service’s list, a telephone call), correct it in the list of recipients, and send again (demarche resend). Only the copy goes again.",
    ] {
        assert!(table.contains(row), "{row}\nin\n{table}");
    }
}

#[test]
fn an_address_of_two_missions_is_told_in_the_lead_among_the_tasks_and_beside_the_count() {
    let mut about = dossier(
        vec![record("IRL", State::Accepted), record("URY", State::Accepted), record("KEN", State::Accepted)],
        &[],
    );
    assert!(!html(&about).contains("stands for two missions"));
    about.records[0].recipient.to = about.records[1].recipient.to.clone();
    about.records[0].addresses[0].address = about.records[1].addresses[0].address.clone();
    about.attempts.get_mut("IRL").expect("one")[0].addresses[0]
        .address
        .clone_from(&about.records[0].addresses[0].address);
    let page = read(&html(&about));
    assert_eq!(page.matches("1 address stands for two missions").count(), 2, "{page}");
    assert_eq!(
        page.matches("Of these, 2 share the address with another mission: check whose it is.").count(),
        2,
        "{page}"
    );
    for (name, other) in [("Ireland", "Uruguay"), ("Uruguay", "Ireland")] {
        let row = format!("\n{name} | ");
        let rows = page.split_once("In the servers’ words").expect("all missions").1;
        let row = rows.split_once(&row).unwrap_or_else(|| panic!("no {name}: {rows}")).1.lines().next().expect("a row");
        assert!(row.contains(&format!("the address is also {other}’s | accepted")), "{row}");
    }
    assert!(page.contains("ury@missions.example — Ireland, Uruguay\nCheck that this is meant; if not,"), "{page}");
    assert!(page.contains("1 address stands for two missions: ury@missions.example (Ireland, Uruguay)."), "{page}");
    // What is left out on purpose is not written to.
    about.records[0].state = State::Suppressed;
    assert!(!html(&about).contains("stands for two missions"));
}

#[test]
fn a_mission_without_a_letter_stands_where_its_name_belongs_and_a_language_that_is_not_most_letters_stands_below_it() {
    let mut about = dossier(
        vec![record("BGD", State::Accepted), record("BRN", State::Accepted), record("KHM", State::Accepted)],
        &["Bhutan"],
    );
    about.facts.coverage.missing = vec![StateCode::parse("BTN").expect("a state")];
    let page = read(&html(&about));
    let every = page.split_once("Every mission\nThe letters are in English. ").expect("all missions").1;
    let place = |name: &str| every.find(&format!("\n{name} |")).unwrap_or_else(|| panic!("no {name}: {every}"));
    assert!(place("Bangladesh") < place("Bhutan") && place("Bhutan") < place("Brunei Darussalam"));
    let french = demarche::domain::language::Language::parse("fr").expect("a language");
    about.languages.insert("KHM".into(), french.clone());
    about.letters.insert(0, demarche::report::Sample { language: french, count: 1, ..about.letters[0].clone() });
    let page = read(&html(&about));
    assert!(
        page.contains("9 letters were to go out, whatever became of them:\n8 in English\n1 in French, to Cambodia\n"),
        "{page}"
    );
    assert!(page.contains("in English, where no other language stands below the name."), "{page}");
    assert!(page.contains("\nCambodiaFrench |") && page.contains("\nBangladesh |"), "{page}");
    let subjects = page.split_once("Subjects | ").expect("subjects").1;
    assert!(subjects.find("(English,") < subjects.find("(French,"), "{page}");
}

#[test]
fn the_page_says_that_it_proves_nothing_and_how_to_check_and_its_commands_break_at_blanks_only() {
    let page = html(&dossier(of_every_state(), &[]));
    let said = read(&page);
    for line in
        ["This page alone proves nothing", "told to you by another way than the pack came", "is in order", "WRONG"]
    {
        assert!(said.contains(line), "{line}\nin\n{said}");
    }
    assert!(page.contains("<code>demarche report --verify evidence.zip</code> <code>--expect DIGEST</code>"));
    assert!(
        page.contains("code { ") && page.contains("font-size: .88em; white-space: nowrap;"),
        "an option is never broken"
    );
    let donor = said.split_once("What is left to do\n1 ").expect("the tasks").1;
    let (before, operators) = donor.split_once("For whoever runs the program\n").expect("the operators' part");
    let donor = format!("{before}{}", operators.split_once('\n').expect("more").1);
    for word in ["batch", " run ", "runs", "suppressed", "recipients file", "--yes", "--approve", "member-states"] {
        assert!(!donor.contains(word), "{word}\nin\n{donor}");
    }
}

#[test]
fn tables_keep_their_roles_whatever_a_narrow_screen_makes_of_them_and_a_rule_of_signs_is_one_line() {
    let mut about = dossier(of_every_state(), &["Tuvalu"]);
    about.letters[0].text = "Open letter\n===========\n\n<b> = - =\n".into();
    let page = html(&about);
    let body = page.split_once("<main>").expect("a body").1;
    for (tag, role) in [
        ("<table", "table"),
        ("<thead", "rowgroup"),
        ("<tbody", "rowgroup"),
        ("<tfoot", "rowgroup"),
        ("<tr", "row"),
        ("<td", "cell"),
    ] {
        let all = body.matches(tag).count();
        assert!(all > 0 && all == body.matches(&format!("{tag} role=\"{role}\"")).count(), "{tag}");
    }
    let heads = ["col", "row", "rowgroup"].map(|scope| {
        let role = if scope == "col" { "columnheader" } else { "rowheader" };
        body.matches(&format!("<th scope=\"{scope}\" role=\"{role}\"")).count()
    });
    assert_eq!(heads.iter().sum::<usize>(), body.matches("<th ").count());
    assert!(body.contains("Open letter\n<span class=\"rule\">===========</span>\n\n&lt;b&gt; = - =\n"), "{body}");
}
