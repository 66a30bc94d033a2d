//! Scripted servers over a pipe.
