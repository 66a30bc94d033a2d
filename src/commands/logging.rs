//! What is traced: to standard error by `-v`, to the file of `--log-file`.
//!
//! The file also gets what the screen shows (under the target [`SHOWN`], which standard error leaves out, since it has it
//! already), each with its time. Secrets are withheld where a thing is traced, so that neither can hold one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::exit::{CANNOT_CREATE, Failure};
use crate::cli::LogFormat;

/// The target of what a person was shown.
pub(super) const SHOWN: &str = "shown";

/// Starts it, once in a process. `colour` is for standard error.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn start(verbose: u8, colour: bool, file: Option<&Path>, format: LogFormat) -> Result<(), Failure> {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "trace",
    };
    // Only our own: a library's log lines are not for the people who run this, and could hold what is not to be shown.
    let to_screen = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .without_time()
        .with_target(false)
        .with_filter(EnvFilter::new(format!("off,demarche={level}")));
    let to_file = match file {
        Some(path) => Some(layer(open(path)?, format).with_filter(EnvFilter::new(if verbose > 1 {
            format!("off,demarche=trace,{SHOWN}=trace")
        } else {
            format!("off,demarche=debug,{SHOWN}=debug")
        }))),
        None => None,
    };
    // Only a test that runs commands inside its own process starts it twice; the first one stays.
    let _ = tracing_subscriber::registry().with(to_file).with(to_screen).try_init();
    Ok(())
}

fn layer(file: File, format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_writer(Mutex::new(file)).with_ansi(false);
    match format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    }
}

/// The file holds missions' addresses: only its owner may read it.
fn open(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    let opened = options.append(true).create(true).mode(0o600).open(path);
    opened.map_err(|error| {
        Failure::new(CANNOT_CREATE, format!("the log file {} cannot be written: {error}", path.display()))
            .help("name a file in a folder that is there and that you may write to; nothing was done yet")
    })
}
