//! One SMTP session (RFC 5321), with the phase in every outcome.
