//! What a configuration test says of the scripts that a file names, as this host has them.
//!
//! keepalived's test fails for a `vrrp_script` that is not there and is silent about a notify script that is not: the
//! severities follow it, so that both give the same verdict.

use std::collections::HashSet;

use config::keyword::Block;
use config::{Code, Diagnostic, Loaded, Script, Severity, Span};
use model::vrrp::RunAs;

use super::permit::{Permits, Policy, Refusal, Security, insecurity};

/// What is wrong with the scripts of a file if root runs it on this host. May block on the user database.
///
/// Where none of them is here, nothing needs to be secured, and the file is not blamed for having no script security.
pub(crate) fn audit(loaded: &mut Loaded) {
    let security = Security::from(&loaded.config.global);
    let mut permits = Permits::of_root();
    permits.configure(Policy::from(&loaded.config.global));
    let mut audit = Audit {
        permits,
        security,
        seen: HashSet::new(),
        found: Vec::new(),
        lacks_interface: loaded.diagnostics.iter().any(|found| found.code == Code::MissingInterface),
        is_any_here: false,
    };
    audit.users(loaded);
    for script in &loaded.scripts {
        audit.script(script);
    }
    audit.default_user(loaded);
    if !audit.is_any_here {
        let lacking = loaded.diagnostics.iter_mut().filter(|found| found.code == Code::NoScriptSecurity);
        lacking.for_each(|found| found.severity = Severity::Note);
    }
    loaded.diagnostics.append(&mut audit.found);
    loaded.diagnostics.sort_by_key(|diagnostic| diagnostic.primary);
}

struct Audit {
    permits: Permits,
    security: Security,
    /// Many servers share a script, and it is said once.
    seen: HashSet<(String, RunAs, bool)>,
    found: Vec<Diagnostic>,
    /// An interface does not exist.
    lacks_interface: bool,
    /// Some script exists, and its user.
    is_any_here: bool,
}

impl Audit {
    fn say(&mut self, severity: Severity, code: Code, span: Span, headline: String, help: Option<&str>) {
        let mut diagnostic = Diagnostic::new(severity, code, span, headline);
        diagnostic.help = help.map(str::to_owned);
        self.found.push(diagnostic);
    }

    /// Users that have a line of their own.
    fn users(&mut self, loaded: &Loaded) {
        for (user, span) in &loaded.users {
            if let Some(refusal) = self.permits.refusal_of(user) {
                let headline = format!("scripts cannot be run as this user: {refusal}");
                let help = "create the user, or name another one; until then these scripts are not run";
                self.say(Severity::Warning, Code::NoSuchUser, *span, headline, Some(help));
            }
        }
    }

    fn script(&mut self, script: &Script) {
        let command = &script.command;
        let is_check = script.block == Block::Script;
        let result = self.permits.predict(command);
        self.is_any_here |= self.is_looked_at(script) && result.as_ref().map_or_else(is_here, |_| true);
        if !self.seen.insert((command.program.clone(), command.run_as.clone(), is_check)) {
            return;
        }
        let name = &command.program;
        match result {
            Ok(permit) => {
                if let Some(insecure) = permit.insecure {
                    let headline = format!("the script `{name}` runs as root, but {}", insecurity(&insecure));
                    let help = "with `enable_script_security` it would not be run";
                    self.say(Severity::Note, Code::InsecureScript, script.span, headline, Some(help));
                }
            }
            // Said of the line that names the user.
            Err(Refusal::User(_)) if !script.names_user => {}
            Err(refusal) => {
                let headline = format!("the script `{name}` is not run on this host: {refusal}");
                let severity = self.severity(script, &refusal);
                self.say(severity, Code::ScriptNotRun, script.span, headline, refusal.remedy().as_deref());
            }
        }
    }

    /// keepalived asks for the security of a router's scripts only if all interfaces are there.
    fn is_looked_at(&self, script: &Script) -> bool {
        let of_router = matches!(script.block, Block::Script | Block::Instance | Block::SyncGroup);
        !(of_router && self.lacks_interface)
    }

    /// As with keepalived: what is silent there is a note.
    fn severity(&self, script: &Script, refusal: &Refusal) -> Severity {
        let is_lifecycle = ["startup_script", "shutdown_script"].contains(&script.keyword);
        let fails = match refusal {
            Refusal::User(_) => is_lifecycle,
            Refusal::NotExecutable { .. } => false,
            Refusal::Directory(_) => script.block == Block::Script && self.security == Security::Enforced,
            _ => script.block == Block::Script,
        };
        if fails { Severity::Warning } else { Severity::Note }
    }

    /// Whose rights a script has if nobody is named. Script security does not leave that open.
    fn default_user(&mut self, loaded: &Loaded) {
        let first = loaded.scripts.iter().find(|script| script.command.run_as == RunAs::Default);
        let Some(first) = first.filter(|_| self.permits.is_root_by_default()) else { return };
        let severity = match self.security {
            Security::Enforced => Severity::Warning,
            Security::Warned => Severity::Note,
        };
        let headline = "scripts run as root: there is no `script_user` and no user `keepalived_script`";
        let help = "add `script_user USER` to `global_defs`";
        self.say(severity, Code::RootByDefault, first.span, headline.to_owned(), Some(help));
    }
}

/// Whether the file is there in spite of what speaks against running it.
fn is_here(refusal: &Refusal) -> bool {
    !matches!(refusal, Refusal::NotInPath(_) | Refusal::Missing(_) | Refusal::User(_))
}
