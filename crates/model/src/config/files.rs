//! Files that the daemon writes, and tables that it reads.

use serde::{Deserialize, Serialize};

use crate::OutOfRange;

/// Files that the daemon writes, and tables that it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Rights that new files do not have (`umask`).
    pub umask: Umask,
    /// What is written on a signal.
    pub dumps: Dumps,
    /// Where the configuration and the state around each reload are kept (`config_save_dir`).
    pub save_directory: Option<String>,
    /// Where the copy of the configuration lies that workers read; in memory if `None` (`tmp_config_directory`).
    pub copy_directory: Option<String>,
    /// Where names of tables, protocols and scopes are looked up.
    pub iproute: IproutePaths,
    /// The seed of `${_RANDOM}`; the time of day if `None` (`random_seed`).
    pub random_seed: Option<u32>,
}

/// Rights that new files do not have, at most 0777.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Umask(u16);

impl Umask {
    /// The bits.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Umask {
    fn default() -> Self {
        Self(0o177)
    }
}

impl TryFrom<u16> for Umask {
    type Error = OutOfRange;

    fn try_from(bits: u16) -> Result<Self, OutOfRange> {
        if bits <= 0o777 { Ok(Self(bits)) } else { Err(OutOfRange::Umask) }
    }
}

impl From<Umask> for u16 {
    fn from(umask: Umask) -> Self {
        umask.0
    }
}

/// Where dumps are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dumps {
    /// The state of each process, which is named before the last point (`state_dump_file`).
    pub state: Dump,
    /// Statistics of the virtual routers (`stats_dump_file`).
    pub statistics: Dump,
    /// Everything as JSON (`json_dump_file`).
    pub json: Dump,
    /// The layout of the JSON (`json_version`).
    pub layout: JsonLayout,
    /// Names of instance and namespace are part of the names of state dumps (`data_use_instance`).
    pub names_instance: bool,
}

impl Default for Dumps {
    fn default() -> Self {
        let temporary = |name: &str| Dump::Temporary(name.to_owned());
        Self {
            state: temporary("keepalived.data"),
            statistics: temporary("keepalived.stats"),
            json: temporary("keepalived.json"),
            layout: JsonLayout::V1,
            names_instance: false,
        }
    }
}

/// Where a dump is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dump {
    /// In the directory for temporary files.
    Temporary(String),
    /// At this absolute path.
    Path(String),
}

/// The layout of the JSON dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JsonLayout {
    /// A list of instances.
    V1,
    /// An object.
    V2,
}

/// Where iproute2's tables of names are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IproutePaths {
    /// Those of the distribution (`iproute_usr_dir`).
    pub distribution: String,
    /// Those of this host (`iproute_etc_dir`).
    pub local: String,
}

impl Default for IproutePaths {
    fn default() -> Self {
        Self { distribution: "/usr/share/iproute2".to_owned(), local: "/etc/iproute2".to_owned() }
    }
}
