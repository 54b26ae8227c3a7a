//! Checked-in tables.
