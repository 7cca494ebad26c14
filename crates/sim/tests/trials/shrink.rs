//! The smallest part of a trial that still fails.

use crate::plan::Plan;

/// The shortest prefix of the acts that still fails, and of that every act left out that does not matter.
pub(crate) fn shrink(mut plan: Plan) -> Plan {
    for length in 0..plan.acts.len() {
        let mut shorter = plan.clone();
        shorter.acts.truncate(length);
        if !shorter.begin().run() {
            plan = shorter;
            break;
        }
    }
    let mut at = 0;
    while at < plan.acts.len() {
        let mut without = plan.clone();
        without.acts.remove(at);
        if without.begin().run() {
            at += 1;
        } else {
            plan = without;
        }
    }
    plan
}
