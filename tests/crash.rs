//! kill -9 in the middle of a send, again and again: every mission has the letter once, or is listed uncertain; none is missing.

mod support;

use std::collections::HashMap;

use support::campaign::Campaign;
use support::server::{Server, row_of};

/// Deterministic moments: how many letters the server has taken when the program is killed.
const KILLS: [usize; 8] = [1, 7, 12, 30, 31, 48, 60, 77];

#[test]
fn a_killed_send_started_again_leaves_nobody_with_two_letters_and_nobody_without_a_state() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 100).set("smtp.connections", "4").set("pace.rate", "\"200/s\"");
    for count in KILLS {
        let running = campaign.spawn(&["send", "--yes"]);
        server.wait_for(count);
        running.kill();
    }
    let last = campaign.run(&["send", "--yes"]);
    assert!(matches!(last.code, Some(0 | 2)), "{last:?}");

    let mut held: HashMap<String, usize> = HashMap::new();
    for letter in server.letters() {
        *held.entry(row_of(&letter)).or_default() += 1;
    }
    let status = campaign.run(&["status", "--json"]).json();
    let deliveries = status["deliveries"].as_array().expect("deliveries");
    assert_eq!(deliveries.len(), 100);
    let mut uncertain = 0;
    for delivery in deliveries {
        let id = delivery["id"].as_str().expect("an id");
        let count = held.get(id).copied().unwrap_or(0);
        match delivery["state"].as_str().expect("a state") {
            "accepted" => assert_eq!(count, 1, "{id}"),
            "uncertain" => {
                uncertain += 1;
                assert!(count <= 1, "{id}");
            }
            other => panic!("{id} is {other}"),
        }
    }
    // Four sessions, eight kills: no more letters can have been in the window.
    assert!(uncertain <= 4 * KILLS.len(), "{uncertain}");
}
