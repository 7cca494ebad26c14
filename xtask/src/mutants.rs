//! `cargo xtask test mutants`: breaks the machine on purpose, and shows that the simulator notices.
//!
//! The simulator's trials are only worth what they would find. Each mutant is the machine with one thing wrong; it is
//! built beside this checkout, and the trials of fixed seeds must fail on it. Unchanged, they must pass.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{cargo, root, say};

/// The machine with one thing wrong.
struct Mutant {
    name: &'static str,
    file: &'static str,
    /// What stands there, and what in its place.
    edits: &'static [(&'static str, &'static str)],
}

const MUTANTS: [Mutant; 25] = [
    Mutant {
        name: "the skew time is lost",
        file: "crates/vrrp/src/timing.rs",
        edits: &[("\n        + skew_time(version, priority, master_interval)", "")],
    },
    Mutant {
        name: "the better a router, the longer its skew time",
        file: "crates/vrrp/src/timing.rs",
        edits: &[("256 - u32::from(priority.get())", "u32::from(priority.get())")],
    },
    Mutant {
        name: "a silent master is given one interval",
        file: "crates/vrrp/src/timing.rs",
        edits: &[("saturating_mul(u32::from(adverts))", "saturating_mul(u32::from(adverts.min(1)))")],
    },
    Mutant {
        name: "the preemption delay is not waited for",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[("None => Decision::FollowUntil(now + delay)", "None => Decision::PassOver")],
    },
    Mutant {
        name: "an address that a reload takes away stays",
        file: "crates/vrrp/src/instance/mod.rs",
        edits: &[("self.hold_all(turn.out);", "")],
    },
    Mutant {
        name: "of equal masters the lesser address stays",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[("heard.source() > view.address", "heard.source() < view.address")],
    },
    Mutant {
        name: "priority 0 is ignored",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[(
            "Wait::MasterDown { .. } | Wait::Overtake { .. } => Decision::AwaitSkew",
            "Wait::MasterDown { .. } | Wait::Overtake { .. } => Decision::Ignore",
        )],
    },
    Mutant {
        name: "a master never yields",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[("    if better {", "    if better && false {")],
    },
    Mutant {
        name: "a backup that may not preempt does",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[("Preempt::Never => Decision::Follow", "Preempt::Never => Decision::Ignore")],
    },
    Mutant {
        name: "nobody preempts",
        file: "crates/vrrp/src/instance/decide.rs",
        edits: &[("Some(_) | None => Decision::PassOver", "Some(_) | None => Decision::Follow")],
    },
    Mutant {
        name: "a backup does not hear its master",
        file: "crates/vrrp/src/instance/carry_out.rs",
        edits: &[("Decision::Follow => self.follow(heard, None, turn.now)", "Decision::Follow => {}")],
    },
    Mutant {
        name: "a master that another contended with does not announce again",
        file: "crates/vrrp/src/instance/carry_out.rs",
        edits: &[
            ("self.announce(garp.lower_prio_repeat, turn);", ""),
            ("master.announce.contention(turn.now, &garp);", ""),
        ],
    },
    Mutant {
        name: "a new master does not announce",
        file: "crates/vrrp/src/instance/settle.rs",
        edits: &[("self.announce(self.config.garp.repeat, turn);", "")],
    },
    Mutant {
        name: "who yields keeps its addresses",
        file: "crates/vrrp/src/instance/settle.rs",
        edits: &[("self.release_all(turn.out);", "")],
    },
    Mutant {
        name: "a master that stops does not say so",
        file: "crates/vrrp/src/instance/effects.rs",
        edits: &[(
            "            self.counters.release_sent += 1;\n            turn.out.push(Action::Transmit(outgoing));\n",
            "            drop(outgoing);\n",
        )],
    },
    Mutant {
        name: "a weight counts when its script fails",
        file: "crates/vrrp/src/instance/tracking.rs",
        edits: &[("if (weight > 0) == up { weight }", "if (weight > 0) != up { weight }")],
    },
    Mutant {
        name: "what is vital is at fault when it works",
        file: "crates/vrrp/src/instance/tracking.rs",
        edits: &[("get() == 0 && up == influence.reverse", "get() == 0 && up != influence.reverse")],
    },
    Mutant {
        name: "a BFD session counts as up when it is down",
        file: "crates/vrrp/src/instance/tracking.rs",
        edits: &[(
            "if world.sessions.contains(session) { Verdict::Up }",
            "if !world.sessions.contains(session) { Verdict::Up }",
        )],
    },
    Mutant {
        name: "what a tracked file gives is taken",
        file: "crates/vrrp/src/instance/tracking.rs",
        edits: &[(
            "let weight = if tracked.influence.reverse { -weight }",
            "let weight = if !tracked.influence.reverse { -weight }",
        )],
    },
    Mutant {
        name: "a master advertises half as often",
        file: "crates/vrrp/src/instance/mod.rs",
        edits: &[("let next = due + interval;", "let next = due + interval * 2;")],
    },
    Mutant {
        name: "the effective priority may be 255",
        file: "crates/vrrp/src/priority.rs",
        edits: &[("i32::from(Priority::MOST.get())", "255")],
    },
    Mutant {
        name: "a worker that comes back does not go on as master",
        file: "crates/vrrp/src/instance/mod.rs",
        edits: &[("        self.recalled = true;\n", "")],
    },
    Mutant {
        name: "a member of a sync group is forgotten",
        file: "crates/vrrp/src/router/settle.rs",
        edits: &[(
            "        for (id, step) in &mut steps {",
            "        for (id, step) in steps.iter_mut().skip(1) {",
        )],
    },
    Mutant {
        name: "a reload always finds a difference",
        file: "crates/vrrp/src/reconfigure.rs",
        edits: &[("(\"priority\", *priority == new.priority)", "(\"priority\", false)")],
    },
    Mutant {
        name: "an address that somebody deletes is not put back",
        file: "crates/netlink/src/reconcile.rs",
        edits: &[(
            "if state.deletions.count(now, link) <= PUT_BACKS {\n                    self.enqueue(slot);",
            "if state.deletions.count(now, link) <= PUT_BACKS {",
        )],
    },
];

/// Tries every mutant; false if one lives, or nothing could be tried.
pub(crate) fn all_are_caught() -> bool {
    match try_all() {
        Ok(()) => true,
        Err(error) => {
            say(&error);
            false
        }
    }
}

fn try_all() -> Result<(), String> {
    let nursery = Nursery::new().map_err(|error| format!("cannot copy the sources: {error}"))?;
    let unchanged = nursery.trials()?;
    if !unchanged.status.success() {
        return Err(format!("the machine fails unchanged:\n{}", told(&unchanged)));
    }
    let mut living = Vec::new();
    for mutant in &MUTANTS {
        match nursery.caught_by(mutant)? {
            Some(rule) => say(&format!("   caught by {rule}: {}", mutant.name)),
            None => living.push(mutant.name),
        }
    }
    if living.is_empty() { Ok(()) } else { Err(format!("not caught: {}", living.join("; "))) }
}

/// A copy of the crates that the simulator needs, to be broken.
struct Nursery {
    folder: PathBuf,
}

impl Nursery {
    fn new() -> io::Result<Self> {
        let folder = root().join("target/mutants/source");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        for part in ["model", "wire", "vrrp", "netlink", "config", "sim"] {
            copy(&root().join("crates").join(part), &folder.join("crates").join(part))?;
        }
        let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
        let members = "members = [\"crates/*\", \"xtask\"]\ndefault-members = [\"crates/steadfast\"]";
        fs::write(folder.join("Cargo.toml"), manifest.replace(members, "members = [\"crates/*\"]"))?;
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        fs::copy(root().join("clippy.toml"), folder.join("clippy.toml"))?;
        Ok(Self { folder })
    }

    /// The name of the rule that the mutant breaks; `None` if it breaks none.
    fn caught_by(&self, mutant: &Mutant) -> Result<Option<String>, String> {
        let path = self.folder.join(mutant.file);
        let read = |error| format!("{}: {error}", mutant.file);
        let healthy = fs::read_to_string(&path).map_err(read)?;
        let mut broken = healthy.clone();
        for (from, to) in mutant.edits {
            if broken.matches(from).count() != 1 {
                let file = mutant.file;
                return Err(format!(
                    "mutant '{}' is stale: {file} has not exactly once:\n{from}",
                    mutant.name
                ));
            }
            broken = broken.replace(from, to);
        }
        fs::write(&path, broken).map_err(read)?;
        let outcome = self.trials();
        fs::write(&path, healthy).map_err(read)?;
        let outcome = outcome?;
        let told = told(&outcome);
        if outcome.status.success() {
            return Ok(None);
        }
        let rule = told.split(" broken: ").next().and_then(|before| before.split(['"', ' ']).next_back());
        let found = told.contains(" broken: ").then(|| rule.unwrap_or("a rule").to_owned());
        found.map(Some).ok_or_else(|| format!("mutant '{}' fails otherwise:\n{told}", mutant.name))
    }

    /// Builds, which must work, and runs the trials.
    fn trials(&self) -> Result<Output, String> {
        let built =
            self.cargo(&["test", "--quiet", "--no-run", "--package", "steadfast-sim", "--test", "trials"])?;
        if !built.status.success() {
            return Err(format!("a mutant cannot be built:\n{}", told(&built)));
        }
        self.cargo(&[
            "test",
            "--quiet",
            "--package",
            "steadfast-sim",
            "--test",
            "trials",
            "nothing_breaks_a_rule",
        ])
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Output, String> {
        let mut command: Command = cargo();
        command
            .current_dir(&self.folder)
            .args(arguments)
            .env("CARGO_TARGET_DIR", root().join("target/mutants/build"))
            .env("RUST_BACKTRACE", "0")
            .env("STEADFAST_SIM_SEED", "1")
            .env("STEADFAST_SIM_TRIALS", TRIALS);
        // A mutant may well be what an unused import looks like.
        command.env("RUSTFLAGS", "--cap-lints allow");
        command.output().map_err(|error| format!("cannot run cargo: {error}"))
    }
}

fn told(output: &Output) -> String {
    let mut told = String::from_utf8_lossy(&output.stdout).into_owned();
    told.push_str(&String::from_utf8_lossy(&output.stderr));
    told
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Enough for every mutant to be found, and quickly done.
const TRIALS: &str = "4000";
