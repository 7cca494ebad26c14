//! Checks that cannot be made, and real servers that nobody checks.

use model::lvs::{Check, Checker, Connection, RealServer, VirtualServer};

use crate::Code;
use crate::diagnostic::Diagnostic;
use crate::outline::Line;

/// Looks at the real servers of a virtual server, whose block this is.
pub(super) fn check(server: &VirtualServer, block: &Line, findings: &mut Vec<Diagnostic>) {
    let is_any_checked = server.real_servers.iter().any(|real| !real.checkers.is_empty());
    let mut lines: Vec<&Line> = block.lines().iter().filter(|line| line.keyword() == "real_server").collect();
    for real in &server.real_servers {
        let Some(line) = take_line_of(real, &mut lines) else { continue };
        if let (true, true, Some(span)) = (is_any_checked, real.checkers.is_empty(), line.value()) {
            let headline = format!(
                "nobody checks the real server `{}`, and others of its pool are checked",
                real.address
            );
            findings.push(
                Diagnostic::note(Code::UncheckedServer, span, headline)
                    .help("it keeps its share of the traffic when it is dead; give it a checker, or take those of the others out"),
            );
        }
        real.checkers.iter().filter_map(without_port).for_each(|keywords| {
            let is_it = |line: &&Line| keywords.contains(&line.keyword()) && line.last("connect_port").is_none();
            let checker = of_both_languages(line).find(is_it);
            let Some((checker, span)) = checker.and_then(|line| Some((line, line.head()?))) else { return };
            let headline = format!("this {} has no port to ask", checker.keyword());
            findings.push(
                Diagnostic::warning(Code::PortlessCheck, span, headline)
                    .help("add `connect_port PORT`: the real server has none, so the check is never made, and the server never fails"),
            );
        });
    }
}

/// Takes its line out of those that are left. A port that is not written, or does not count, is that of the virtual server: of
/// several such lines the first one is the first server.
fn take_line_of<'a>(real: &RealServer, lines: &mut Vec<&'a Line>) -> Option<&'a Line> {
    let port = real.port.map_or_else(String::new, |port| port.to_string());
    let is_its = |line: &&Line| line.word(1).parse() == Ok(real.address);
    let exactly = lines.iter().position(|line| is_its(line) && line.word(2) == port);
    let place = exactly.or_else(|| lines.iter().position(is_its))?;
    Some(lines.remove(place))
}

/// The lines of a block, and those of its `steadfast` blocks.
fn of_both_languages(block: &Line) -> impl Iterator<Item = &Line> {
    block.lines().iter().chain(block.entries("steadfast"))
}

/// The keywords of a check that needs a port and has none.
fn without_port(checker: &Checker) -> Option<&'static [&'static str]> {
    let Checker::Probe(probe) = checker else { return None };
    let (connection, keywords): (&Connection, &'static [&'static str]) = match &probe.check {
        Check::Tcp(connection) => (connection, &["TCP_CHECK"]),
        Check::Http(http) => (&http.connection, &["HTTP_GET", "SSL_GET"]),
        Check::Smtp(smtp) => (&smtp.connection, &["SMTP_CHECK"]),
        Check::Dns(dns) => (&dns.connection, &["DNS_CHECK"]),
        Check::Udp(udp) => (&udp.connection, &["UDP_CHECK"]),
        Check::Grpc(grpc) => (&grpc.connection, &["GRPC_CHECK"]),
        Check::Ping(_) | Check::Misc(_) => return None,
    };
    connection.port.is_none().then_some(keywords)
}
