//! `Global definitions`.

use std::fmt;

use model::{
    Buffer, DynamicInterfaces, Flush, Global, Namespace, ReceiveBuffers, ReloadFile, Worker, Workers,
};

use super::page::{Page, enabled, micros, on, seconds};
use super::{Scene, Whose};

/// Each line of it, as the process `whose` dump it is shows it.
pub(super) fn write(scene: &Scene<'_>, whose: Whose, page: &mut Page) {
    page.title("Global definitions");
    let global = &scene.config.global;
    names(scene, page);
    mail(scene, page);
    reload(scene, page);
    if whose == Whose::Supervisor {
        lifecycle(scene, page);
    }
    interfaces(global, whose, page);
    fifos(scene, page);
    routers(global, page);
    filter(global, page);
    workers(&global.workers, page);
    agents(global, page);
    page.line(1, format_args!("Script security {}", enabled(global.script_security)));
    let user = scene.users.numbers(&model::vrrp::RunAs::Default);
    page.line(1, format_args!("Default script uid:gid {user}"));
    buffers(global, page);
    last(global, whose, page);
}

fn names(scene: &Scene<'_>, page: &mut Page) {
    let (global, process) = (&scene.config.global, &scene.config.process);
    if let Some(folder) = &global.files.save_directory {
        page.line(1, format_args!("Config save dir = {folder}"));
    }
    let name = |namespace: &Namespace, own: &str| match namespace {
        Namespace::Own => own.to_owned(),
        Namespace::Named(name) => name.clone(),
    };
    let network = scene.namespace.map_or_else(|| name(&process.net_namespace, "(default)"), str::to_owned);
    page.line(1, format_args!("Network namespace = {network}"));
    page.line(
        1,
        format_args!("Network namespace ipvs = {}", name(&process.ipvs_namespace, "(main namespace)")),
    );
    let mut named = |what: &str, name: &Option<String>| {
        if let Some(name) = name {
            page.line(1, format_args!("{what} name = {name}"));
        }
    };
    named("Instance", &process.instance);
    named("Parent process", &global.workers.supervisor_name);
    named("VRRP process", &global.workers.vrrp.name);
    named("LVS process", &global.workers.checker.name);
    named("BFD process", &global.workers.bfd.name);
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    page.line(1, format_args!("Router ID = {}", global.router_id.clone().unwrap_or_else(host)));
}

fn mail(scene: &Scene<'_>, page: &mut Page) {
    let (mail, defaults) = (&scene.config.global.mail, &scene.config.global.defaults);
    if let Some(server) = &mail.server {
        page.line(1, format_args!("Smtp server = {}", server.host));
        page.line(1, format_args!("Smtp server port = {}", server.port));
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        page.line(1, format_args!("Smtp HELO name = {}", mail.helo.clone().unwrap_or_else(host)));
        page.line(1, format_args!("Smtp server connection timeout = {}", mail.connect_timeout.as_secs()));
    }
    if let Some(from) = &mail.from {
        page.line(1, format_args!("Email notification from = {from}"));
    }
    if !mail.to.is_empty() {
        page.line(1, "Email notification to:");
        mail.to.iter().for_each(|to| page.line(3, to));
    }
    let setting = |value: Option<bool>| value.map_or("unset", on);
    page.line(1, format_args!("Default smtp_alert = {}", setting(defaults.smtp_alert)));
    page.line(1, format_args!("Default smtp_alert_vrrp = {}", setting(defaults.smtp_alert_vrrp)));
    page.line(1, format_args!("Default smtp_alert_checker = {}", setting(defaults.smtp_alert_checker)));
    page.line(1, format_args!("Checkers log all failures = {}", defaults.log_all_failures));
}

fn reload(scene: &Scene<'_>, page: &mut Page) {
    let reload = &scene.config.global.reload;
    match &reload.validation {
        None => page.line(1, "No test config before reload"),
        Some(validation) => {
            let log = validation.log.as_deref().unwrap_or("/dev/null");
            page.line(1, format_args!("Test config before reload, log to {log}"));
        }
    }
    if let Some(file) = &reload.time_file {
        let repeat = if reload.repeat { " (repeat)" } else { "" };
        page.line(1, format_args!("Reload time file = {file}{repeat}"));
        page.line(1, "No reload scheduled");
    }
    match &reload.file {
        Some(ReloadFile::Path(path)) => page.line(1, format_args!("Reload_file = {path}")),
        Some(ReloadFile::BesidePidFile) => page.line(1, "Reload_file = (default)"),
        None => {}
    }
}

fn lifecycle(scene: &Scene<'_>, page: &mut Page) {
    let global = &scene.config.global;
    if let Some(startup) = &global.startup {
        let (script, timeout) = (scene.users.script(&startup.command), startup.timeout.as_secs());
        page.line(1, format_args!("Startup script = {script}, timeout {timeout}"));
    }
    if let Some(shutdown) = &global.shutdown {
        let (script, timeout) = (scene.users.script(&shutdown.command), shutdown.timeout.as_secs());
        // The comma is missing in keepalived's.
        page.line(1, format_args!("Shutdown script = {script} timeout {timeout}"));
    }
}

fn interfaces(global: &Global, whose: Whose, page: &mut Page) {
    let (routers, ipvs) = (&global.routers, &global.ipvs);
    page.line(
        1,
        format_args!("Dynamic interfaces = {}", routers.dynamic_interfaces != DynamicInterfaces::No),
    );
    if routers.dynamic_interfaces != DynamicInterfaces::No {
        let allowed = routers.dynamic_interfaces == DynamicInterfaces::ChangesAllowed;
        page.line(1, format_args!("Allow interface changes = {allowed}"));
    }
    if !global.mail.faults {
        page.line(1, "Send emails for fault transitions = off");
    }
    if whose == Whose::Vrrp {
        let interface = global.defaults.interface.as_ref().map_or("eth0", |name| name.as_str());
        page.line(1, format_args!("Default interface = {interface}"));
    }
    let no_igmp = if routers.no_local_igmp { "yes" } else { "no" };
    page.line(1, format_args!("Disable local IGMP = {no_igmp}"));
    if let Some(sync) = &ipvs.sync {
        page.line(1, format_args!("LVS syncd interface = {}", sync.interface));
    }
    page.line(1, format_args!("LVS flush = {}", ipvs.flush_at_start));
    let at_stop = match ipvs.flush_at_stop {
        None => "disabled",
        Some(Flush::All) => "full",
        Some(Flush::OwnServices) => "VS",
    };
    page.line(1, format_args!("LVS flush on stop = {at_stop}"));
}

fn fifos(scene: &Scene<'_>, page: &mut Page) {
    let fifos = &scene.config.global.fifos;
    for (what, fifo) in [("Global", &fifos.all), ("VRRP", &fifos.vrrp), ("LVS", &fifos.lvs)] {
        let Some(fifo) = fifo else { continue };
        let owner = scene.users.numbers(&fifo.owner);
        page.line(1, format_args!("{what} notify fifo = {}, uid:gid {owner}", fifo.path));
        if let Some(reader) = &fifo.reader {
            page.line(1, format_args!("{what} notify fifo script = {}", scene.users.script(reader)));
        }
    }
    page.line(1, format_args!("FIFO write vrrp states on reload = {}", fifos.states_on_reload));
}

fn routers(global: &Global, page: &mut Page) {
    let (defaults, garp) = (&global.defaults, &global.defaults.garp);
    let whole = |span: Option<std::time::Duration>| span.map_or(0, |span| span.as_secs());
    let mut set = |what: &str, value: &dyn fmt::Display| page.line(1, format_args!("{what} = {value}"));
    set("VRRP notify priority changes", &defaults.notify_priority_changes);
    set("VRRP IPv4 mcast group", &defaults.group_v4);
    set("VRRP IPv6 mcast group", &defaults.group_v6);
    set("Gratuitous ARP delay", &whole(garp.delay));
    set("Gratuitous ARP repeat", &garp.repeat);
    set("Gratuitous ARP refresh timer", &whole(garp.refresh));
    set("Gratuitous ARP refresh repeat", &garp.refresh_repeat);
    set("Gratuitous ARP lower priority delay", &whole(garp.lower_prio_delay));
    set("Gratuitous ARP lower priority repeat", &garp.lower_prio_repeat);
    set("Num adverts before down", &defaults.down_timer_adverts);
    let extra = defaults.extra_garp;
    let kind = if extra.is_some_and(|extra| extra.all) { "i/f" } else { "VMAC" };
    let every = extra.map_or(0, |extra| extra.interval.as_secs());
    set(&format!("Gratuitous ARP for each secondary {kind}"), &format_args!("{every}s"));
    set("Send advert after receive lower priority advert", &!defaults.lower_prio_no_advert);
    set("Send advert after receive higher priority advert", &defaults.higher_prio_send_advert);
    set("Gratuitous ARP interval", &micros(garp.interval));
    set("Gratuitous NA interval", &micros(garp.gna_interval));
    set("VRRP default protocol version", &defaults.version);
}

fn filter(global: &Global, page: &mut Page) {
    let (nftables, defaults) = (&global.filter.nftables, &global.defaults);
    if nftables.always {
        page.line(1, format_args!("nftables table name = {}", nftables.table));
        page.line(1, format_args!("nftables base chain priority = {}", nftables.priority));
        let negation = if nftables.by_index { "" } else { "don't " };
        page.line(1, format_args!("nftables {negation}force use ifindex for link local IPv6"));
    }
    page.line(1, format_args!("nftables with{} counters", if nftables.counters { "" } else { "out" }));
    page.line(1, format_args!("VRRP check unicast_src = {}", defaults.check_unicast_src));
    page.line(1, format_args!("VRRP skip check advert addresses = {}", defaults.skip_check_adv_addr));
    page.line(1, format_args!("VRRP strict mode = {}", defaults.strict));
}

fn workers(workers: &Workers, page: &mut Page) {
    let auto = workers.auto_priority;
    match auto.most {
        None if !auto.notice => page.line(1, "Max auto priority = Disabled"),
        most => page.line(1, format_args!("Max auto priority = {}", most.map_or(0, |most| most.get()))),
    }
    page.line(1, format_args!("Min auto priority delay = {} usecs", auto.after_micros));
    worker("VRRP", &workers.vrrp, page);
    worker("Checker", &workers.checker, page);
    worker("BFD", &workers.bfd, page);
}

fn worker(who: &str, worker: &Worker, page: &mut Page) {
    page.line(1, format_args!("{who} process priority = {}", worker.nice.get()));
    page.line(1, format_args!("{who} don't swap = {}", worker.no_swap));
    let real_time = worker.real_time.map_or(0, |priority| priority.get());
    page.line(1, format_args!("{who} realtime priority = {real_time}"));
    if !worker.cpus.is_empty() {
        let cpus: String = worker.cpus.iter().map(|cpu| format!("{cpu} ")).collect();
        page.line(1, format_args!("{who} CPU Affinity = {cpus}"));
    }
    page.line(1, format_args!("{who} realtime limit = {}", worker.real_time_limit.as_micros()));
}

fn agents(global: &Global, page: &mut Page) {
    let snmp = &global.snmp;
    for (what, there) in [
        ("SNMP vrrp", snmp.vrrp),
        ("SNMP checker", snmp.checker),
        ("SNMP RFCv2", snmp.rfc_v2),
        ("SNMP RFCv3", snmp.rfc_v3),
        ("SNMP traps", snmp.traps),
    ] {
        page.line(1, format_args!("{what} {}", enabled(there)));
    }
    if snmp.socket == model::Snmp::SOCKET {
        page.line(1, format_args!("SNMP socket = default ({})", snmp.socket));
    } else {
        page.line(1, format_args!("SNMP socket = {}", snmp.socket));
    }
    page.line(1, format_args!("DBus {}", enabled(global.dbus.is_some())));
    let name = global.dbus.as_ref().map_or("", |dbus| &dbus.service);
    page.line(1, format_args!("DBus service name = {name}"));
}

fn buffers(global: &Global, page: &mut Page) {
    let (routers, checkers) = (&global.routers, &global.checkers);
    for (name, buffer) in [
        ("vrrp_netlink_cmd_rcv_bufs", routers.netlink.commands),
        ("vrrp_netlink_monitor_rcv_bufs", routers.netlink.monitor),
        ("process_monitor_rcv_bufs", routers.process_events),
        ("lvs_netlink_cmd_rcv_bufs", checkers.netlink.commands),
        ("lvs_netlink_monitor_rcv_bufs", checkers.netlink.monitor),
    ] {
        let Buffer { bytes, force } = buffer;
        page.line(1, format_args!("{name} = {}", bytes.map_or(0, |bytes| bytes.get())));
        page.line(1, format_args!("{name}_force = {}", u8::from(force)));
    }
    page.line(1, format_args!("rs_init_notifies = {}", u8::from(checkers.notify_at_start)));
    page.line(1, format_args!("no_checker_emails = {}", u8::from(checkers.mail_servers_only)));
    let multiplier = match routers.receive {
        ReceiveBuffers::System => ReceiveBuffers::MULTIPLIER,
        ReceiveBuffers::Bytes(bytes) => {
            page.line(1, format_args!("rx_bufs_size = {bytes}"));
            ReceiveBuffers::MULTIPLIER
        }
        ReceiveBuffers::Mtu(multiplier) => {
            page.line(1, "rx_bufs_policy = MTU");
            multiplier
        }
        ReceiveBuffers::Advert(multiplier) => {
            page.line(1, "rx_bufs_policy = ADVERT");
            multiplier
        }
    };
    page.line(1, format_args!("rx_bufs_multiples = {multiplier}"));
}

fn last(global: &Global, whose: Whose, page: &mut Page) {
    let routers = &global.routers;
    page.line(1, format_args!("umask = 0{:o}", global.files.umask.get()));
    if let Some(delay) = routers.start_delay.after_start {
        page.line(1, format_args!("vrrp_startup_delay = {}", seconds(delay)));
    }
    if routers.log_unknown_vrids {
        page.line(1, "log_unknown_vrids");
    }
    let usual = model::RouterGlobals::VMAC_PREFIX;
    if routers.vmac_prefix != usual {
        page.line(1, format_args!("VMAC prefix = {}", routers.vmac_prefix));
    }
    if routers.vmac_address_prefix != routers.vmac_prefix {
        page.line(1, format_args!("VMAC address prefix = {}", routers.vmac_address_prefix));
    }
    if let (Whose::Vrrp, Some(priority)) = (whose, global.workers.vrrp.real_time) {
        page.line(1, format_args!("current realtime priority = {}", priority.get()));
        let limit = global.workers.vrrp.real_time_limit.as_micros();
        page.line(1, format_args!("current realtime time limit = {limit}"));
    }
}
