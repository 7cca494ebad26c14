//! The operator's programs.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::Mode;
use rustix::process::getpid;

use crate::process::child::{
    Rights, bequeath_no_capabilities, close_at_exec, die_with_parent, reset_scheduling, reset_signals,
};
use crate::process::{Child, SpawnError};
use crate::signal::Signal;
use crate::users::Credentials;

/// A program to run apart from the daemon: own process group, `/dev/null` for its three standard files,
/// no inherited file descriptor, no blocked or ignored signal, ordinary scheduling, exactly the environment given,
/// and no capability unless it runs as root.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The file to execute, with a slash in it: there is no search.
    pub program: &'a Path,
    /// What the program sees as its own name; `program` if `None`. An interpreter is given `program` in any case.
    pub name: Option<&'a Path>,
    /// Its arguments, without the name.
    pub arguments: &'a [String],
    /// The whole environment.
    pub environment: &'a [(String, String)],
    /// Whose rights it gets; the daemon's own if `None`.
    pub run_as: Option<&'a Credentials>,
    /// Permission bits that its new files lack; the daemon's own if `None`.
    pub umask: Option<u32>,
    /// What it gets when this process ends first, by whatever means; its own children get nothing.
    pub death_signal: Option<Signal>,
}

impl Script<'_> {
    /// Starts it and returns once the kernel has begun to execute it, or has refused to: the child's own
    /// running time is never waited for.
    ///
    /// # Errors
    /// See [`SpawnError`].
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        if !self.program.as_os_str().as_encoded_bytes().contains(&b'/') {
            return Err(SpawnError::NotFound);
        }
        let rights = self.run_as.map(Rights::from);
        let umask = self.umask.map(Mode::from_raw_mode);
        let (parent, death_signal) = (getpid(), self.death_signal);
        let prepare = move || {
            reset_signals()?;
            reset_scheduling();
            close_at_exec(3);
            if let Some(umask) = umask {
                rustix::process::umask(umask);
            }
            rights.as_ref().map_or(Ok(()), Rights::take)?;
            bequeath_no_capabilities()?;
            // Last: the kernel forgets it when the rights change.
            death_signal.map_or(Ok(()), |signal| die_with_parent(parent, signal))
        };
        let mut command = Command::new(self.program);
        if let Some(name) = self.name {
            command.arg0(name);
        }
        command.args(self.arguments).env_clear().envs(self.environment.iter().map(|(k, v)| (k, v)));
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: `prepare` makes system calls only; it takes no lock and does not allocate.
        unsafe { command.pre_exec(prepare) };
        Child::start(&mut command)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;
    use crate::clock::now;
    use crate::process::{Exit, Pid};

    const PATH: &[(&str, &str)] = &[("PATH", "/usr/bin:/bin"), ("COLOUR", "blue")];

    fn shell(text: &str) -> Child {
        let environment: Vec<_> = PATH.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let arguments = ["-c".to_owned(), text.to_owned()];
        let program = Path::new("/bin/sh");
        Script {
            program,
            name: None,
            arguments: &arguments,
            environment: &environment,
            run_as: None,
            umask: Some(0o027),
            death_signal: None,
        }
        .spawn()
        .unwrap()
    }

    fn wait(child: &mut Child) -> Exit {
        let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
        assert_eq!(poll(&mut [PollFd::new(child, PollFlags::IN)], Some(&limit)).unwrap(), 1, "it still runs");
        child.try_wait().unwrap().unwrap()
    }

    /// Waits until `condition` holds.
    fn until(what: &str, mut condition: impl FnMut() -> bool) {
        let limit = now() + Duration::from_secs(20);
        while !condition() {
            assert!(now() < limit, "{what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_exit_is_told_and_its_time_not_waited_for() {
        assert_eq!(wait(&mut shell("exit 7")), Exit::Code(7));
        assert!(wait(&mut shell("true")).success());
        let mut sleeper = shell("exec sleep 1000");
        assert_eq!(sleeper.try_wait().unwrap(), None);
        sleeper.kill(Signal::TERM).unwrap();
        assert_eq!(wait(&mut sleeper), Exit::Signal(Signal::TERM));
    }

    #[test]
    fn a_script_starts_clean() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let report = "{ echo $COLOUR $HOME; umask; ls -l /proc/self/fd | grep -c -- '->'; \
                      grep -E '^(SigBlk|SigIgn)' /proc/self/status; }";
        let mut child = shell(&format!("{report} > {}", out.display()));
        assert!(wait(&mut child).success());
        let said = fs::read_to_string(&out).unwrap();
        let lines: Vec<_> = said.lines().map(str::trim).collect();
        let [colour, umask, open, blocked, ignored] = lines[..] else { panic!("{said}") };
        // `ls` holds 0, 1, 2 and the folder that it reads.
        assert_eq!((colour, umask, open), ("blue", "0027", "4"));
        assert_eq!(mask(blocked), 0);
        // 32 and 33 are the C library's, and nobody else's to change.
        assert_eq!(mask(ignored) & !(0b11 << 31), 0);
    }

    fn mask(line: &str) -> u64 {
        u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap()
    }

    #[test]
    fn the_whole_group_dies() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("pid");
        let mut child = shell(&format!("sleep 1000 & echo $! > {}; wait", out.display()));
        let mut grandchild = None;
        until("the script never wrote its child's number", || {
            grandchild = fs::read_to_string(&out).ok().and_then(|s| s.trim().parse().ok());
            grandchild.is_some()
        });
        let grandchild = Pid::from_number(grandchild.unwrap()).unwrap();
        child.kill_group(Signal::KILL).unwrap();
        assert_eq!(wait(&mut child), Exit::Signal(Signal::KILL));
        let stat = format!("/proc/{grandchild}/stat");
        until("the child of the script lives on", || {
            fs::read_to_string(&stat).map_or(true, |s| s.contains(") Z "))
        });
        child.kill_group(Signal::KILL).unwrap();
    }

    #[test]
    fn what_cannot_be_executed_is_told_why() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let script = |program| Script {
            program,
            name: None,
            arguments: &[],
            environment: &[],
            run_as: None,
            umask: None,
            death_signal: None,
        };
        assert!(matches!(script(&file).spawn(), Err(SpawnError::NotFound)));
        fs::write(&file, "exit 3").unwrap();
        assert!(matches!(script(&file).spawn(), Err(SpawnError::Denied)));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            wait(&mut script(&file).spawn().unwrap()),
            Exit::Code(3),
            "without #! it is for the shell"
        );
        assert!(matches!(script(Path::new("sh")).spawn(), Err(SpawnError::NotFound)));
        let arguments = ["\0".to_owned()];
        let nul = Script { arguments: &arguments, ..script(Path::new("/bin/sh")) };
        assert!(matches!(nul.spawn(), Err(SpawnError::Nul)));
    }

    #[test]
    fn a_script_runs_with_the_rights_of_its_user() {
        if !crate::testing::is_root_or_skip() {
            return;
        }
        let nobody = crate::users::credentials("nobody", None).unwrap();
        let uid = nobody.uid;
        let test = format!(
            "test $(id -u) = {uid} && ! test -w /etc/passwd && grep -q 'CapAmb:.0*$' /proc/self/status"
        );
        let arguments = ["-c".to_owned(), test];
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        let script = Script {
            program: Path::new("/bin/sh"),
            name: None,
            arguments: &arguments,
            environment: &environment,
            run_as: Some(&nobody),
            umask: None,
            death_signal: Some(Signal::TERM),
        };
        assert!(wait(&mut script.spawn().unwrap()).success());
    }

    /// As a service manager does it: an ordinary user with ambient capabilities. User and capabilities belong to a
    /// thread, and each test has one of its own.
    fn become_privileged_nobody() {
        use rustix::thread::{
            CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities,
            set_keep_capabilities, set_thread_res_uid,
        };
        let nobody = crate::users::user("nobody").unwrap().unwrap();
        let uid = rustix::process::Uid::from_raw(nobody.uid.0);
        set_keep_capabilities(true).unwrap();
        set_thread_res_uid(uid, uid, uid).unwrap();
        let mut sets = capabilities(None).unwrap();
        let kept = CapabilitySet::NET_RAW | CapabilitySet::NET_ADMIN;
        (sets.effective, sets.permitted, sets.inheritable) = (kept, kept, kept);
        set_capabilities(None, sets).unwrap();
        for one in kept.iter() {
            configure_capability_in_ambient_set(one, true).unwrap();
        }
    }

    #[test]
    fn a_daemon_that_is_not_root_keeps_its_capabilities_to_itself() {
        if !crate::testing::is_root_or_skip() {
            return;
        }
        become_privileged_nobody();
        let own = fs::read_to_string("/proc/thread-self/status").unwrap();
        let has = |set: &str| own.lines().any(|line| line.starts_with(set) && mask(line) != 0);
        assert!(["CapInh", "CapPrm", "CapEff", "CapAmb"].into_iter().all(has), "{own}");
        let none = "test $(id -u) != 0 && ! grep -E '^Cap(Inh|Prm|Eff|Amb):.*[1-9a-f]' /proc/self/status";
        assert!(wait(&mut shell(none)).success());
        assert!(wait(&mut shell("grep -q '^CapBnd' /proc/self/status")).success(), "the sets are told");
    }
}
