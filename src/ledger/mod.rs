//! The record of every delivery and attempt, durable before it is believed.
