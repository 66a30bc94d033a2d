//! HTML as text: how every page that demarche writes is escaped, and the policy under which it opens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::Digest;

/// The content security policy of every page: nothing is loaded, nothing runs, nothing is submitted; styles stand in the
/// page itself. A letter shown in an `iframe srcdoc` inherits it.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data: cid:; frame-src 'self'; \
                          base-uri 'none'; form-action 'none'";

/// Escapes `text` for HTML content and for quoted attribute values. Control characters other than tab and line ends are
/// shown (`\u{1b}`), since HTML has no place for them.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            c if c.is_control() => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A whole page: `title` is text, `style` and `body` are CSS and HTML as they are.
#[must_use]
pub fn document(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// A whole page whose policy lets in nothing but `style`, by its digest: no image, no frame, no other style, no script.
#[must_use]
pub fn sealed_document(title: &str, style: &str, body: &str) -> String {
    let hash = STANDARD.encode(Digest::of(style.as_bytes()).as_bytes());
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    // Nothing may stand between the tags but what was hashed.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_an_element_or_an_attribute() {
        assert_eq!(escape("<a b=\"c\" d='e'>&\u{1b}\n"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\\u{1b}\n");
    }

    proptest::proptest! {
        #[test]
        fn what_is_escaped_holds_no_markup(text in "(?s).{0,200}") {
            let escaped = escape(&text);
            proptest::prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        }
    }
}
