//! Which of a workbook's sheets has the recipients.

use crate::diagnostic::Diagnostic;
use crate::domain::state::fold;
use crate::roster::Options;
use crate::roster::findings::{Findings, listed};
use crate::roster::header::is_header;

use super::raw::RawSheet;
use super::tell;

/// In so many rows from the top a header is looked for.
const LOOKED_AT: usize = 30;

/// The sheet that is asked for by name; else the one visible sheet that has a header with a column of addresses; else the
/// only visible one that has anything.
pub(super) fn sheet(mut sheets: Vec<RawSheet>, options: &Options, findings: &mut Findings) -> Option<RawSheet> {
    if let Some(wanted) = &options.sheet {
        return asked_for(sheets, wanted, options, findings);
    }
    let visible: Vec<usize> =
        (0..sheets.len()).filter(|at| sheets[*at].visible && !sheets[*at].cells.is_empty()).collect();
    let with_addresses: Vec<usize> =
        visible.iter().copied().filter(|at| has_addresses(&sheets[*at], options)).collect();
    let (chosen, certain) = match (with_addresses.as_slice(), visible.as_slice()) {
        ([one], _) => (*one, true),
        ([], [one]) => (*one, false),
        ([], []) => return nothing(&sheets, options, findings),
        (several, all) => {
            let names = |list: &[usize]| listed(&list.iter().map(|at| quoted(&sheets[*at])).collect::<Vec<_>>());
            let message = if several.is_empty() {
                format!("{} has several sheets, and none has a column of addresses: {}", options.file, names(all))
            } else {
                format!("{} has several sheets with addresses: {}", options.file, names(several))
            };
            let first = &sheets[several.first().copied().unwrap_or(all[0])].name;
            let help = format!(
                "say which is meant: --sheet {}, or sheet = {first:?} under [recipients] in the config",
                shell_quoted(first)
            );
            tell(Diagnostic::error("sheet-unclear", message).help(help), options, findings);
            return None;
        }
    };
    note(&sheets, chosen, certain, options, findings);
    Some(sheets.swap_remove(chosen))
}

fn asked_for(mut sheets: Vec<RawSheet>, wanted: &str, options: &Options, findings: &mut Findings) -> Option<RawSheet> {
    let exact = sheets.iter().position(|sheet| sheet.name == wanted);
    let found = exact.or_else(|| sheets.iter().position(|sheet| fold(&sheet.name) == fold(wanted)));
    let Some(found) = found else {
        let names: Vec<String> = sheets.iter().map(quoted).collect();
        let message = format!("{} has no sheet \"{wanted}\"", options.file);
        let help = format!("there are {}", listed(&names));
        tell(Diagnostic::error("sheet-missing", message).help(help), options, findings);
        return None;
    };
    Some(sheets.swap_remove(found))
}

fn nothing(sheets: &[RawSheet], options: &Options, findings: &mut Findings) -> Option<RawSheet> {
    let hidden: Vec<String> =
        sheets.iter().filter(|sheet| !sheet.visible && !sheet.cells.is_empty()).map(quoted).collect();
    let diagnostic = if hidden.is_empty() {
        Diagnostic::error("file-empty", format!("{} has nothing in any sheet", options.file))
            .help("the first row has the headers, such as state, to, language; then one row a mission")
    } else {
        let message = format!("{} has nothing in a visible sheet; hidden: {}", options.file, listed(&hidden));
        Diagnostic::error("sheet-hidden", message)
            .help("show the sheet in a spreadsheet program, or name it with --sheet")
    };
    tell(diagnostic, options, findings);
    None
}

/// Says which sheet was taken where there are others.
fn note(sheets: &[RawSheet], chosen: usize, certain: bool, options: &Options, findings: &mut Findings) {
    let others: Vec<String> = sheets
        .iter()
        .enumerate()
        .filter(|(at, sheet)| *at != chosen && !sheet.cells.is_empty())
        .map(|(_, sheet)| if sheet.visible { quoted(sheet) } else { format!("{} (hidden)", quoted(sheet)) })
        .collect();
    if others.is_empty() {
        return;
    }
    let why = if certain { "it alone has a column of addresses" } else { "it alone is visible" };
    let message = format!("sheet {} is read, since {why}; not read: {}", quoted(&sheets[chosen]), listed(&others));
    tell(Diagnostic::note("sheet-taken", message).help("--sheet NAME reads another"), options, findings);
}

fn has_addresses(sheet: &RawSheet, options: &Options) -> bool {
    let (mut row, mut rows, mut cells) = (None, 0, Vec::new());
    for ((at, _), cell) in &sheet.cells {
        if row != Some(*at) {
            if is_header(&cells, options) {
                return true;
            }
            cells.clear();
            rows += 1;
            row = Some(*at);
        }
        if rows > LOOKED_AT {
            return false;
        }
        cells.push(cell.text.as_str());
    }
    is_header(&cells, options)
}

fn quoted(sheet: &RawSheet) -> String {
    format!("\"{}\"", sheet.name)
}

/// A name as it can be typed in a shell.
fn shell_quoted(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
