//! `report`: what became of the batch, for a board, for spreadsheets and for scripts; and the evidence that goes with it.

use std::path::Path;

use crate::cli::ReportArgs;
use crate::ledger::Reader;
use crate::report;

use super::exit::{Failure, OK};
use super::{Context, dossier, evidence, prepare};

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<u8, Failure> {
    if let Some(path) = &args.verify {
        return evidence::verify(context, path, args.expect.as_deref(), args.json);
    }
    let (config, _) = prepare::config(context)?;
    if let Some(path) = &args.pack {
        let code = evidence::pack(context, &config, path)?;
        if args.html.is_none() && args.csv.is_none() && !args.json {
            return Ok(code);
        }
    }
    let reader = Reader::open(&config.ledger)?;
    let dossier = dossier::gather(&reader, &config)?;
    if let Some(path) = &args.html {
        write(path, report::html(&dossier).as_bytes())?;
        context.screen.say(&format!("Report: {}", path.display()));
    }
    if args.json {
        context.screen.json(&report::report_json(&dossier));
    }
    if let Some(path) = &args.csv {
        write(path, &dossier::table(&dossier)?)?;
        context.screen.say(&format!("Table: {}", path.display()));
    }
    Ok(OK)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::cannot_write(path, &error))
}
