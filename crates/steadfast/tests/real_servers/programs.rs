//! Servers of Debian, each on a host of its own. Files below `/run` switch their moods, so that nothing has to be restarted.

use lab::Process;

use crate::bench::Station;

/// nginx with these blocks of its `http` block.
pub(crate) fn nginx(station: &Station, blocks: &str) -> Process {
    let file = format!(
        "daemon off;\nmaster_process off;\npid /run/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n\
         access_log off;\nclient_body_temp_path /run/body;\nproxy_temp_path /run/proxy;\n\
         fastcgi_temp_path /run/fastcgi;\nuwsgi_temp_path /run/uwsgi;\nscgi_temp_path /run/scgi;\n\
         default_type text/plain;\nroot /run/www;\nreset_timedout_connection on;\n{blocks}\n}}\n"
    );
    station.host.write("/run/nginx.conf", &file).expect("a file");
    station.spawn(&["nginx", "-e", "stderr", "-c", "/run/nginx.conf"])
}

/// haproxy with these sections behind `defaults`.
pub(crate) fn haproxy(station: &Station, sections: &str) -> Process {
    let file = format!(
        "defaults\nmode http\ntimeout connect 500ms\ntimeout client 5s\ntimeout server 5s\n{sections}\n"
    );
    station.host.write("/run/haproxy.cfg", &file).expect("a file");
    station.spawn(&["haproxy", "-db", "-f", "/run/haproxy.cfg"])
}

/// dnsmasq that knows `lab.example` and asks nobody else.
pub(crate) fn dnsmasq(station: &Station) -> Process {
    station.spawn(&[
        "dnsmasq",
        "--keep-in-foreground",
        "--user=root",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        "--local=/lab.example/",
        "--host-record=www.lab.example,192.0.2.7,2001:db8::7",
        "--mx-host=lab.example,mail.lab.example,10",
        "--txt-record=lab.example,some words",
        "--auth-server=ns.lab.example",
        "--auth-zone=auth.example",
        "--auth-soa=1",
    ])
}

/// aiosmtpd, which is Python's.
pub(crate) fn smtpd(station: &Station) -> Process {
    station.spawn(&["aiosmtpd", "--nosetuid", "--listen", "0.0.0.0:25"])
}
