//! The effective priority.

use model::Priority;

/// The base priority with what tracked things add, kept within 1..=254.
///
/// The owner of the addresses stays at 255 whatever is tracked: a change would make it no owner
/// (RFC 9568 §5.2.4).
pub(crate) fn effective(base: Priority, changes: impl Iterator<Item = i16>) -> Priority {
    if base == Priority::OWNER {
        return base;
    }
    let within =
        total(base, changes).clamp(i32::from(Priority::LEAST.get()), i32::from(Priority::MOST.get()));
    Priority(u8::try_from(within).unwrap_or_else(|_| base.get()))
}

/// The same without bounds.
pub(crate) fn total(base: Priority, changes: impl Iterator<Item = i16>) -> i32 {
    let sum = || changes.map(i32::from).sum::<i32>();
    i32::from(base.get()) + if base == Priority::OWNER { 0 } else { sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_stays_within_1_and_254() {
        let of = |base, changes: &[i16]| effective(Priority(base), changes.iter().copied()).get();
        assert_eq!(of(91, &[2]), 93);
        assert_eq!(of(101, &[-5]), 96);
        assert_eq!(of(3, &[-253]), 1);
        assert_eq!(of(200, &[253, 253]), 254);
        assert_eq!(of(200, &[253, -253]), 200, "clamped once, at the end");
        for base in 1..=254 {
            for change in -253..=253 {
                assert!((1..=254).contains(&of(base, &[change])));
            }
        }
    }

    #[test]
    fn an_owner_stays_owner() {
        assert_eq!(effective(Priority::OWNER, [-100].into_iter()), Priority::OWNER);
    }
}
