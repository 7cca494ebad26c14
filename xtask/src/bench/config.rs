//! How long a test of a large configuration takes: `-t` of files full of virtual servers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Failure, Figures, SIDES, Side};
use crate::say;

/// Virtual servers in each file: a quarter, half and all of what is asked for.
pub(super) const SIZES: [usize; 3] = [2_000, 4_000, 8_000];

/// Real servers of each.
const SERVERS: usize = 10;

/// Both programs' `-t` of each file, in turns.
pub(super) fn measure(steadfast: &Path, runs: usize) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for size in SIZES {
        let file = write(size).map_err(|error| Failure::Measurement(format!("writing a file: {error}")))?;
        let timed = (0..runs).try_for_each(|_| {
            SIDES.into_iter().try_for_each(|side| {
                let millis = test(side, steadfast, &file)?;
                figures.take(side, &format!("{size} test {millis:.1} ms"));
                Ok(())
            })
        });
        drop(fs::remove_file(&file));
        timed?;
    }
    Ok(figures)
}

/// Milliseconds of one run.
fn test(side: Side, steadfast: &Path, file: &Path) -> Result<f64, Failure> {
    let program = if side == Side::Ours { steadfast } else { Path::new("keepalived") };
    let mut command = Command::new(program);
    command.arg("-t").arg("-f").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status();
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    let shown = format!("{} -t -f {}", program.display(), file.display());
    say(&format!("== {shown}: {millis:.0} ms"));
    if status.is_ok_and(|status| status.success()) { Ok(millis) } else { Err(Failure::Measurement(shown)) }
}

fn write(servers: usize) -> std::io::Result<PathBuf> {
    let name = format!("steadfast-bench-{}-{servers}.conf", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text(servers))?;
    Ok(path)
}

/// Half of the real servers are checked by connecting, half by asking for a page.
pub(super) fn text(servers: usize) -> String {
    let mut text = String::new();
    for server in 0..servers {
        let address = format!("10.{}.{}.{}", server >> 16, server >> 8 & 0xff, server & 0xff);
        _ = write!(
            text,
            "virtual_server {address} 80 {{\n    delay_loop 6\n    lvs_sched wrr\n    lvs_method NAT\n    \
             protocol TCP\n"
        );
        for real in 0..SERVERS {
            let (high, low) = (16 + (server >> 10), server >> 2 & 0xff);
            let address = format!("172.{high}.{low}.{}", (server & 3) * 64 + real);
            _ = write!(text, "    real_server {address} 8080 {{\n        weight {}\n", real + 1);
            text += if real % 2 == 0 {
                "        TCP_CHECK {\n            connect_timeout 3\n            retry 3\n            \
                 delay_before_retry 3\n            connect_port 8080\n            warmup 1\n        }\n    }\n"
            } else {
                "        HTTP_GET {\n            url {\n                path /health\n                \
                 status_code 200\n            }\n            connect_timeout 3\n            \
                 delay_before_retry 3\n        }\n    }\n"
            };
        }
        text += "}\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_as_long_as_its_servers_ask() {
        let lines = |servers| text(servers).lines().count();
        assert_eq!(lines(8_000), 8 * lines(1_000));
        assert!((880_000..=940_000).contains(&lines(8_000)), "{}", lines(8_000));
    }
}
