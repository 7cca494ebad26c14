//! `authentication` and `auth_hmac`.

use super::{Keyword, built, choice, grammar, integer, whole_seconds, word};

/// `authentication`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const AUTHENTICATION: &[Keyword] = &[
    built("auth_type", choice(&["PASS", "AH"]))
        .such_as("auth_type PASS")
        .doc("Chooses plain password or IPsec AH authentication. AH is IPv4 only."),
    built("auth_pass", word("STRING")).secret().required()
        .such_as("auth_pass c0rrectH")
        .doc("Sets the shared password. First 8 bytes used."),
];

/// `auth_hmac`.
#[rustfmt::skip] // A table reads best with its status in one column.
pub(super) const HMAC: &[Keyword] = &[
    built("key", grammar("ID 1..255 VALUE; VALUE is text, hex:DIGITS or file:PATH giving 32..64 bytes")).secret()
        .required().since("2.4.0")
        .such_as("key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        .doc("Defines one signing key. May repeat with different ids. A file is read at start and at each reload, and must not be accessible to others."),
    built("active_key", integer(1..=255)).required().since("2.4.0")
        .such_as("active_key 1")
        .doc("Chooses the key used for sending."),
    built("time_window", whole_seconds(1..=300)).or("3 times advert_int, limited to 5..300").since("2.4.0")
        .doc("Sets how old an advert may be. Time mode only."),
    built("anti_replay", choice(&["time", "monotonic"])).or("time").since("2.4.0")
        .doc("Chooses clock based or sequence based replay protection."),
    built("mode", choice(&["enforce", "permissive", "receive-only"])).or("enforce").since("2.4.0")
        .doc("Chooses whether unsigned adverts are accepted and whether own adverts are signed. Strict mode forces enforce."),
];
