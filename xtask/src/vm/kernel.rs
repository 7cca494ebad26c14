//! The kernel and what else the virtual machine is made of, from Debian's packages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::output_of;
use crate::{root, say};

/// The release whose kernel it is: older ones do not run on processors with more vector registers than they know.
const RELEASE: &str = "forky";
const PACKAGES: [&str; 3] = ["user-mode-linux", "libc6", "busybox-static"];
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The loader that the kernel's program asks for.
const LOADER: &[u8] = b"/lib64/ld-linux-x86-64.so.2\0";
/// What it is made to ask for instead: that of its own release, in the folder where it is started.
const OWN_LOADER: &[u8] = b"./ld.so";

/// A folder with `linux.uml`, its loader `ld.so`, `lib/`, `modules/`, `bin/busybox` and `init`.
pub(crate) struct Tools {
    pub(super) folder: PathBuf,
    /// The kernel's release, as `uname -r` says it inside.
    pub(super) release: String,
}

impl Tools {
    /// Fetches and unpacks what is missing.
    ///
    /// # Errors
    /// What was tried in vain. A half-made folder is made anew the next time.
    pub(crate) fn ensure() -> Result<Self, String> {
        let folder = root().join("target/vm").join(RELEASE);
        let mark = folder.join("release");
        if !mark.exists() {
            say("fetching a kernel for the virtual machine");
            drop(fs::remove_dir_all(&folder));
            let release = make(&folder)?;
            write(&mark, release.as_bytes())?;
        }
        // The script is ours, and may be newer than the rest.
        let init = folder.join("init");
        let script = include_str!("init.sh");
        let head = format!("#!{} sh\n", folder.join("bin/busybox").display());
        write(&init, format!("{head}{script}").as_bytes())?;
        permit_execution(&init)?;
        let release = fs::read_to_string(&mark).map_err(|error| told(&mark, &error))?;
        Ok(Self { folder, release })
    }
}

/// Fills the folder, and gives the kernel's release.
fn make(folder: &Path) -> Result<String, String> {
    let unpacked = folder.join("unpacked");
    make_folder(&unpacked)?;
    for package in fetch(&folder.join("fetched"))? {
        output_of(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    }
    let modules = only_entry(&unpacked.join("usr/lib/uml/modules"))?;
    let release = modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
    rename(&modules, &folder.join("modules"))?;
    make_folder(&folder.join("lib"))?;
    make_folder(&folder.join("bin"))?;
    let libraries = unpacked.join("usr/lib/x86_64-linux-gnu");
    copy(&libraries.join("libc.so.6"), &folder.join("lib/libc.so.6"))?;
    copy(&libraries.join("ld-linux-x86-64.so.2"), &folder.join("ld.so"))?;
    let busybox = ["usr/bin/busybox", "bin/busybox"].map(|path| unpacked.join(path));
    let busybox = busybox.iter().find(|path| path.exists()).ok_or("the package of busybox has none")?;
    copy(busybox, &folder.join("bin/busybox"))?;
    with_own_loader(&unpacked.join("usr/bin/linux.uml"), &folder.join("linux.uml"))?;
    for rest in [unpacked, folder.join("fetched")] {
        fs::remove_dir_all(&rest).map_err(|error| told(&rest, &error))?;
    }
    Ok(release)
}

/// Downloads the packages of [`RELEASE`] from where this machine has its own, without changing what it knows of them.
fn fetch(folder: &Path) -> Result<Vec<PathBuf>, String> {
    make_folder(&folder.join("lists/partial"))?;
    let mirrors = output_of(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
    ]))?;
    let is_debian = |line: &&str| line.trim_end_matches('/').ends_with("/debian");
    let mirror = mirrors.lines().find(is_debian).ok_or("this machine has no source of Debian's packages")?;
    let sources = folder.join("sources.list");
    write(&sources, format!("deb [signed-by={KEYRING}] {mirror} {RELEASE} main\n").as_bytes())?;
    let set = |name: &str, path: &Path| format!("-o{name}={}", path.display());
    let options = [
        set("Dir::State::lists", &folder.join("lists")),
        set("Dir::Etc::sourcelist", &sources),
        set("Dir::Etc::sourceparts", Path::new("/dev/null")),
        set("Dir::Cache", folder),
        "-oAPT::Sandbox::User=".to_owned(),
        "-oAcquire::Languages=none".to_owned(),
        "-oAcquire::Retries=3".to_owned(),
        "-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        "-oAcquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".to_owned(),
    ];
    let apt = |arguments: &[&str]| {
        output_of(Command::new("apt-get").current_dir(folder).args(&options).args(arguments))
    };
    apt(&["update", "-qq"])?;
    apt(&[["download", "-qq"].as_slice(), &PACKAGES].concat())?;
    let is_package = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "deb");
    Ok(entries(folder)?.into_iter().filter(is_package).collect())
}

/// Copies a program, which asks for its loader by a path of this machine, so that it asks for [`OWN_LOADER`].
fn with_own_loader(from: &Path, to: &Path) -> Result<(), String> {
    let mut program = fs::read(from).map_err(|error| told(from, &error))?;
    let at = program.windows(LOADER.len()).position(|window| window == LOADER);
    let place = at
        .and_then(|at| program.get_mut(at..at + LOADER.len()))
        .ok_or("the kernel's loader is another one")?;
    place.fill(0);
    place.iter_mut().zip(OWN_LOADER).for_each(|(place, byte)| *place = *byte);
    write(to, &program)?;
    permit_execution(to)
}

fn permit_execution(path: &Path) -> Result<(), String> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(|error| told(path, &error))
}

fn only_entry(folder: &Path) -> Result<PathBuf, String> {
    entries(folder)?.pop().ok_or_else(|| format!("{} is empty", folder.display()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = fs::read_dir(folder).map_err(|error| told(folder, &error))?;
    Ok(read.flatten().map(|entry| entry.path()).collect())
}

fn make_folder(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(|error| told(from, &error))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| told(from, &error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
