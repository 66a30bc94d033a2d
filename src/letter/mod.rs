//! Templates and row → subject, text and HTML.
