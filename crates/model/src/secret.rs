//! Passwords and keys.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that never prints.
///
/// Serialised it is `{"secret": VALUE}`, for the workers need it; whoever shows a serialised configuration to people
/// replaces each such object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Secret<T> {
    secret: T,
}

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self { secret: value }
    }

    /// The value, for the code that uses it.
    pub const fn reveal(&self) -> &T {
        &self.secret
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_print_and_serialises_so_that_it_can_be_found() {
        let secret = Secret::new("open sesame".to_owned());
        assert!(!format!("{secret:?}").contains("sesame"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#"{"secret":"open sesame"}"#);
    }
}
