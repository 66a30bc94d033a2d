//! Two texts as one, with what was taken out and what was put in, as HTML.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use crate::domain::markup::escape;

/// The paragraphs that differ, each with `del` and `ins` marks; those that stayed are left out. Empty if none differs.
/// How a paragraph is broken into lines does not matter.
pub(super) fn marked(before: &str, after: &str) -> String {
    let (before, after) = (paragraphs(before), paragraphs(after));
    let mut html = String::new();
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new) = (&before[op.old_range()], &after[op.new_range()]);
        // A paragraph that is put in or taken out is told by what stands before it.
        if (old.is_empty() || new.is_empty())
            && let Some(neighbour) = op.new_range().start.checked_sub(1).and_then(|at| after.get(at))
        {
            html.push_str("<p dir=\"auto\" class=\"quiet\">");
            html.push_str(&escape(neighbour));
            html.push_str("</p>\n");
        }
        for at in 0..old.len().max(new.len()) {
            let empty = String::new();
            html.push_str("<p dir=\"auto\">");
            html.push_str(&words(old.get(at).unwrap_or(&empty), new.get(at).unwrap_or(&empty)));
            html.push_str("</p>\n");
        }
    }
    html
}

/// A number that stands for what such HTML marks as taken out and put in, whatever stays around it.
pub(super) fn delta(html: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for tag in [ChangeTag::Delete, ChangeTag::Insert] {
        for part in html.split(start(tag)).skip(1) {
            (start(tag), part.split('<').next().unwrap_or_default()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// One line or paragraph against another, word by word.
pub(super) fn words(before: &str, after: &str) -> String {
    let mut how = TextDiff::configure();
    let how = how.algorithm(Algorithm::Myers);
    // Chinese has no blanks between words.
    let has_words = |text: &str| text.len() < 60 || text.contains(' ');
    let diff = if has_words(before) && has_words(after) {
        how.diff_words(before, after)
    } else {
        how.diff_chars(before, after)
    };
    let mut html = String::new();
    let mut open = ChangeTag::Equal;
    for change in diff.iter_all_changes() {
        if change.tag() != open {
            html.push_str(end(open));
            if open != ChangeTag::Equal && change.tag() != ChangeTag::Equal {
                html.push(' ');
            }
            open = change.tag();
            html.push_str(start(open));
        }
        html.push_str(&escape(change.value()));
    }
    html.push_str(end(open));
    html
}

/// One text and the other, each as a whole: two languages have no words to compare.
pub(super) fn whole(before: &str, after: &str) -> String {
    let mark = |tag, text: &str| {
        if text.is_empty() { String::new() } else { format!("{}{}{}", start(tag), escape(text), end(tag)) }
    };
    let (old, new) = (mark(ChangeTag::Delete, before), mark(ChangeTag::Insert, after));
    if old.is_empty() || new.is_empty() { old + &new } else { format!("{old} {new}") }
}

/// Colours tell the two apart for the eye; what is copied, read aloud or printed has the words, which are out of sight.
fn start(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "<del><span class=\"unseen\">[was: </span>",
        ChangeTag::Insert => "<ins><span class=\"unseen\">[now: </span>",
    }
}

fn end(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "<span class=\"unseen\">]</span></del>",
        ChangeTag::Insert => "<span class=\"unseen\">]</span></ins>",
    }
}

/// The paragraphs of a plain text, each on one line.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match paragraphs.last_mut() {
            _ if words.is_empty() => paragraphs.push(String::new()),
            Some(last) if !last.is_empty() => {
                last.push(' ');
                last.push_str(&words);
            }
            Some(last) => *last = words,
            None => {}
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_and_line_ends_are_no_difference() {
        let before = "Excellency,\n\nWe write to the Permanent Mission of\nKenya today.\n\nYours";
        let after = "Excellency,\n\nWe write to the Permanent Mission of Kenya\nnow.\n\nYours";
        assert_eq!(
            marked(before, after),
            "<p dir=\"auto\">We write to the Permanent Mission of Kenya \
             <del><span class=\"unseen\">[was: </span>today.<span class=\"unseen\">]</span></del> \
             <ins><span class=\"unseen\">[now: </span>now.<span class=\"unseen\">]</span></ins></p>\n"
        );
        assert_eq!(marked(before, &before.replace('\n', "\r\n")), "");
    }

    #[test]
    fn a_text_that_holds_markup_becomes_none() {
        let html = marked("<del>a", "<script>alert(1)</script>");
        assert!(!html.contains("<script") && html.matches("<del>").count() == 1, "{html}");
    }
}
