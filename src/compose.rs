//! Letter, recipient and stamp → message: pure.
