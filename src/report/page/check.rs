//! How to check this page: what it proves by itself, what does prove, and how that is looked at.

use super::super::dossier::Dossier;
use super::super::versions::versions;
use super::approvals::version_of;
use crate::domain::digest::Digest;

/// In words for whoever was handed the page.
pub(super) fn section(dossier: &Dossier) -> String {
    let which = fingerprints(dossier);
    format!(
        "<p><strong>This page alone proves nothing:</strong> whoever has the file can write another word into it. What can be checked is the \
         evidence pack that belongs to it, one file whose name ends in <code>.zip</code>. It holds every message byte for byte as it was \
         handed over, every answer of a server, the approvals, the rounds, and a copy of a page like this one.</p>\n\
         <ol>\n<li>Ask whoever sent the letters for the pack, and for its <em>manifest digest</em>: 64 digits and letters that the program shows when it \
         makes the pack (<code>demarche report --pack evidence.zip</code>). Have the digest told to you by another way than the pack came, \
         by telephone for instance: who changes a pack in a mail can change the digest in the same mail.</li>\n\
         <li>With the program <code>demarche</code>, on any computer and without a network:<br>\
         <code>demarche report --verify evidence.zip</code> <code>--expect DIGEST</code></li>\n\
         <li>If nothing was altered and the digest is the one that you were told, it prints “is in order”, how many messages are as they are \
         on record, {which}, and who approved each round. Otherwise it prints “WRONG” and what \
         differs. Then compare this page with <code>report.html</code> in the pack.</li>\n</ol>\n"
    )
}

/// The fingerprint of every version that letters went under; before any did, of the letters as they stand.
fn fingerprints(dossier: &Dossier) -> String {
    let went_under =
        |digest: &Digest| dossier.facts.runs.iter().any(|run| run.attempts > 0 && run.began.digest == Some(*digest));
    let mut sent: Vec<Digest> = versions(&dossier.facts).into_iter().filter(went_under).collect();
    if sent.is_empty() {
        sent.push(dossier.facts.digest);
    }
    let one = |digest: &Digest| {
        format!("{} (<span class=\"digest\">{}…</span>)", version_of(dossier, *digest), &digest.to_string()[..8])
    };
    let all: Vec<String> = sent.iter().map(one).collect();
    let what =
        if all.len() == 1 { "the fingerprint" } else { "the fingerprint of every version that letters went under:" };
    let of = if all.len() == 1 { " of" } else { "" };
    format!("{what}{of} {}", all.join(" and "))
}
