//! The files with the keys of `auth_hmac`. The worker is handed the keys: it reads no files.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use model::Secret;
use model::vrrp::{Config, HmacKey, KeySource};

/// Why a configuration cannot be put into force: without its keys it would believe nobody, or everybody.
#[derive(Debug, thiserror::Error)]
#[error("({instance}) key {id} of auth_hmac, {path}: {why}")]
pub(super) struct KeyError {
    instance: String,
    id: u8,
    path: String,
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a regular file")]
    NotRegular,
    #[error("it can be read or written by others (mode {0:04o}); make it chmod 600")]
    Open(u32),
    #[error("it holds {0} bytes; a key has 32 to 64")]
    Length(usize),
    #[error("it holds more than a key, which has 32 to 64 bytes")]
    TooLong,
    #[error("what follows `hex:` is not pairs of hexadecimal digits")]
    NotHex,
}

/// Puts what the files hold in the place of their names.
///
/// # Errors
/// The first file that is no key.
pub(super) fn read(config: &mut Config) -> Result<(), KeyError> {
    for instance in &mut config.instances {
        for HmacKey { id, source } in instance.hmac.iter_mut().flat_map(|hmac| &mut hmac.keys) {
            let KeySource::File(path) = source else { continue };
            let bytes = read_key(Path::new(path)).map_err(|why| KeyError {
                instance: instance.name.clone(),
                id: id.get(),
                path: path.clone(),
                why,
            })?;
            *source = KeySource::Bytes(Secret::new(bytes));
        }
    }
    Ok(())
}

fn read_key(path: &Path) -> Result<Vec<u8>, Why> {
    // What is no file must not be waited for, nor become this process's terminal.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Why::NotRegular);
    }
    if metadata.mode() & NOT_FOR_OTHERS != 0 {
        return Err(Why::Open(metadata.mode() & 0o7777));
    }
    let mut content = Vec::with_capacity(MOST_BYTES + 1);
    file.take((MOST_BYTES + 1) as u64).read_to_end(&mut content)?;
    if content.len() > MOST_BYTES {
        return Err(Why::TooLong);
    }
    key(content)
}

/// The key that a file holds: its bytes; if they are text, without the end of the line, and as `hex:` says.
fn key(content: Vec<u8>) -> Result<Vec<u8>, Why> {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n');
    let key = match content.iter().all(is_text) {
        false => content,
        true => {
            let line = content.trim_ascii_end();
            match line.strip_prefix(b"hex:") {
                Some(digits) => from_hex(digits).ok_or(Why::NotHex)?,
                None => line.to_vec(),
            }
        }
    };
    if !(KeySource::LEAST..=KeySource::MOST).contains(&key.len()) {
        return Err(Why::Length(key.len()));
    }
    Ok(key)
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

/// Others may do nothing, the group may read.
const NOT_FOR_OTHERS: u32 = 0o027;
/// The longest key as `hex:`, and some room for the end of the line.
const MOST_BYTES: usize = 4 + 2 * KeySource::MOST + 2;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;
    use std::os::unix::fs::PermissionsExt as _;

    use model::vrrp::{Hmac, HmacMode, Instance, Replay};

    use super::*;

    fn config(path: &Path) -> Config {
        let id = NonZeroU8::MIN;
        let keys = vec![HmacKey { id, source: KeySource::File(path.display().to_string()) }];
        let hmac = Hmac { keys, active: id, replay: Replay::Monotonic, mode: HmacMode::Enforce };
        let plain = Instance::new("VI_1", "eth0".parse().unwrap(), model::Vrid::try_from(1).unwrap());
        Config { instances: vec![Instance { hmac: Some(hmac), ..plain }], ..Config::default() }
    }

    /// What the machine gets for a file with this content and mode, or what the operator is told.
    fn outcome(content: &[u8], mode: u32) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut config = config(&path);
        read(&mut config).map_err(|error| error.to_string())?;
        match &config.instances[0].hmac.as_ref().unwrap().keys[0].source {
            KeySource::Bytes(bytes) => Ok(bytes.reveal().clone()),
            KeySource::File(path) => panic!("{path} was not read"),
        }
    }

    #[test]
    fn text_digits_and_bytes_are_keys() {
        assert_eq!(outcome(&[b'k'; 32], 0o600), Ok(vec![b'k'; 32]));
        assert_eq!(outcome(format!("{}\n", "k".repeat(64)).as_bytes(), 0o640), Ok(vec![b'k'; 64]));
        let digits = format!("hex:{}\r\n", "0aF1".repeat(32));
        assert_eq!(outcome(digits.as_bytes(), 0o400), Ok([0x0a, 0xf1].repeat(32)));
        let mut binary = vec![0xfe; 31];
        binary.push(b'\n');
        assert_eq!(outcome(&binary, 0o600), Ok(binary), "a byte like any other");
    }

    #[test]
    fn everything_else_is_refused_without_telling_it() {
        let told = |content: &[u8], mode, what: &str| {
            let error = outcome(content, mode).unwrap_err();
            assert!(error.contains("(VI_1) key 1 of auth_hmac, /") && error.contains(what), "{error}");
            assert!(!error.contains("kkk"), "{error}");
        };
        told(&[b'k'; 31], 0o600, "31 bytes");
        told(&[b'k'; 65], 0o600, "65 bytes");
        told(&[b'k'; 10_000], 0o600, "more than a key");
        told(b"", 0o600, "0 bytes");
        told(b"hex:kkk0", 0o600, "not pairs");
        told(b"hex:000", 0o600, "not pairs");
        told(&[b'k'; 32], 0o604, "mode 0604");
        told(&[b'k'; 32], 0o660, "mode 0660");
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let why = |path: &Path| read(&mut config(path)).unwrap_err().to_string();
        assert!(why(&fifo).contains("not a regular file"));
        assert!(why(dir.path()).contains("not a regular file"));
        assert!(why(&dir.path().join("none")).contains("No such file"));
    }
}
