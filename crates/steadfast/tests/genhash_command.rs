//! `steadfast genhash` as somebody calls it who knows keepalived's.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

const STEADFAST: &str = env!("CARGO_BIN_EXE_steadfast");
/// `printf 'hello world\n' | md5sum`.
const DIGEST: &str = "6f5902ac237024bdd0c176cb93063dc4\n";

/// A server on a port of its own that answers with a page, and shuts off where it sees the end.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Who breaks off is one of the cases.
    thread::spawn(move || listener.incoming().for_each(|stream| drop(answer(stream.unwrap()))));
    port
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let body: &[u8] = if request.starts_with(b"GET /request ") { &request } else { b"hello world\n" };
    let status = if request.starts_with(b"GET /none ") { "404 Not Found" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

fn genhash(program: &mut Command, arguments: &str) -> Output {
    program.args(arguments.split_whitespace()).output().unwrap()
}

fn ours(arguments: &str) -> Output {
    genhash(Command::new(STEADFAST).arg("genhash"), arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_digest_is_printed() {
    let port = server();
    for arguments in [
        format!("-s 127.0.0.1 -p {port} -u /"),
        format!("--server 127.0.0.1 --port {port} --url / --protocol 1.1 --timeout 20"),
        format!("-s 127.0.0.1 -p{port} -u / -P 1.0c -V www.example.org -t 20"),
    ] {
        let output = ours(&arguments);
        assert_eq!((text(&output.stdout).as_str(), output.status.code()), (DIGEST, Some(0)), "{arguments}");
    }
    let output = text(&ours(&format!("-v -s 127.0.0.1 -p {port} -u /")).stdout);
    assert!(output.contains("hello world.") && output.ends_with(DIGEST), "{output}");
}

#[test]
fn a_link_called_genhash_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("genhash");
    std::os::unix::fs::symlink(STEADFAST, &link).unwrap();
    let arguments = format!("-s 127.0.0.1 -p {} -u /", server());
    let output = genhash(&mut Command::new(link), &arguments);
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), (DIGEST, Some(0)));
}

#[test]
fn the_digest_of_an_error_page_is_remarked_on() {
    let port = server();
    let output = ours(&format!("-s 127.0.0.1 -p {port} -u /none"));
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), (DIGEST, Some(0)), "as keepalived's");
    assert!(text(&output.stderr).contains("the status is 404"), "{}", text(&output.stderr));
    assert!(ours(&format!("-s 127.0.0.1 -p {port} -u /")).stderr.is_empty());
}

#[test]
fn the_page_that_keepalived_digests_has_the_same_digest() {
    let port = server();
    // Its request is in the page: that the digests agree shows that the requests do.
    for more in ["", "-P 1.0c", "-P 1.1", "-P 1.1 -V www.example.org"] {
        let arguments = format!("-s 127.0.0.1 -p {port} -u /request -t 20 {more}");
        let theirs = match Command::new("genhash").args(arguments.split_whitespace()).output() {
            Ok(output) => output,
            Err(error) => return lab::skip(format!("keepalived's genhash: {error}")),
        };
        assert_eq!(text(&ours(&arguments).stdout), text(&theirs.stdout), "{more}");
        assert_eq!(theirs.stdout.len(), DIGEST.len(), "{more}");
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    for (arguments, status, said) in [
        (format!("-s 127.0.0.1 -p {free} -u /"), 1, "connection refused"),
        ("-s localhost -p 80 -u /".to_owned(), 2, "'localhost' is none"),
        ("-s 127.0.0.1 -u /".to_owned(), 2, "which port?"),
        ("-s 127.0.0.1 -p 99999 -u /".to_owned(), 2, "'99999' is no port"),
        ("-s 127.0.0.1 -p 80 -u / -P 2".to_owned(), 2, "no HTTP version '2'"),
        ("-s 127.0.0.1 -p 80 -u / more".to_owned(), 2, "unexpected argument"),
    ] {
        let output = ours(&arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments}");
        assert!(text(&output.stderr).contains(said), "{arguments}: {}", text(&output.stderr));
    }
}
