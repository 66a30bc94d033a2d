//! What scripts and spreadsheets read: JSON and CSV.

mod report_sample;

use demarche::domain::audience::Audience;
use demarche::domain::coverage::Coverage;
use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::domain::record::Remark;
use demarche::report::{csv, log_json, report_json, status_json};
use report_sample::{at, attempts, counts, dossier, facts, of_every_state, record, run};
use serde_json::json;

#[test]
fn the_status_has_the_shape_that_scripts_were_promised() {
    let records = [record("KEN", State::Failed), record("DEU", State::Queued)];
    assert_eq!(
        status_json(&records, &counts(&records), &facts(&[])),
        json!({
            "campaign": "Stand with women human rights defenders",
            "rehearsal": false,
            "running": null,
            "digest": Digest::of(b"batch").to_string(),
            "approvals": [],
            "runs": [],
            "counts": {
                "queued": 1, "sending": 0, "accepted": 0, "deferred": 0, "failed": 1, "uncertain": 0, "suppressed": 0,
            },
            "deliveries": [
                {
                    "id": "KEN",
                    "state": "failed",
                    "mission_has_letter": false,
                    "to": [{
                        "address": "ken@missions.example", "field": "to", "outcome": "failed",
                        "code": 550, "enhanced": "5.1.1", "text": "No such user here",
                    }],
                    "attempts": 1,
                    "message_id": "<KEN.1@coalition.example>",
                    "last": {
                        "phase": "rcpt", "code": 550, "enhanced": "5.1.1", "text": "No such user here",
                        "at": "2021-10-20T14:02:11.5Z",
                    },
                    "not_before": null,
                },
                {
                    "id": "DEU",
                    "state": "queued",
                    "mission_has_letter": false,
                    "to": [{
                        "address": "deu@missions.example", "field": "to", "outcome": "queued",
                        "code": null, "enhanced": null, "text": null,
                    }],
                    "attempts": 0,
                    "message_id": null,
                    "last": null,
                    "not_before": null,
                },
            ],
            "coverage": { "expected": 0, "present": 0, "missing": [], "suppressed": [], "doubled": [], "foreign": [] },
        })
    );
}

#[test]
fn each_run_tells_with_which_batch_it_was_begun_and_each_attempt_in_the_log_does() {
    let about = demarche::report::Facts { runs: vec![run()], ..facts(&[]) };
    let digest = Digest::of(b"batch").to_string();
    assert_eq!(
        status_json(&[], &counts(&[]), &about)["runs"],
        json!([{
            "run": 1, "started_at": "2021-10-20T14:02:00Z", "ended_at": "2021-10-20T14:09:30Z", "program": "0.1.0",
            "attempts": 5, "command": "send", "digest": digest, "confirmed": "word",
            "confirmed_at": "2021-10-20T14:01:58Z", "by": "desk", "host": "office", "approvals": [],
        }])
    );
    let log = log_json(&record("KEN", State::Accepted), &attempts(), &[], &about);
    assert_eq!((&log["log"][0]["batch"], &log["log"][1]["batch"]), (&json!(digest), &serde_json::Value::Null));
    assert_eq!(log["rehearsal"], false);
}

#[test]
fn a_handed_over_letter_reads_as_sending() {
    let records = [record("KEN", State::HandedOver)];
    let status = status_json(&records, &counts(&records), &facts(&[]));
    assert_eq!(status["deliveries"][0]["state"], "sending");
    assert_eq!(status["deliveries"][0]["to"][0]["outcome"], "sending");
    assert_eq!(status["counts"]["sending"], 1);
}

#[test]
fn the_log_tells_the_queue_id_of_the_attempt_that_was_accepted() {
    let log = log_json(&record("KEN", State::Accepted), &attempts(), &[], &facts(&[]));
    assert_eq!(log["id"], "KEN");
    let ids: Vec<_> = log["log"].as_array().expect("attempts").iter().map(|attempt| &attempt["queue_id"]).collect();
    assert_eq!(ids, [&json!(null), &json!(null), &json!("4XyZ12abc")]);
    assert_eq!(log["log"][2]["intent_at"], "2021-10-20T14:02:11Z");
    assert_eq!(log["log"][1]["last"]["phase"], "rcpt");
}

fn written(records: Vec<demarche::domain::record::DeliveryRecord>) -> String {
    let mut out = Vec::new();
    csv(&dossier(records, &[]), &mut out).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_spreadsheet_has_a_row_for_each_address() {
    insta::assert_snapshot!(written(of_every_state()).replace("\r\n", "\n"), @r#"
    id,state_name,outcome,address,field,address_outcome,phase,code,enhanced,text,at,attempts,message_id,group,cause,note
    AFG,Afghanistan,queued,afg@missions.example,to,queued,,,,,,0,,Asia-Pacific States,,
    BRA,Brazil,sending,bra@missions.example,to,sending,,,,,,0,,Latin American and Caribbean States,,
    CHN,China,sending,chn@missions.example,to,sending,,,,,,0,,Asia-Pacific States,,
    KEN,Kenya,accepted,ken@missions.example,to,accepted,end-of-data,250,2.0.0,Ok: queued as 4XyZ12abc,2021-10-20T14:02:11Z,1,<KEN.1@coalition.example>,African States,,
    DEU,Germany,deferred,deu@missions.example,to,deferred,rcpt,451,4.7.1,"Greylisted, please try again in a few minutes",2021-10-20T14:02:11Z,1,<DEU.1@coalition.example>,Western European and other States,asked-to-wait,
    GBR,United Kingdom of Great Britain and Northern Ireland,failed,gbr@missions.example,to,failed,rcpt,550,5.1.1,No such user here,2021-10-20T14:02:11Z,1,<GBR.1@coalition.example>,Western European and other States,unknown-mailbox,
    GBR,United Kingdom of Great Britain and Northern Ireland,failed,deputy@missions.example,cc,accepted,end-of-data,250,2.0.0,Ok: queued as 4XyZ12abc,2021-10-20T14:02:11Z,1,<GBR.1@coalition.example>,Western European and other States,,
    MLI,Mali,uncertain,mli@missions.example,to,uncertain,end-of-data,,,the server closed the connection,2021-10-20T14:02:11Z,1,<MLI.1@coalition.example>,African States,no-answer,
    CIV,Côte d'Ivoire,suppressed,civ@missions.example,to,suppressed,,,,,,0,,African States,,asked not to be written to
    "#);
}

#[test]
fn no_cell_is_taken_for_a_formula() {
    for start in ["=", "+", "-", "@", "\t", "\r"] {
        let mut bad = record("KEN", State::Failed);
        let evil = format!("{start}HYPERLINK(1)");
        bad.addresses[0].word.as_mut().expect("a word").text.clone_from(&evil);
        bad.addresses[0].address.clone_from(&evil);
        bad.message_id = Some(evil.clone());
        let text = written(vec![bad]);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().expect("a row").expect("well-formed");
        for column in [3, 9, 12] {
            assert_eq!(&row[column], format!("'{evil}"), "column {column} with {start:?}");
        }
    }
}

#[test]
fn a_note_in_the_spreadsheet_is_no_formula_either() {
    let mut bad = record("KEN", State::Suppressed);
    bad.note = Some("=HYPERLINK(1)".into());
    let text = written(vec![bad]);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let row = reader.records().next().expect("a row").expect("well-formed");
    assert_eq!(&row[15], "'=HYPERLINK(1)");
}

#[test]
fn the_note_in_the_spreadsheet_says_who_recorded_what() {
    let mut about = dossier(vec![record("KEN", State::Accepted)], &[]);
    let (at, by) = (at("2021-10-20T15:00:00Z"), Some("The Desk".to_owned()));
    let said = Remark { at, event: Event::ResolveSent, note: "they told us".into(), by };
    about.remarks.insert("KEN".into(), vec![said]);
    let mut out = Vec::new();
    csv(&about, &mut out).expect("written");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.ends_with(",recorded as arrived by The Desk on 2021-10-20: they told us\r\n"), "{text}");
}

#[test]
fn the_report_holds_all_that_the_status_does_and_more() {
    let records = of_every_state();
    let mut about = dossier(records.clone(), &["Tuvalu"]);
    let rows = records.iter().map(|record| (&record.id, record.recipient.state, record.state != State::Suppressed));
    about.facts.coverage = Coverage::of(&Audience::MemberStates, rows);
    about.expected = Audience::MemberStates.states().into_iter().map(|state| state.code).collect();
    let status = status_json(&records, &counts(&records), &about.facts);
    let report = report_json(&about);
    let object = |value: &serde_json::Value| value.as_object().expect("an object").clone();
    for (key, value) in object(&status).iter().filter(|(key, _)| !["deliveries", "coverage"].contains(&key.as_str())) {
        assert_eq!(&report[key], value, "{key}");
    }
    for (key, value) in object(&status["coverage"]) {
        assert_eq!(report["coverage"][&key], value, "{key}");
    }
    let deliveries = |value: &serde_json::Value| value["deliveries"].as_array().expect("deliveries").clone();
    for (short, long) in deliveries(&status).iter().zip(deliveries(&report)) {
        for (key, value) in short.as_object().expect("an object") {
            assert_eq!(&long[key], value, "{key}");
        }
    }
    let groups = report["coverage"]["groups"].as_array().expect("groups").iter();
    assert_eq!(groups.filter_map(|group| group["expected"].as_u64()).sum::<u64>(), 193);
    assert_eq!(report["coverage"]["groups"][0]["group"], "African States");
    let causes: Vec<_> = report["causes"].as_array().expect("causes").iter().map(|cause| &cause["cause"]).collect();
    assert_eq!(causes, ["no-answer", "unknown-mailbox", "asked-to-wait"]);
    assert_eq!(report["runs"][0]["program"], "0.1.0");
    assert_eq!(report["deliveries"][3]["group"], "African States");
}
