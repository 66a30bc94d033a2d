//! The skeleton of every page of a preview, and the policy under which it opens.
//!
//! Nothing is loaded from anywhere. What runs is one script of ours, named in the policy by its hash: a script that a
//! value smuggled in would have another one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::domain::markup::escape;

/// The styles of all pages.
const STYLE: &str = include_str!("pages/style.css");

/// One page, its values escaped already.
pub(super) struct Document<'a> {
    /// Text.
    pub(super) title: &'a str,
    /// The class of the body.
    pub(super) class: &'a str,
    /// JavaScript of ours; nothing that was read from anywhere.
    pub(super) script: &'a str,
    /// True for pages that frame a letter: the letter inherits the policy, and mail is styled inline.
    pub(super) frames_letter: bool,
    /// HTML.
    pub(super) body: &'a str,
}

impl Document<'_> {
    /// The whole page.
    pub(super) fn html(&self) -> String {
        let mut html = self.head();
        html.push_str(self.body);
        html.push_str(&self.end());
        html
    }

    /// What stands before the body's content.
    pub(super) fn head(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body class=\"{}\">\n",
            self.policy(),
            escape(self.title),
            self.class,
        )
    }

    /// What stands behind it.
    pub(super) fn end(&self) -> String {
        format!("<script>{}</script>\n</body>\n</html>\n", self.script)
    }

    fn policy(&self) -> String {
        // A framed page may not be told by its parent's frame-src where it goes, so a letter's links lead nowhere.
        let (style, frames, images) = if self.frames_letter {
            ("'unsafe-inline'".to_owned(), "'none'", "img-src data: cid:; ")
        } else {
            (hash(STYLE), "'self'", "")
        };
        format!(
            "default-src 'none'; script-src {}; style-src {style}; {images}frame-src {frames}; base-uri 'none'; form-action 'none'",
            hash(self.script)
        )
    }
}

/// A source of the policy: what has this hash, and nothing else.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that may stand in a `script` element: nothing in it can end the element or begin a comment.
pub(super) fn embedded(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_in_embedded_json_ends_its_script() {
        let value = serde_json::json!(["</script><script>alert(1)</script>", "<!--", "]]>", "&amp;"]);
        let text = embedded(&value);
        assert!(!text.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("still JSON"), value);
    }

    #[test]
    fn a_page_names_its_script_and_styles_by_hash_and_loads_nothing() {
        let page = Document { title: "<a>", class: "list", script: "1", frames_letter: false, body: "" }.html();
        assert!(page.contains("default-src 'none'; script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=';"));
        assert!(page.contains("style-src 'sha256-") && page.contains("<title>&lt;a&gt;</title>"));
        assert!(!page.contains("unsafe"));
    }
}
