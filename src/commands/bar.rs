//! The lines in which progress is drawn, and the terminal under them.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::Screen;

/// Columns at the right that stay empty: a Ctrl-C is echoed there as `^C`. In the next line it would move the bar, which then
/// could not be taken away any more.
const FREE: u16 = 5;

/// A bar for so many letters, drawn on standard error.
pub(super) fn progress_bar(screen: &Screen, letters: u64) -> ProgressBar {
    let terminal = Narrow { under: Term::stderr(), pieces: AtomicUsize::new(0) };
    let bar = bar_on(terminal, letters, if screen.message_style().unicode { "━━─" } else { "=>." });
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// How many columns the lines below a bar may take.
pub(super) fn columns() -> usize {
    usize::from(Term::stderr().size().1.saturating_sub(FREE))
}

fn bar_on(terminal: Narrow<impl TermLike + 'static>, letters: u64, characters: &str) -> ProgressBar {
    let template = if terminal.width() < 75 { "{bar:10} {pos}/{len}  " } else { "{bar:20} {pos}/{len}  " };
    let bar = ProgressBar::with_draw_target(Some(letters), ProgressDrawTarget::term_like(Box::new(terminal)));
    if let Ok(style) = ProgressStyle::with_template(&format!("{template}{{wide_msg}}\n{{prefix}}")) {
        bar.set_style(style.progress_chars(characters));
    }
    bar
}

/// A terminal as if it were a little narrower. Since `indicatif` fills each line to its end instead of ending it, and so counts
/// on the margin, the lines are ended here.
#[derive(Debug)]
struct Narrow<T> {
    under: T,
    /// What was written of the lines of one drawing: each has a text and a filling.
    pieces: AtomicUsize,
}

impl<T: TermLike> TermLike for Narrow<T> {
    fn width(&self) -> u16 {
        self.under.width().saturating_sub(FREE).max(1)
    }

    fn height(&self) -> u16 {
        self.under.height()
    }

    /// Every drawing begins with this, if only by no line.
    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.pieces.store(0, Ordering::Relaxed);
        self.under.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.under.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.under.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.under.move_cursor_left(columns)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.under.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text != "\r" {
            let before = self.pieces.fetch_add(1, Ordering::Relaxed);
            if before > 0 && before.is_multiple_of(2) {
                self.under.write_str("\n")?;
            }
        }
        self.under.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.under.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.under.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is written.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn note(&self, text: &str) {
            self.0.lock().expect("whole").push_str(text);
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            60
        }
        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.note(&format!("<up {lines}>"));
            Ok(())
        }
        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.note(&format!("<down {lines}>"));
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.note(&format!("{line}\n"));
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>");
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_has_two_lines_that_leave_room_for_the_echo_of_ctrl_c() {
        let paper = Paper::default();
        let terminal = Narrow { under: paper.clone(), pieces: AtomicUsize::new(0) };
        let bar = bar_on(terminal, 193, "=>.");
        bar.set_prefix("3 accepted");
        bar.set_message("30/min");
        bar.tick();
        let drawn = paper.0.lock().expect("whole").clone();
        let last = drawn.rsplit("<up").next().and_then(|drawn| drawn.split_once('>')).map_or("", |(_, drawn)| drawn);
        let lines: Vec<&str> = last.trim_start_matches('\r').split('\n').collect();
        assert_eq!(lines.len(), 2, "{drawn:?}");
        assert!(lines[0].starts_with("=>") || lines[0].starts_with(".."), "{drawn:?}");
        assert!(lines[0].contains("0/193  30/min") && lines[1].starts_with("3 accepted"), "{drawn:?}");
        assert!(lines.iter().all(|line| line.len() == 55), "{drawn:?}");
    }
}
