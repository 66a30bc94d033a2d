//! How well a batch keeps its pace: 193 letters at 60/s, overall and to one domain, as the ratio of the time between the first
//! and the last letter that the server took to the time that the rate asks for. Run by `scripts/bench`.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use demarche::postbox::{Keep, Options, Postbox};

const LETTERS: u32 = 193;
const PER_SECOND: u32 = 60;
const RUNS: usize = 3;

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() -> ExitCode {
    let expected = f64::from(LETTERS - 1) / f64::from(PER_SECOND);
    println!("pace: {LETTERS} letters at {PER_SECOND}/s ask for {expected:.3} s between the first and the last");
    let mut kept = true;
    for (name, pace) in [("rate", "rate = \"60/s\""), ("per_domain", "per_domain = \"60/s\"")] {
        let mut ratios: Vec<f64> = (0..RUNS).map(|_| run(pace) / expected).collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "pace: {name:<10} took {:.3} of that (median of {RUNS}; {:.3} to {:.3})",
            ratios[RUNS / 2],
            ratios[0],
            ratios[RUNS - 1]
        );
        kept &= (0.95..=1.05).contains(&ratios[RUNS / 2]);
    }
    println!("pace: {}", if kept { "within 5 %" } else { "NOT within 5 %" });
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seconds between the first and the last letter of a batch with this `[pace]`.
fn run(pace: &str) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let options = Options { keep: Keep::Nothing, ..Options::default() };
    let server = runtime.block_on(Postbox::start(options)).expect("a free port");
    campaign(folder.path(), server.address().port(), pace);
    let status = Command::new(env!("CARGO_BIN_EXE_demarche"))
        .current_dir(folder.path())
        .args(["send", "--yes", "--quiet"])
        .stdout(std::process::Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success(), "the batch was sent");
    let letters = server.truth().accepted();
    runtime.block_on(server.stop());
    assert_eq!(letters.len(), LETTERS as usize);
    let times = letters.iter().map(|letter| letter.at);
    let (first, last) = (times.clone().min().expect("letters"), times.max().expect("letters"));
    last.duration_since(first).as_secs_f64()
}

fn campaign(folder: &Path, port: u16, pace: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(folder.join("templates")).expect("our own folder");
    for name in ["recipients.csv", "templates/letter.en.md", "templates/layout.html"] {
        fs::copy(root.join(name), folder.join(name)).expect("the sample is there");
    }
    let example = fs::read_to_string(root.join("config.example.toml")).expect("the example is there");
    // Everything but the relay and the pace is the example's.
    let mut config: toml::Table = example.parse().expect("the example is TOML");
    let relay = format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nconnections = 2");
    config.insert("smtp".to_owned(), toml::Value::Table(relay.parse().expect("TOML")));
    config.insert("pace".to_owned(), toml::Value::Table(pace.parse().expect("TOML")));
    fs::write(folder.join("config.toml"), config.to_string()).expect("our own folder");
}
