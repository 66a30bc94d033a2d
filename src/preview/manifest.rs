//! What a preview leaves for the next one: the digest of every letter of the batch, what stood in those that it showed, and
//! what went with them.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::files::Attached;
use super::item::{Item, Page};
use super::letter_page;
use crate::domain::digest::Digest;

/// The file that holds it.
pub(super) const MANIFEST: &str = "manifest.json";

/// Members of an object, one at a time: those of a large batch are not held as text.
struct Map<F>(F);

impl<K: Serialize, V: Serialize, I: Iterator<Item = (K, V)>, F: Fn() -> I> Serialize for Map<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0() {
            map.serialize_entry(&key, &value)?;
        }
        map.end()
    }
}

/// Writes the manifest of a preview: an object of
///
/// - `campaign`, `digest` (of the batch), `generated`;
/// - `digests`: the digest of each letter by its id, shown or not;
/// - `letters`: of each letter shown, `[label, value]` of what stands in it;
/// - `files`, if anything goes with them: `[name, SHA-256, octets]` of each;
/// - `attached`: the places in `files` of what goes with each letter, pictures included.
pub(super) fn write(out: &mut impl Write, items: &[Item], planned: &[(String, Digest)], page: &Page) -> io::Result<()> {
    let mut by_id: Vec<&(String, Digest)> = planned.iter().collect();
    by_id.sort_unstable();
    let mut shown: Vec<&Item> = items.iter().collect();
    shown.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let mut files: Vec<&Attached> = Vec::new();
    let mut places: HashMap<*const Attached, usize> = HashMap::new();
    for file in shown.iter().flat_map(|item| with(item)) {
        places.entry(Arc::as_ptr(file)).or_insert_with(|| {
            files.push(file);
            files.len() - 1
        });
    }
    let mut json = serde_json::Serializer::new(&mut *out);
    let mut map = json.serialize_map(None)?;
    map.serialize_entry("campaign", &page.campaign)?;
    map.serialize_entry("digest", &page.digest)?;
    map.serialize_entry("generated", &page.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())?;
    map.serialize_entry("digests", &Map(|| by_id.iter().map(|(id, digest)| (id, digest))))?;
    map.serialize_entry("letters", &Map(|| shown.iter().map(|item| (&item.id, letter_page::fields_of(item)))))?;
    if !files.is_empty() {
        let told: Vec<_> = files.iter().map(|file| (&file.name, file.digest, file.bytes)).collect();
        map.serialize_entry("files", &told)?;
        let of = |item: &&Item| with(item).map(|file| places[&Arc::as_ptr(file)]).collect::<Vec<_>>();
        let attached = || shown.iter().map(|item| (&item.id, of(item))).filter(|(_, places)| !places.is_empty());
        map.serialize_entry("attached", &Map(attached))?;
    }
    map.end()?;
    out.write_all(b"\n")
}

/// What goes with a letter.
pub(super) fn with(item: &Item) -> impl Iterator<Item = &Arc<Attached>> {
    item.attachments.iter().chain(&item.pictures)
}
