//! Entries of `static_routes` and `virtual_routes`.
