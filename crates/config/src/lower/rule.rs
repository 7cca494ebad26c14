//! Entries of `static_rules` and `virtual_rules`.
