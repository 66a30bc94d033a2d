//! The campaign folder that other tests work in: what is written is what was asked for, and nothing leaks in.

mod support;

use std::ffi::OsStr;

use support::campaign::Campaign;

#[test]
fn one_key_of_the_config_changes_and_the_others_stay() {
    let campaign = Campaign::new()
        .config_for(2525)
        .set("pace.rate", "[\"30/min\", \"2000/day\"]")
        .set("smtp.timeouts", "{ greeting = \"1s\" }")
        .set("smtp.timeouts.data", "\"2s\"");
    let config: toml::Table = campaign.read("config.toml").parse().expect("TOML");
    assert_eq!(config["pace"]["rate"].as_array().map(Vec::len), Some(2));
    assert_eq!(config["pace"]["per_domain"].as_str(), Some("1000/s"));
    assert_eq!(config["smtp"]["port"].as_integer(), Some(2525));
    assert_eq!(config["smtp"]["timeouts"]["greeting"].as_str(), Some("1s"));
    assert_eq!(config["smtp"]["timeouts"]["data"].as_str(), Some("2s"));
}

#[test]
fn the_program_runs_in_the_folder_without_the_settings_of_who_runs_the_tests() {
    let campaign = Campaign::new().letter().recipients("state,to\nKenya,ken@missions.example\n").env("EXTRA", "1");
    let command = campaign.command(&["status"]);
    assert_eq!(command.get_current_dir(), campaign.path("templates").parent());
    let mut names: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["EXTRA", "HOME", "LANG", "NO_COLOR", "PATH", "TERM"].map(OsStr::new));
    assert!(campaign.read("templates/letter.en.md").contains("{{ salutation() }}"));
    assert!(campaign.read("recipients.csv").ends_with("ken@missions.example\n"));
}

#[test]
fn the_program_can_be_run_started_and_typed_at() {
    let mut campaign = Campaign::new().stdin("never read\n");
    let run = campaign.run(&["--version"]).expect_code(0);
    let spawned = campaign.spawn(&["--version"]).wait().expect_code(0);
    assert_eq!((run.stdout, run.stderr), (spawned.stdout, spawned.stderr));
}
