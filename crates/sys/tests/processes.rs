//! What needs a process with one thread: going into the background, and starting itself in another role.

use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use steadfast_sys::ipc::{Channel, Received};
use steadfast_sys::process::{Exit, Launch, Pid, SelfExe, daemonize, inherited};
use steadfast_sys::reactor::{Interest, Reactor, Token};
use steadfast_sys::signal::{Signal, Signals};
use steadfast_sys::{clock, memfd, pidfile};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [name, role, rest @ ..] = arguments.as_slice()
        && name == ROLE
    {
        return act(role, rest);
    }
    let tests = [
        Test("a_child_finds_its_end_of_a_channel", a_child_finds_its_end_of_a_channel),
        Test("a_child_without_a_gift_has_none", a_child_without_a_gift_has_none),
        Test("the_gift_arrives_wherever_it_came_from", the_gift_arrives_wherever_it_came_from),
        Test("a_child_follows_its_parent", a_child_follows_its_parent),
        Test("a_pid_file_can_be_read_whatever_the_umask", a_pid_file_can_be_read_whatever_the_umask),
        Test("a_daemon_reports_that_it_is_ready", a_daemon_reports_that_it_is_ready),
        Test("a_daemon_reports_that_it_failed", a_daemon_reports_that_it_failed),
    ];
    let count = tests.len();
    for Test(name, run) in tests {
        run()?;
        writeln!(io::stdout(), "test {name} ... ok")?;
    }
    writeln!(io::stdout(), "{count} passed, 0 failed")?;
    Ok(ExitCode::SUCCESS)
}

/// A name and what it stands for.
struct Test(&'static str, fn() -> io::Result<()>);

/// The `argv[0]` by which a child of these tests knows itself.
const ROLE: &str = "steadfast-role";

fn act(role: &str, rest: &[String]) -> io::Result<ExitCode> {
    match (role, rest) {
        ("echo", []) => echo(),
        ("no-gift", []) => Ok(ExitCode::from(u8::from(inherited().is_ok() || open_beyond_standard() != 0))),
        ("gift", []) => {
            let content = memfd::read_sealed(inherited()?)?;
            Ok(ExitCode::from(u8::from(content != b"gift" || open_beyond_standard() != 0)))
        }
        ("parent", []) => parent(),
        ("wait", []) => forever(),
        ("daemon", [file, code]) => daemon(Path::new(file), code.parse().unwrap_or(99)),
        _ => Ok(ExitCode::from(98)),
    }
}

fn child(role: &str) -> SelfExe {
    SelfExe::new(ROLE).argument(role)
}

/// Waits for the child's end with its pidfd.
fn end(mut child: steadfast_sys::process::Child) -> io::Result<Exit> {
    readable(&child)?;
    Ok(child.try_wait()?.expect("a readable pidfd means that it has ended"))
}

fn readable(source: impl std::os::fd::AsFd) -> io::Result<()> {
    let mut reactor = Reactor::new()?;
    reactor.add(source, Token(0), Interest::Read)?;
    let limit = clock::now() + Duration::from_secs(20);
    let mut ready = Vec::new();
    while ready.is_empty() {
        assert!(clock::now() < limit, "nothing happened");
        reactor.wait(Some(limit), &mut ready)?;
    }
    Ok(())
}

/// File descriptors other than the standard ones, and the one that reads the folder.
fn open_beyond_standard() -> usize {
    let names = fs::read_dir("/proc/self/fd").expect("/proc is there");
    names.flatten().filter(|n| n.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) > Some(2)).count()
        - 1
}

fn a_child_finds_its_end_of_a_channel() -> io::Result<()> {
    let (ours, theirs) = Channel::pair()?;
    // Neither blocked signals nor other open files may reach the child.
    let _signals = Signals::new(&[Signal::TERM, Signal::HUP])?;
    let child =
        child("echo").inherit(theirs.into()).death_signal(Signal::TERM).spawn().map_err(io::Error::other)?;
    assert_ne!(child.pid(), Pid::own());
    assert_eq!(ours.send(b"hello", None)?, steadfast_sys::ipc::Sent::Done);
    readable(&ours)?;
    let mut buffer = Vec::new();
    assert!(matches!(ours.recv(&mut buffer)?, Received::Message(None)));
    assert_eq!(buffer, b"hello");
    child.kill(Signal::TERM)?;
    assert_eq!(end(child)?, Exit::Signal(Signal::TERM));
    assert!(matches!(ours.recv(&mut buffer)?, Received::Closed));
    Ok(())
}

fn echo() -> io::Result<ExitCode> {
    let channel = Channel::try_from(inherited()?)?;
    assert!(inherited().is_err(), "it is given once");
    let mut buffer = Vec::new();
    loop {
        readable(&channel)?;
        match channel.recv(&mut buffer)? {
            Received::Message(_) => assert_eq!(channel.send(&buffer, None)?, steadfast_sys::ipc::Sent::Done),
            Received::Empty => {}
            Received::Closed => return Ok(ExitCode::SUCCESS),
        }
    }
}

fn a_child_without_a_gift_has_none() -> io::Result<()> {
    // Not marked to be closed on exec.
    let leaky = rustix::io::dup(fs::File::open("/dev/null")?)?;
    assert_eq!(end(child("no-gift").spawn().map_err(io::Error::other)?)?, Exit::Code(0));
    drop(leaky);
    Ok(())
}

/// The number that the child finds it at may be free here, or another file's, or the file's own.
fn the_gift_arrives_wherever_it_came_from() -> io::Result<()> {
    let mut held = Vec::new();
    for _ in 0..4 {
        let gift: OwnedFd = memfd::sealed("gift", b"gift")?;
        held.push(gift.try_clone()?);
        assert_eq!(end(child("gift").inherit(gift).spawn().map_err(io::Error::other)?)?, Exit::Code(0));
    }
    Ok(())
}

fn a_child_follows_its_parent() -> io::Result<()> {
    let (ours, theirs) = Channel::pair()?;
    let parent = child("parent").inherit(theirs.into()).spawn().map_err(io::Error::other)?;
    readable(&ours)?;
    let mut buffer = Vec::new();
    assert!(matches!(ours.recv(&mut buffer)?, Received::Message(None)));
    parent.kill(Signal::KILL)?;
    assert_eq!(end(parent)?, Exit::Signal(Signal::KILL));
    // The grandchild holds the other end of the channel until it dies.
    readable(&ours)?;
    assert!(matches!(ours.recv(&mut buffer)?, Received::Closed));
    Ok(())
}

fn parent() -> io::Result<ExitCode> {
    let channel = inherited()?;
    let copy = channel.try_clone()?;
    let _child = child("wait").inherit(copy).death_signal(Signal::KILL).spawn().map_err(io::Error::other)?;
    assert_eq!(Channel::try_from(channel)?.send(b"started", None)?, steadfast_sys::ipc::Sent::Done);
    forever()
}

fn forever() -> io::Result<ExitCode> {
    let mut reactor = Reactor::new()?;
    loop {
        reactor.wait(None, &mut Vec::new())?;
    }
}

fn a_pid_file_can_be_read_whatever_the_umask() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run/steadfast/vrrp.pid");
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let held = pidfile::Held::claim(&path, Pid::own(), &[]);
    rustix::process::umask(before);
    let _held = held.map_err(io::Error::other)?;
    let mode = |path: &Path| Ok::<_, io::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    assert_eq!(mode(&path)?, 0o644);
    assert_eq!(mode(path.parent().unwrap())?, 0o755);
    assert_eq!(mode(&folder.path().join("run"))?, 0o755);
    Ok(())
}

fn a_daemon_reports_that_it_is_ready() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("report");
    let starter = child("daemon").argument(&file).argument("0").spawn().map_err(io::Error::other)?;
    let pid = starter.pid().number();
    assert_eq!(end(starter)?, Exit::Code(0));
    // Written before it said that it is ready.
    let report = fs::read_to_string(&file)?;
    let [own, session, folder, input] = report.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{report}");
    };
    assert_ne!(own, pid.to_string());
    assert_ne!(own, session, "it leads no session");
    assert_ne!(session, session_of_this_process()?, "it is in a session of its own");
    assert_eq!((folder, input), ("/", "/dev/null"));
    Ok(())
}

fn a_daemon_reports_that_it_failed() -> io::Result<()> {
    for (code, reported) in [("7", 7), ("1000", 1)] {
        let starter =
            child("daemon").argument("/dev/null").argument(code).spawn().map_err(io::Error::other)?;
        assert_eq!(end(starter)?, Exit::Code(reported));
    }
    Ok(())
}

/// The session's number as the kernel tells it: 0 where its leader stands outside this process namespace, as in many
/// a container. (The typed call cannot say 0.)
fn session_of_this_process() -> io::Result<String> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    after_name.split(' ').nth(3).map(String::from).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Code 99 is an end without a report.
fn daemon(file: &Path, code: u8) -> io::Result<ExitCode> {
    let daemon = match daemonize()? {
        Launch::Foreground(code) => return Ok(ExitCode::from(code)),
        Launch::Daemon(daemon) => daemon,
    };
    let session = session_of_this_process()?;
    let folder = std::env::current_dir()?;
    let input = fs::read_link("/proc/self/fd/0")?;
    fs::write(file, format!("{} {session} {} {}", Pid::own(), folder.display(), input.display()))?;
    match code {
        0 => daemon.ready()?,
        99 => drop(daemon),
        code => daemon.failed(code),
    }
    Ok(ExitCode::SUCCESS)
}
