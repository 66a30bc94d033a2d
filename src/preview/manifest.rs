//! What a preview leaves for the next one: the digest of every letter of the batch, and what stood in those that it showed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::item::{Earlier, Item, Page, Standing};
use super::{letter_page, page_name};
use crate::domain::digest::Digest;

/// The file that holds it.
pub(super) const MANIFEST: &str = "manifest.json";
/// The largest manifest and page read back, in octets.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The most letters whose earlier text is read back: nobody reads more of them, and the memory is needed.
const TEXTS: usize = 2_000;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    campaign: String,
    digest: String,
    generated: String,
    digests: BTreeMap<String, String>,
    letters: BTreeMap<String, Vec<(String, String)>>,
}

/// An earlier preview in the same folder.
#[derive(Debug)]
pub(super) struct Before {
    /// When it was made.
    pub(super) generated: String,
    /// How many letters of all of the batch are other ones.
    pub(super) changed: usize,
    /// How many of them were not there.
    pub(super) new: usize,
    /// The ids that are not in the batch any more.
    pub(super) gone: Vec<String>,
    digests: HashMap<String, Digest>,
    earlier: HashMap<String, Earlier>,
}

impl Before {
    /// Reads what is in the folder before it is cleared; `None` if there is no finished preview. `planned` is every
    /// letter of the batch now.
    pub(super) fn read(folder: &Path, planned: &[(String, Digest)]) -> Option<Self> {
        let mut stored: Stored = serde_json::from_str(&small_file(&folder.join(MANIFEST))?).ok()?;
        let digests: HashMap<String, Digest> =
            stored.digests.iter().filter_map(|(id, digest)| Some((id.clone(), digest.parse().ok()?))).collect();
        let now: HashMap<&str, Digest> = planned.iter().map(|(id, digest)| (id.as_str(), *digest)).collect();
        let gone = stored.digests.keys().filter(|id| !now.contains_key(id.as_str())).cloned().collect();
        let mut earlier = HashMap::new();
        let (mut changed, mut new) = (0, 0);
        for (id, digest) in planned {
            match digests.get(id) {
                Some(before) if before == digest => continue,
                None => {
                    new += 1;
                    continue;
                }
                Some(_) if earlier.len() < TEXTS => {
                    let fields = stored.letters.remove(id).unwrap_or_default();
                    // Only for pages that the preview says it made: the id is a row's, so it cannot leave the folder.
                    let page = (!fields.is_empty()).then(|| small_file(&folder.join(page_name(id)))).flatten();
                    let text = page.as_deref().and_then(letter_page::text_of);
                    earlier.insert(id.clone(), Earlier { fields, text });
                }
                Some(_) => {}
            }
            changed += 1;
        }
        Some(Self { generated: stored.generated, changed, new, gone, digests, earlier })
    }

    /// A letter against the one of the earlier preview.
    pub(super) fn standing(&mut self, id: &str, digest: Digest) -> Standing {
        match self.digests.get(id) {
            None => Standing::New,
            Some(before) if *before == digest => Standing::Same,
            Some(_) => Standing::Changed(Box::new(self.earlier.remove(id).unwrap_or_default())),
        }
    }
}

/// The manifest of a finished preview.
pub(super) fn manifest(items: &[Item], planned: &[(String, Digest)], page: &Page) -> Vec<u8> {
    let stored = Stored {
        campaign: page.campaign.clone(),
        digest: page.digest.to_string(),
        generated: page.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        digests: planned.iter().map(|(id, digest)| (id.clone(), digest.to_string())).collect(),
        letters: items.iter().map(|item| (item.id.clone(), letter_page::fields_of(item))).collect(),
    };
    let mut json = serde_json::to_vec(&stored).unwrap_or_default();
    json.push(b'\n');
    json
}

/// The text of a file that is no link, no device and not absurdly large.
fn small_file(path: &Path) -> Option<String> {
    let facts = std::fs::symlink_metadata(path).ok()?;
    (facts.is_file() && facts.len() <= LARGEST).then(|| std::fs::read_to_string(path).ok()).flatten()
}
