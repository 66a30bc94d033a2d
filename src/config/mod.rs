//! The config file → settings, with every problem at its place.
