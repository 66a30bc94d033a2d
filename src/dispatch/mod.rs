//! The run: claims letters, paces them, hands them over, records what became of each.
