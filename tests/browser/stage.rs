//! The campaign whose preview is looked at: every Member State, six languages, and one of each thing a preview marks.

use std::path::PathBuf;

use crate::driver::Browser;
use crate::support::campaign::Campaign;

const LANGUAGES: [(&str, &str); 9] = [
    ("Egypt", "ar"),
    ("Jordan", "ar"),
    ("Mexico", "es"),
    ("Peru", "es"),
    ("France", "fr"),
    ("Senegal", "fr"),
    ("Mali", "fr"),
    ("Belarus", "ru"),
    ("China", "zh"),
];

/// A campaign in `open-letter`, as `init` writes it: Kenya has a copy and an attachment of its own, Fiji's post is vacant,
/// Chad has a chargé d'affaires, Malta wants no letters, Tuvalu has no row, Albania was last verified long ago.
pub(crate) fn campaign() -> Campaign {
    let campaign = Campaign::new();
    campaign.run(&["init", "open-letter"]).expect_code(0);
    let shipped = campaign.read("open-letter/recipients.csv");
    let mut csv = String::from("state,to,language,rank,name,verified_on,cc,attachment\n");
    for line in shipped.lines().skip(1).filter(|line| !line.starts_with("Tuvalu,")) {
        let (state, to) = cells(line);
        let language = LANGUAGES.iter().find(|(name, _)| *name == state).map_or("", |(_, language)| language);
        let rest = match state {
            "Kenya" => ",,,registry.ken@missions.example,annex.pdf",
            "Fiji" => "vacant,,,,",
            "Chad" => "charge-d-affaires,,,,",
            "Albania" => ",,2019-01-01,,",
            _ => ",,,,",
        };
        let state = if state.contains(',') { format!("\"{state}\"") } else { state.to_owned() };
        csv.push_str(&format!("{state},{to},{language},{rest}\n"));
    }
    campaign
        .file("open-letter/recipients.csv", csv)
        .file("open-letter/suppressed.csv", "address,reason\nmlt@missions.example,asked not to be written to\n")
        .file("open-letter/annex.pdf", "%PDF-1.4\n%%EOF\n")
}

/// State and address of a line of the shipped file.
fn cells(line: &str) -> (&str, &str) {
    let quoted = line.strip_prefix('"').and_then(|rest| rest.split_once("\","));
    let (state, rest) = quoted.or_else(|| line.split_once(',')).expect("two cells");
    (state, rest.split(',').next().unwrap_or_default())
}

/// Makes the preview; gives its folder.
pub(crate) fn preview(campaign: &Campaign) -> PathBuf {
    campaign.run(&["--config", "open-letter/config.toml", "preview"]).expect_code(0);
    campaign.path("open-letter/preview")
}

/// A browser before the list of a new preview.
pub(crate) fn browser_at_the_list(campaign: &Campaign) -> Browser {
    let folder = preview(campaign);
    let browser = Browser::start();
    browser.open(&folder.join("index.html"), "");
    browser
}
