//! What virtual routers have counted.

use super::Scene;
use super::page::Page;
use crate::snapshot::Counters;

pub(super) fn write(scene: &Scene<'_>, page: &mut Page) {
    for instance in &scene.config.vrrp.instances {
        page.line(0, format_args!("VRRP Instance: {}", instance.name));
        write_counters(&scene.told(instance).counters, page);
    }
}

fn write_counters(counters: &Counters, page: &mut Page) {
    page.line(2, "Advertisements:");
    page.line(4, format_args!("Received: {}", counters.received));
    page.line(4, format_args!("Sent: {}", counters.sent));
    page.line(2, format_args!("Became master: {}", counters.became_master));
    page.line(2, format_args!("Released master: {}", counters.released));
    page.line(2, "Packet Errors:");
    page.line(4, format_args!("Length: {}", counters.bad_length));
    page.line(4, format_args!("TTL: {}", counters.bad_ttl));
    page.line(4, format_args!("Invalid Type: {}", counters.bad_type));
    page.line(4, format_args!("Advertisement Interval: {}", counters.bad_interval));
    page.line(4, format_args!("Address List: {}", counters.bad_addresses));
    page.line(2, "Authentication Errors:");
    page.line(4, format_args!("Invalid Type: {}", counters.bad_auth_type));
    page.line(4, format_args!("Type Mismatch: {}", counters.other_auth_type));
    page.line(4, format_args!("Failure: {}", counters.auth_failure));
    page.line(2, "Priority Zero:");
    page.line(4, format_args!("Received: {}", counters.release_received));
    page.line(4, format_args!("Sent: {}", counters.release_sent));
}
