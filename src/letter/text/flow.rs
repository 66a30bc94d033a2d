//! From the lines of a block to lines of the text: what stands before them, and which of them go on in the next.

use super::{Level, Writer};

impl Writer {
    pub(super) fn lines(&mut self, lines: &[(String, bool)]) {
        if self.gap && !self.out.is_empty() {
            let before = self.prefix(false, self.shared);
            self.line(&before, "", false);
        }
        let flows = self.flowed && self.can_flow();
        let mut goes_on = false;
        for (line, soft) in lines {
            let depth = if goes_on { self.quotes() } else { self.levels.len() };
            let before = self.prefix(true, depth);
            self.line(&before, line, flows && *soft);
            goes_on = flows && *soft;
        }
        self.shared = self.levels.len();
    }

    /// Quote marks have to begin a line to be any: a quote within an item cannot flow.
    fn can_flow(&self) -> bool {
        self.levels.iter().skip(self.quotes()).all(|level| matches!(level, Level::Item { .. }))
    }

    /// How many quotes there are before the first item.
    fn quotes(&self) -> usize {
        self.levels.iter().take_while(|level| matches!(level, Level::Quote)).count()
    }

    pub(super) fn leave(&mut self) {
        self.levels.pop();
        self.shared = self.shared.min(self.levels.len());
    }

    fn line(&mut self, before: &str, text: &str, soft: bool) {
        let quotes = before.len() - before.trim_start_matches('>').len();
        let is_blank = before[quotes..].trim().is_empty() && text.trim().is_empty();
        let begins_like_a_mark = |line: &str| [" ", ">", "From "].iter().any(|mark| line.starts_with(mark));
        // RFC 3676 §4.4. Behind quote marks stands the blank of the prefix.
        if self.flowed && quotes == 0 && !is_blank && begins_like_a_mark(if before.is_empty() { text } else { before })
        {
            self.out.push(' ');
        }
        self.out.push_str(before);
        self.out.push_str(text);
        self.out.truncate(self.out.trim_end_matches([' ', '\t']).len());
        if soft {
            self.out.push(' ');
        }
        self.out.push('\n');
    }

    /// What the first `depth` levels put before a line; `text` if the line has text, which uses up the markers.
    fn prefix(&mut self, text: bool, depth: usize) -> String {
        let mut before = String::new();
        let quotes = if self.flowed { self.quotes().min(depth) } else { 0 };
        if quotes > 0 {
            before.extend(std::iter::repeat_n('>', quotes));
            before.push(' ');
        }
        for level in self.levels.iter_mut().take(depth).skip(quotes) {
            match level {
                Level::Quote => before.push_str("> "),
                Level::Item { marker, used } if text && !*used => {
                    before.push_str(marker);
                    *used = true;
                }
                Level::Item { marker, .. } => before.extend(std::iter::repeat_n(' ', marker.len())),
            }
        }
        before
    }
}
