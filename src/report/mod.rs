//! What became of the batch: tables, JSON, CSV.
