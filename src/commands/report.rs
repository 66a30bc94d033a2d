//! `report`: what became of the batch, for people and for spreadsheets.

use std::path::Path;

use crate::cli::ReportArgs;
use crate::ledger::Reader;
use crate::report;

use super::Context;
use super::exit::{Failure, OK};
use super::{prepare, status};

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<u8, Failure> {
    let (config, _) = prepare::config(context)?;
    let reader = Reader::open(&config.ledger)?;
    let (records, facts) = status::gather(&reader, &config)?;
    let counts = reader.counts()?;
    if let Some(path) = &args.html {
        write(path, report::html(&records, &counts, &facts).as_bytes())?;
        context.screen.say(&format!("Report: {}", path.display()));
    }
    if args.json {
        context.screen.json(&report::status_json(&records, &counts, &facts));
    }
    if let Some(path) = &args.csv {
        let mut table = Vec::new();
        report::csv(records.into_iter(), &mut table)
            .map_err(|error| Failure::cannot_write(path, &std::io::Error::other(error.to_string())))?;
        write(path, &table)?;
        context.screen.say(&format!("Table: {}", path.display()));
    }
    Ok(OK)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::cannot_write(path, &error))
}
